"""Lossless coding of frames of codebook rows (first version)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from streamvq.container.range_coder import U, begin, code_bit, finish

_PATTERNS = 512
_TREE_BITS = 20


def encode_frames(frames: Sequence[NDArray], codes: NDArray[np.uint8]) -> bytes:
    """One group of frames as bytes: each uint8 or uint16 [rows, cols], sizes may differ; `codes` is uint8 [k, d]."""
    shapes = np.array([frame.shape for frame in frames], np.int64).reshape(-1, 2)
    flat = np.concatenate([np.zeros(0, np.uint16), *(frame.ravel().astype(np.uint16) for frame in frames)])
    words, used = _code_group(np.zeros(1024, np.uint32), flat, shapes, len(codes), False)
    return words[:used].astype(">u4").tobytes().rstrip(b"\0")


def decode_frames(data: bytes, shapes: Sequence[tuple[int, int]], codes: NDArray[np.uint8]) -> list[NDArray]:
    """The frames of a group: uint8 where k <= 256, else uint16. Raises ValueError where data cannot be such a group."""
    sizes = np.array(shapes, np.int64).reshape(-1, 2)
    padded = data + bytes(-len(data) % 4)
    words = np.frombuffer(padded, ">u4").astype(np.uint32)
    flat = np.zeros(int(sizes.prod(axis=1).sum()), np.uint16)
    _, used = _code_group(words, flat, sizes, len(codes), True)
    if len(words) > used:
        raise ValueError(f"index data of {len(data)} bytes, of which {4 * int(used)} are enough")
    flat = flat.astype(np.uint8 if len(codes) <= 256 else np.uint16)
    ends = np.cumsum(sizes.prod(axis=1))
    return [part.reshape(shape) for part, shape in zip(np.split(flat, ends[:-1]), shapes, strict=True)]


@njit(nogil=True, forceinline=True)
def _bit(words: Any, at: Any, low: Any, span: Any, bit: Any, decoding: Any, chances: Any, slot: Any) -> Any:
    fast = chances[slot, 0]
    slow = chances[slot, 1]
    chance = (U(fast) + U(slow)) >> U(1)
    chance = min(max(chance, U(16)), U(65520))
    at, low, span, bit = code_bit(words, at, low, span, chance, bit, decoding)
    if bit:
        chances[slot, 0] = fast - (fast >> np.uint16(4))
        chances[slot, 1] = slow - (slow >> np.uint16(7))
    else:
        chances[slot, 0] = fast + ((np.uint16(65535) - fast) >> np.uint16(4))
        chances[slot, 1] = slow + ((np.uint16(65535) - slow) >> np.uint16(7))
    return at, low, span, bit


@njit(nogil=True, cache=True)
def _code_group(words: Any, flat: Any, shapes: Any, k: Any, decoding: Any) -> Any:
    """Encode `flat` into (grown) words, or decode words into it. Returns the words and how many were used."""
    bits = 0
    while (1 << bits) < k:
        bits += 1
    flags = np.full((3 * _PATTERNS, 2), np.uint16(32768), np.uint16)
    tree_mask = (U(1) << U(min(_TREE_BITS, 2 * bits + 1))) - U(1)
    tree = np.full((np.int64(tree_mask) + 1, 2), np.uint16(32768), np.uint16)
    at, low, span = begin(words, decoding)
    start = 0
    for n in range(shapes.shape[0]):
        height, width = shapes[n, 0], shapes[n, 1]
        moving = n > 0 and shapes[n - 1, 0] == height and shapes[n - 1, 1] == width
        for y in range(height):
            if not decoding and words.size < np.int64(at) + width * 20 + 8:
                grown = np.zeros(2 * words.size + width * 20 + 8, np.uint32)
                grown[: words.size] = words
                words = grown
            row = start + y * width
            for x in range(width):
                i = row + x
                left = flat[i - 1] if x else (flat[i - width] if y else np.uint16(0))
                up = flat[i - width] if y else left
                corner = flat[i - width - 1] if x and y else up
                right = flat[i - width + 1] if y and x + 1 < width else up
                before = flat[i - height * width] if moving else left
                pattern = np.int64(left == up) | np.int64(left == corner) << 1 | np.int64(up == corner) << 2
                pattern |= np.int64(up == right) << 3 | np.int64(before == left) << 4 | np.int64(before == up) << 5
                if moving:
                    pattern |= 64
                    pattern |= np.int64(x > 0 and flat[i - height * width - 1] == left) << 7
                    pattern |= np.int64(y > 0 and flat[i - height * width - width] == up) << 8
                value = flat[i]
                at, low, span, hit = _bit(words, at, low, span, value == before, decoding, flags, U(pattern))
                if hit:
                    flat[i] = before
                    continue
                if left != before:
                    slot = U(pattern + _PATTERNS)
                    at, low, span, hit = _bit(words, at, low, span, value == left, decoding, flags, slot)
                    if hit:
                        flat[i] = left
                        continue
                if up != before and up != left:
                    slot = U(pattern + 2 * _PATTERNS)
                    at, low, span, hit = _bit(words, at, low, span, value == up, decoding, flags, slot)
                    if hit:
                        flat[i] = up
                        continue
                node = U(1)
                base = U(left) << U(bits)
                for b in range(bits - 1, -1, -1):
                    slot = (base + node) & tree_mask
                    given = (U(value) >> U(b)) & U(1) != U(0)
                    at, low, span, bit = _bit(words, at, low, span, given, decoding, tree, slot)
                    node = (node << U(1)) | U(bit)
                flat[i] = np.uint16(min(node - (U(1) << U(bits)), U(k - 1)))
        start += height * width
    if not decoding:
        at = finish(words, at, low, span)
    return words, at
