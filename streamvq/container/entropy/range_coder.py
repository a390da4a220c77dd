"""An adaptive binary range coder: a 64-bit interval written in 32-bit words, and the chances of bits.

The interval is that of Martin (1979) with carries into what is written. *Counters* learn the chance of a 0, fast at
first: wide ones (int32: 22 bits of chance less 1/2, 10 bits of count) and narrow ones (int16: 12 and 4). What several
say is mixed in the logistic domain with weights that learn (Mahoney's PAQ, 2005): `stretch` turns a chance into
log-odds in 256ths, `squash` turns them back, both by tables. All in integers: FORMAT.md, sections 7 and 8.2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

U = np.uint64
FULL = np.uint64(0xFFFFFFFFFFFFFFFF)
WORD = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)
_LIMIT = 2816  # log-odds go from -11 to 11
# 65536 / (1 + exp(-i / 2)), i from 0
_KNOTS = "32768 40793 47911 53581 57724 60565 62428 63615 64357 64816 65097 65269 65374 65438 65476 65500 65514"
_KNOTS += " 65523 65528 65531 65533 65534 65535 65535 65536"


def _squash_table() -> NDArray[np.uint16]:
    """By log-odds + 2816: the chance, straight lines between knots 128 apart."""
    size = np.abs(np.arange(-_LIMIT, _LIMIT))
    knots = np.array(_KNOTS.split(), np.int64)
    chance = (knots[size >> 7] * (128 - (size & 127)) + knots[(size >> 7) + 1] * (size & 127) + 64) >> 7
    chance[:_LIMIT] = 65536 - chance[:_LIMIT]
    return np.clip(chance, 1, 65535).astype(np.uint16)


def _stretch_table() -> NDArray[np.int16]:
    """By a chance's upper 12 bits: the least log-odds whose chance is at least 16 times that, and 8."""
    return (np.searchsorted(_SQUASH, 16 * np.arange(4096) + 8).clip(0, 2 * _LIMIT - 1) - _LIMIT).astype(np.int16)


_SQUASH = _squash_table()
_STRETCH = _stretch_table()
_RATES = np.array([655360 // (10 * n + 16) for n in range(256)], np.int32)
_NARROW_RATES = np.append(_RATES[:15], np.int32(3276))


@njit(nogil=True, forceinline=True)
def learn(counter: Any, bit: Any) -> Any:
    """A wide counter after a bit."""
    chance = np.int64(counter >> 10)
    seen = counter & 1023
    end = np.int64(-2097152) if bit else np.int64(2097151)
    chance += ((end - chance) * np.int64(_RATES[U(seen)])) >> 16
    return np.int32((chance << 10) | np.int64(seen + (seen < 255)))


@njit(nogil=True, forceinline=True)
def learn_narrow(counter: Any, bit: Any) -> Any:
    """A narrow counter after a bit."""
    chance = np.int64(counter >> 4)
    seen = counter & 15
    end = np.int64(-2048) if bit else np.int64(2047)
    chance += ((end - chance) * np.int64(_NARROW_RATES[U(seen)]) + 32768) >> 16
    return np.int16((chance << 4) | np.int64(seen + (seen < 15)))


@njit(nogil=True, forceinline=True)
def stretch(counter: Any) -> Any:
    """The log-odds of a wide counter, in 256ths."""
    return np.int64(_STRETCH[U((counter >> 20) + 2048)])


@njit(nogil=True, forceinline=True)
def stretch_narrow(counter: Any) -> Any:
    """The log-odds of a narrow counter, in 256ths."""
    return np.int64(_STRETCH[U((counter >> 4) + 2048)])


@njit(nogil=True, forceinline=True)
def squash(mixed: Any) -> Any:
    """The chance, in 65536ths, of 65536 times the log-odds."""
    odds = min(max(mixed >> 16, np.int64(-_LIMIT)), np.int64(_LIMIT - 1))
    return U(_SQUASH[U(odds + _LIMIT)])


@njit(nogil=True, forceinline=True)
def adjusted(weight: Any, odds: Any, error: Any) -> Any:
    """A weight after a bit that its log-odds helped to foretell."""
    return np.int32(weight + ((odds * error + 16384) >> 15))


@njit(nogil=True, forceinline=True)
def narrow(low: Any, span: Any, chance: Any, bit: Any, decoding: Any) -> Any:
    """Take a bit's part of the interval. Returns low, span, the bit, and whether low overflowed.

    Where decoding, `low` is the distance of the data from the interval's low end, and the bit comes from it.
    """
    bound = (span >> U(16)) * chance
    if decoding:
        bit = low >= bound
        one = U(0) - U(bit)  # all ones for 1
        return low - (bound & one), bound + ((span - bound - bound) & one), bit, False
    one = U(0) - U(bit)
    moved = low + (bound & one)
    return moved, bound + ((span - bound - bound) & one), bit, moved < low


@njit(nogil=True)
def settle(words: Any, at: Any, low: Any, span: Any, overflowed: Any, decoding: Any) -> Any:
    """What is due after `narrow` if low overflowed or span fits a word: carry, move. Returns at, low, span."""
    if overflowed:
        _carry(words, at)
    if span > WORD:
        return at, low, span
    if decoding:
        low = low << _32
        if at < U(words.size):
            low |= U(words[at])
    else:
        words[at] = np.uint32(low >> _32)
        low = low << _32
    return at + U(1), low, span << _32


@njit(nogil=True)
def _carry(words: Any, at: Any) -> Any:
    """Add 1 to the number whose last word is before `at`."""
    at -= U(1)
    while words[at] == np.uint32(WORD):
        words[at] = np.uint32(0)
        at -= U(1)
    words[at] += np.uint32(1)


@njit(nogil=True, forceinline=True)
def code_bit(words: Any, at: Any, low: Any, span: Any, chance: Any, bit: Any, decoding: Any) -> Any:
    """Write `bit`, or read it where decoding. Returns at (the word to go on at), low, span, bit."""
    low, span, bit, overflowed = narrow(low, span, chance, bit, decoding)
    if overflowed or span <= WORD:
        at, low, span = settle(words, at, low, span, overflowed, decoding)
    return at, low, span, bit


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


@njit(nogil=True)
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
    words[at + U(1)] = np.uint32(value & WORD)
    return at + U(2)
