"""The nearest of some codes by a search outward from a point's own sum.

A code's distance to a point is at least |difference of their channel sums| / sqrt(channels) (Cauchy-Schwarz).
So the search walks up and down from the point's own sum through the codes sorted by theirs, and stops when the
bound exceeds the best distance. Ties go to the lowest row, as in `argmin`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from streamvq.compiling import njit


@njit(nogil=True, inline="always")
def squared_distance(a: Any, b: Any) -> Any:
    """Of two vectors of one length, each an array or a tuple."""
    distance = (a[0] - b[0]) * (a[0] - b[0])
    for c in range(1, len(a)):
        difference = a[c] - b[c]
        distance += difference * difference
    return distance


@njit(nogil=True, inline="always")
def two_nearest(
    point: Any,
    sorted_codes: Any,
    order: Any,
    sums: Any,
    slack: Any,
    best_row: Any,
    best: Any,
    second: Any,
    keep_second: Any,
) -> Any:
    """The row of the code nearest to `point` and the squared distances to it and, with `keep_second`, the next.

    `sorted_codes` [k, d] and their `sums` [k] are sorted by sum; `order` [k] maps them back to rows. `best_row` and
    `best` are a first candidate and its squared distance (or a row and a distance beyond all), `second` a distance
    beyond all. `slack` covers the rounding of squared differences of sums. Numba compiles it for each caller:
    integers and no second for colors, float64 for centers; measured as fast as two functions.
    """
    total = point[0]
    for c in range(1, len(point)):
        total += point[c]
    first = best_row
    up = np.searchsorted(sums, total)
    down = up - 1
    while up < len(sums) or down >= 0:
        for side in range(2):
            at = up if side == 0 else down
            if at < 0 or at >= len(sums):
                continue
            gap = sums[at] - total
            if gap * gap > len(point) * (second if keep_second else best) + slack:
                if side == 0:
                    up = len(sums)
                else:
                    down = -1
                continue
            row = order[at]
            if row != first:
                distance = squared_distance(point, sorted_codes[at])
                if distance < best or (distance == best and row < best_row):
                    second = best
                    best, best_row = distance, row
                elif keep_second and distance < second:
                    second = distance
            if side == 0:
                up += 1
            else:
                down -= 1
    return best_row, best, second
