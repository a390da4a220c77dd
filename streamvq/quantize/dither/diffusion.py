"""Error diffusion: what a pixel's code lacks goes to its neighbors, row by row in alternate directions."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.quantize.color_spaces import RGB
from streamvq.quantize.dither.cells import BOUNDS, FRACTION_BITS, CellFinder, cell_of, search_cell, value_of


class Shares(NamedTuple):
    """What neighbors get of a pixel's error, in 16ths; ahead is the way that the row goes."""

    ahead: int
    second_ahead: int
    below_behind: int
    below: int
    below_ahead: int
    second_below: int


KERNELS = {
    # R. W. Floyd, L. Steinberg, "An adaptive algorithm for spatial grey scale", 1976
    "floyd-steinberg": Shares(7, 0, 3, 5, 1, 0),
    # B. Atkinson for the Macintosh: a quarter of the error is dropped
    "atkinson": Shares(2, 2, 2, 2, 2, 2),
    # F. Sierra's filter "Lite"
    "sierra-lite": Shares(8, 0, 4, 4, 0, 0),
}
_SHARE_BITS = 4
_STRENGTH_BITS = 8  # strength is in 256ths
_MARGIN = 1  # pixels beside a row that errors may go to
_NEIGHBOR = 3  # which of the nearest other codes an error may reach; a color of three axes lies between that many
_DAMPING_BITS = 2  # of errors beyond it a quarter is dropped


class DiffusionDither:
    """Error diffusion with one of `KERNELS` in a space of `color_spaces`; `strength` scales what is passed on.

    An error that is larger than the distance from its code to the third nearest other one is passed on by three
    quarters. Colors between codes have none, so that their means stay; those beyond all codes would pile it up, until
    it breaks out as noise elsewhere (libimagequant damps errors above one limit for all codes).
    """

    def __init__(self, codes: NDArray[np.uint8], kernel: str, strength: float, matching: str = "rgb") -> None:
        self._finder = CellFinder(codes, matching)
        self._strength = round(strength * (1 << _STRENGTH_BITS))
        self._limits = _limits(self._finder.values)
        self._diffuse = _diffusion(KERNELS[kernel], self._finder.space, self._strength == 1 << _STRENGTH_BITS)

    def find(self, rgb: NDArray[np.uint8], hidden: NDArray[np.bool_] | None) -> NDArray:
        """Rows for uint8 [height, width, 3]; where `hidden`, 0, and no error passes."""
        rows = np.zeros(rgb.shape[:2], self._finder.dtype)
        shown = np.ones((1, 1), np.bool_) if hidden is None else ~hidden
        self._diffuse(rgb, shown, hidden is not None, self._finder.tables, self._limits, self._strength, rows)
        return rows


def _limits(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The squared distance from each value [k, 3] to the `_NEIGHBOR`th nearest other one, or the last: int64 [k]."""
    from scipy.spatial import cKDTree

    distinct = np.unique(values, axis=0).astype(np.float64)
    neighbors = min(_NEIGHBOR + 1, len(distinct))  # the first is the value itself
    distances = cKDTree(distinct).query(values.astype(np.float64), [neighbors])[0][:, 0]
    return np.rint(distances**2).astype(np.int64)


@cache
def _diffusion(shares: Shares, space: int, is_full: bool) -> Any:
    """The loop over a frame, compiled for what is given here: constants save a third of the time.

    A pixel waits for the error of the one before it, so what lies between the two is kept short: errors for the row
    below gather in variables until no other pixel adds to them, and a cell's entry holds its code's color.
    """
    ahead, second_ahead, below_behind, below, below_ahead, second_below = shares
    bits = _SHARE_BITS if is_full else _SHARE_BITS + _STRENGTH_BITS
    half = 1 << bits - 1
    (low1, high1), (low2, high2), (low3, high3) = BOUNDS[space]
    in_levels = space == RGB

    @njit(nogil=True, inline="always")
    def share(error: Any, part: Any) -> Any:
        return error * part + half >> bits

    @njit(nogil=True, cache=True)
    def diffuse(pixels, shown, some_hidden, tables, limits, strength, rows):  # type: ignore[no-untyped-def]
        entries, _, values, _ = tables
        height, width = rows.shape
        errors = np.zeros((3, width + 2 * _MARGIN, 3), np.int32)  # of this row and the two below it
        for y in range(height):
            here, next_row, below_next = errors[y % 3], errors[(y + 1) % 3], errors[(y + 2) % 3]
            step = 1 - 2 * (y & 1)
            x = 0 if step == 1 else width - 1
            near1 = near2 = near3 = np.int64(0)  # for the next pixel
            far1 = far2 = far3 = np.int64(0)  # for the one after it
            under1 = under2 = under3 = np.int64(0)  # for the pixel below this one, so far
            behind1 = behind2 = behind3 = np.int64(0)  # for the one behind that
            for _ in range(width):
                at = x + _MARGIN
                error1 = error2 = error3 = np.int64(0)
                if not some_hidden or shown[y, x]:
                    first, second, third = value_of(space, pixels[y, x, 0], pixels[y, x, 1], pixels[y, x, 2])
                    first = min(max(first + here[at, 0] + near1, low1), high1)
                    second = min(max(second + here[at, 1] + near2, low2), high2)
                    third = min(max(third + here[at, 2] + near3, low3), high3)
                    cell = cell_of(space, first, second, third)
                    entry = entries[np.uint64(cell)]
                    if entry < 0:
                        entry = search_cell(space, first, second, third, cell, tables)
                    row = entry & 0xFFFF
                    rows[y, x] = row
                    if in_levels:
                        error1 = first - (entry >> 32 << FRACTION_BITS)
                        error2 = second - ((entry >> 24 & 255) << FRACTION_BITS)
                        error3 = third - ((entry >> 16 & 255) << FRACTION_BITS)
                    else:
                        error1 = first - values[row, 0]
                        error2 = second - values[row, 1]
                        error3 = third - values[row, 2]
                    if error1 * error1 + error2 * error2 + error3 * error3 > limits[row]:  # rare: none waits for it
                        error1 -= error1 >> _DAMPING_BITS
                        error2 -= error2 >> _DAMPING_BITS
                        error3 -= error3 >> _DAMPING_BITS
                    if not is_full:
                        error1, error2, error3 = error1 * strength, error2 * strength, error3 * strength
                near1, far1 = far1 + share(error1, ahead), share(error1, second_ahead)
                near2, far2 = far2 + share(error2, ahead), share(error2, second_ahead)
                near3, far3 = far3 + share(error3, ahead), share(error3, second_ahead)
                next_row[at - step, 0] += behind1 + share(error1, below_behind)
                next_row[at - step, 1] += behind2 + share(error2, below_behind)
                next_row[at - step, 2] += behind3 + share(error3, below_behind)
                behind1, under1 = under1 + share(error1, below), share(error1, below_ahead)
                behind2, under2 = under2 + share(error2, below), share(error2, below_ahead)
                behind3, under3 = under3 + share(error3, below), share(error3, below_ahead)
                below_next[at, 0] = share(error1, second_below)  # nothing else goes there
                below_next[at, 1] = share(error2, second_below)
                below_next[at, 2] = share(error3, second_below)
                x += step
            next_row[x + _MARGIN - step, 0] += behind1
            next_row[x + _MARGIN - step, 1] += behind2
            next_row[x + _MARGIN - step, 2] += behind3

    return diffuse
