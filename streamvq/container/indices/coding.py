"""Lossless coding of groups of frames of codebook rows (FORMAT.md, section 8).

A group is coded by itself, all of it by one range coder and one model that starts afresh. Frame by frame come the
vectors and tiles of its motion compensation, unless the previous frame has another size, and then row by row the
codes of tiles that are not skipped. The same functions encode and decode, so that the two cannot differ.

Kernels are called one by one, frame by frame: as parts of one kernel they would compile for twice the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.container.entropy.range_coder import finish, load_coder, new_coder, store_coder, with_room, with_space
from streamvq.container.indices.code_order import EXACT_ORDER_CODES, code_order
from streamvq.container.indices.deep_model import DeepModel, new_deep_model, new_deep_scratch
from streamvq.container.indices.deep_rows import code_deep_row
from streamvq.container.indices.motion import (
    MARGIN,
    N_MOTION_PROBABILITIES,
    ROWS_ABOVE,
    TILE_SIZE,
    code_motion,
    motion_compensate,
    new_frame,
    new_grid,
    new_tiles,
    position_of,
    view_codes,
    words_of_motion,
)
from streamvq.container.indices.motion_search import N_RUN_SLOTS, choose_vectors, estimate_motion
from streamvq.container.indices.rows import (
    Planes,
    RowModel,
    code_row,
    inter_offsets,
    intra_offsets,
    new_row_model,
    new_scratch,
)

_FIRST_WORDS = 1024  # of the encoder's buffer, which grows
_MIN_SIZE_BITS, _MAX_SIZE_BITS = 10, 18  # tables grow with the group, within these: small groups learn in small ones
_MAX_CONTEXT_BITS = 17  # hashed contexts: 1 MB of probabilities, which a level-2 cache holds
_MAX_SLOT_BITS, _MAX_SLOT_BITS_LARGE = 16, 18  # hash-table slots of 32 bytes, up to 256 codes and above
_WORDS_PER_CODE = 10  # 3 candidates and 16 bits, of at most 16 bits each


def encode_indices(frames: Sequence[NDArray], codes: NDArray[np.uint8], *, deep: bool = False) -> bytes:
    """One group of frames as bytes: each uint8 or uint16 [rows, cols], sizes may differ; `codes` is uint8 [k, d].

    `deep`: by more contexts (section 14).
    """
    if not frames:
        return b""
    shapes = [frame.shape for frame in frames]
    flat = np.concatenate([frame.reshape(-1) for frame in frames])
    if len(codes) <= EXACT_ORDER_CODES:
        flat = flat.astype(np.uint16)
    else:
        order = code_order(codes)
        flat, codes = order.numbers[flat], codes[order.rows]
    model = _new_model(codes, flat.size, deep)
    words, used = _code_group(np.zeros(_FIRST_WORDS, np.uint32), flat, shapes, model, decoding=False)
    return words[:used].astype(">u4").tobytes().rstrip(b"\0")


def decode_indices(
    data: bytes, shapes: Sequence[tuple[int, int]], codes: NDArray[np.uint8], *, deep: bool = False
) -> list[NDArray]:
    """The frames of a group: uint8 if k <= 256, else uint16. Raises ValueError where data cannot be such a group."""
    sizes = np.array(shapes, np.int64).reshape(-1, 2)
    ends = np.cumsum(sizes.prod(axis=1))
    flat = np.zeros(int(sizes.prod(axis=1).sum()), np.uint16)
    words = np.frombuffer(data + bytes(-len(data) % 4), ">u4").astype(np.uint32)
    order = None if len(codes) <= EXACT_ORDER_CODES else code_order(codes)
    model = _new_model(codes if order is None else codes[order.rows], flat.size, deep)
    used = _code_group(words, flat, shapes, model, decoding=True)[1] if flat.size else 0
    if len(words) > used:
        raise ValueError(f"index data of {len(data)} bytes: its frames end after {4 * used}")
    flat = flat.astype(np.uint8) if order is None else order.rows[flat]
    return [part.reshape(shape) for part, shape in zip(np.split(flat, ends[:-1]), shapes, strict=False)]


def _code_group(
    words: NDArray[np.uint32],
    flat: NDArray[np.uint16],
    shapes: Sequence[tuple[int, ...]],
    model: RowModel | DeepModel,
    *,
    decoding: bool,
) -> tuple[NDArray[np.uint32], int]:
    """Write the frames in `flat` into words, or read them. Returns the words, grown, and how many are used."""
    code_rows, new_room = (
        (_code_deep_rows, new_deep_scratch) if isinstance(model, DeepModel) else (_code_rows, new_scratch)
    )
    motion_probabilities = np.zeros(N_MOTION_PROBABILITIES, np.int32)
    coder = new_coder(words, decoding)
    previous_runs, runs = np.zeros((2, N_RUN_SLOTS), np.int32)
    frame = previous = np.zeros(1, np.uint16)
    start = 0
    same_size = 0  # how many frames just before are of this one's size, in an unbroken run
    for n, (height, width) in enumerate(shapes):
        grid = new_grid(height, width)
        codes = flat[start : start + height * width].reshape(height, width)
        same_size = same_size + 1 if n and shapes[n] == shapes[n - 1] else 0
        two_back, previous, frame = previous, frame, new_frame(grid)
        tiles = new_tiles(grid)
        vectors = np.zeros((1, 2), np.int64)
        if not decoding:
            view_codes(frame, grid)[:] = codes
            if not same_size:
                previous_runs[:] = 0
            vectors = estimate_motion(frame, previous, grid, previous_runs, runs)
            previous_runs, runs = runs, previous_runs
            runs[:] = 0
        if same_size:  # section 8.3
            if not decoding:
                words = with_space(words, coder, words_of_motion(tiles))
                choose_vectors(frame, previous, grid, vectors, tiles)
            vectors = code_motion(words, coder, motion_probabilities, vectors, tiles, decoding)
            prediction = np.empty(frame.size, np.uint16)
            motion_compensate(previous, prediction, grid, vectors, tiles)
            row_above = slice((ROWS_ABOVE - 1) * grid.stride, ROWS_ABOVE * grid.stride)
            frame[row_above] = prediction[row_above]
            planes = Planes(frame, prediction, two_back if same_size > 1 else prediction)
            offsets = inter_offsets(grid.stride)
        else:
            planes, offsets = Planes(frame, frame, frame), intra_offsets(grid.stride)
        words = code_rows(words, coder, planes, grid, offsets, tiles, new_room(width), model, decoding)
        if decoding:
            codes[:] = view_codes(frame, grid)
        start += codes.size
    return words, int(coder[0] if decoding else finish(words, coder))


def _new_model(codes: NDArray[np.uint8], size: int, deep: bool) -> RowModel | DeepModel:
    """The model of a group of `size` codes (FORMAT.md, sections 8.4 and 14)."""
    size_bits = min(max((size - 1).bit_length(), _MIN_SIZE_BITS), _MAX_SIZE_BITS)
    if deep:
        return new_deep_model(codes, size_bits)
    max_slot_bits = _MAX_SLOT_BITS if len(codes) <= EXACT_ORDER_CODES else _MAX_SLOT_BITS_LARGE
    return new_row_model(len(codes), min(size_bits, _MAX_CONTEXT_BITS), min(size_bits, max_slot_bits))


@njit(nogil=True, cache=True)
def _code_rows(
    words: Any,
    state: Any,
    planes: Any,
    grid: Any,
    offsets: Any,
    tiles: Any,
    scratch: Any,
    model: Any,
    decoding: Any,
) -> Any:
    """Code the rows of a frame. Returns the words, grown where encoding."""
    coder = load_coder(state)
    for y in range(grid.height):
        if not decoding:
            words = with_room(words, coder, _WORDS_PER_CODE * grid.width)
        left = _begin_row(planes.frame, grid, y)
        coder = code_row(words, coder, planes, left, offsets, tiles.skips[y // TILE_SIZE], scratch, model, decoding)
        _end_row(planes.frame, grid, y)
    store_coder(state, coder)
    return words


@njit(nogil=True, cache=True)
def _code_deep_rows(
    words: Any,
    state: Any,
    planes: Any,
    grid: Any,
    offsets: Any,
    tiles: Any,
    scratch: Any,
    model: Any,
    decoding: Any,
) -> Any:
    """The same with a `DeepModel`."""
    coder = load_coder(state)
    for y in range(grid.height):
        if not decoding:
            words = with_room(words, coder, _WORDS_PER_CODE * grid.width)
        left = _begin_row(planes.frame, grid, y)
        skips = tiles.skips[y // TILE_SIZE]
        coder = code_deep_row(words, coder, planes, left, offsets, skips, scratch, model, decoding)
        _end_row(planes.frame, grid, y)
    store_coder(state, coder)
    return words


@njit(nogil=True)
def _begin_row(frame: Any, grid: Any, y: Any) -> Any:
    """Fill the margin left of a row; returns where the row begins."""
    left = position_of(grid, y, 0)
    for x in range(left - MARGIN, left):
        frame[x] = frame[left - grid.stride]
    return left


@njit(nogil=True)
def _end_row(frame: Any, grid: Any, y: Any) -> None:
    """Fill the margins beside a row that is known."""
    left, right = position_of(grid, y, 0), position_of(grid, y, grid.width)
    for x in range(MARGIN):
        frame[left - MARGIN + x], frame[right + x] = frame[left], frame[right - 1]
