"""A binary range coder: a 64-bit interval, written in 32-bit words (FORMAT.md, section 7).

The interval is that of Martin (1979), with carries into what is already written. Kernels encode and decode by the
same lines, so that the two cannot differ: `code_bit` takes a bit and returns it, or returns the one that it decoded.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit

U = np.uint64  # indices of this type spare Numba the test for negative ones
PROBABILITY_BITS = np.uint64(16)  # probabilities come in 65536ths
HALF = np.uint64(1 << 15)  # p0 of a bit of which nothing is known
FLUSH_WORDS = 2  # what `flush` writes
MAX_PADDING = 4 * FLUSH_WORDS  # zero bytes that may be missing at the end
_MAX_UINT64 = np.uint64(0xFFFFFFFFFFFFFFFF)
_MAX_UINT32 = np.uint64(0xFFFFFFFF)
_WORD_BITS = np.uint64(32)


class RangeCoder(NamedTuple):
    """The state of an encoder or a decoder, all np.uint64: a value that every step takes and returns.

    `position` is the word to be written or read next, `range_` the size of the interval. `low` is the interval's low
    end; of a decoder, the distance of the data from it.
    """

    position: Any
    low: Any
    range_: Any


@njit(nogil=True, forceinline=True)
def init_encoder() -> Any:
    """The state before the first bit."""
    return RangeCoder(U(0), U(0), _MAX_UINT64)


@njit(nogil=True, forceinline=True)
def init_decoder(words: Any) -> Any:
    """The state before the first bit. `words` is uint32 [n]; zeros follow behind its end."""
    low = U(0)
    for i in range(2):
        low = low << _WORD_BITS
        if i < words.size:
            low |= U(words[i])
    return RangeCoder(U(2), low, _MAX_UINT64)


@njit(nogil=True, forceinline=True)
def init_coder(words: Any, decoding: Any) -> Any:
    """The state of a decoder of `words`, or of an encoder."""
    return init_decoder(words) if decoding else init_encoder()


def new_coder(words: NDArray[np.uint32], decoding: bool) -> NDArray[np.uint64]:
    """The same as an array, in which it goes from kernel to kernel: uint64 [3]."""
    return np.array(init_coder(words, decoding), np.uint64)


@njit(nogil=True, forceinline=True)
def load_coder(state: Any) -> Any:
    """The coder in an array of `new_coder`."""
    return RangeCoder(state[0], state[1], state[2])


@njit(nogil=True, forceinline=True)
def store_coder(state: Any, coder: Any) -> Any:
    """Put the coder back into its array."""
    state[0], state[1], state[2] = coder.position, coder.low, coder.range_


@njit(nogil=True, forceinline=True)
def encode_bit(coder: Any, p0: Any, bit: Any) -> Any:
    """The lower part of the interval for a 0, the rest for a 1. Returns the coder, the bit, and if low overflowed."""
    bound = (coder.range_ >> PROBABILITY_BITS) * p0
    one = U(0) - U(bit)  # all ones for a 1: a branch here would be mispredicted
    low = coder.low + (bound & one)
    range_ = bound + ((coder.range_ - bound - bound) & one)
    return RangeCoder(coder.position, low, range_), bit, low < coder.low


@njit(nogil=True, forceinline=True)
def decode_bit(coder: Any, p0: Any) -> Any:
    """The part of the interval that the data is in. Returns the coder, the bit, and False: low cannot overflow."""
    bound = (coder.range_ >> PROBABILITY_BITS) * p0
    bit = coder.low >= bound
    one = U(0) - U(bit)
    range_ = bound + ((coder.range_ - bound - bound) & one)
    return RangeCoder(coder.position, coder.low - (bound & one), range_), bit, False


@njit(nogil=True, forceinline=True)
def needs_renormalization(coder: Any, carry: Any) -> Any:
    """Whether `renormalize` has anything to do."""
    return carry or coder.range_ <= _MAX_UINT32


@njit(nogil=True)
def renormalize(words: Any, coder: Any, carry: Any, decoding: Any) -> Any:
    """Add a carry to the words; write or read one where the range fits in it. Not inlined, as it is rare."""
    if carry:
        _propagate_carry(words, coder.position)
    if coder.range_ > _MAX_UINT32:
        return coder
    low = coder.low << _WORD_BITS
    if not decoding:
        words[coder.position] = np.uint32(coder.low >> _WORD_BITS)
    elif coder.position < U(words.size):
        low |= U(words[coder.position])
    return RangeCoder(coder.position + U(1), low, coder.range_ << _WORD_BITS)


@njit(nogil=True, forceinline=True)
def code_bit(words: Any, coder: Any, p0: Any, bit: Any, decoding: Any) -> Any:
    """Encode `bit`, or decode one where `decoding`. Returns the coder, and the bit.

    `p0` is the probability that it is 0, uint64 in 65536ths, 1 to 65535. The hottest loops have these lines in place
    of a call: Numba counts references to `words` around calls in loops, which cost 1.1 to 1.3 times the time there.
    """
    coder, bit, carry = decode_bit(coder, p0) if decoding else encode_bit(coder, p0, bit)
    if needs_renormalization(coder, carry):
        coder = renormalize(words, coder, carry, decoding)
    return coder, bit


@njit(nogil=True)
def _propagate_carry(words: Any, position: Any) -> Any:
    """Add 1 to the number whose last word is before `position`."""
    position -= U(1)
    while words[position] == np.uint32(_MAX_UINT32):
        words[position] = np.uint32(0)
        position -= U(1)
    words[position] += np.uint32(1)


@njit(nogil=True)
def flush(words: Any, coder: Any) -> Any:
    """Write the number in the interval with the most trailing zero bits. Returns how many words are used."""
    mask = _MAX_UINT64
    value = coder.low
    while mask:
        mask = mask << U(1)
        rounded = (coder.low + ~mask) & mask
        if rounded - coder.low >= coder.range_:
            break
        value = rounded
    if value < coder.low:
        _propagate_carry(words, coder.position)
    words[coder.position] = np.uint32(value >> _WORD_BITS)
    words[coder.position + U(1)] = np.uint32(value & _MAX_UINT32)
    return coder.position + U(2)


@njit(nogil=True)
def with_room(words: Any, coder: Any, more: Any) -> Any:
    """The words, or a longer copy of them, with room for `more` from the coder's position on, and for `flush`."""
    if words.size >= np.int64(coder.position) + more + FLUSH_WORDS:
        return words
    longer = np.zeros(2 * words.size + more, np.uint32)
    for i in range(words.size):
        longer[i] = words[i]
    return longer


@njit(nogil=True, cache=True)
def finish(words: Any, state: Any) -> Any:
    """`flush` from outside of kernels."""
    return flush(words, load_coder(state))


def with_space(words: NDArray[np.uint32], state: NDArray[np.uint64], more: int) -> NDArray[np.uint32]:
    """`with_room` from outside of kernels."""
    lacking = int(state[0]) + more + FLUSH_WORDS - len(words)
    return words if lacking <= 0 else np.concatenate((words, np.zeros(lacking + len(words), np.uint32)))
