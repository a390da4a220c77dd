"""An adaptive binary range coder: 64-bit interval, 32-bit words, 16-bit probabilities.

The encoder keeps an interval [low, low + span) of 64-bit integers; a bit of probability p / 65536 of being 0 takes the
lower floor(span / 65536) * p of it for 0 and the rest for 1. Where span falls under 2^32, the upper 32 bits of low
are written and both move up by 32. A carry out of low is added to the words already written.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

U = np.uint64
FULL = np.uint64(0xFFFFFFFFFFFFFFFF)
_16 = np.uint64(16)
_32 = np.uint64(32)


@njit(nogil=True, forceinline=True)
def code_bit(words: Any, at: Any, low: Any, span: Any, chance: Any, bit: Any, decoding: Any) -> Any:
    """Write `bit`, or read it where decoding (there `low` is the distance of the data from the interval's low end).

    `chance` is the probability of 0 in 65536ths, 1 to 65535. Returns at, low, span, bit.
    """
    bound = (span >> _16) * chance
    if decoding:
        bit = low >= bound
        if bit:
            low -= bound
            span -= bound
        else:
            span = bound
        if span <= U(0xFFFFFFFF):
            low = low << _32
            if at < words.size:
                low |= U(words[at])
            at += U(1)
            span = span << _32
    else:
        if bit:
            before = low
            low += bound
            span -= bound
            if low < before:
                _carry(words, at)
        else:
            span = bound
        if span <= U(0xFFFFFFFF):
            words[at] = np.uint32(low >> _32)
            at += U(1)
            low = low << _32
            span = span << _32
    return at, low, span, bit


@njit(nogil=True)
def _carry(words: Any, at: Any) -> Any:
    """Add 1 to the number whose last word is before `at`."""
    at -= U(1)
    while words[at] == np.uint32(0xFFFFFFFF):
        words[at] = np.uint32(0)
        at -= U(1)
    words[at] += np.uint32(1)


@njit(nogil=True, forceinline=True)
def begin(words: Any, decoding: Any) -> Any:
    """The coder's first at, low, span."""
    if not decoding:
        return U(0), U(0), FULL
    low = U(0)
    for i in range(2):
        low = low << _32
        if i < words.size:
            low |= U(words[i])
    return U(2), low, FULL


@njit(nogil=True, forceinline=True)
def finish(words: Any, at: Any, low: Any, span: Any) -> Any:
    """Write a number of the last interval that ends in as many zero bits as possible. Returns at."""
    kept = FULL
    value = low
    while kept:
        kept = kept << U(1)
        rounded = (low + ~kept) & kept
        if rounded - low >= span:
            break
        value = rounded
    if value < low:
        _carry(words, at)
    words[at] = np.uint32(value >> _32)
    words[at + U(1)] = np.uint32(value & U(0xFFFFFFFF))
    return at + U(2)
