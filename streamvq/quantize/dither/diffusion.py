"""Error diffusion: what a pixel's code lacks goes to its neighbors, row by row in alternate directions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.quantize.dither.cells import CellFinder, cell_of, search_cell

# How far each neighbor is below and ahead, and its share in 16ths.
KERNELS = {
    # R. W. Floyd, L. Steinberg, "An adaptive algorithm for spatial grey scale", 1976
    "floyd-steinberg": ((0, 1, 7), (1, -1, 3), (1, 0, 5), (1, 1, 1)),
    # B. Atkinson for the Macintosh: a quarter of the error is dropped
    "atkinson": ((0, 1, 2), (0, 2, 2), (1, -1, 2), (1, 0, 2), (1, 1, 2), (2, 0, 2)),
    # F. Sierra's filter "Lite"
    "sierra-lite": ((0, 1, 8), (1, -1, 4), (1, 0, 4)),
}
_UNIT_BITS = 4  # errors are in 16ths of a level
_HALF = 1 << _UNIT_BITS >> 1
_TOP = 255 << _UNIT_BITS
_SHARE_BITS = 8 + _UNIT_BITS  # strength is in 256ths
_SHARE_HALF = 1 << _SHARE_BITS >> 1
_MARGIN = 2  # pixels beside a row that errors may go to


class DiffusionDither:
    """Error diffusion with one of `KERNELS`; `strength` scales what is passed on."""

    def __init__(self, codes: NDArray[np.uint8], kernel: str, strength: float) -> None:
        self._finder = CellFinder(codes)
        self._taps = np.array(KERNELS[kernel], np.int64)
        self._strength = round(256 * strength)

    def find(self, rgb: NDArray[np.uint8], hidden: NDArray[np.bool_] | None) -> NDArray:
        """Rows for uint8 [height, width, 3]; where `hidden`, 0, and no error passes."""
        rows = np.zeros(rgb.shape[:2], self._finder.dtype)
        shown = np.ones((1, 1), np.bool_) if hidden is None else ~hidden
        _diffuse(rgb, shown, hidden is not None, self._finder.tables, self._taps, self._strength, rows)
        return rows


@njit(nogil=True, cache=True)
def _diffuse(pixels, shown, some_hidden, tables, taps, strength, rows):  # type: ignore[no-untyped-def]
    height, width = rows.shape
    cells, codes, exact = tables
    errors = np.zeros((3, 3 * (width + 2 * _MARGIN)), np.int32)  # of this row and the two below it
    places = np.empty(len(taps), np.int64)
    for y in range(height):
        ahead = 1 - 2 * (y & 1)
        here = errors[y % 3]
        for tap in range(len(taps)):
            places[tap] = (y + taps[tap, 0]) % 3 * errors.shape[1] + 3 * ahead * taps[tap, 1]
        spread = errors.reshape(-1)
        for step in range(width):
            x = step if ahead == 1 else width - 1 - step
            if some_hidden and not shown[y, x]:
                continue
            at = 3 * (x + _MARGIN)
            red = min(max((np.int64(pixels[y, x, 0]) << _UNIT_BITS) + here[at], 0), _TOP)
            green = min(max((np.int64(pixels[y, x, 1]) << _UNIT_BITS) + here[at + 1], 0), _TOP)
            blue = min(max((np.int64(pixels[y, x, 2]) << _UNIT_BITS) + here[at + 2], 0), _TOP)
            r, g, b = (red + _HALF) >> _UNIT_BITS, (green + _HALF) >> _UNIT_BITS, (blue + _HALF) >> _UNIT_BITS
            row = np.int64(cells[cell_of(r, g, b)])
            if row < 0:
                row = search_cell(r, g, b, row, cells, exact)
            rows[y, x] = row
            red = (red - (codes[row, 0] << _UNIT_BITS)) * strength
            green = (green - (codes[row, 1] << _UNIT_BITS)) * strength
            blue = (blue - (codes[row, 2] << _UNIT_BITS)) * strength
            for tap in range(len(taps)):
                place, share = at + places[tap], taps[tap, 2]
                spread[place] += red * share + _SHARE_HALF >> _SHARE_BITS
                spread[place + 1] += green * share + _SHARE_HALF >> _SHARE_BITS
                spread[place + 2] += blue * share + _SHARE_HALF >> _SHARE_BITS
        here[:] = 0
