"""The codes of a row of a frame: candidates first, then an escape and the code's bits (FORMAT.md, section 8.4).

Three candidates, predicted, left and above, are tried in turn, a bit each. Its probability is mixed from one by the
equality context, which codes around are equal, and one by a hash of the candidates themselves. A code that no
candidate hits is coded bit by bit, each mixed from four probabilities whose contexts are the bits so far and one
neighbor or two.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from streamvq.compiling import njit
from streamvq.container.entropy.mixer import prediction_error, squash, stretch_12, stretch_22, update_weight
from streamvq.container.entropy.probabilities import update_probability_12, update_probability_22
from streamvq.container.entropy.range_coder import U, decode_bit, encode_bit, needs_renormalization, renormalize
from streamvq.container.indices.motion import TILE_SIZE

HASH = np.uint64(0x9E3779B97F4A7C15)  # 2^64 divided by the golden ratio, odd: Fibonacci hashing
CODE_BITS = np.uint64(16)  # of a code in a hash
_CONTEXT_BITS = 14  # of the equality context
WEIGHT_CONTEXT = np.uint64((1 << 9) - 1)  # its low 9 bits choose the weights (FORMAT.md, section 8.4)
_CANDIDATE_BITS = np.uint64(2)  # of a candidate's number: three, rounded up to a power of two
_N_CANDIDATE_WEIGHTS = 8  # two for each candidate, rounded up to a power of two
N_CANDIDATES = 3
_CANDIDATE_WEIGHT = 40000  # 0.61 of 65536: two inputs that partly say the same
_N_INPUTS = 4  # probabilities that are mixed for a bit of an escaped code
_INPUT_BITS = np.uint64(2)
_BIT_WEIGHT = 22000  # 0.34: four inputs
_BITS_PER_SLOT = 4  # bits of a code that share a hash-table slot: 15 nodes of 2 bytes, half a cache line
_NODE_BITS = np.uint64(_BITS_PER_SLOT)
_PREFIX_BITS = np.uint64(18)  # of the bits so far and the input's number, in a slot's hash
MAX_EXACT_BITS, COARSE_BITS = 8, 6  # longer codes are cut to 6 bits where two are one context


class RowModel(NamedTuple):
    """All that a group of frames learns about its codes."""

    n_codes: Any
    code_bits: Any
    context_probabilities: Any  # 22-bit, by equality context and candidate
    hashed_probabilities: Any  # 12-bit, by context hash and candidate
    candidate_weights: Any  # int32, by equality context, candidate and input
    bit_counters: Any  # 12-bit probabilities in hash-table slots of 16, by node
    bit_weights: Any  # int32, by bit index and input
    context_shift: Any  # uint64, what leaves as many bits of a hash as number the hashed contexts
    slot_shift: Any


class Scratch(NamedTuple):
    """Room for what is found on the way, so that kernels need not allocate."""

    contexts: Any  # of a row's codes, uint16
    slots: Any  # of the inputs of a bit, uint64
    states: Any  # and their probabilities, int16
    logits: Any


class Planes(NamedTuple):
    """Flat frames with margins, uint16: the one that is coded, its prediction, and the one two frames back."""

    frame: Any
    prediction: Any
    two_back: Any


class Offsets(NamedTuple):
    """From the position of a code to its neighbors: `above` in its frame, the next six in the prediction."""

    above: Any
    predicted: Any
    predicted_left: Any
    predicted_above: Any
    predicted_above_right: Any
    predicted_right: Any
    predicted_below: Any
    two_back: Any


def new_row_model(n_codes: int, context_bits: int, slot_bits: int) -> RowModel:
    """A model of n_codes codes, with 2^context_bits hashed contexts and 2^slot_bits hash-table slots."""
    code_bits = (n_codes - 1).bit_length()
    return RowModel(
        n_codes,
        code_bits,
        np.zeros(1 << (_CONTEXT_BITS + 2), np.int32),  # _CANDIDATE_BITS more
        np.zeros(1 << (context_bits + 2), np.int16),
        np.full(_N_CANDIDATE_WEIGHTS * (int(WEIGHT_CONTEXT) + 1), _CANDIDATE_WEIGHT, np.int32),
        np.zeros((1 << _BITS_PER_SLOT) << slot_bits, np.int16),
        np.full(max(code_bits, 1) * _N_INPUTS, _BIT_WEIGHT, np.int32),
        U(64 - context_bits),
        U(64 - slot_bits),
    )


def new_scratch(width: int) -> Scratch:
    """Scratch for frames of this width."""
    slots, states, logits = (np.empty(_N_INPUTS, dtype) for dtype in (np.uint64, np.int16, np.int64))
    return Scratch(np.empty(width, np.uint16), slots, states, logits)


def intra_offsets(stride: int) -> Offsets:
    """Offsets of a frame without prediction, where all neighbors are of the frame itself."""
    above = -stride
    return Offsets(above, above + 1, -2, 2 * above + 1, 2 * above + 2, above + 2, above - 1, 2 * above)


def inter_offsets(stride: int) -> Offsets:
    """Offsets of a frame with a prediction and one two frames back."""
    return Offsets(-stride, 0, -1, -stride, 1 - stride, 1, stride, 0)


@njit(nogil=True)
def equality_contexts(planes: Any, first: Any, offsets: Any, contexts: Any) -> Any:
    """The bits of each equality context that do not depend on the code to the left, into uint16 [width].

    A pass of its own, which the compiler runs on many codes at once.
    """
    frame, prediction, two_back = planes
    for x in range(contexts.size):
        i = first + x
        above, right = frame[U(i + offsets.above)], frame[U(i + offsets.above + 1)]
        predicted, older = prediction[U(i + offsets.predicted)], two_back[U(i + offsets.two_back)]
        context = np.uint16(above == frame[U(i + offsets.above - 1)]) << 5
        context |= np.uint16(above == right) << 6
        context |= np.uint16(predicted == above) << 7
        context |= np.uint16(prediction[U(i + offsets.predicted_above)] == above) << 8
        context |= np.uint16(prediction[U(i + offsets.predicted_above_right)] == right) << 9
        context |= np.uint16(prediction[U(i + offsets.predicted_right)] == predicted) << 10
        context |= np.uint16(prediction[U(i + offsets.predicted_below)] == predicted) << 11
        context |= np.uint16(older == predicted) << 12
        context |= np.uint16(older == above) << 13
        contexts[U(x)] = np.uint16(context)


@njit(nogil=True, forceinline=True)
def _slot(neighbor: Any, prefix: Any, number: Any, shift: Any) -> Any:
    """Where the hash-table slot of an input begins."""
    joined = U(neighbor) << _PREFIX_BITS | prefix << _INPUT_BITS | U(number)
    return ((joined * HASH) >> shift) << _NODE_BITS


@njit(nogil=True)
def code_row(
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
    """Code the row of `planes.frame` from position `first` on. Returns the coder.

    `skips` says which tiles of the row equal the prediction. One long
    function: with candidates and bits in functions of their own, even inlined ones, decoding takes 1.15 to 1.4 times
    as long, as Numba then counts references to the model's arrays in the loops.
    """
    contexts, slots, states, logits = scratch
    equality_contexts(planes, first, offsets, contexts)
    frame, prediction, two_back = planes
    context_probabilities, hashed_probabilities = model.context_probabilities, model.hashed_probabilities
    candidate_weights, counters, weights = model.candidate_weights, model.bit_counters, model.bit_weights
    code_bits, context_shift, slot_shift = model.code_bits, model.context_shift, model.slot_shift
    coarse_shift = U(code_bits - COARSE_BITS if code_bits > MAX_EXACT_BITS else 0)
    width = contexts.size
    x = 0
    while x < width:
        i = first + x
        if x % TILE_SIZE == 0 and skips[x // TILE_SIZE]:
            for j in range(i, first + min(x + TILE_SIZE, width)):
                frame[U(j)] = prediction[U(j)]
            x += TILE_SIZE
            continue
        # Section 8.4, neighbors and the equality context
        left, above = frame[U(i - 1)], frame[U(i + offsets.above)]
        predicted = prediction[U(i + offsets.predicted)]
        context = U(contexts[U(x)]) | U(above == left) | U(frame[U(i + offsets.above - 1)] == left) << U(1)
        context |= U(predicted == left) << U(2) | U(prediction[U(i + offsets.predicted_left)] == left) << U(3)
        context |= U(two_back[U(i + offsets.two_back)] == left) << U(4)
        joined = U(left) << (CODE_BITS + CODE_BITS) | U(above) << CODE_BITS | U(predicted)
        context_hash = (joined * HASH) >> context_shift
        value = frame[U(i)]
        x += 1

        # Section 8.4, candidates
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
            a, b = context << _CANDIDATE_BITS | U(number), context_hash << _CANDIDATE_BITS | U(number)
            w = ((context & WEIGHT_CONTEXT) << _CANDIDATE_BITS | U(number)) << U(1)
            state_a, state_b = context_probabilities[a], hashed_probabilities[b]
            logit_a, logit_b = stretch_22(state_a), stretch_12(state_b)
            weight_a, weight_b = np.int64(candidate_weights[w]), np.int64(candidate_weights[w + U(1)])
            p0 = squash(weight_a * logit_a + weight_b * logit_b)
            hit = value == candidate
            coder, hit, carry = decode_bit(coder, p0) if decoding else encode_bit(coder, p0, hit)
            if needs_renormalization(coder, carry):
                coder = renormalize(words, coder, carry, decoding)
            context_probabilities[a] = update_probability_22(state_a, hit)
            hashed_probabilities[b] = update_probability_12(state_b, hit)
            error = prediction_error(p0, hit)
            candidate_weights[w] = update_weight(weight_a, logit_a, error)
            candidate_weights[w + U(1)] = update_weight(weight_b, logit_b, error)
            if hit:
                break
        if hit:
            frame[U(i)] = candidate
            continue

        # Section 8.4, escape
        both = (U(left) >> coarse_shift) << CODE_BITS | (U(above) >> coarse_shift)
        prefix = U(1)
        rest = code_bits
        while rest > 0:
            n_bits = ((rest - 1) & (_BITS_PER_SLOT - 1)) + 1
            slots[U(0)] = _slot(left, prefix, 0, slot_shift)
            slots[U(1)] = _slot(above, prefix, 1, slot_shift)
            slots[U(2)] = _slot(predicted, prefix, 2, slot_shift)
            slots[U(3)] = _slot(both, prefix, 3, slot_shift)
            node = U(1)
            for bit_index in range(rest - 1, rest - n_bits - 1, -1):
                w = U(bit_index) << _INPUT_BITS
                total = np.int64(0)
                for n in range(_N_INPUTS):
                    state = counters[slots[U(n)] | node]
                    logit = stretch_12(state)
                    states[U(n)], logits[U(n)] = state, logit
                    total += np.int64(weights[w + U(n)]) * logit
                p0 = squash(total)
                bit = (U(value) >> U(bit_index)) & U(1) != U(0)
                coder, bit, carry = decode_bit(coder, p0) if decoding else encode_bit(coder, p0, bit)
                if needs_renormalization(coder, carry):
                    coder = renormalize(words, coder, carry, decoding)
                error = prediction_error(p0, bit)
                for n in range(_N_INPUTS):
                    counters[slots[U(n)] | node] = update_probability_12(states[U(n)], bit)
                    weights[w + U(n)] = update_weight(np.int64(weights[w + U(n)]), logits[U(n)], error)
                node = node << U(1) | U(bit)
            prefix = prefix << U(n_bits) | (node - (U(1) << U(n_bits)))
            rest -= n_bits
        # Hostile data may say more than n_codes - 1
        frame[U(i)] = np.uint16(min(prefix - (U(1) << U(code_bits)), U(model.n_codes - 1)))
    return coder
