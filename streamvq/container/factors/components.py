"""The samples of one component of a stack of factors (FORMAT.md, sections 10.3 and 10.4).

An adaptive linear predictor sums samples around, of the component itself and of two reference planes, which predict
it from the previous frame and from another channel. The residual is coded as its bit length, by binary decisions from
a likely one on, its lower bits and its sign; contexts are the magnitudes of the residuals nearby.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from streamvq.compiling import njit
from streamvq.container.entropy.mixer import prediction_error, squash, stretch_22, update_weight
from streamvq.container.entropy.probabilities import p0_of, update_probability_22
from streamvq.container.entropy.range_coder import (
    HALF,
    U,
    decode_bit,
    encode_bit,
    needs_renormalization,
    renormalize,
)
from streamvq.container.factors.predictor import (
    FRACTION_BITS,
    N_COEFFICIENTS,
    N_INTER_CHANNEL,
    N_OWN,
    N_TEMPORAL,
    WINDOW,
    decay,
    update_predictor,
)
from streamvq.container.factors.references import ABOVE, LEFT, LINE, MAX_VALUE, N_KINDS, RIGHT

_MAX_SUM = MAX_VALUE << FRACTION_BITS

# The residual's contexts
_MAX_LENGTH = 22  # bits of a residual: twice MAX_VALUE, and the sign apart
_MAX_LOG = 31  # logarithms have 5 bits
_LOG_BITS, _KIND_BITS, _PART_BITS = 5, 2, 2
_LOG_TABLE_BITS = 12
_N_CONTEXTS = 5  # probabilities that are mixed for a binarization node of the length
_CONTEXT_SIZE = 1024  # two logarithms
_NODE_BITS = 7  # 32 lengths, and 2 bits for the direction of the search
_UP, _DOWN = 32, 64  # the directions; at first neither
_LENGTH_MASK = _UP - 1
_MAX_LOW_BITS = 3  # below the top one, with probabilities of their own; those further down are noise
_LENGTH_WEIGHT = 20000  # 0.31 of 65536: five inputs
_SIGN_WEIGHT = 24000  # 0.37: three inputs
_WEIGHTS_BITS = 3  # five weights, rounded up to a power of two
_SIGN_WEIGHTS_BITS = 2
_SIDE_BITS = 4  # kind and part
_SIGN_BY_ONE, _SIGN_BY_BOTH = 512, 4096  # where the probabilities of the sign's second and third context begin
WORDS_PER_SAMPLE = 16  # 23 decisions on the length and the sign of at most 16 bits each, and 21 lower bits


class PlaneModel(NamedTuple):
    """What a group learns about residuals: 22-bit adaptive probabilities, and weights, int32."""

    length_probabilities: Any
    low_bit_probabilities: Any
    sign_probabilities: Any
    length_weights: Any
    sign_weights: Any


def _log_table() -> Any:
    """By x: twice its bit length, less 2, plus the bit below the top one; 0 for 0, 1 for 1."""
    x = np.arange(1 << _LOG_TABLE_BITS)
    length = np.frexp(x.astype(np.float64))[1]
    return np.where(x > 1, 2 * length - 2 + (x >> np.maximum(length - 2, 0) & 1), x).astype(np.uint8)


_LOGS = _log_table()


@njit(nogil=True, forceinline=True)
def _log(x: Any) -> Any:
    """About twice the binary logarithm of x >= 0: `_LOGS`, continued in steps of 2^10; at most 31."""
    if x < 1 << _LOG_TABLE_BITS:
        return np.int64(_LOGS[U(x)])
    return min(np.int64(_LOGS[U(min(x >> 10, (1 << _LOG_TABLE_BITS) - 1))]) + 20, _MAX_LOG)


def new_plane_model() -> PlaneModel:
    """The model that a group starts with."""
    return PlaneModel(
        np.zeros((_N_CONTEXTS * _CONTEXT_SIZE) << _NODE_BITS, np.int32),
        np.zeros(N_KINDS << 11, np.int32),
        np.zeros(N_KINDS << 12, np.int32),
        np.full(N_KINDS << (_NODE_BITS + _WEIGHTS_BITS), _LENGTH_WEIGHT, np.int32),
        np.full(N_KINDS << (_PART_BITS + _SIGN_WEIGHTS_BITS), _SIGN_WEIGHT, np.int32),
    )


class Scratch(NamedTuple):
    """What `code_plane` has to look up and to work in: all int64."""

    own_offsets: Any  # from a sample to the six before it in its own plane
    offsets: Any  # and to the five around its place in the others
    inputs: Any
    contexts: Any
    logits: Any


def new_scratch(kind: int, stride: int) -> Scratch:
    """For components of a kind, in planes of this stride."""
    own, others = (
        ([-1, -2, -3, -4, -5, -6], [0, -1, 1, -2, 2])
        if kind == LINE
        else ([-1, -stride, -stride - 1, 1 - stride, -2, -2 * stride], [0, -1, -stride, 1, stride])
    )
    empty = (np.zeros(n, np.int64) for n in (N_COEFFICIENTS, _N_CONTEXTS, _N_CONTEXTS))
    return Scratch(np.array(own, np.int64), np.array(others, np.int64), *empty)


@njit(nogil=True)
def code_plane(
    words: Any,
    coder: Any,
    kind: Any,
    size: Any,
    planes: Any,
    residuals: Any,
    predictor: Any,
    model: Any,
    scratch: Any,
    decoding: Any,
) -> Any:
    """Code the samples of a component, `size` (height, width, stride). Returns the coder.

    One long function: with length, lower bits and sign in functions of their own, even inlined ones, it takes 1.13 to
    1.18 times as long, as Numba then counts references to the model's arrays in the loops.
    """
    height, width, stride = size
    own_offsets, offsets, inputs, contexts, logits = scratch
    samples, temporal, inter_channel = planes
    residual, before, temporal_residual, channel_residual = residuals
    length_probabilities, low_bit_probabilities, sign_probabilities, length_weights, sign_weights = model
    coefficients = predictor.coefficients
    turn = 0
    count = 0
    for y in range(height):
        first = (y + ABOVE) * stride + LEFT
        if y:  # the margin left of a row is the first sample of the row above
            for k in range(2):
                samples[first - 1 - k] = samples[first - stride]
                residual[first - 1 - k] = residual[first - stride]
        for i in range(first, first + width):
            if y == 0:
                up = i - stride
                samples[U(up)] = samples[U(up + 1)] = samples[U(up - stride)] = samples[U(i - 1)]
                residual[U(up)] = residual[U(up + 1)] = residual[U(up - stride)] = residual[U(i - 1)]

            # Section 10.3: the sum of the predictor
            for k in range(N_OWN):
                inputs[U(k)] = samples[U(i + own_offsets[U(k)])]
            for k in range(N_TEMPORAL):
                inputs[U(k + N_OWN)] = temporal[U(i + offsets[U(k)])]
            for k in range(N_INTER_CHANNEL):
                inputs[U(k + N_OWN + N_TEMPORAL)] = inter_channel[U(i + offsets[U(k)])]
            total: Any = np.int64(0)
            any_input = np.int64(0)
            for k in range(N_COEFFICIENTS):
                total += inputs[U(k)] * coefficients[U(k)]
                any_input |= inputs[U(k)]
            total = min(max(total >> FRACTION_BITS, -_MAX_SUM), _MAX_SUM)
            prediction = (total + 128) >> FRACTION_BITS
            part = total - (prediction << FRACTION_BITS)
            mirrored = part < 0  # the residual is coded as if the sum were above the prediction
            part = min(abs(part) >> 5, 3)

            # Section 10.4: contexts
            own = np.int64(residual[U(i + own_offsets[0])]) + np.int64(residual[U(i + own_offsets[1])])
            for k in range(6):
                own += np.int64(residual[U(i + own_offsets[U(k)])])
            below, past = 3 * np.int64(before[U(i)]), 3 * np.int64(temporal_residual[U(i)])
            across = 3 * np.int64(channel_residual[U(i)])
            for k in range(5):
                neighbor = U(i + offsets[U(k)])
                below += np.int64(before[neighbor])
                past += np.int64(temporal_residual[neighbor])
                across += np.int64(channel_residual[neighbor])
            around = _log((3 * own + 2 * below + 2 * past + across) >> 3)
            to_temporal = (np.int64(temporal[U(i)]) << FRACTION_BITS) - total
            to_channel = (np.int64(inter_channel[U(i)]) << FRACTION_BITS) - total
            temporal_log, channel_log = _log(abs(to_temporal) >> 6), _log(abs(to_channel) >> 6)
            own = _log(own)
            contexts[0] = own << _LOG_BITS | min(_log(below) >> 1, 7) << _KIND_BITS | kind
            contexts[1] = 1 * _CONTEXT_SIZE | around << (_PART_BITS + _KIND_BITS) | part << _KIND_BITS | kind
            contexts[2] = 2 * _CONTEXT_SIZE | _log(across) << _LOG_BITS | channel_log
            contexts[3] = 3 * _CONTEXT_SIZE | temporal_log << _LOG_BITS | _log(past)
            contexts[4] = 4 * _CONTEXT_SIZE | _log(abs(total) >> 5) << _LOG_BITS | around
            start = max((around >> 1) - 3, 0)

            # The residual
            value = np.int64(samples[U(i)]) - prediction
            if mirrored:
                value = -value
            magnitude = abs(value)
            length = np.int64(0)
            if not decoding:
                while magnitude >> length:
                    length += 1
            node = start  # is the length greater than the node's lowest bits say?
            while True:
                total_logit = np.int64(0)
                w = (kind << _NODE_BITS | node) << _WEIGHTS_BITS
                for k in range(_N_CONTEXTS):
                    logits[U(k)] = stretch_22(length_probabilities[U(contexts[U(k)] << _NODE_BITS | node)])
                    total_logit += logits[U(k)] * np.int64(length_weights[U(w + k)])
                p0 = squash(total_logit)
                bit = length > (node & _LENGTH_MASK)
                coder, bit, carry = decode_bit(coder, p0) if decoding else encode_bit(coder, p0, bit)
                if needs_renormalization(coder, carry):
                    coder = renormalize(words, coder, carry, decoding)
                error = prediction_error(p0, bit)
                for k in range(_N_CONTEXTS):
                    c = U(contexts[U(k)] << _NODE_BITS | node)
                    length_probabilities[c] = update_probability_22(length_probabilities[c], bit)
                    length_weights[U(w + k)] = update_weight(np.int64(length_weights[U(w + k)]), logits[U(k)], error)
                if bit:
                    node += 1
                    if node > _DOWN or node & _LENGTH_MASK == _MAX_LENGTH:
                        break
                    node |= _UP
                else:
                    if node & ~_DOWN == 0 or node & _UP:
                        break
                    node = (node - 1) | _DOWN
            length = node & _LENGTH_MASK
            if length:
                lower_bits = magnitude
                magnitude = np.int64(1)
                for bit_index in range(length - 2, -1, -1):
                    bit = (lower_bits >> bit_index) & 1 != 0
                    depth = length - 2 - bit_index
                    low_node, p0 = 0, HALF
                    if depth < _MAX_LOW_BITS:
                        low_node = (kind << _LOG_BITS | length) << 6 | min(max(start - length + 3, 0), 7) << 3
                        low_node |= 1 << depth | (magnitude & ((1 << depth) - 1))
                        p0 = p0_of(low_bit_probabilities[U(low_node)])
                    coder, bit, carry = decode_bit(coder, p0) if decoding else encode_bit(coder, p0, bit)
                    if needs_renormalization(coder, carry):
                        coder = renormalize(words, coder, carry, decoding)
                    if depth < _MAX_LOW_BITS:
                        state = low_bit_probabilities[U(low_node)]
                        low_bit_probabilities[U(low_node)] = update_probability_22(state, bit)
                    magnitude = magnitude << 1 | np.int64(bit)
                toward_temporal = np.int64((to_temporal < 0) != mirrored) << 3 | min(temporal_log >> 1, 7)
                toward_channel = np.int64((to_channel < 0) != mirrored) << 3 | min(channel_log >> 1, 7)
                side = kind << _PART_BITS | part
                a = U(side << _LOG_BITS | around)
                b = U(_SIGN_BY_ONE + ((side << _SIDE_BITS | toward_temporal) << _SIDE_BITS | around >> 1))
                c = U(_SIGN_BY_BOTH + ((side << _SIDE_BITS | toward_temporal) << _SIDE_BITS | toward_channel))
                w = side << _SIGN_WEIGHTS_BITS
                state_a, state_b, state_c = sign_probabilities[a], sign_probabilities[b], sign_probabilities[c]
                logit_a, logit_b, logit_c = stretch_22(state_a), stretch_22(state_b), stretch_22(state_c)
                weight_a, weight_b = np.int64(sign_weights[U(w)]), np.int64(sign_weights[U(w + 1)])
                weight_c = np.int64(sign_weights[U(w + 2)])
                p0 = squash(logit_a * weight_a + logit_b * weight_b + logit_c * weight_c)
                negative = value < 0
                coder, negative, carry = decode_bit(coder, p0) if decoding else encode_bit(coder, p0, negative)
                if needs_renormalization(coder, carry):
                    coder = renormalize(words, coder, carry, decoding)
                sign_probabilities[a] = update_probability_22(state_a, negative)
                sign_probabilities[b] = update_probability_22(state_b, negative)
                sign_probabilities[c] = update_probability_22(state_c, negative)
                error = prediction_error(p0, negative)
                sign_weights[U(w)] = update_weight(weight_a, logit_a, error)
                sign_weights[U(w + 1)] = update_weight(weight_b, logit_b, error)
                sign_weights[U(w + 2)] = update_weight(weight_c, logit_c, error)
                residual[U(i)] = magnitude
                value = prediction - magnitude if negative != mirrored else prediction + magnitude
            else:
                residual[U(i)] = 0
                value = prediction
            if decoding:
                samples[U(i)] = min(max(value, -MAX_VALUE), MAX_VALUE)

            if any_input:
                sum_error = (np.int64(samples[U(i)]) << FRACTION_BITS) - total
                turn = update_predictor(inputs, sum_error, predictor, turn)
                count += 1
                if count == WINDOW:
                    count = WINDOW // 2
                    decay(predictor, 1)
        end = first + width
        for k in range(RIGHT):
            samples[end + k] = samples[end - 1]
            residual[end + k] = residual[end - 1]
    return coder
