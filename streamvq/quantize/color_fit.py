"""From a sketch of colors to codes: k-means++, mini-batches, breathing k-means, then Lloyd iterations.

The sketch is first taken at a coarse resolution, where points are few and iterations cheap, then at finer ones; with
few colors, as it is.
Nothing here depends on the number of threads or the order of frames.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamvq.quantize.bt601 import LUMA_B, LUMA_G, LUMA_R
from streamvq.quantize.color_spaces import colors_at, points_of, unit
from streamvq.quantize.gray_fit import optimal_levels
from streamvq.quantize.histogram import ColorSketch, LevelHistogram
from streamvq.quantize.kmeans import largest_costs, lloyd, mini_batches
from streamvq.quantize.nearest_centers import FloatPoints
from streamvq.quantize.seeding import improved, plus_plus

_MAX_PLUS_PLUS = 1024  # codes; k-means++ costs points x codes x log(codes)
_MANY_CODES = 4096  # beyond these an iteration is dear and gains little
_MANY_CODES_DIVISOR = 4  # of the number of iterations then
_MIN_POINTS_PER_CODE = 8  # in the coarse resolutions of the sketch
_MAX_BATCHES = 20
_TOLERANCE = 2e-5  # stop when an iteration lowers the error by less than this share
_ZADOR_EXPONENT = 3 / 5  # the best density of codes is weight^(d / (d + 2)), d = 3 (Zador 1982)


class _Resolution(NamedTuple):
    shift: int  # cells of the sketch hold 2^shift colors along each channel
    max_iterations: int


_SCHEDULE = (_Resolution(3, 100), _Resolution(2, 30), _Resolution(1, 20))  # most iterations where points are few
_FEW_COLORS = 1 << 14  # of drawings and screens; cells would merge colors that deserve codes of their own
_EXACT = (_Resolution(0, 100),)


def fit_colors(
    sketch: ColorSketch,
    n_codes: int,
    seed: int,
    matching: str = "rgb",
    fixed: NDArray[np.uint8] | None = None,
    weight: str = "count",
) -> NDArray[np.uint8]:
    """The codes learned from a sketch: uint8 [at most n_codes, 1 or 3], distinct, sorted by luma, then RGB.

    Where the sketch saw at most `n_codes` distinct colors, they are the codes. Otherwise there are exactly
    `n_codes` of them. Gray levels are optimal. Errors are squared distances in the space `matching` (see
    `color_spaces`). Codes that are `fixed`, uint8 [m, 1 or 3], stand beside those learned and are none of them: they
    take the colors nearest to them and never move. `weight` is what colors weigh, as `weighted` says.
    """
    if fixed is not None:
        fixed = np.unique(fixed, axis=0)
        if not n_codes:
            return fixed[:0]
    if isinstance(sketch, LevelHistogram):
        levels = sketch.exact_colors()[:, 0]
        others = None if fixed is None else fixed[:, 0]
        return optimal_levels(levels, weighted(sketch.counts[levels], weight), n_codes, matching, others)
    if sketch.distinct() <= n_codes + (0 if fixed is None else len(fixed)):
        new = _without(sketch.exact_colors(), fixed)
        if len(new) <= n_codes:
            return sorted_by_luma(new)
    standing = np.empty((0, 3)) if fixed is None else points_of(fixed, matching) / unit(matching)
    centers: NDArray[np.float64] = np.empty((0, 0))
    for shift, max_iterations in _EXACT if sketch.distinct() <= _FEW_COLORS else _SCHEDULE:
        points, weights = sketch.points(shift, matching)
        points, weights = points / unit(matching), weighted(weights, weight)
        color_points = FloatPoints(points, weights)
        if not len(centers):
            if shift > 1 and len(points) < _MIN_POINTS_PER_CODE * n_codes:
                continue
            centers = _seeds(points, weights, n_codes, seed, standing)
            if fixed is None:  # mini-batches hold no center fixed
                rng = np.random.default_rng(seed)
                centers = mini_batches(points, weights, color_points.scales, centers, _MAX_BATCHES, rng)
            if n_codes <= _MAX_PLUS_PLUS:
                centers = improved(points, weights, centers, seed, standing)
        if n_codes > _MANY_CODES:
            max_iterations //= _MANY_CODES_DIVISOR
        centers = lloyd(color_points, centers, max_iterations, _TOLERANCE, standing)
    codes = _without(np.unique(colors_at(centers * unit(matching), matching), axis=0), fixed)
    if len(codes) < n_codes:
        taken = codes if fixed is None else np.concatenate([codes, fixed])
        codes = np.concatenate([codes, _worst_colors(taken, sketch, n_codes - len(codes), matching)])
    return sorted_by_luma(codes)


def weighted(counts: NDArray[np.int64], weight: str) -> NDArray[np.int64]:
    """What colors weigh that occur so often, int64 [n]: "count", "sqrt" (in 256ths), or "uniform", 1 each.

    The colors of a cell of the sketch weigh as one: noise around a color does not make it more.
    """
    if weight == "count":
        return counts
    return np.rint(256 * np.sqrt(counts)).astype(np.int64) if weight == "sqrt" else np.minimum(counts, 1)


def _seeds(
    points: NDArray[np.float64], weights: NDArray[np.int64], n_codes: int, seed: int, fixed: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Starting centers [min(n_codes, n), d]."""
    if len(points) <= n_codes:
        return points
    if n_codes <= _MAX_PLUS_PLUS:
        return plus_plus(points, weights, n_codes, seed, fixed)
    # Points in cell order are neighbors in color: equal shares of the best density pick distinct points in one pass.
    mass = np.cumsum(weights**_ZADOR_EXPONENT)
    picks = np.searchsorted(mass, (np.arange(n_codes) + 0.5) * mass[-1] / n_codes)
    return np.asarray(points[np.unique(picks)])


def _without(colors: NDArray[np.uint8], fixed: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """The colors [n, 3] that are not `fixed` ones."""
    return colors if fixed is None else colors[~np.isin(_rgb24_key(colors), _rgb24_key(fixed))]


def _worst_colors(codes: NDArray[np.uint8], sketch: ColorSketch, count: int, matching: str) -> NDArray[np.uint8]:
    """`count` more colors that occur and are not codes yet: those that cost the most error today.

    Rounding to 8 bits can make centers coincide, and a sketch may have fewer cells than codes asked for.
    """
    candidates, (points, weights) = sketch.exact_colors(), sketch.points(0, matching)
    new = ~np.isin(_rgb24_key(candidates), _rgb24_key(codes))
    color_points = FloatPoints(points[new], weights[new])
    centers = points_of(codes, matching).astype(np.float64)
    labels = color_points.labels(centers)
    worst = largest_costs(color_points.points, weights[new], color_points.scales, centers, labels, count)
    return candidates[new][worst]


def _rgb24_key(colors: NDArray[np.uint8]) -> NDArray[np.int64]:
    """One integer for each color [n, 3], in RGB order: int64 [n]."""
    keys: NDArray[np.int64] = colors.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
    return keys


def sorted_by_luma(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Colors [n, 3] by luma, then RGB."""
    luma = codes.astype(np.int64) @ np.array([LUMA_R, LUMA_G, LUMA_B])
    return codes[np.lexsort([_rgb24_key(codes), luma])]
