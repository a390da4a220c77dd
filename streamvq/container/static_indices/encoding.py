"""Encoding of groups of frames of codebook rows by static models (FORMAT.md, section 13)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streamvq.container.entropy.range_coder import finish, new_coder, with_space
from streamvq.container.indices.code_order import EXACT_ORDER_CODES, code_order
from streamvq.container.indices.motion import code_motion, new_frame, new_tiles, view_codes, words_of_motion
from streamvq.container.indices.motion_search import N_RUN_SLOTS, choose_vectors, estimate_motion
from streamvq.container.leb128 import leb128
from streamvq.container.static_indices.clustering import make_model
from streamvq.container.static_indices.layout import (
    N_MODEL_SYMBOLS,
    NO_FRAME,
    GroupLayout,
    entries_of,
    padded,
)
from streamvq.container.static_indices.model import (
    MAX_CLUSTERS,
    StaticModel,
    code_model,
    words_of_model,
)
from streamvq.container.static_indices.rans import FINAL_WORDS, encode_lanes
from streamvq.container.static_indices.rows import N_CONTEXTS, N_LANES, band_rows
from streamvq.container.static_indices.side_info import code_choice
from streamvq.container.static_indices.symbols import (
    DECIDED,
    ESCAPE,
    MEMORY_BITS,
    N_TOKENS,
    RECALLED,
    collect_symbols,
    count_escapes,
)

_FIRST_WORDS = 1024  # of the buffer of side information, which grows


def encode_static(frames: Sequence[NDArray], codes: NDArray[np.uint8]) -> bytes:
    """One group of frames as bytes, as `encode_indices` takes them."""
    if not frames:
        return b""
    group = _GroupEncoder(GroupLayout([frame.shape for frame in frames], len(codes)))
    numbers = None if len(codes) <= EXACT_ORDER_CODES else code_order(codes).numbers
    for frame in frames:
        group.add(frame if numbers is None else numbers[frame])
    return group.finish()


class _GroupEncoder:
    """Collects the symbols of the frames of a group, and codes them when all are known."""

    def __init__(self, layout: GroupLayout) -> None:
        self._layout = layout
        self._grids = layout.grids()
        capacity = sum(band_rows(height) * width for height, width in layout.shapes)
        self._lists = (
            np.empty((N_LANES, capacity), np.uint16),
            np.empty((N_LANES, capacity), np.uint8),
            np.empty((N_LANES, capacity, 5), np.uint16),  # memory is used as far as it is written
        )
        self._ends = np.zeros((N_LANES, 2), np.int64)
        self._counts = np.zeros(N_CONTEXTS * N_TOKENS, np.int32)
        self._memories = np.zeros((N_LANES, 2, 1 << MEMORY_BITS), np.uint16)
        self._words = np.zeros(_FIRST_WORDS, np.uint32)
        self._state = new_coder(self._words, False)
        self._runs = np.zeros(N_RUN_SLOTS, np.int32)
        self._previous = NO_FRAME

    def add(self, codes: NDArray) -> None:
        """The next frame: uint8 or uint16 [rows, cols]."""
        layout, (grid, follows) = self._layout, next(self._grids)
        frame, tiles, runs = new_frame(grid), new_tiles(grid), np.zeros_like(self._runs)
        view_codes(frame, grid)[:] = codes
        if not follows:
            self._previous = NO_FRAME
            self._runs[:] = 0
        vectors = estimate_motion(frame, self._previous if follows else frame, grid, self._runs, runs)
        if follows:
            choose_vectors(frame, self._previous, grid, vectors, tiles)
            self._words = with_space(self._words, self._state, words_of_motion(tiles))
            vectors = code_motion(self._words, self._state, layout.motion_probabilities, vectors, tiles, False)
        band = band_rows(grid.height)
        found = self._lists, self._ends, self._counts, self._memories
        collect_symbols(frame, self._previous, grid, vectors, tiles, band, found)
        self._previous, self._runs = frame, runs

    def finish(self) -> bytes:
        """The bytes of the group."""
        layout, counts, escapes = self._layout, self._counts.reshape(-1, N_TOKENS), self._lists[2]
        recalled = [counts[:, decided == RECALLED].sum() for decided in DECIDED]
        wide = int(recalled[1] > recalled[0])
        decided = DECIDED[wide]
        tokens = np.zeros((N_CONTEXTS, ESCAPE + 1), np.int64)
        for number, token in enumerate(decided):
            tokens[:, token] += counts[:, number]
        high, low = count_escapes(escapes, self._ends, decided, layout.low_bits)
        neighbor = int(np.argmin([_entropy(each) for each in high]))
        self._words = with_space(self._words, self._state, 1)
        code_choice(self._words, self._state, wide << 2 | neighbor, False)
        models = [self._model(tokens)]
        if tokens[:, ESCAPE].any():
            models.append(self._model(high[neighbor, : layout.n_high, : layout.n_high]))
            if layout.low_bits:
                models.append(self._model(low[: layout.n_high, : 1 << layout.low_bits]))
        used = finish(self._words, self._state)
        side_info = self._words[:used].astype(">u4").tobytes().rstrip(b"\0")
        models = padded(models)
        clusters = tuple(model.clusters for model in models)
        entries = tuple(entries_of(model.frequencies, n) for model, n in zip(models, N_MODEL_SYMBOLS, strict=True))
        n_words = self._ends[:, 0].max() + 2 * self._ends[:, 1].max() + FINAL_WORDS + 1
        words = np.empty((N_LANES, int(n_words)), np.uint16)
        begins = encode_lanes(
            self._lists, self._ends, decided, neighbor + 1, layout.low_bits, clusters, entries, words
        )
        lanes = [lane[begin:].astype("<u2").tobytes() for lane, begin in zip(words, begins, strict=True)]
        lengths = [leb128(len(lane) // 2) for lane in lanes]
        return b"".join((leb128(len(side_info)), *lengths, side_info, *lanes))

    def _model(self, counts: NDArray) -> StaticModel:
        """The model of symbols that occurred so often, int [contexts, symbols], which is coded."""
        model = make_model(counts, MAX_CLUSTERS)
        self._words = with_space(self._words, self._state, words_of_model(len(counts), model.frequencies))
        code_model(self._words, self._state, model, len(model.frequencies), False)
        return model


def _entropy(counts: NDArray) -> float:
    """Bits of symbols by their contexts."""
    totals, each = counts.sum(axis=1), counts[counts > 0]
    totals = totals[totals > 0]
    return float((totals * np.log2(totals)).sum() - (each * np.log2(each)).sum())
