"""Adaptive probabilities of bits (FORMAT.md, section 8.2).

Each learns the probability that a bit is 0, fast at first: it moves toward each bit by 1 / (n + 1.6) of the way after
n bits, up to a limit of n, as the state maps of lpaq do (Mahoney 2005). Two sizes, signed, which start at 0:

- 22-bit: int32; the upper 22 bits are the probability less 1/2, the lower 10 the count of bits.
- 12-bit: int16; 12 bits and 4. Large hash tables are of these.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from streamvq.compiling import njit
from streamvq.container.entropy.range_coder import U, code_bit

COUNT_BITS_22, COUNT_BITS_12 = 10, 4  # below the probability
_COUNT_MASK_22, _COUNT_MASK_12 = (1 << COUNT_BITS_22) - 1, (1 << COUNT_BITS_12) - 1
_MAX_COUNT_22, _MAX_COUNT_12 = 255, 15
SCALE_22, _SCALE_12 = 1 << 21, 1 << 11  # what stands for 1/2: probabilities go from -SCALE to SCALE - 1
_RATE_BITS = 16
_RATE_ROUNDING_12 = 1 << (_RATE_BITS - 1)  # 12 bits are too few to round down: they would drift toward 1
P0_SHIFT = 6  # from 22 bits to the 16 of the range coder
_MIN_P0 = 64  # a probability alone never goes below 2^-10, so that one surprise costs 10 bits at most
_MAX_P0 = 65536 - _MIN_P0

# 65536 / (n + 1.6), in integers
_RATES_22 = np.array([655360 // (10 * n + 16) for n in range(_MAX_COUNT_22 + 1)], np.int32)
# The last one is 65536 / 20: a slot of a hash table is shared by contexts, and must stay quick
_RATES_12 = np.append(_RATES_22[:_MAX_COUNT_12], np.int32(3276))


@njit(nogil=True, forceinline=True)
def update_probability_22(state: Any, bit: Any) -> Any:
    """A 22-bit adaptive probability after `bit`: int32."""
    probability = np.int64(state >> COUNT_BITS_22)
    count = state & _COUNT_MASK_22
    target = np.int64(-SCALE_22) if bit else np.int64(SCALE_22 - 1)
    probability += ((target - probability) * np.int64(_RATES_22[U(count)])) >> _RATE_BITS
    return np.int32((probability << COUNT_BITS_22) | np.int64(count + (count < _MAX_COUNT_22)))


@njit(nogil=True, forceinline=True)
def update_probability_12(state: Any, bit: Any) -> Any:
    """A 12-bit adaptive probability after `bit`: int16."""
    probability = np.int64(state >> COUNT_BITS_12)
    count = state & _COUNT_MASK_12
    target = np.int64(-_SCALE_12) if bit else np.int64(_SCALE_12 - 1)
    probability += ((target - probability) * np.int64(_RATES_12[U(count)]) + _RATE_ROUNDING_12) >> _RATE_BITS
    return np.int16((probability << COUNT_BITS_12) | np.int64(count + (count < _MAX_COUNT_12)))


@njit(nogil=True, forceinline=True)
def p0_of(state: Any) -> Any:
    """The probability of a 0 by a 22-bit adaptive probability alone: uint64, in 65536ths."""
    p0: Any = (np.int64(state >> COUNT_BITS_22) + SCALE_22) >> P0_SHIFT
    return U(min(max(p0, _MIN_P0), _MAX_P0))


@njit(nogil=True, forceinline=True)
def code_adaptive_bit(words: Any, coder: Any, states: Any, index: Any, bit: Any, decoding: Any) -> Any:
    """Code a bit by one 22-bit adaptive probability, states[index]. Returns the range coder, and the bit."""
    state = states[U(index)]
    coder, bit = code_bit(words, coder, p0_of(state), bit, decoding)
    states[U(index)] = update_probability_22(state, bit)
    return coder, bit
