"""Lossless coding of groups of frames of codebook rows (FORMAT.md, section 8).

A group is coded by itself, all of it by one range coder (range_coder.py) and one model that begins anew. Frame by
frame come what the frame before foretells (motion.py), unless there is none of the same size, and then row by row the
codes of tiles that are no copies (index_rows.py). One function encodes and decodes, so that the two cannot differ.

Rows of codebooks with more than 256 codes are numbered so that numbers that begin with the same bits look alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from streamvq.container.entropy.range_coder import begin, finish
from streamvq.container.indices.motion import (
    COUNTERS,
    PLACES,
    TILE,
    choose_vectors,
    code_tiles,
    code_vectors,
    estimate_motion,
    foretell,
)
from streamvq.container.indices.rows import code_row, new_model

_PLAIN_MOST = 256  # codes of a codebook whose rows are not renumbered


def encode_frames(frames: Sequence[NDArray], codes: NDArray[np.uint8]) -> bytes:
    """One group of frames as bytes: each uint8 or uint16 [rows, cols], sizes may differ; `codes` is uint8 [k, d]."""
    if not frames:
        return b""
    shapes = np.array([frame.shape for frame in frames], np.int64)
    flat = np.concatenate([frame.reshape(-1) for frame in frames])
    flat = flat.astype(np.uint16) if len(codes) <= _PLAIN_MOST else _numbers(codes.tobytes(), codes.shape)[0][flat]
    words, used = _code_group(np.zeros(1024, np.uint32), flat, shapes, len(codes), False)
    return words[:used].astype(">u4").tobytes().rstrip(b"\0")


def decode_frames(data: bytes, shapes: Sequence[tuple[int, int]], codes: NDArray[np.uint8]) -> list[NDArray]:
    """The frames of a group: uint8 if k <= 256, else uint16. Raises ValueError where data cannot be such a group."""
    sizes = np.array(shapes, np.int64).reshape(-1, 2)
    ends = np.cumsum(sizes.prod(axis=1))
    flat = np.zeros(int(sizes.prod(axis=1).sum()), np.uint16)
    words = np.frombuffer(data + bytes(-len(data) % 4), ">u4").astype(np.uint32)
    used = int(_code_group(words, flat, sizes, len(codes), True)[1]) if flat.size else 0
    if len(words) > used:
        raise ValueError(f"index data of {len(data)} bytes: its frames end after {4 * used}")
    flat = flat.astype(np.uint8) if len(codes) <= _PLAIN_MOST else _numbers(codes.tobytes(), codes.shape)[1][flat]
    return [part.reshape(shape) for part, shape in zip(np.split(flat, ends[:-1]), shapes, strict=False)]


@lru_cache(maxsize=4)
def _numbers(codes: bytes, shape: tuple[int, int]) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """The numbers of rows, and the rows by number."""
    rows = _bisected(np.frombuffer(codes, np.uint8).reshape(shape))
    return np.argsort(rows).astype(np.uint16), rows.astype(np.uint16)


@njit(nogil=True, cache=True)
def _bisected(codes: Any) -> Any:
    """The rows of codes, uint8 [k, d], sorted and halved again and again: int64 [k]."""
    k = len(codes)
    rows = np.arange(k)
    moved = np.empty(k, np.int64)
    size = 1
    while size < k:
        size *= 2
    while size > 1:
        for start in range(0, k, size):
            part = rows[start : start + size]
            sample = _most_varied(codes, part)
            first = np.zeros(257, np.int64)  # where a sample's codes begin in the sorted part
            for row in part:
                first[codes[row, sample] + 1] += 1
            for value in range(256):
                first[value + 1] += first[value]
            for row in part:
                moved[start + first[codes[row, sample]]] = row
                first[codes[row, sample]] += 1
        rows[:] = moved
        size //= 2
    return rows


@njit(nogil=True)
def _most_varied(codes: Any, rows: Any) -> Any:
    """The sample of greatest variance in some rows."""
    best = 0
    most = np.int64(-1)
    for sample in range(codes.shape[1]):
        total = np.int64(0)
        squares = np.int64(0)
        for row in rows:
            value = np.int64(codes[row, sample])
            total += value
            squares += value * value
        if len(rows) * squares - total * total > most:
            best, most = sample, len(rows) * squares - total * total
    return best


@njit(nogil=True, cache=True)
def _code_group(words: Any, flat: Any, shapes: Any, k: Any, decoding: Any) -> Any:
    """Write the frames in `flat` into words, or read them. Returns the words, grown, and how many are used."""
    sizing = 10
    while sizing < 18 and (1 << sizing) < flat.size:
        sizing += 1
    model = new_model(k, min(sizing, 17), min(sizing, 16 if k <= _PLAIN_MOST else 18))
    counters = np.zeros(COUNTERS, np.int32)
    coder = np.array(begin(words, decoding))
    old, new = np.zeros(PLACES, np.int32), np.zeros(PLACES, np.int32)
    frame = np.zeros(1, np.uint16)
    before = frame
    start = 0
    alike = 0  # frames of this size just before
    for n in range(len(shapes)):
        height, width = shapes[n]
        alike = alike + 1 if n and height == shapes[n - 1, 0] and width == shapes[n - 1, 1] else 0
        stride = width + 4
        grid = (height, width, stride)
        first = 2 * stride + 2
        older, before, frame = before, frame, np.zeros((height + 3) * stride, np.uint16)
        tiles = np.zeros(((height + TILE - 1) // TILE, (width + TILE - 1) // TILE), np.int64)
        if not decoding:
            words = _with_room(words, coder, 3 * tiles.size + 128)
            for y in range(height):
                row = flat[start + y * width : start + (y + 1) * width]
                frame[first + y * stride : first + y * stride + width] = row
            if not alike:
                old[:] = 0
            vectors = estimate_motion(frame, before, grid, old, new)
            old, new = new, old
            new[:] = 0
        else:
            vectors = np.zeros((1, 2), np.int64)
        if alike:
            prior = np.empty(frame.size, np.uint16)
            if not decoding:
                choose_vectors(frame, before, grid, vectors, tiles)
            vectors = code_vectors(words, coder, counters, vectors, decoding)
            code_tiles(words, coder, counters, len(vectors), tiles, decoding)
            foretell(before, prior, grid, vectors, tiles)
            frame[stride : 2 * stride] = prior[2 * stride : 3 * stride]
            older = older if alike > 1 else prior
            offsets = (stride, 0, -1, -stride, 1 - stride, 1, stride, 0)
        else:
            prior = older = frame
            up = -stride
            offsets = (stride, up + 1, -2, 2 * up + 1, 2 * up + 2, up + 2, up - 1, 2 * up)
        patterns = np.empty(width, np.uint16)
        for y in range(height):
            if not decoding:
                words = _with_room(words, coder, 10 * width + 8)
            at = first + y * stride
            frame[at - 2 : at] = frame[at - stride]
            code_row(words, coder, frame, prior, older, at, offsets, tiles[y // TILE], patterns, k, model, decoding)
            frame[at - 2 : at] = frame[at]
            frame[at + width : at + width + 2] = frame[at + width - 1]
            if decoding:
                flat[start + y * width : start + (y + 1) * width] = frame[at : at + width]
        start += height * width
    return words, coder[0] if decoding else finish(words, coder[0], coder[1], coder[2])


@njit(nogil=True)
def _with_room(words: Any, coder: Any, more: Any) -> Any:
    """The words, or a longer copy, with room for some more."""
    if words.size >= np.int64(coder[0]) + more:
        return words
    grown = np.zeros(2 * words.size + more, np.uint32)
    grown[: words.size] = words
    return grown
