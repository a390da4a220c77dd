"""The codes of a row of a frame with more contexts than `rows` has, for the effort max (FORMAT.md, section 14).

Candidates and escapes are as there, but mixed from more probabilities, with two sets of weights each. What is new are
colors: each code has one, from those of the codes around a color is predicted, and its cell, the distance of a
candidate from it, and how much colors around vary are contexts. PAQ8's models of images have contexts of this kind
(M. Mahoney, A. Ratushnyak and others); the weights of neighbors are rounded least squares of photos and film.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.container.entropy.mixer import (
    MAX_LOGIT,
    WEIGHT_BITS,
    prediction_error,
    squash,
    stretch_12,
    stretch_22,
    weight_step,
)
from streamvq.container.entropy.probabilities import (
    COUNT_BITS_22,
    P0_SHIFT,
    SCALE_22,
    update_probability_12,
    update_probability_22,
)
from streamvq.container.entropy.range_coder import U, decode_bit, encode_bit, needs_renormalization, renormalize
from streamvq.container.indices import deep_model
from streamvq.container.indices.deep_model import FIELD_BITS, N_BIT_INPUTS, N_CANDIDATE_INPUTS
from streamvq.container.indices.motion import TILE_SIZE
from streamvq.container.indices.rows import (
    COARSE_BITS,
    CODE_BITS,
    HASH,
    MAX_EXACT_BITS,
    N_CANDIDATES,
    WEIGHT_CONTEXT,
    equality_contexts,
)

_SALT = np.uint64(0x2545F4914F6CDD1D)  # times an input's number: inputs of equal contexts are apart
_SALTED_BITS = np.uint64(20)  # dropped of a salted context, so that the prefix is added to its best part
_TWO_CODES, _THREE_CODES = CODE_BITS + CODE_BITS, CODE_BITS + CODE_BITS + CODE_BITS  # bits, in a hash
_MIN_P0, _MAX_P0 = 32, 65504
# Shifts of uint64
_CANDIDATE_BITS, _CANDIDATE_INPUT_BITS = U(deep_model.CANDIDATE_BITS), U(deep_model.CANDIDATE_INPUT_BITS)
_BIT_INPUT_BITS, _NODE_BITS, _PATH_BITS = (
    U(bits) for bits in (deep_model.BIT_INPUT_BITS, deep_model.NODE_BITS, deep_model.PATH_BITS)
)
_TONE_BITS, _EQUALITY_BITS = U(deep_model.TONE_LEVEL_BITS), U(deep_model.EQUALITY_BITS)
_LEVEL_BITS = U(deep_model.TONE_LEVEL_BITS + deep_model.CHANGE_LEVEL_BITS)
_KNOT_BITS = U(deep_model.KNOT_BITS)
_PATH = U((1 << deep_model.PATH_BITS) - 1)

_FIELD = (1 << FIELD_BITS) - 1
_ZERO = 1 << (FIELD_BITS - 1)  # added to each field before it is taken out, so that none is negative
_ZEROS = sum(_ZERO << n * FIELD_BITS for n in range(3))
_PREDICTION_BITS = 5  # predicted colors are in 32nds
_HALVES = sum(1 << _PREDICTION_BITS - 1 + n * FIELD_BITS for n in range(3))
_PART_BITS = deep_model.KNOT_DISTANCE_BITS
_WHOLE = 1 << _PART_BITS


def _lengths(count: int, most: int) -> NDArray[np.uint8]:
    """How many bits a number has, `most` at most: uint8 [count]."""
    return np.array([min(number.bit_length(), most) for number in range(count)], np.uint8)


_BIT_LENGTHS = _lengths(1 << 11, 11)
_TONE_LENGTHS = _lengths(1 << 11, (1 << deep_model.TONE_LEVEL_BITS) - 1)


@njit(nogil=True, forceinline=True)
def _component(color: Any, number: Any) -> Any:
    """A component of a predicted color: 0 to 255."""
    shift = np.int64(number * FIELD_BITS + _PREDICTION_BITS)
    value = (color >> shift & np.int64(_FIELD >> _PREDICTION_BITS)) - np.int64(_ZERO >> _PREDICTION_BITS)
    return min(max(value, np.int64(0)), np.int64(255))


@njit(nogil=True, forceinline=True)
def _gradient_cell(color: Any) -> Any:
    """The cell of 8 levels a side of a color whose fields may be beyond 0 to 255."""
    first = min(max((color & np.int64(_FIELD)) - np.int64(_ZERO), np.int64(0)), np.int64(255))
    second = min(
        max((color >> np.int64(FIELD_BITS) & np.int64(_FIELD)) - np.int64(_ZERO), np.int64(0)), np.int64(255)
    )
    third = min(max((color >> np.int64(2 * FIELD_BITS)) - np.int64(_ZERO), np.int64(0)), np.int64(255))
    return U(first >> 3 << 10 | second >> 3 << 5 | third >> 3)


@njit(nogil=True)
def code_deep_row(
    words: Any,
    coder: Any,
    planes: Any,
    first: Any,
    offsets: Any,
    skips: Any,
    scratch: Any,
    model: Any,
    decoding: Any,
) -> Any:
    """As `rows.code_row`, with a `DeepModel`; one long function too, for what is said there."""
    contexts, hashes, slots, states, logits = scratch
    equality_contexts(planes, first, offsets, contexts)
    frame, prediction, two_back = planes
    colors, tones = model.colors, model.tones
    equality_probabilities, distance_probabilities = model.equality_probabilities, model.distance_probabilities
    hashed_probabilities, refinements = model.hashed_probabilities, model.refinements
    equality_weights, distance_weights = model.equality_weights, model.distance_weights
    counters, tone_weights, path_weights = model.counters, model.tone_weights, model.path_weights
    code_bits, context_shift, slot_shift = model.code_bits, model.context_shift, model.slot_shift
    coarse_shift = U(code_bits - COARSE_BITS if code_bits > MAX_EXACT_BITS else 0)
    is_predicted = offsets.predicted == 0
    up = offsets.above
    width = contexts.size
    x = 0
    while x < width:
        i = first + x
        if x % TILE_SIZE == 0 and skips[x // TILE_SIZE]:
            for j in range(i, first + min(x + TILE_SIZE, width)):
                frame[U(j)] = prediction[U(j)]
            x += TILE_SIZE
            continue
        left, above = frame[U(i - 1)], frame[U(i + up)]
        corner, right = frame[U(i + up - 1)], frame[U(i + up + 1)]
        left2, above2 = frame[U(i - 2)], frame[U(i + 2 * up)]
        predicted = prediction[U(i + offsets.predicted)]
        context = U(contexts[U(x)]) | U(above == left) | U(corner == left) << U(1)
        context |= U(predicted == left) << U(2) | U(prediction[U(i + offsets.predicted_left)] == left) << U(3)
        context |= U(two_back[U(i + offsets.two_back)] == left) << U(4)
        value = frame[U(i)]
        x += 1

        # The predicted color, and how much colors vary
        tone = tones[U(corner)]
        variation = abs(tones[U(left)] - tone) + abs(tones[U(above)] - tone)
        variation += abs(tones[U(above)] - tones[U(right)])
        color = 12 * colors[U(left)] + 7 * colors[U(above)] - 3 * colors[U(corner)]
        color += 4 * colors[U(right)] - 2 * colors[U(left2)] - 2 * colors[U(above2)]
        gradient = colors[U(left)] + colors[U(above)] - colors[U(corner)] + _ZEROS
        change = np.int64(0)
        if is_predicted:
            left_was, above_was = prediction[U(i - 1)], prediction[U(i + up)]
            corner_was, right_was = prediction[U(i + up - 1)], prediction[U(i + up + 1)]
            change = abs(tones[U(left)] - tones[U(left_was)]) + abs(tones[U(above)] - tones[U(above_was)])
            change += abs(tone - tones[U(corner_was)]) + abs(tones[U(right)] - tones[U(right_was)])
            color -= 12 * colors[U(left_was)] + 7 * colors[U(above_was)] - 3 * colors[U(corner_was)]
            color -= 4 * colors[U(right_was)] - 2 * colors[U(prediction[U(i - 2)])]
            color += 2 * colors[U(prediction[U(i + 2 * up)])]
            color += 32 * colors[U(predicted)]
        else:
            color += color
        color += _ZEROS + _HALVES
        red, green, blue = _component(color, 0), _component(color, 1), _component(color, 2)
        fine = U((red >> 2) << 12 | (green >> 2) << 6 | blue >> 2)
        cell = U((red >> 3) << 10 | (green >> 3) << 5 | blue >> 3)
        tone_level = U(_TONE_LENGTHS[U(variation)])
        change_level = U(_BIT_LENGTHS[U(change)])
        levels = change_level << _TONE_BITS | tone_level

        # Candidates
        hashes[U(1)] = U(left) << _TWO_CODES | U(above) << CODE_BITS | U(predicted)
        hashes[U(2)] = U(left) << _THREE_CODES | U(above) << _TWO_CODES | U(right) << CODE_BITS | U(corner)
        hashes[U(3)] = U(prediction[U(i + offsets.predicted_right)]) << _THREE_CODES | U(predicted) << _TWO_CODES
        hashes[U(3)] |= U(prediction[U(i + offsets.predicted_below)]) << CODE_BITS | U(left)
        for n in range(1, 4):
            hashes[U(n)] = ((hashes[U(n)] + U(n) * _SALT) * HASH) >> context_shift
        equalities = U(left == above) | U(above == right) << U(1) | U(left == corner) << U(2)
        hit = False
        candidate = predicted
        for number in range(N_CANDIDATES):
            if number == 1:
                if left == predicted:
                    continue
                candidate = left
            elif number == 2:
                if above == predicted or above == left:  # noqa: SIM109
                    continue
                candidate = above
            shown = colors[U(candidate)]
            apart = abs((shown & np.int64(_FIELD)) - red) + abs((shown >> np.int64(2 * FIELD_BITS)) - blue)
            apart += 2 * abs((shown >> np.int64(FIELD_BITS) & np.int64(_FIELD)) - green)
            distance = U(_BIT_LENGTHS[U(apart)])
            a = context << _CANDIDATE_BITS | U(number)
            b = (distance << _LEVEL_BITS | levels) << _CANDIDATE_BITS | U(number)
            v = ((context & WEIGHT_CONTEXT) << _CANDIDATE_BITS | U(number)) << _CANDIDATE_INPUT_BITS
            w = ((distance << _TONE_BITS | tone_level) << _CANDIDATE_BITS | U(number)) << _CANDIDATE_INPUT_BITS
            hashes[U(4)] = (((U(candidate) << _TWO_CODES | fine) + U(4) * _SALT) * HASH) >> context_shift
            states[U(0)], states[U(5)] = equality_probabilities[a], distance_probabilities[b]
            logits[U(0)], logits[U(5)] = stretch_22(states[U(0)]), stretch_22(states[U(5)])
            for n in range(1, 5):
                state = hashed_probabilities[hashes[U(n)] << _CANDIDATE_BITS | U(number)]
                states[U(n)], logits[U(n)] = state, stretch_12(state)
            total = np.int64(0)
            for n in range(N_CANDIDATE_INPUTS):
                total += (np.int64(equality_weights[v + U(n)]) + np.int64(distance_weights[w + U(n)])) * logits[U(n)]
            mixed = squash(total)
            logit = min(max(total >> WEIGHT_BITS, np.int64(-MAX_LOGIT)), np.int64(MAX_LOGIT - 1)) + MAX_LOGIT
            knot = U(logit) >> U(_PART_BITS)
            part = logit & np.int64(_WHOLE - 1)
            c = ((levels << _EQUALITY_BITS | equalities) << _CANDIDATE_BITS | U(number)) << _KNOT_BITS | knot
            lower, upper = refinements[c], refinements[c + U(1)]
            refined = np.int64(lower >> COUNT_BITS_22) * (_WHOLE - part)
            refined += np.int64(upper >> COUNT_BITS_22) * part
            refined = (refined >> np.int64(_PART_BITS)) + SCALE_22 >> np.int64(P0_SHIFT)
            joined: Any = np.int64(mixed) + refined >> np.int64(1)
            p0 = U(min(max(joined, _MIN_P0), _MAX_P0))
            hit = value == candidate
            coder, hit, carry = decode_bit(coder, p0) if decoding else encode_bit(coder, p0, hit)
            if needs_renormalization(coder, carry):
                coder = renormalize(words, coder, carry, decoding)
            if 2 * part < _WHOLE:
                refinements[c] = update_probability_22(lower, hit)
            else:
                refinements[c + U(1)] = update_probability_22(upper, hit)
            equality_probabilities[a] = update_probability_22(states[U(0)], hit)
            distance_probabilities[b] = update_probability_22(states[U(5)], hit)
            for n in range(1, 5):
                hashed_probabilities[hashes[U(n)] << _CANDIDATE_BITS | U(number)] = update_probability_12(
                    states[U(n)], hit
                )
            error = prediction_error(mixed, hit)
            for n in range(N_CANDIDATE_INPUTS):
                step = weight_step(logits[U(n)], error)
                equality_weights[v + U(n)] += step
                distance_weights[w + U(n)] += step
            if hit:
                break
        if hit:
            frame[U(i)] = candidate
            continue

        # Escape
        slope = _gradient_cell(gradient)
        hashes[U(0)] = U(left)
        hashes[U(1)] = U(above)
        hashes[U(2)] = U(predicted)
        hashes[U(3)] = (U(left) >> coarse_shift) << CODE_BITS | U(above) >> coarse_shift
        hashes[U(4)] = slope
        hashes[U(5)] = slope << CODE_BITS | U(left)
        hashes[U(6)] = (U(left) >> coarse_shift) << CODE_BITS | U(left2) >> coarse_shift
        hashes[U(7)] = cell
        hashes[U(8)] = cell << CODE_BITS | U(predicted)
        hashes[U(9)] = (U(above) >> coarse_shift) << CODE_BITS | U(predicted) >> coarse_shift
        for n in range(N_BIT_INPUTS):
            hashes[U(n)] = (hashes[U(n)] + U(n) * _SALT) * HASH
        prefix = U(1)
        rest = code_bits
        while rest > 0:
            n_bits = ((rest - 1) & (deep_model.NODE_BITS - 1)) + 1
            for n in range(N_BIT_INPUTS):
                slots[U(n)] = (((hashes[U(n)] >> _SALTED_BITS) + prefix) * HASH >> slot_shift) << _NODE_BITS
            node = U(1)
            path = prefix
            for bit_index in range(rest - 1, rest - n_bits - 1, -1):
                v = (U(bit_index) << _TONE_BITS | tone_level) << _BIT_INPUT_BITS
                w = (U(bit_index) << _PATH_BITS | path & _PATH) << _BIT_INPUT_BITS
                total = np.int64(0)
                for n in range(N_BIT_INPUTS):
                    state = counters[slots[U(n)] | node]
                    logit = stretch_22(state)
                    states[U(n)], logits[U(n)] = state, logit
                    total += (np.int64(tone_weights[v + U(n)]) + np.int64(path_weights[w + U(n)])) * logit
                p0 = squash(total)
                bit = (U(value) >> U(bit_index)) & U(1) != U(0)
                coder, bit, carry = decode_bit(coder, p0) if decoding else encode_bit(coder, p0, bit)
                if needs_renormalization(coder, carry):
                    coder = renormalize(words, coder, carry, decoding)
                error = prediction_error(p0, bit)
                for n in range(N_BIT_INPUTS):
                    counters[slots[U(n)] | node] = update_probability_22(states[U(n)], bit)
                    step = weight_step(logits[U(n)], error)
                    tone_weights[v + U(n)] += step
                    path_weights[w + U(n)] += step
                node = node << U(1) | U(bit)
                path = path << U(1) | U(bit)
            prefix = prefix << U(n_bits) | (node - (U(1) << U(n_bits)))
            rest -= n_bits
        # Hostile data may say more than n_codes - 1
        frame[U(i)] = np.uint16(min(prefix - (U(1) << U(code_bits)), U(model.n_codes - 1)))
    return coder
