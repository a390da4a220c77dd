"""Exact nearest codes of frames, in one of the spaces of `color_spaces`.

For a frozen codebook of colors each of the 2^24 colors is searched once, when it first occurs, and remembered.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.options import MATCHINGS
from streamvq.quantize.color_spaces import level_points, point_of, points_of
from streamvq.quantize.metrics import squared_error
from streamvq.quantize.outward_search import two_nearest
from streamvq.quantize.pixels import look_up

_MAX_UINT8_CODES = 256
_FAR = 1 << 40  # above any squared distance of two points, 3 x 65536^2


class ColorFinder:
    """Nearest rows of a codebook of colors for whole frames, exact in a space, remembered color by color.

    The memory is 32 MB of address space of which only the pages of colors that occur are touched. Threads may
    share a finder: an entry is one aligned word that every thread would fill with the same value.
    """

    def __init__(self, codes: NDArray[np.uint8], matching: str = "rgb") -> None:
        self._codes = codes.astype(np.int64)
        points = points_of(codes, matching)
        sums = points.sum(axis=1)
        order = np.argsort(sums, kind="stable")
        known = np.zeros(1 << 24, np.uint16)  # row + 1; 0 = not yet (row 65,535 wraps, and never is)
        self.tables = (known, order, sums[order], points[order], MATCHINGS.index(matching))  # of `find_color`
        self.dtype = np.uint8 if len(codes) <= _MAX_UINT8_CODES else np.uint16

    def find(self, rgb: NDArray[np.uint8]) -> NDArray:
        """Nearest row for each pixel of uint8 [height, width, 3]: uint8 or uint16 [height, width]."""
        rows = np.empty(rgb.shape[:2], self.dtype)
        _find(rgb.reshape(-1, 3), self.tables, rows.reshape(-1))
        return rows

    def squared_error(self, rgb: NDArray[np.uint8], rows: NDArray) -> int:
        """The sum of squared differences between uint8 [height, width, 3] and the codes at `rows`."""
        return int(_squared_error(rgb.reshape(-1, 3), rows.reshape(-1), self._codes))


class LevelFinder:
    """Nearest rows of a gray codebook: one table of 256 levels."""

    def __init__(self, codes: NDArray[np.uint8], matching: str = "rgb") -> None:
        points = level_points(matching)
        distance = (points[:, None] - points[codes[:, 0]]) ** 2
        self._rows = distance.argmin(axis=1).astype(np.uint8)
        self._codes = codes[:, 0]

    def find(self, gray: NDArray[np.uint8]) -> NDArray:
        """Nearest row for each pixel of uint8 [height, width]: uint8 [height, width]."""
        return look_up(self._rows, gray)

    def squared_error(self, gray: NDArray[np.uint8], rows: NDArray) -> int:
        """The sum of squared differences between uint8 [height, width] and the codes at `rows`."""
        return squared_error(gray, look_up(self._codes, rows))


@njit(nogil=True, cache=True)
def _find(pixels, tables, rows):  # type: ignore[no-untyped-def]
    """Not by an inlined helper: for each array that one is given, references are counted, 8 times the time here."""
    known, order, sums, sorted_points, space = tables
    for i in range(pixels.shape[0]):
        key = np.uint32(pixels[i, 0]) << np.uint32(16) | np.uint32(pixels[i, 1]) << np.uint32(8)
        key |= np.uint32(pixels[i, 2])
        entry = known[key]
        if entry == 0:
            entry = np.uint16(_search(np.int64(key), order, sums, sorted_points, space) + 1)
            known[key] = entry
        rows[i] = entry - np.uint16(1)


@njit(nogil=True, cache=True)
def find_color(red, green, blue, tables):  # type: ignore[no-untyped-def]
    """The row of the code nearest to one color, 0 to 255 a channel, with the `tables` of a `ColorFinder`."""
    known, order, sums, sorted_points, space = tables
    key = np.int64(red) << 16 | np.int64(green) << 8 | np.int64(blue)
    entry = known[key]
    if entry == 0:
        entry = np.uint16(_search(key, order, sums, sorted_points, space) + 1)
        known[key] = entry
    return np.int64(np.uint16(entry - np.uint16(1)))


@njit(nogil=True, cache=True)
def find_point(first, second, third, tables):  # type: ignore[no-untyped-def]
    """The row of the code nearest to one point of the space of a `ColorFinder`, with its `tables`."""
    _, order, sums, sorted_points, _ = tables
    far = np.int64(_FAR)
    return two_nearest((first, second, third), sorted_points, order, sums, np.int64(0), far, far, far, False)[0]


@njit(nogil=True, cache=True)
def _search(key, order, sums, sorted_points, space):  # type: ignore[no-untyped-def]
    """The row of the code nearest to one RGB24 key."""
    point = point_of(space, key >> 16, key >> 8 & 255, key & 255)
    far = np.int64(_FAR)
    return two_nearest(point, sorted_points, order, sums, np.int64(0), far, far, far, False)[0]


@njit(nogil=True, cache=True)
def _squared_error(pixels, rows, codes):  # type: ignore[no-untyped-def]
    error = np.int64(0)
    for i in range(pixels.shape[0]):
        row = rows[i]
        dr, dg, db = pixels[i, 0] - codes[row, 0], pixels[i, 1] - codes[row, 1], pixels[i, 2] - codes[row, 2]
        error += dr * dr + dg * dg + db * db
    return error
