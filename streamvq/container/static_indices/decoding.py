"""Decoding of groups of frames of codebook rows by static models (FORMAT.md, section 13)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streamvq.container.entropy.range_coder import new_coder
from streamvq.container.indices.code_order import EXACT_ORDER_CODES, code_order
from streamvq.container.indices.motion import code_motion, new_frame, new_tiles, view_codes
from streamvq.container.leb128 import Leb128Reader
from streamvq.container.static_indices.frame_decoding import MAX_WORDS_PER_TILE, Tables, decode_frame
from streamvq.container.static_indices.layout import (
    N_MODEL_SYMBOLS,
    NO_FRAME,
    NO_VECTORS,
    GroupLayout,
    entries_of,
    padded,
)
from streamvq.container.static_indices.model import MAX_CLUSTERS, SCALE_BITS, StaticModel, code_model
from streamvq.container.static_indices.rans import FINAL_WORDS, LOW
from streamvq.container.static_indices.rows import N_CONTEXTS, N_LANES, band_rows
from streamvq.container.static_indices.side_info import code_choice
from streamvq.container.static_indices.symbols import ESCAPE, MEMORY_BITS


def decode_static(data: bytes, shapes: Sequence[tuple[int, int]], codes: NDArray[np.uint8]) -> list[NDArray]:
    """The frames of a group: uint8 if k <= 256, else uint16. Raises ValueError where data cannot be such a group."""
    if not shapes:
        if data:
            raise ValueError(f"index data of {len(data)} bytes, and no frames")
        return []
    layout, reader = GroupLayout(shapes, len(codes)), Leb128Reader(data)
    n_side_info, lengths = reader.number(), [reader.number() for _ in range(N_LANES)]
    side_info = reader.take(n_side_info)
    if 2 * sum(lengths) != len(data) - reader.position or any(0 < length < FINAL_WORDS for length in lengths):
        raise ValueError(f"index data of {len(data)} bytes: its lanes are not as long as they say")
    words = np.concatenate((np.frombuffer(reader.rest(), "<u2"), np.zeros(MAX_WORDS_PER_TILE, np.uint16)))
    motion, models, wide, neighbor = _read_side_info(side_info, layout)
    ends = np.cumsum(lengths, dtype=np.int64)
    positions = ends - lengths
    states = np.full(N_LANES, LOW, np.uint64)
    for lane in np.flatnonzero(lengths):
        states[lane] = sum(int(words[positions[lane] + i]) << 16 * (FINAL_WORDS - 1 - i) for i in range(FINAL_WORDS))
        positions[lane] += FINAL_WORDS
    tables = tuple(_tables(model, n) for model, n in zip(padded(models), N_MODEL_SYMBOLS, strict=True))
    rows = None if len(codes) <= EXACT_ORDER_CODES else code_order(codes).rows
    memories = np.zeros((N_LANES, 1 << MEMORY_BITS), np.uint16)
    lanes, escapes = (words, states, positions, ends), (memories, wide, neighbor, layout.low_bits, layout.max_code)
    frames: list[NDArray] = []
    previous = NO_FRAME
    for (grid, follows), (vectors, tiles) in zip(layout.grids(), motion, strict=True):
        frame = new_frame(grid)
        before = previous if follows else NO_FRAME
        band = band_rows(grid.height)
        whole = decode_frame(frame, before, grid, vectors, tiles, band, lanes, tables, escapes)
        if not whole:
            break
        inside = view_codes(frame, grid)
        frames.append(inside.astype(np.uint8) if rows is None else rows[inside])
        previous = frame
    if len(frames) < len(shapes) or (positions != ends).any() or (states != LOW).any():
        raise ValueError("index data does not end with its last frame")
    return frames


def _read_side_info(data: bytes, layout: GroupLayout) -> tuple[list, list[StaticModel], bool, int]:
    """The vectors and tiles of each frame, the models, if the memory is wide, and which neighbor escapes go by."""
    words = np.frombuffer(data + bytes(-len(data) % 4), ">u4").astype(np.uint32)
    state = new_coder(words, True)
    motion = []
    for grid, follows in layout.grids():
        tiles, vectors = new_tiles(grid), NO_VECTORS
        if follows:
            vectors = code_motion(words, state, layout.motion_probabilities, vectors, tiles, True)
        motion.append((vectors, tiles))
    choice = int(code_choice(words, state, 0, True))
    models = [_read_model(words, state, N_CONTEXTS, ESCAPE + 1)]
    if models[0].frequencies[:, ESCAPE].any():
        models.append(_read_model(words, state, layout.n_high, layout.n_high))
        if layout.low_bits:
            models.append(_read_model(words, state, layout.n_high, 1 << layout.low_bits))
    if len(words) > int(state[0]):
        raise ValueError(f"its models end after {4 * int(state[0])} of {len(data)} bytes")
    return motion, models, choice >> 2 != 0, min(choice & 3, 2)


def _read_model(words: NDArray[np.uint32], state: NDArray[np.uint64], n_contexts: int, n_symbols: int) -> StaticModel:
    model = StaticModel(np.zeros(n_contexts, np.uint8), np.zeros((MAX_CLUSTERS, n_symbols), np.uint16))
    n_clusters = code_model(words, state, model, 0, True)
    if n_clusters == 0:
        raise ValueError("the frequencies of a cluster are more than all")
    return StaticModel(model.clusters, model.frequencies[:n_clusters])


def _tables(model: StaticModel, n_symbols: int) -> Tables:
    symbols = np.zeros(len(model.frequencies) << SCALE_BITS, np.uint8)
    n_clusters, each = model.frequencies.shape
    by_slot = np.repeat(np.tile(np.arange(each, dtype=np.uint8), n_clusters), model.frequencies.ravel())
    symbols[: len(by_slot)] = by_slot
    return Tables(model.clusters, symbols, entries_of(model.frequencies, n_symbols))
