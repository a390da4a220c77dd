"""The headers of FFV1: the adaptive range coder that they are written by, and their checksum."""

from __future__ import annotations

import zlib
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from streamvq.compiling import njit

LANES = 16  # slices encoded side by side: two AVX-512 vectors of 64-bit states
_SLICE_PIXELS = 1_400_000  # four planes of 23 bits a sample stay below the 2**24 bytes that a slice may have


def slice_count(width: int, height: int) -> int:
    """The number of slices: whole sets of lanes, of at least 16 rows where the picture allows."""
    needed = -(-width * height // _SLICE_PIXELS)
    return min(height, max(1, min(LANES * -(-needed // LANES), height // 16), needed))


@lru_cache(64)
def configuration_record(gray: bool, alpha: bool, slices: int) -> bytes:
    """The stream's global header ("extradata") for gray, RGB, or RGB with alpha, in `slices` bands."""
    encoder, states = _RangeEncoder(), [128] * 32
    for value in (3, 4, 0, 0 if gray else 1, 8):  # version, micro version, Golomb-Rice, YCbCr or RGB, bits
        encoder.put_number(states, value)
    encoder.put_bit(states, 0, not gray)
    encoder.put_number(states, 0)
    encoder.put_number(states, 0)
    encoder.put_bit(states, 0, alpha)
    for value in (0, slices - 1, 1):  # slices across and down, one set of quantization tables
        encoder.put_number(states, value)
    for _ in range(5):
        encoder.put_number([128] * 32, 127)
    encoder.put_bit(states, 0, False)
    encoder.put_number(states, 1)  # slices have CRCs
    encoder.put_number(states, 1)  # key frames only
    record = encoder.flush()
    return record + checksum(record)


@lru_cache(4096)
def slice_header(index: int, alpha: bool, aspect: Fraction) -> bytes:
    """What comes before the samples of slice `index`; a pixel aspect of 0 is unknown."""
    encoder, states = _RangeEncoder(), [128] * 32
    if index == 0:
        encoder.put_bit([128], 0, True)  # a key frame
    position, tables, progressive = (0, index, 0, 0), (0,) * (2 + alpha), (3,)
    for value in (*position, *tables, *progressive, aspect.numerator, aspect.denominator):
        encoder.put_number(states, value)
    encoder.put_bit([129], 0, False)
    return encoder.flush()


@njit(nogil=True, cache=True)
def _reverse_bits(data: Any) -> Any:
    """The bytes with their bits in reverse order."""
    reversed_data = np.empty_like(data)
    for i in range(data.size):
        byte = data[i]
        byte = np.uint8((byte >> 4) | (byte << 4))
        byte = np.uint8(((byte >> 2) & 0x33) | ((byte & 0x33) << 2))
        reversed_data[i] = np.uint8(((byte >> 1) & 0x55) | ((byte & 0x55) << 1))
    return reversed_data


def checksum(data: bytes) -> bytes:
    """FFV1's CRC, which is zlib's with the bits of every byte reversed and no inversions."""
    crc = zlib.crc32(_reverse_bits(np.frombuffer(data, np.uint8)), 0xFFFFFFFF) ^ 0xFFFFFFFF
    result: bytes = _reverse_bits(np.frombuffer(crc.to_bytes(4, "little"), np.uint8)).tobytes()
    return result


class _RangeEncoder:
    """FFV1's adaptive range coder (RFC 9043, 3.8.1), for the few bits of the headers."""

    def __init__(self) -> None:
        self._next = [0] * 256  # the state after a one; mirrored after a zero
        probability, last = 1 << 31, 0
        for _ in range(128):
            state = max((probability + (1 << 23)) >> 24, last + 1)
            if 0 < last < 256 and state <= 248:
                self._next[last] = state
            probability, last = _approach_one(probability), state
        for state in range(8, 249):
            if not self._next[state]:
                probability = _approach_one((state * (1 << 32) + 128) >> 8)
                self._next[state] = min(max((probability + (1 << 23)) >> 24, state + 1), 248)
        self._low, self._range, self._bytes = 0, 0xFF00, 0

    def put_bit(self, states: list[int], index: int, value: bool) -> None:
        """Code one bit by the state at `index`, which adapts."""
        state = states[index]
        ones = (self._range * state) >> 8
        if value:
            self._low += self._range - ones
            self._range = ones
            states[index] = self._next[state]
        else:
            self._range -= ones
            states[index] = 256 - self._next[256 - state]
        self._renormalize()

    def put_number(self, states: list[int], value: int) -> None:
        """Code an unsigned number."""
        self.put_bit(states, 0, value == 0)
        if value:
            size = value.bit_length() - 1
            for i in range(size + 1):
                self.put_bit(states, 1 + min(i, 9), i < size)
            for i in reversed(range(size)):
                self.put_bit(states, 22 + min(i, 9), bool(value >> i & 1))

    def flush(self) -> bytes:
        """All bytes of what was coded."""
        self._range, self._low = 0xFF, self._low + 0xFF
        self._renormalize()
        self._range = 0xFF
        self._renormalize()
        return (self._low >> 24).to_bytes(self._bytes - 1, "big")

    def _renormalize(self) -> None:
        while self._range < 0x100:
            self._low, self._range, self._bytes = self._low << 8, self._range << 8, self._bytes + 1


def _approach_one(probability: int) -> int:
    return probability + ((((1 << 32) - probability) * 214748364 + (1 << 31)) >> 32)
