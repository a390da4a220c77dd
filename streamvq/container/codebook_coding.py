"""Codebooks in few bytes: each sample is predicted, and what the prediction misses is range coded.

A block's samples are predicted from those to the left and above (the median predictor of LOCO-I, Weinberger,
Seroussi and Sapiro 2000), its first ones from the code before it, which is its neighbor in look; red and blue also
take over what the prediction of green missed. Single colors are sorted by luma: their green is guessed as what gives
them the luma of the color before. FORMAT.md, section 4.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from streamvq.container.entropy.range_coder import U, begin, code_bit, finish
from streamvq.options import MAX_SAMPLES
from streamvq.quantize.blocks import code_length
from streamvq.quantize.codebook import Codebook

_ACTIVITIES = 8  # classes of how much the samples around differ
_SIZES = 9  # bit lengths of a miss: 0 to 8
_BY_LUMA = 3  # the plane of the green of single colors, which are sorted by luma
_SLOTS = 3 * _SIZES * _SIZES
_TAIL = 8  # bytes at the end that are left out where they are 0
_SLOWEST = 6  # a probability moves by 2^-7 of the way in the end


def encode_codes(codebook: Codebook) -> bytes:
    """The codes of a codebook as bytes."""
    codes = codebook.codes.copy()
    words = np.zeros(5 * codes.size + 16, np.uint32)  # 16 bits a sample, each of which takes at most 10
    used = _code(words, codes, _steps(codebook.block, codebook.space), False)
    data = words[:used].astype(">u4").tobytes()
    return data[:-_TAIL] + data[-_TAIL:].rstrip(b"\0")


def decode_codes(data: bytes, colors: int, block: tuple[int, int], space: str) -> Codebook:
    """The codebook of so many codes. Raises ValueError or CodebookError where it cannot be."""
    length = code_length(block, space)
    if colors * length > MAX_SAMPLES:
        raise ValueError(f"{colors} codes of {length} samples are more than any codebook has")
    words = np.frombuffer(data + bytes(-len(data) % 4), ">u4").astype(np.uint32)
    codes = np.zeros((colors, length), np.uint8)
    used = _code(words, codes, _steps(block, space), True)
    if not len(words) <= used <= len(words) + _TAIL // 4:
        raise ValueError(f"{len(data)} bytes are not what {colors} codes take")
    return Codebook(codes, space, block)


def _steps(block: tuple[int, int], space: str) -> NDArray[np.int64]:
    """The order of a code's samples: int64 [d, 7], each the sample, those left of it, above it and in the corner, the
    green one of its pixel (-1: none), its plane and whether it is the first of it."""
    high, wide = block
    steps = []
    if space == "rgb" and high == wide == 1:
        return np.array([(0, -1, -1, -1, -1, 1), (2, -1, -1, -1, 0, 2), (1, -1, -1, -1, -1, _BY_LUMA)], np.int64)
    if space == "rgb":
        for y in range(high):
            for x in range(wide):
                pixel = 3 * (y * wide + x)
                for plane, channel in enumerate((1, 0, 2)):  # green first
                    around = _around(x, y, 3, 3 * wide, pixel + channel)
                    steps.append((pixel + channel, *around, pixel + 1 if plane else -1, plane))
        return np.array(steps, np.int64)
    planes = [(high, wide, 0)]
    if space == "ycbcr420":
        quarter = high * wide // 4
        planes += [(high // 2, wide // 2, high * wide), (high // 2, wide // 2, high * wide + quarter)]
    for plane, (rows, columns, start) in enumerate(planes):
        for y in range(rows):
            for x in range(columns):
                sample = start + y * columns + x
                steps.append((sample, *_around(x, y, 1, columns, sample), -1, plane))
    return np.array(steps, np.int64)


def _around(x: int, y: int, step: int, line: int, sample: int) -> tuple[int, int, int]:
    """The samples to the left, above, and in the corner; where one is missing, another; -1 where all are."""
    left, above = sample - step if x else -1, sample - line if y else -1
    if left < 0 or above < 0:
        left = above = max(left, above)
    return left, above, sample - line - step if x and y else left


@njit(nogil=True)
def _predicted(code: Any, before: Any, sample: Any, left: Any, above: Any, corner: Any) -> Any:
    """The median prediction of a sample from those around it, or from the code before."""
    if left < 0:
        return np.int64(before[sample])
    a, b, c = np.int64(code[left]), np.int64(code[above]), np.int64(code[corner])
    return max(min(a, b), min(max(a, b), a + b - c))


@njit(nogil=True, cache=True)
def _code(words: Any, codes: Any, steps: Any, decoding: Any) -> Any:
    """Encode `codes` into `words`, or decode words into them; how many words were used."""
    chances = np.full((3, _SLOTS), np.uint16(32768))  # is a miss longer than n bits; its sign; its next bit
    counts = np.zeros((3, _SLOTS), np.uint8)
    missed = np.zeros(steps.shape[0], np.int64)  # of the code before, by step
    before = np.full(codes.shape[1], np.uint8(128))
    at, low, span = begin(words, decoding)
    for row in range(codes.shape[0]):
        code = codes[row]
        if decoding and at > words.size + 2:
            break
        for i in range(steps.shape[0]):
            sample, left, above, corner, green, plane = steps[i]
            guess = _predicted(code, before, sample, left, above, corner)
            if plane == _BY_LUMA:
                red, blue = np.int64(before[0]) - np.int64(code[0]), np.int64(before[2]) - np.int64(code[2])
                guess = min(max(np.int64(before[1]) + (299 * red + 114 * blue) // 587, 0), 255)
            elif green >= 0:
                shift = green - sample
                near = left + shift if left >= 0 else left, above + shift, corner + shift
                base = _predicted(code, before, green, near[0], near[1], near[2])
                guess = min(max(guess + np.int64(code[green]) - base, 0), 255)
            around = missed[i] + (missed[i - 1] if i else 0)
            if left >= 0:
                around += abs(np.int64(code[left]) - np.int64(code[corner]))
                around += abs(np.int64(code[above]) - np.int64(code[corner]))
            activity = 0
            while activity < _ACTIVITIES - 1 and around >> activity:
                activity += 1
            plane %= 3
            context = (plane * _ACTIVITIES + activity) * _SIZES
            miss = np.int64(code[sample]) - guess
            size = 0
            while size < 8:
                longer = not decoding and (abs(miss) >> size) > 0
                at, low, span, longer = _bit(
                    words, at, low, span, longer, decoding, chances[0], counts[0], context + size
                )
                if not longer:
                    break
                size += 1
            value = np.int64(1) if size else np.int64(0)
            if size:
                negative = not decoding and miss < 0
                at, low, span, negative = _bit(
                    words, at, low, span, negative, decoding, chances[1], counts[1], context
                )
                for place in range(size - 2, -1, -1):
                    bit = not decoding and (abs(miss) >> place & 1) == 1
                    slot = (plane * _SIZES + size) * _SIZES + (place if value == 1 else _SIZES - 1)
                    at, low, span, bit = _bit(words, at, low, span, bit, decoding, chances[2], counts[2], slot)
                    value = 2 * value + np.int64(bit)
                if negative:
                    value = -value
            if decoding:
                code[sample] = np.uint8(guess + value)
            missed[i] = abs(value)
        before = code
    if decoding:
        return at
    return finish(words, at, low, span)


@njit(nogil=True)
def _bit(
    words: Any, at: Any, low: Any, span: Any, bit: Any, decoding: Any, chances: Any, counts: Any, slot: Any
) -> Any:
    """Code a bit by the probability in a slot, which learns fast at first."""
    chance = chances[slot]
    at, low, span, bit = code_bit(words, at, low, span, U(chance), bit, decoding)
    count = counts[slot]
    if count < _SLOWEST:
        counts[slot] = count + 1
    rate = np.int64(1 + count)
    target = 64 if bit else 65472
    chances[slot] = np.uint16(np.int64(chance) + ((target - np.int64(chance)) >> rate))
    return at, low, span, bit
