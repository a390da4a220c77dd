"""The best gray levels, exactly: one-dimensional k-means by dynamic programming.

An optimal set of codes partitions the sorted levels into segments, each with one code, so the best partition into m
segments extends the best one of a shorter prefix into m - 1 (Bellman 1973; Wang and Song 2011). There are at most 256
levels, sums are integers, and the cost of a segment is that of its best *integer* code: the result is optimal as
it is stored.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvq.quantize.color_spaces import level_points

_MAX_MASS = 1 << 29  # summed weights: times the square of 16 bits, with room for twice and for their sum
_IMPOSSIBLE = np.iinfo(np.int64).max // 2  # leaves room to add the cost of a segment


def optimal_levels(
    levels: NDArray[np.uint8],
    weights: NDArray[np.int64],
    k: int,
    matching: str = "rgb",
    fixed: NDArray[np.uint8] | None = None,
) -> NDArray[np.uint8]:
    """The k codes of least weighted squared error: uint8 [k, 1], ascending; all levels where they are at most k.

    `levels` is uint8 [n], in any order, `weights` int64 [n], not negative, with a sum of up to 2^46. Levels of no
    weight do not count. Errors are those in the space `matching` (see `color_spaces`), where in others than "rgb"
    weights are rounded to 2^-29 of their sum. Codes that are `fixed`, uint8 [m], stand beside the k, and are none
    of them. Raises ValueError for k below 1 or where nothing has weight. O(256 n k) at worst.
    """
    if k < 1:
        raise ValueError(f"{k} codes: give 1 or more")
    counts = np.zeros(256, np.int64)
    np.add.at(counts, levels, weights)
    distinct = np.flatnonzero(counts)
    if not len(distinct):
        raise ValueError("no level has weight")
    new = distinct if fixed is None else np.setdiff1d(distinct, fixed)
    if len(new) <= k:
        return new.astype(np.uint8)[:, None]
    points = level_points(matching)
    if matching != "rgb":
        counts = -(-counts // -(-int(counts.sum()) // _MAX_MASS))
    if fixed is None:
        codes, costs = _segments(distinct, counts[distinct], points)
    else:
        codes, costs = _segments_with_fixed(distinct, counts[distinct], points, fixed)
    starts = _best_starts(costs, k)
    best: NDArray[np.uint8] = codes[starts, np.append(starts[1:], len(distinct))].astype(np.uint8)
    return best[:, None]


def _segments(
    levels: NDArray[np.int64], weights: NDArray[np.int64], points: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The best integer code and its cost for the segment of levels i to j - 1, i < j: both int64 [n, n + 1].

    `points` are those of all 256 levels, ascending. The cost is a parabola in the code's point, so the one nearest to
    the mean is best.
    """
    at = points[levels]
    mass, sums, squares = (np.concatenate([[0], np.cumsum(weights * power)]) for power in (at**0, at, at**2))
    mass, sums, squares = (totals[None, :] - totals[:-1, None] for totals in (mass, sums, squares))
    codes = np.searchsorted(points[1:] + points[:-1], 2 * sums // np.maximum(mass, 1), side="right")
    costs = squares - 2 * points[codes] * sums + points[codes] ** 2 * mass
    return codes, np.where(mass > 0, costs, _IMPOSSIBLE)


def _segments_with_fixed(
    levels: NDArray[np.int64], weights: NDArray[np.int64], points: NDArray[np.int64], fixed: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The same where levels may also take one of the `fixed` codes: every code is tried.

    The levels that prefer one of the other codes still form segments, those in which some take a fixed code too.
    """
    n = len(levels)
    at = points[levels]
    nearest = ((at[:, None] - points[fixed]) ** 2).min(axis=1)
    best, least = np.zeros((n, n + 1), np.int64), np.full((n, n + 1), _IMPOSSIBLE)
    follows = np.arange(n + 1) > np.arange(n)[:, None]
    for code in range(256):
        totals = np.concatenate([[0], np.cumsum(weights * np.minimum(nearest, (at - points[code]) ** 2))])
        costs = totals[None, :] - totals[:-1, None]
        less = follows & (costs < least)
        best[less], least[less] = code, costs[less]
    return best, least


def _best_starts(costs: NDArray[np.int64], k: int) -> NDArray[np.intp]:
    """The first level of each of the k segments that together cost least: [k], ascending from 0."""
    n = len(costs)
    best = costs[0]  # of the first j levels in one segment, for each j
    last_starts = np.zeros((k, n + 1), np.intp)  # where the last of m + 1 segments over the first j levels starts
    for m in range(1, k):
        totals = np.minimum(best[:n, None], _IMPOSSIBLE) + np.minimum(costs, _IMPOSSIBLE)
        last_starts[m] = totals.argmin(axis=0)
        best = np.minimum(totals[last_starts[m], np.arange(n + 1)], _IMPOSSIBLE)
    starts, end = np.zeros(k, np.intp), n
    for m in range(k - 1, 0, -1):
        starts[m] = end = last_starts[m, end]
    return starts
