"""Codes by cells of the color cube: as near as dither needs them, from a table that stays in the cache."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.quantize.nearest import ColorFinder, find_color

CELL_BITS = 6  # a channel
_SHIFT, _HALF = 8 - CELL_BITS, 1 << 8 - CELL_BITS >> 1
_UNKNOWN, _CROWDED = -1, -2  # cells not met yet, and those with several codes


class CellFinder:
    """Codes for dithered colors: that in the color's cell, which is 4 levels wide, or else the code nearest to the
    cell's middle, which dither evens out. A color that a code has exactly gets it.

    The table is filled as colors occur; threads may share it: each would fill in the same.
    """

    def __init__(self, codes: NDArray[np.uint8]) -> None:
        finder = ColorFinder(codes)
        self.dtype = finder.dtype
        cells = cell_of(*codes.astype(np.int64).T)
        rows = np.full(1 << 3 * CELL_BITS, _UNKNOWN, np.int32)
        rows[cells] = np.arange(len(codes))
        taken, counts = np.unique(cells, return_counts=True)
        rows[taken[counts > 1]] = _CROWDED
        self.tables = (rows, codes.astype(np.int64), finder.tables)


@njit(nogil=True, inline="always")
def cell_of(red: Any, green: Any, blue: Any) -> Any:
    """The number of a color's cell."""
    return (red >> _SHIFT) << 2 * CELL_BITS | (green >> _SHIFT) << CELL_BITS | (blue >> _SHIFT)


@njit(nogil=True, inline="always")
def middle(value: Any) -> Any:
    """The middle of the cell that a channel's value is in."""
    return (value >> _SHIFT << _SHIFT) + _HALF


@njit(nogil=True, cache=True)
def search_cell(red, green, blue, entry, cells, exact):  # type: ignore[no-untyped-def]
    """The row for a color whose cell has no row yet, or several codes, as its `entry` below 0 says.

    `exact` are the tables of a `ColorFinder`. Loops look into `cells` themselves: arrays are not for inlined helpers
    (see `nearest`).
    """
    if entry == _CROWDED:
        return find_color(red, green, blue, exact)
    row = find_color(middle(red), middle(green), middle(blue), exact)
    cells[cell_of(red, green, blue)] = row
    return row
