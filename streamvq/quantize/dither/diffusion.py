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
# Errors of three axes, in 16ths, are sums of one int64: fields of 21 bits, which take no sum out of their range
_FIELD_BITS = 21
_ZERO = 1 << _FIELD_BITS - 1  # added to each field before it is taken out, so that none is negative


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

    A pixel waits for the error of the one before it, so what lies between the two is kept short: errors of the three
    axes are added and multiplied in one number, those for the row below gather in variables until no other pixel adds
    to them, and a cell's entry holds its code's color.
    """
    ahead, second_ahead, below_behind, below, below_ahead, second_below = shares
    (low1, high1), (low2, high2), (low3, high3) = BOUNDS[space]
    in_levels = space == RGB
    halvings = 0 if in_levels else 1  # points have 16 bits, which is one more than a field of sums has room for
    bits = _SHARE_BITS - halvings
    field = (1 << _FIELD_BITS - bits) - 1
    zero = _ZERO >> bits
    zeros = pack(*(_ZERO + (1 << bits - 1),) * 3)  # and a half, to round
    half = 1 << _STRENGTH_BITS - 1

    @njit(nogil=True, cache=True)
    def diffuse(pixels, shown, some_hidden, tables, limits, strength, rows):  # type: ignore[no-untyped-def]
        entries, _, values, _ = tables
        height, width = rows.shape
        errors = np.zeros((3, width + 2 * _MARGIN), np.int64)  # of this row and the two below it
        for y in range(height):
            here, next_row, below_next = errors[y % 3], errors[(y + 1) % 3], errors[(y + 2) % 3]
            step = 1 - 2 * (y & 1)
            x = 0 if step == 1 else width - 1
            near = np.int64(0)  # for the next pixel
            far = np.int64(0)  # for the one after it
            under = np.int64(0)  # for the pixel below this one, so far
            behind = np.int64(0)  # for the one behind that
            for _ in range(width):
                at = x + _MARGIN
                error = np.int64(0)
                if not some_hidden or shown[y, x]:
                    first, second, third = value_of(space, pixels[y, x, 0], pixels[y, x, 1], pixels[y, x, 2])
                    moved = here[at] + zeros + near
                    first = min(max(first - zero + (moved >> bits & field), low1), high1)
                    second = min(max(second - zero + (moved >> bits + _FIELD_BITS & field), low2), high2)
                    third = min(max(third - zero + (moved >> bits + 2 * _FIELD_BITS), low3), high3)
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
                        error1 = error1 * strength + half >> _STRENGTH_BITS
                        error2 = error2 * strength + half >> _STRENGTH_BITS
                        error3 = error3 * strength + half >> _STRENGTH_BITS
                    error = pack(error1 >> halvings, error2 >> halvings, error3 >> halvings)
                near, far = far + error * ahead, error * second_ahead
                next_row[at - step] += behind + error * below_behind
                behind, under = under + error * below, error * below_ahead
                below_next[at] = error * second_below  # nothing else goes there
                x += step
            next_row[x + _MARGIN - step] += behind

    return diffuse


@njit(nogil=True, inline="always")
def pack(first: Any, second: Any, third: Any) -> Any:
    """Three signed numbers as one, whose sums and products hold those of each."""
    return first + (second << _FIELD_BITS) + (third << 2 * _FIELD_BITS)
