"""What the coder of more contexts knows: its codes' colors, probabilities and weights (FORMAT.md, section 14)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamvq.container.entropy.mixer import MAX_LOGIT, WEIGHT_BITS, squash
from streamvq.container.entropy.probabilities import COUNT_BITS_22, P0_SHIFT, SCALE_22
from streamvq.container.entropy.range_coder import U

CONTEXT_BITS = 14  # of the equality context
WEIGHT_CONTEXT_BITS = 9  # the lowest of them, which choose weights
CANDIDATE_BITS = 2  # of a candidate's number: three, rounded up
N_CANDIDATE_INPUTS, CANDIDATE_INPUT_BITS = 6, 3
N_BIT_INPUTS, BIT_INPUT_BITS = 10, 4
_CANDIDATE_WEIGHT, _BIT_WEIGHT = 6000, 7500  # two of each are added
NODE_BITS = 4  # of a code, that share a hash-table slot
PATH_BITS = 10  # of what is known of a code, that choose weights
FIELD_BITS = 21  # of a color's component: three are one number, so that one sum adds them
TONE_LEVEL_BITS, CHANGE_LEVEL_BITS, DISTANCE_LEVEL_BITS = 3, 4, 4
EQUALITY_BITS = 3  # of what chooses a refinement
KNOT_DISTANCE_BITS = 8  # of logits, between two knots of a refinement
KNOT_BITS = 5  # there are 23
_KNOT_COUNT = 10  # of bits, that a knot's beginning is worth


class DeepModel(NamedTuple):
    """All that a group of frames learns about its codes, and the codes' colors."""

    n_codes: Any
    code_bits: Any
    colors: Any  # int64, three components of 0 to 255 in fields
    tones: Any  # int64, 0 to 255
    equality_probabilities: Any  # 22-bit, by equality context and candidate
    distance_probabilities: Any  # 22-bit, by distance, tone and change levels and candidate
    hashed_probabilities: Any  # 12-bit, by a hash and candidate
    equality_weights: Any  # int32, by equality context, candidate and input
    distance_weights: Any  # int32, by distance and tone level, candidate and input
    refinements: Any  # 22-bit, by change and tone level, equalities, candidate and knot
    counters: Any  # 22-bit, in hash-table slots of 16, by node
    tone_weights: Any  # int32, by bit index, tone level and input
    path_weights: Any  # int32, by bit index, bits so far and input
    context_shift: Any
    slot_shift: Any


class DeepScratch(NamedTuple):
    """Room for what is found on the way, so that kernels need not allocate."""

    contexts: Any  # of a row's codes, uint16
    hashes: Any
    slots: Any
    states: Any
    logits: Any


def new_deep_model(codes: NDArray[np.uint8], size_bits: int) -> DeepModel:
    """A model of codes, uint8 [k, d], for a group of about 2^size_bits of them."""
    n_codes, d = codes.shape
    code_bits = (n_codes - 1).bit_length()
    components = codes.astype(np.int64) if d == 3 else (codes.sum(axis=1, dtype=np.int64) // d)[:, None].repeat(3, 1)
    context_bits, slot_bits = size_bits + 1, size_bits
    first, second, third = components.T
    level_bits = CHANGE_LEVEL_BITS + TONE_LEVEL_BITS
    weight_bits = CANDIDATE_BITS + CANDIDATE_INPUT_BITS
    return DeepModel(
        n_codes,
        code_bits,
        first | second << FIELD_BITS | third << 2 * FIELD_BITS,
        first + 2 * second + third >> 2,
        np.zeros(1 << CONTEXT_BITS + CANDIDATE_BITS, np.int32),
        np.zeros(1 << DISTANCE_LEVEL_BITS + level_bits + CANDIDATE_BITS, np.int32),
        np.zeros(1 << context_bits + CANDIDATE_BITS, np.int16),
        np.full(1 << WEIGHT_CONTEXT_BITS + weight_bits, _CANDIDATE_WEIGHT, np.int32),
        np.full(1 << DISTANCE_LEVEL_BITS + TONE_LEVEL_BITS + weight_bits, _CANDIDATE_WEIGHT, np.int32),
        np.tile(_knots(), 1 << level_bits + EQUALITY_BITS + CANDIDATE_BITS),
        np.zeros(1 << slot_bits + NODE_BITS, np.int32),
        np.full(max(code_bits, 1) << TONE_LEVEL_BITS + BIT_INPUT_BITS, _BIT_WEIGHT, np.int32),
        np.full(max(code_bits, 1) << PATH_BITS + BIT_INPUT_BITS, _BIT_WEIGHT, np.int32),
        U(64 - context_bits),
        U(64 - slot_bits),
    )


def _knots() -> NDArray[np.int32]:
    """What a refinement begins with: 22-bit probabilities that are those of the knots' logits, int32 [32]."""
    logits = ((np.arange(1 << KNOT_BITS) << KNOT_DISTANCE_BITS) - MAX_LOGIT).clip(-MAX_LOGIT, MAX_LOGIT - 1)
    p0 = np.array([squash(int(logit) << WEIGHT_BITS) for logit in logits], np.int64)
    return (((p0 << P0_SHIFT) - SCALE_22) << COUNT_BITS_22 | _KNOT_COUNT).astype(np.int32)


def new_deep_scratch(width: int) -> DeepScratch:
    """Scratch for frames of this width."""
    hashes, slots = np.empty((2, 1 << BIT_INPUT_BITS), np.uint64)
    states, logits = (np.empty(1 << BIT_INPUT_BITS, dtype) for dtype in (np.int32, np.int64))
    return DeepScratch(np.empty(width, np.uint16), hashes, slots, states, logits)
