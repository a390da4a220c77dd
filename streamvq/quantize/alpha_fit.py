"""From a sketch of colors with alpha to codes: how many are opaque, and which the others are.

One k-means over opaque and other colors says how many codes each get. Opaque codes are then those of `color_fit`, and
the others are fitted beside them to what is not opaque, where colors count by what of them is seen (`alpha_points`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from streamvq.quantize.alpha_points import alpha_points, colors_at
from streamvq.quantize.bt601 import LUMA_B, LUMA_G, LUMA_R
from streamvq.quantize.histogram import ColorHistogram
from streamvq.quantize.kmeans import largest_costs, lloyd
from streamvq.quantize.nearest_centers import FloatPoints
from streamvq.quantize.seeding import improved, plus_plus

_OPAQUE = 255.0
_APART = 4096.0  # how far opaque points are moved from the others, so that no cluster has both
_SHIFTS = (3, 2, 1, 0)  # of the cells that k-means starts with: the first of which there are enough
_MIN_POINTS_PER_CODE = 8
_MAX_POINTS = 1 << 16  # that it ends with
_MAX_ITERATIONS = 50
_TOLERANCE = 1e-4

Points = tuple[NDArray[np.float64], NDArray[np.int64]]  # [n, 3 or 4], and how many pixels each stands for


def fit_alpha(
    sketch: ColorHistogram,
    n_codes: int,
    given: NDArray[np.uint8],
    fit_opaque: Callable[[int], NDArray[np.uint8]],
    seed: int,
) -> NDArray[np.uint8]:
    """The codes of a sketch, uint8 [at most n_codes, 4], beside those `given` [m, 4], which are none of them.

    They are distinct and sorted by alpha, luma, then RGB. One is fully transparent where the sketch saw such pixels
    and none is given. Where no more colors than codes were seen, they are the codes. `fit_opaque` gives a number of
    opaque codes, uint8 [n, 3], beside those given.
    """
    lacks = n_codes and sketch.translucent.transparent and not (given[:, 3] == 0).any()
    clear = np.zeros((1 if lacks else 0, 4), np.uint8)
    given = np.concatenate([given, clear])
    n_codes -= len(clear)
    soft = sketch.translucent.exact_colors()
    if soft is not None:
        soft = soft[~np.isin(_keys(soft), _keys(given))]
        if len(soft) + _n_new(sketch, given, n_codes) > n_codes:
            soft = None
    share = _opaque_share(sketch, n_codes, given, seed) if soft is None else n_codes - len(soft)
    opaque = fit_opaque(share) if share and sketch.distinct() else np.empty((0, 3), np.uint8)
    opaque = np.concatenate([opaque, np.full((len(opaque), 1), _OPAQUE, np.uint8)], axis=1)
    if soft is None:
        fixed = np.concatenate([given, opaque])
        soft = _fitted(sketch.translucent.points, n_codes - share, _points(fixed), seed)
    return np.concatenate([clear, _sorted(soft), opaque])


def _n_new(sketch: ColorHistogram, given: NDArray[np.uint8], n_codes: int) -> int:
    """How many opaque colors were seen that are not given; where these are more than n_codes, some number above."""
    given = np.unique(given[given[:, 3] == _OPAQUE], axis=0)
    if not len(given) or sketch.distinct() > n_codes + len(given):
        return sketch.distinct()
    seen = sketch.exact_colors()
    seen = np.concatenate([seen, np.full((len(seen), 1), _OPAQUE, np.uint8)], axis=1)
    return int(np.count_nonzero(~np.isin(_keys(seen), _keys(given))))


def _opaque_share(sketch: ColorHistogram, n_codes: int, given: NDArray[np.uint8], seed: int) -> int:
    """How many of the codes are best opaque; of opaque and of other colors each has at least one where it can be."""
    n_opaque, n_soft = _n_new(sketch, given, n_codes), sketch.translucent.distinct()
    if not n_opaque or not n_soft or n_codes < 2:
        return n_codes if n_opaque else 0
    colors, weights = _coarse(sketch.points, n_codes)
    opaque = alpha_points(colors, np.full(len(colors), _OPAQUE))
    opaque[:, 3] += _APART
    fixed = _points(given)
    fixed[given[:, 3] == _OPAQUE, 3] += _APART
    soft, soft_weights = _coarse(sketch.translucent.points, n_codes)
    points, weights = np.concatenate([opaque, soft]), np.concatenate([weights, soft_weights])
    share = int(np.count_nonzero(_k_means(points, weights, n_codes, fixed, seed)[:, 3] > _APART))
    share = max(share, n_codes - n_soft)
    return min(max(share, 1), n_opaque, n_codes - 1)


def _fitted(
    points_at: Callable[[int], Points], n_codes: int, fixed: NDArray[np.float64], seed: int
) -> NDArray[np.uint8]:
    """Translucent codes, uint8 [at most n_codes, 4], fitted beside `fixed` ones to the points at shifts of cells."""
    points, weights = _coarse(points_at, n_codes)
    if not n_codes or not len(points):
        return np.empty((0, 4), np.uint8)
    centers = _k_means(points, weights, n_codes, fixed, seed)
    points, weights = _fine(points_at)
    fine = FloatPoints(points, weights)
    centers = lloyd(fine, centers, _MAX_ITERATIONS, _TOLERANCE, fixed)
    codes = np.unique(colors_at(centers), axis=0)
    if len(codes) < n_codes:  # rounding made some coincide
        labels = fine.labels(centers)
        worst = largest_costs(points, weights, fine.scales, centers, labels, len(points))
        more = np.concatenate([codes, colors_at(points[worst])])
        _, first = np.unique(more, axis=0, return_index=True)
        codes = more[np.sort(first)[:n_codes]]
    return codes


def _coarse(points_at: Callable[[int], Points], n_codes: int) -> Points:
    """Few points, but enough for so many codes."""
    for shift in _SHIFTS:
        points, weights = points_at(shift)
        if len(points) >= _MIN_POINTS_PER_CODE * n_codes:
            break
    return points, weights


def _fine(points_at: Callable[[int], Points]) -> Points:
    """Many points, but not too many."""
    for shift in reversed(_SHIFTS):
        points, weights = points_at(shift)
        if len(points) <= _MAX_POINTS:
            break
    return points, weights


def _k_means(
    points: NDArray[np.float64], weights: NDArray[np.int64], n_codes: int, fixed: NDArray[np.float64], seed: int
) -> NDArray[np.float64]:
    """Centers [min(n_codes, n), 4] of points beside `fixed` ones."""
    if len(points) <= n_codes:
        return points
    centers = improved(points, weights, plus_plus(points, weights, n_codes, seed, fixed), seed, fixed)
    return lloyd(FloatPoints(points, weights), centers, _MAX_ITERATIONS, _TOLERANCE, fixed)


def _keys(colors: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """One integer for each color [n, 4]."""
    return np.ascontiguousarray(colors).view(np.uint32).ravel()


def _points(colors: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The points of colors with alpha, [n, 4]."""
    alpha = colors[:, 3].astype(np.float64)
    return alpha_points(colors[:, :3] * (alpha[:, None] / _OPAQUE), alpha)


def _sorted(colors: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """By alpha, luma, then RGB."""
    luma = colors[:, :3].astype(np.int64) @ np.array([LUMA_R, LUMA_G, LUMA_B])
    return colors[np.lexsort([*colors[:, 2::-1].T, luma, colors[:, 3]])]
