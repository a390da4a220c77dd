"""Dither in which a pixel's code depends on its color and its place alone, so that nothing else changes with it."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.quantize.color_spaces import OKLAB, RGB, points_of
from streamvq.quantize.dither.cells import (
    BOUNDS,
    CELLS,
    FRACTION_BITS,
    CellFinder,
    cell_aside,
    cell_of,
    middle_of,
    search_cell,
    value_of,
)
from streamvq.quantize.dither.masks import bayer, mask_of
from streamvq.quantize.nearest import find_point

_PATTERN = 16  # codes of a pattern
_LUMA = np.array([299, 587, 114])


class OrderedDither:
    """Colors moved by a threshold mask before their code is taken; colors that a code has exactly keep it.

    The mask spans, at strength 1, the mean distance from a code to its nearest other one.
    """

    def __init__(self, codes: NDArray[np.uint8], mask: str, strength: float, matching: str = "rgb") -> None:
        self._finder = CellFinder(codes, matching)
        ranks = mask_of(mask)
        span = strength * spacing(points_of(codes, matching)) / (1 if matching == "oklab" else 3**0.5)
        offsets = np.rint(((ranks + 0.5) / ranks.size - 0.5) * span).astype(np.int32)
        self._offsets = offsets << (FRACTION_BITS if matching == "rgb" else 0)

    def find(self, rgb: NDArray[np.uint8], hidden: NDArray[np.bool_] | None) -> NDArray:
        """Rows for uint8 [height, width, 3]; 0 where `hidden`."""
        rows = np.empty(rgb.shape[:2], self._finder.dtype)
        _ordered(self._finder.space)(rgb, self._offsets, self._finder.tables, rows)
        return rows if hidden is None else np.where(hidden, rows.dtype.type(0), rows)


class PatternDither:
    """Yliluoma's pattern dither: each color has a pattern of codes whose mean is near it, dealt out by a mask.

    J. Yliluoma, "Arbitrary-palette positional dithering algorithm", 2011, which at strength 1 chooses the codes as
    T. Knoll does (US patent 6,606,166, expired): each makes the mean of those so far nearest to the color. Patterns
    belong to cells of the color cube and are remembered, so that dithering is a look-up. A color between the middles
    of two cells takes the pattern of either, by the last two bits of the mask: or else each cell would be a band.
    """

    def __init__(self, codes: NDArray[np.uint8], strength: float, matching: str = "rgb") -> None:
        self._finder = CellFinder(codes, matching)
        by_luma = np.argsort(codes.astype(np.int64) @ _LUMA, kind="stable")
        patterns, known = np.zeros((CELLS, _PATTERN), np.uint16), np.zeros(CELLS, np.uint8)
        self._memory = (patterns, known, np.argsort(by_luma, kind="stable"), by_luma)
        self._strength = round(256 * strength)
        self._ranks = bayer(8)  # of 4 places in each of _PATTERN

    def find(self, rgb: NDArray[np.uint8], hidden: NDArray[np.bool_] | None) -> NDArray:
        """Rows for uint8 [height, width, 3]; 0 where `hidden`."""
        rows = np.empty(rgb.shape[:2], self._finder.dtype)
        _patterned(self._finder.space)(rgb, self._ranks, self._finder.tables, self._memory, self._strength, rows)
        return rows if hidden is None else np.where(hidden, rows.dtype.type(0), rows)


def spacing(points: NDArray[np.int64]) -> float:
    """The mean distance from a code's point [n, 3] to the nearest other one."""
    from scipy.spatial import cKDTree

    distinct = np.unique(points, axis=0).astype(np.float64)
    return float(cKDTree(distinct).query(distinct, 2)[0][:, 1].mean()) if len(distinct) > 1 else 0.0


@cache
def _ordered(space: int) -> Any:
    """The loop over a frame for a space by its place in MATCHINGS."""
    (low1, high1), (low2, high2), (low3, high3) = BOUNDS[space]
    of_all_axes = int(space != OKLAB)  # gray is all three axes, or OKLab's lightness

    @njit(nogil=True, cache=True)
    def find(pixels, offsets, tables, rows):  # type: ignore[no-untyped-def]
        entries = tables[0]
        last = len(offsets) - 1  # sides are powers of two
        for y in range(rows.shape[0]):
            for x in range(rows.shape[1]):
                red, green, blue = np.int64(pixels[y, x, 0]), np.int64(pixels[y, x, 1]), np.int64(pixels[y, x, 2])
                first, second, third = value_of(space, red, green, blue)
                cell = cell_of(space, first, second, third)
                entry = entries[np.uint64(cell)]
                if entry < 0:
                    entry = search_cell(space, first, second, third, cell, tables)
                if entry >> 16 != red << 16 | green << 8 | blue:
                    offset = np.int64(offsets[y & last, x & last])
                    first = min(max(first + offset, low1), high1)
                    second = min(max(second + offset * of_all_axes, low2), high2)
                    third = min(max(third + offset * of_all_axes, low3), high3)
                    cell = cell_of(space, first, second, third)
                    entry = entries[np.uint64(cell)]
                    if entry < 0:
                        entry = search_cell(space, first, second, third, cell, tables)
                rows[y, x] = entry & 0xFFFF

    return find


@cache
def _patterned(space: int) -> Any:
    """The loop over a frame for a space by its place in MATCHINGS."""
    (low1, high1), (low2, high2), (low3, high3) = BOUNDS[space]
    of_level = FRACTION_BITS if space == RGB else 0

    @njit(nogil=True, cache=True)
    def fill(cell, tables, memory, strength):  # type: ignore[no-untyped-def]
        """The pattern for the middle of a cell, darkest code first. Every thread would fill in the same."""
        _, _, values, exact = tables
        patterns, _, luma_rank, by_luma = memory
        first, second, third = middle_of(space, cell)
        lack1, lack2, lack3 = np.int64(0), np.int64(0), np.int64(0)  # of the codes so far
        chosen = np.empty(_PATTERN, np.int64)
        for i in range(_PATTERN):
            row = find_point(
                min(max(first + (lack1 * strength >> 8), low1), high1) >> of_level,
                min(max(second + (lack2 * strength >> 8), low2), high2) >> of_level,
                min(max(third + (lack3 * strength >> 8), low3), high3) >> of_level,
                exact,
            )
            chosen[i] = luma_rank[row]
            lack1 += first - values[row, 0]
            lack2 += second - values[row, 1]
            lack3 += third - values[row, 2]
        chosen.sort()
        for i in range(_PATTERN):
            patterns[cell, i] = by_luma[chosen[i]]

    @njit(nogil=True, cache=True)
    def find(pixels, ranks, tables, memory, strength, rows):  # type: ignore[no-untyped-def]
        entries = tables[0]
        patterns, is_filled = memory[0], memory[1]
        last = len(ranks) - 1  # sides are powers of two
        for y in range(rows.shape[0]):
            for x in range(rows.shape[1]):
                red, green, blue = np.int64(pixels[y, x, 0]), np.int64(pixels[y, x, 1]), np.int64(pixels[y, x, 2])
                first, second, third = value_of(space, red, green, blue)
                cell = cell_of(space, first, second, third)
                entry = entries[np.uint64(cell)]
                if entry < 0:
                    entry = search_cell(space, first, second, third, cell, tables)
                row = entry & 0xFFFF
                if entry >> 16 != red << 16 | green << 8 | blue:
                    rank = ranks[np.uint64(y & last), np.uint64(x & last)]
                    cell = cell_aside(space, red, green, blue, first, second, third, rank & 3)
                    if not is_filled[np.uint64(cell)]:
                        fill(cell, tables, memory, strength)
                        is_filled[cell] = 1
                    row = np.int64(patterns[np.uint64(cell), np.uint64(rank >> 2)])
                rows[y, x] = row

    return find
