"""Lossless coding of groups of frames of codebook rows (FORMAT.md, section 8).

A group is coded by itself, all of it by one range coder and one model that starts afresh. Frame by frame come the
vectors and tiles of its motion compensation, unless the previous frame has another size, and then row by row the
codes of tiles that are not skipped. One function encodes and decodes, so that the two cannot differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.container.entropy.range_coder import flush, init_coder, with_room
from streamvq.container.indices.code_order import EXACT_ORDER_CODES, code_order
from streamvq.container.indices.motion import (
    MARGIN,
    N_MOTION_PROBABILITIES,
    ROWS_ABOVE,
    TILE_SIZE,
    code_tiles,
    code_vectors,
    motion_compensate,
    new_frame,
    new_grid,
    new_tiles,
    position_of,
)
from streamvq.container.indices.motion_search import N_RUN_SLOTS, choose_vectors, estimate_motion
from streamvq.container.indices.rows import Planes, code_row, inter_offsets, intra_offsets, new_row_model

_FIRST_WORDS = 1024  # of the encoder's buffer, which grows
_MIN_SIZE_BITS, _MAX_SIZE_BITS = 10, 18  # tables grow with the group, within these: small groups learn in small ones
_MAX_CONTEXT_BITS = 17  # hashed contexts: 1 MB of probabilities, which a level-2 cache holds
_MAX_SLOT_BITS, _MAX_SLOT_BITS_LARGE = 16, 18  # hash-table slots of 32 bytes, up to 256 codes and above
_WORDS_PER_TILE, _WORDS_OF_VECTORS = 3, 128  # no tile, nor all vectors, take more: 8 + 1 bits of at most 10 bits each
_WORDS_PER_CODE = 10  # 3 candidates and 16 bits, of at most 16 bits each


def encode_indices(frames: Sequence[NDArray], codes: NDArray[np.uint8]) -> bytes:
    """One group of frames as bytes: each uint8 or uint16 [rows, cols], sizes may differ; `codes` is uint8 [k, d]."""
    if not frames:
        return b""
    shapes = np.array([frame.shape for frame in frames], np.int64)
    flat = np.concatenate([frame.reshape(-1) for frame in frames])
    flat = flat.astype(np.uint16) if len(codes) <= EXACT_ORDER_CODES else code_order(codes).numbers[flat]
    words, used = _code_group(np.zeros(_FIRST_WORDS, np.uint32), flat, shapes, len(codes), False)
    return words[:used].astype(">u4").tobytes().rstrip(b"\0")


def decode_indices(data: bytes, shapes: Sequence[tuple[int, int]], codes: NDArray[np.uint8]) -> list[NDArray]:
    """The frames of a group: uint8 if k <= 256, else uint16. Raises ValueError where data cannot be such a group."""
    sizes = np.array(shapes, np.int64).reshape(-1, 2)
    ends = np.cumsum(sizes.prod(axis=1))
    flat = np.zeros(int(sizes.prod(axis=1).sum()), np.uint16)
    words = np.frombuffer(data + bytes(-len(data) % 4), ">u4").astype(np.uint32)
    used = int(_code_group(words, flat, sizes, len(codes), True)[1]) if flat.size else 0
    if len(words) > used:
        raise ValueError(f"index data of {len(data)} bytes: its frames end after {4 * used}")
    flat = flat.astype(np.uint8) if len(codes) <= EXACT_ORDER_CODES else code_order(codes).rows[flat]
    return [part.reshape(shape) for part, shape in zip(np.split(flat, ends[:-1]), shapes, strict=False)]


@njit(nogil=True)
def _new_model(n_codes: Any, size: Any) -> Any:
    """The model of a group of `size` codes (FORMAT.md, section 8.4)."""
    size_bits = _MIN_SIZE_BITS
    while size_bits < _MAX_SIZE_BITS and (1 << size_bits) < size:
        size_bits += 1
    max_slot_bits = _MAX_SLOT_BITS if n_codes <= EXACT_ORDER_CODES else _MAX_SLOT_BITS_LARGE
    return new_row_model(n_codes, min(size_bits, _MAX_CONTEXT_BITS), min(size_bits, max_slot_bits))


@njit(nogil=True)
def _load(frame: Any, codes: Any, grid: Any) -> Any:
    """Copy the codes of a frame between its margins."""
    for y in range(grid.height):
        start = position_of(grid, y, 0)
        frame[start : start + grid.width] = codes[y * grid.width : (y + 1) * grid.width]


@njit(nogil=True)
def _unload(frame: Any, codes: Any, grid: Any) -> Any:
    """Copy the codes of a frame out of its margins."""
    for y in range(grid.height):
        start = position_of(grid, y, 0)
        codes[y * grid.width : (y + 1) * grid.width] = frame[start : start + grid.width]


@njit(nogil=True)
def _code_rows(
    words: Any, coder: Any, planes: Any, grid: Any, offsets: Any, tiles: Any, model: Any, decoding: Any
) -> Any:
    """Code the rows of a frame. Returns the words, grown where encoding, and the coder."""
    frame = planes.frame
    contexts = np.empty(grid.width, np.uint16)
    for y in range(grid.height):
        if not decoding:
            words = with_room(words, coder, _WORDS_PER_CODE * grid.width)
        left, right = position_of(grid, y, 0), position_of(grid, y, grid.width)
        frame[left - MARGIN : left] = frame[left - grid.stride]
        coder = code_row(words, coder, planes, left, offsets, tiles.skips[y // TILE_SIZE], contexts, model, decoding)
        frame[left - MARGIN : left] = frame[left]
        frame[right : right + MARGIN] = frame[right - 1]
    return words, coder


@njit(nogil=True, cache=True)
def _code_group(words: Any, flat: Any, shapes: Any, n_codes: Any, decoding: Any) -> Any:
    """Write the frames in `flat` into words, or read them. Returns the words, grown, and how many are used."""
    model = _new_model(n_codes, flat.size)  # section 8.4
    motion_probabilities = np.zeros(N_MOTION_PROBABILITIES, np.int32)
    coder = init_coder(words, decoding)
    previous_runs, runs = np.zeros(N_RUN_SLOTS, np.int32), np.zeros(N_RUN_SLOTS, np.int32)
    frame = previous = np.zeros(1, np.uint16)
    start = 0
    same_size = 0  # how many frames just before are of this one's size, in an unbroken run
    for n in range(len(shapes)):
        grid = new_grid(shapes[n, 0], shapes[n, 1])
        size = grid.height * grid.width
        same_size = same_size + 1 if n and (shapes[n] == shapes[n - 1]).all() else 0
        two_back, previous, frame = previous, frame, new_frame(grid)
        tiles = new_tiles(grid)
        vectors = np.zeros((1, 2), np.int64)
        if not decoding:
            _load(frame, flat[start : start + size], grid)
            if not same_size:
                previous_runs[:] = 0
            vectors = estimate_motion(frame, previous, grid, previous_runs, runs)
            previous_runs, runs = runs, previous_runs
            runs[:] = 0
        if same_size:  # section 8.3
            if not decoding:
                words = with_room(words, coder, _WORDS_PER_TILE * tiles.skips.size + _WORDS_OF_VECTORS)
                choose_vectors(frame, previous, grid, vectors, tiles)
            coder, vectors = code_vectors(words, coder, motion_probabilities, vectors, decoding)
            coder = code_tiles(words, coder, motion_probabilities, len(vectors), tiles, decoding)
            prediction = np.empty(frame.size, np.uint16)
            motion_compensate(previous, prediction, grid, vectors, tiles)
            row_above = (ROWS_ABOVE - 1) * grid.stride
            frame[row_above : row_above + grid.stride] = prediction[row_above : row_above + grid.stride]
            planes = Planes(frame, prediction, two_back if same_size > 1 else prediction)
            offsets = inter_offsets(grid.stride)
        else:
            planes, offsets = Planes(frame, frame, frame), intra_offsets(grid.stride)
        words, coder = _code_rows(words, coder, planes, grid, offsets, tiles, model, decoding)
        if decoding:
            _unload(frame, flat[start : start + size], grid)
        start += size
    return words, coder.position if decoding else flush(words, coder)
