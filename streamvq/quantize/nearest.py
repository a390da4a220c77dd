"""Exact nearest codes.

A code's distance to a point is at least |difference of their channel sums| / sqrt(channels) (Cauchy-Schwarz).
So the search walks outward from the point's own sum through the codes sorted by theirs, and stops when the
bound exceeds the best distance. Ties go to the lowest row, as in `argmin`.

For a frozen RGB codebook each of the 2^24 colors is searched once, when it first occurs, and remembered.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from streamvq.quantize.metrics import squared_error


class ColorFinder:
    """Nearest rows of an RGB codebook for whole frames, exact, remembered color by color.

    The memory is 32 MB of address space of which only the pages of colors that occur are touched. Threads may
    share a finder: an entry is one aligned word that every thread would fill with the same value.
    """

    def __init__(self, codes: NDArray[np.uint8]) -> None:
        self._codes = codes.astype(np.int64)
        sums = self._codes.sum(axis=1)
        self._order = np.argsort(sums, kind="stable")
        self._sums = sums[self._order]
        self._known = np.zeros(1 << 24, np.uint16)  # row + 1; 0 = not yet (row 65,535 wraps, and never is)
        self._dtype = np.uint8 if len(codes) <= 256 else np.uint16

    def find(self, rgb: NDArray[np.uint8]) -> NDArray:
        """Nearest row for each pixel of uint8 [height, width, 3]: uint8 or uint16 [height, width]."""
        rows = np.empty(rgb.shape[:2], self._dtype)
        _find(rgb.reshape(-1, 3), self._known, self._order, self._sums, self._codes, rows.reshape(-1))
        return rows

    def squared_error(self, rgb: NDArray[np.uint8], rows: NDArray) -> int:
        """The sum of squared differences between uint8 [height, width, 3] and the codes at `rows`."""
        return int(_squared_error(rgb.reshape(-1, 3), rows.reshape(-1), self._codes))


class LevelFinder:
    """Nearest rows of a gray codebook: one table of 256 levels."""

    def __init__(self, codes: NDArray[np.uint8]) -> None:
        distance = (np.arange(256)[:, None] - codes[:, 0].astype(np.int64)) ** 2
        self._rows = distance.argmin(axis=1).astype(np.uint8)
        self._codes = codes[:, 0]

    def find(self, gray: NDArray[np.uint8]) -> NDArray:
        """Nearest row for each pixel of uint8 [height, width]: uint8 [height, width]."""
        return self._rows[gray]

    def squared_error(self, gray: NDArray[np.uint8], rows: NDArray) -> int:
        """The sum of squared differences between uint8 [height, width] and the codes at `rows`."""
        return squared_error(gray, self._codes[rows])


class NearestRows:
    """The nearest of some moving codes for each of many points, exact in float64, faster from move to move.

    Two bounds a point (Hamerly 2010), one on the distance to its own code and one on that to any other, tell
    which points cannot have changed sides since the last call.
    """

    def __init__(self, points: NDArray[np.float64]) -> None:
        self._points = points
        self._codes: NDArray[np.float64] | None = None
        self._own = np.full(len(points), np.inf)
        self._other = np.zeros(len(points))
        self.rows = np.zeros(len(points), np.int64)

    def update(self, codes: NDArray[np.float64]) -> NDArray[np.int64]:
        """The row of the nearest of `codes` [k, d] for each point: int64 [n]. k stays the same between calls."""
        moved = np.zeros(len(codes)) if self._codes is None else np.sqrt(((codes - self._codes) ** 2).sum(axis=1))
        self._codes = codes
        sums = codes.sum(axis=1)
        order = np.argsort(sums, kind="stable")
        _update_rows(self._points, codes, codes[order], order, sums[order], moved, self.rows, self._own, self._other)
        return self.rows


@njit(nogil=True, cache=True)
def _find(pixels, known, order, sums, codes, rows):  # type: ignore[no-untyped-def]
    for i in range(pixels.shape[0]):
        color = np.uint32(pixels[i, 0]) << np.uint32(16) | np.uint32(pixels[i, 1]) << np.uint32(8)
        color |= np.uint32(pixels[i, 2])
        entry = known[color]
        if entry == 0:
            entry = np.uint16(_search(np.int64(color), order, sums, codes) + 1)
            known[color] = entry
        rows[i] = entry - np.uint16(1)


@njit(nogil=True, cache=True)
def _squared_error(pixels, rows, codes):  # type: ignore[no-untyped-def]
    error = np.int64(0)
    for i in range(pixels.shape[0]):
        row = rows[i]
        dr, dg, db = pixels[i, 0] - codes[row, 0], pixels[i, 1] - codes[row, 1], pixels[i, 2] - codes[row, 2]
        error += dr * dr + dg * dg + db * db
    return error


@njit(nogil=True, cache=True)
def _search(color, order, sums, codes):  # type: ignore[no-untyped-def]
    """The row of the nearest code of one packed color."""
    r, g, b = color >> 16, color >> 8 & 255, color & 255
    up = np.searchsorted(sums, r + g + b)
    down = up - 1
    best, best_row = np.int64(1 << 30), np.int64(1 << 30)
    while up < len(sums) or down >= 0:
        for side in range(2):
            at = up if side == 0 else down
            if at < 0 or at >= len(sums):
                continue
            gap = sums[at] - (r + g + b)
            if gap * gap > 3 * best:
                if side == 0:
                    up = len(sums)
                else:
                    down = -1
                continue
            row = order[at]
            dr, dg, db = r - codes[row, 0], g - codes[row, 1], b - codes[row, 2]
            distance = dr * dr + dg * dg + db * db
            if distance < best or (distance == best and row < best_row):
                best, best_row = distance, row
            if side == 0:
                up += 1
            else:
                down -= 1
    return best_row


@njit(nogil=True, cache=True)
def _update_rows(points, codes, ordered, order, sums, moved, rows, own, other):  # type: ignore[no-untyped-def]
    """`ordered` and `sums` are `codes` and their sums sorted by sum; `order` maps them back to rows."""
    fastest = np.argmax(moved)
    slower = 0.0  # the most that any code but the fastest moved
    for row in range(len(moved)):
        if row != fastest:
            slower = max(slower, moved[row])
    for i in range(len(points)):
        row = rows[i]
        own[i] += moved[row]
        other[i] -= slower if row == fastest else moved[fastest]
        if own[i] <= other[i]:
            continue
        distance = _distance(points[i], codes[row])
        own[i] = np.sqrt(distance)
        if own[i] > other[i]:
            rows[i], distance, second = _two_nearest(points[i], ordered, order, sums, row, distance)
            own[i], other[i] = np.sqrt(distance), np.sqrt(second)


@njit(nogil=True, cache=True)
def _two_nearest(point, ordered, order, sums, best_row, best):  # type: ignore[no-untyped-def]
    """The row of the nearest code, and the squared distances to it and to the next, from a first guess."""
    total = point.sum()
    second = np.inf
    up = np.searchsorted(sums, total)
    down = up - 1
    first = best_row
    while up < len(sums) or down >= 0:
        for side in range(2):
            at = up if side == 0 else down
            if at < 0 or at >= len(sums):
                continue
            gap = sums[at] - total
            if gap * gap > len(point) * second + 1e-6:  # the slack covers the rounding of the sums
                if side == 0:
                    up = len(sums)
                else:
                    down = -1
                continue
            if order[at] != first:
                distance = _distance(point, ordered[at])
                if distance < best or (distance == best and order[at] < best_row):
                    best, best_row, second = distance, order[at], best
                elif distance < second:
                    second = distance
            if side == 0:
                up += 1
            else:
                down -= 1
    return best_row, best, second


@njit(nogil=True, cache=True)
def _distance(a, b):  # type: ignore[no-untyped-def]
    """Squared distance."""
    distance = 0.0
    for c in range(len(a)):
        distance += (a[c] - b[c]) ** 2
    return distance
