"""Codes by cells of a color space: as near as dither needs them, from a table that stays in the cache."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.options import MATCHINGS
from streamvq.quantize.color_spaces import LINEAR, OKLAB, ONE, POINT_BITS, RGB, level_points, near_point_of, points_of
from streamvq.quantize.nearest import ColorFinder, find_color, find_point

CELL_BITS = 6  # an axis
CELLS = 1 << 3 * CELL_BITS
FRACTION_BITS = 4  # of the values that are dithered where they are levels; other points are fine as they are
UNKNOWN, _CROWDED = -1, -2  # entries of cells not met yet, and of those with several codes
_SHIFT, _LEVEL_SHIFT = POINT_BITS - CELL_BITS, 8 - CELL_BITS
_VALUE_SHIFT = _LEVEL_SHIFT + FRACTION_BITS
_VALUE_HALF, _VALUE_MIDDLE, _MIDDLE = 1 << FRACTION_BITS >> 1, 1 << _VALUE_SHIFT >> 1, 1 << _SHIFT >> 1
_AXIS_END = (1 << CELL_BITS) - 1
_COARSE_BITS = 4  # of linear light, that its cells have no part of
_ZERO_A, _ZERO_B = 15360, 20288  # what OKLab's a and b are raised by, so that none is negative
_CHROMA_CELLS = 124  # of 1 along a and b, of which the gamut takes about a half
_EIGHTH, _CHROMA_EIGHTH = (1 << _SHIFT) // 8, ONE // (8 * _CHROMA_CELLS)  # of the widths of OKLab's cells
# Elsewhere cells are of 4 levels: those of each level moved by -2, -1, 0 and 1
_LEVELS_ASIDE = (np.arange(256) + np.arange(-2, 2)[:, None]).clip(0, 255).ravel() >> _LEVEL_SHIFT
# Cells of linear light are as wide as 4 levels, or dark colors would all be in one
_LIGHT = np.arange(0, (1 << POINT_BITS) + 1, 1 << _COARSE_BITS)
_LIGHT_CELLS = (np.searchsorted(level_points("linear"), _LIGHT, side="right") - 1) >> _LEVEL_SHIFT
_LIGHT_MIDDLES = level_points("linear")[1 << _LEVEL_SHIFT >> 1 :: 1 << _LEVEL_SHIFT].copy()
# Values go from what is lowest to what is highest in the gamut of a space, on each axis: dither keeps to that.
_LAB_BOUNDS = (0, ONE), (-15296, 18062), (-20223, 12932)
BOUNDS = {
    RGB: ((0, 255 << FRACTION_BITS),) * 3,
    LINEAR: ((0, ONE),) * 3,
    OKLAB: _LAB_BOUNDS,
}


class CellFinder:
    """Codes for dithered colors: that in the color's cell, which is about 4 levels wide, or else the code nearest to
    the cell's middle, which dither evens out. A color that a code has exactly gets it.

    Colors are values in a space of `color_spaces`: levels with 4 more fractional bits, or points. An entry of a cell
    is its code's RGB24 key and, in the last 16 bits, its row. The table is filled as colors occur; threads may share
    it: each would fill in the same.
    """

    def __init__(self, codes: NDArray[np.uint8], matching: str = "rgb") -> None:
        self.space = MATCHINGS.index(matching)
        finder = ColorFinder(codes, matching)
        self.dtype = finder.dtype
        self.values = points_of(codes, matching) << (FRACTION_BITS if matching == "rgb" else 0)
        red, green, blue = codes.astype(np.int64).T
        keys = red << 32 | green << 24 | blue << 16 | np.arange(len(codes))
        cells = np.array([cell_of(self.space, *value) for value in self.values.tolist()], np.int64)
        entries = np.full(CELLS, UNKNOWN, np.int64)
        entries[cells] = keys
        taken, counts = np.unique(cells, return_counts=True)
        entries[taken[counts > 1]] = _CROWDED
        self.tables = (entries, keys, self.values, finder.tables)


@njit(nogil=True, inline="always")
def value_of(space: Any, red: Any, green: Any, blue: Any) -> Any:
    """The value of a color in a space: three int64."""
    first, second, third = near_point_of(space, red, green, blue)
    if space == RGB:
        return first << FRACTION_BITS, second << FRACTION_BITS, third << FRACTION_BITS
    return first, second, third


@njit(nogil=True, inline="always")
def cell_of(space: Any, first: Any, second: Any, third: Any) -> Any:
    """The number of the cell of a value within the bounds of its space."""
    if space == RGB:
        first = first + _VALUE_HALF >> _VALUE_SHIFT
        second = second + _VALUE_HALF >> _VALUE_SHIFT
        third = third + _VALUE_HALF >> _VALUE_SHIFT
    elif space == LINEAR:
        first = _LIGHT_CELLS[first >> _COARSE_BITS]
        second = _LIGHT_CELLS[second >> _COARSE_BITS]
        third = _LIGHT_CELLS[third >> _COARSE_BITS]
    else:
        first = min(first >> _SHIFT, _AXIS_END)
        second = (second + _ZERO_A) * _CHROMA_CELLS >> POINT_BITS
        third = (third + _ZERO_B) * _CHROMA_CELLS >> POINT_BITS
    return first << 2 * CELL_BITS | second << CELL_BITS | third


@njit(nogil=True, inline="always")
def cell_aside(space: Any, red: Any, green: Any, blue: Any, first: Any, second: Any, third: Any, quarter: Any) -> Any:
    """The number of the cell of a color, and of its value, moved aside within the width of a cell: the cells for the
    four quarters, 0 to 3, have middles whose mean is about the color."""
    if space == OKLAB:
        eighths = 2 * quarter - 3
        (low1, high1), (low2, high2), (low3, high3) = _LAB_BOUNDS
        first = min(max(first + eighths * _EIGHTH, low1), high1)
        second = min(max(second + eighths * _CHROMA_EIGHTH, low2), high2)
        third = min(max(third + eighths * _CHROMA_EIGHTH, low3), high3)
        return cell_of(space, first, second, third)
    at = quarter << 8
    first = _LEVELS_ASIDE[np.uint64(at + red)]
    second = _LEVELS_ASIDE[np.uint64(at + green)]
    third = _LEVELS_ASIDE[np.uint64(at + blue)]
    return first << 2 * CELL_BITS | second << CELL_BITS | third


@njit(nogil=True, inline="always")
def middle_of(space: Any, cell: Any) -> Any:
    """The value in the middle of a cell, that of a level where values are levels."""
    first, second, third = cell >> 2 * CELL_BITS, cell >> CELL_BITS & _AXIS_END, cell & _AXIS_END
    if space == RGB:
        return (
            (first << _VALUE_SHIFT) + _VALUE_MIDDLE,
            (second << _VALUE_SHIFT) + _VALUE_MIDDLE,
            (third << _VALUE_SHIFT) + _VALUE_MIDDLE,
        )
    if space == LINEAR:
        return _LIGHT_MIDDLES[first], _LIGHT_MIDDLES[second], _LIGHT_MIDDLES[third]
    return (
        (first << _SHIFT) + _MIDDLE,
        ((2 * second + 1) << POINT_BITS) // (2 * _CHROMA_CELLS) - _ZERO_A,
        ((2 * third + 1) << POINT_BITS) // (2 * _CHROMA_CELLS) - _ZERO_B,
    )


@njit(nogil=True, cache=True)
def search_cell(space, first, second, third, cell, tables):  # type: ignore[no-untyped-def]
    """The entry for a value whose cell, as its entry below 0 says, is not known yet, or has several codes.

    `tables` are those of a `CellFinder`. Loops look into the entries themselves: arrays are not for inlined helpers
    (see `nearest`).
    """
    entries, keys, _, exact = tables
    crowded = entries[cell] == _CROWDED
    if not crowded:
        first, second, third = middle_of(space, cell)
    if space == RGB:
        first, second, third = (
            first + _VALUE_HALF >> FRACTION_BITS,
            second + _VALUE_HALF >> FRACTION_BITS,
            third + _VALUE_HALF >> FRACTION_BITS,
        )
        entry = keys[find_color(first, second, third, exact)]
    else:
        entry = keys[find_point(first, second, third, exact)]
    if not crowded:
        entries[cell] = entry
    return entry
