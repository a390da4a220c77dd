"""Dither in which a pixel's code depends on its color and its place alone, so that nothing else changes with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.quantize.dither.cells import CELL_BITS, CellFinder, cell_of, middle, search_cell
from streamvq.quantize.dither.masks import bayer, mask_of
from streamvq.quantize.nearest import find_color

_PATTERN = 16  # codes of a pattern
_LUMA = np.array([299, 587, 114])


class OrderedDither:
    """Colors moved by a threshold mask before their code is taken; colors that a code has exactly keep it.

    The mask spans, at strength 1, the mean distance from a code to its nearest other one.
    """

    def __init__(self, codes: NDArray[np.uint8], mask: str, strength: float) -> None:
        self._finder = CellFinder(codes)
        ranks = mask_of(mask)
        span = strength * spacing(codes) / 3**0.5
        self._offsets = np.rint(((ranks + 0.5) / ranks.size - 0.5) * span).astype(np.int64)

    def find(self, rgb: NDArray[np.uint8], hidden: NDArray[np.bool_] | None) -> NDArray:
        """Rows for uint8 [height, width, 3]; 0 where `hidden`."""
        rows = np.empty(rgb.shape[:2], self._finder.dtype)
        _find_ordered(rgb, self._offsets, self._finder.tables, rows)
        return rows if hidden is None else np.where(hidden, rows.dtype.type(0), rows)


class PatternDither:
    """Yliluoma's pattern dither: each color has a pattern of codes whose mean is near it, dealt out by a mask.

    J. Yliluoma, "Arbitrary-palette positional dithering algorithm", 2011, which at strength 1 chooses the codes as
    T. Knoll does (US patent 6,606,166, expired): each makes the mean of those so far nearest to the color. Patterns
    belong to cells of the color cube and are remembered, so that dithering is a look-up.
    """

    def __init__(self, codes: NDArray[np.uint8], strength: float) -> None:
        self._finder = CellFinder(codes)
        by_luma = np.argsort(codes.astype(np.int64) @ _LUMA, kind="stable")
        patterns = np.zeros((1 << 3 * CELL_BITS, _PATTERN), np.uint16)
        known = np.zeros(1 << 3 * CELL_BITS, np.uint8)
        self._memory = (patterns, known, np.argsort(by_luma, kind="stable"), by_luma)
        self._strength = round(256 * strength)
        self._ranks = bayer(8) * _PATTERN // 64

    def find(self, rgb: NDArray[np.uint8], hidden: NDArray[np.bool_] | None) -> NDArray:
        """Rows for uint8 [height, width, 3]; 0 where `hidden`."""
        rows = np.empty(rgb.shape[:2], self._finder.dtype)
        _find_pattern(rgb, self._ranks, self._finder.tables, self._memory, self._strength, rows)
        return rows if hidden is None else np.where(hidden, rows.dtype.type(0), rows)


def spacing(codes: NDArray[np.uint8]) -> float:
    """The mean distance from a code to the nearest other color: 0 to 441."""
    from scipy.spatial import cKDTree

    colors = np.unique(codes, axis=0).astype(np.float64)
    return float(cKDTree(colors).query(colors, 2)[0][:, 1].mean()) if len(colors) > 1 else 0.0


@njit(nogil=True, cache=True)
def _find_ordered(pixels, offsets, tables, rows):  # type: ignore[no-untyped-def]
    cells, codes, exact = tables
    last = len(offsets) - 1  # sides are powers of two
    for y in range(rows.shape[0]):
        for x in range(rows.shape[1]):
            red, green, blue = np.int64(pixels[y, x, 0]), np.int64(pixels[y, x, 1]), np.int64(pixels[y, x, 2])
            row = np.int64(cells[cell_of(red, green, blue)])
            if row < 0:
                row = search_cell(red, green, blue, row, cells, exact)
            if codes[row, 0] != red or codes[row, 1] != green or codes[row, 2] != blue:
                offset = offsets[y & last, x & last]
                red = min(max(red + offset, 0), 255)
                green = min(max(green + offset, 0), 255)
                blue = min(max(blue + offset, 0), 255)
                row = np.int64(cells[cell_of(red, green, blue)])
                if row < 0:
                    row = search_cell(red, green, blue, row, cells, exact)
            rows[y, x] = row


@njit(nogil=True, cache=True)
def _find_pattern(pixels, ranks, tables, memory, strength, rows):  # type: ignore[no-untyped-def]
    cells, codes, exact = tables
    patterns, is_filled = memory[0], memory[1]
    last = len(ranks) - 1  # sides are powers of two
    for y in range(rows.shape[0]):
        for x in range(rows.shape[1]):
            red, green, blue = np.int64(pixels[y, x, 0]), np.int64(pixels[y, x, 1]), np.int64(pixels[y, x, 2])
            cell = cell_of(red, green, blue)
            row = np.int64(cells[cell])
            if row < 0:
                row = search_cell(red, green, blue, row, cells, exact)
            if codes[row, 0] != red or codes[row, 1] != green or codes[row, 2] != blue:
                if not is_filled[cell]:
                    _fill_pattern(cell, middle(red), middle(green), middle(blue), tables, memory, strength)
                    is_filled[cell] = 1
                row = np.int64(patterns[cell, ranks[y & last, x & last]])
            rows[y, x] = row


@njit(nogil=True, cache=True)
def _fill_pattern(cell, red, green, blue, tables, memory, strength):  # type: ignore[no-untyped-def]
    """The pattern for a color, darkest code first. Every thread would fill in the same."""
    _, codes, exact = tables
    patterns, _, luma_rank, by_luma = memory
    lack_red, lack_green, lack_blue = np.int64(0), np.int64(0), np.int64(0)  # of the codes so far
    chosen = np.empty(_PATTERN, np.int64)
    for i in range(_PATTERN):
        row = find_color(
            min(max(red + (lack_red * strength >> 8), 0), 255),
            min(max(green + (lack_green * strength >> 8), 0), 255),
            min(max(blue + (lack_blue * strength >> 8), 0), 255),
            exact,
        )
        chosen[i] = luma_rank[row]
        lack_red += red - codes[row, 0]
        lack_green += green - codes[row, 1]
        lack_blue += blue - codes[row, 2]
    chosen.sort()
    for i in range(_PATTERN):
        patterns[cell, i] = by_luma[chosen[i]]
