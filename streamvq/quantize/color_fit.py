"""From a sketch to codes: k-means++ over the whole sketch, weighted `MiniBatchKMeans`, then Lloyd steps.

The mini-batches spread the seeds cheaply; the Lloyd steps (Lloyd 1982) then move every code to the mean of
exactly the points nearest to it. Nothing here depends on the number of threads or the order of frames.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from streamvq.quantize.histogram import ColorSketch
from streamvq.quantize.nearest import NearestRows

_PLUS_PLUS_MOST = 1024  # codes; k-means++ costs points x codes x log(codes)
_MANY = 4096  # codes; beyond these a step is dear and gains little
_POINTS_PER_CODE = 8  # at least so many points a code before the coarse levels of the sketch serve
_BATCH = 4096  # points a mini-batch
_BATCHES = 20
_LEVELS = ((3, 100), (2, 30), (1, 20))  # coarse to fine: cells of 2^shift colors a channel, and at most so many steps
_LLOYD_TOLERANCE = 2e-5  # stop when a step lowers the error by less than this share
_OVERSTEP = 1.8  # centers go this far toward their means: fewer steps to the same error (2 would oscillate)


def fit_colors(sketch: ColorSketch, colors: int, seed: int) -> NDArray[np.uint8]:
    """The codes learned from a sketch: uint8 [at most colors, 1 or 3], distinct, sorted by luma, then RGB.

    Where the sketch saw at most `colors` distinct colors, they are the codes. Otherwise there are exactly
    `colors` of them.
    """
    if sketch.distinct() <= colors:
        return _sorted(sketch.exact_colors())
    centers: NDArray[np.float64] = np.empty((0, 0))
    for shift, steps in _LEVELS:  # most steps are taken where points are few
        points, weights = sketch.points(shift)
        if not len(centers):
            if shift > 1 and len(points) < _POINTS_PER_CODE * colors:
                continue
            with threadpool_limits(limits=1):  # batches are too small to share among threads
                centers = _mini_batches(points, weights, _seeds(points, weights, colors, seed), seed)
        centers = _lloyd(points, weights, centers, steps if colors <= _MANY else steps // 4)
    codes = np.unique(_rounded(centers), axis=0)
    if len(codes) < colors:
        codes = np.concatenate([codes, _missing(codes, sketch, colors - len(codes))])
    return _sorted(codes)


def _seeds(points: NDArray[np.float64], weights: NDArray[np.int64], colors: int, seed: int) -> NDArray[np.float64]:
    """Starting centers [min(colors, n), d]."""
    if len(points) <= colors:
        return points
    if colors <= _PLUS_PLUS_MOST:
        from sklearn.cluster import kmeans_plusplus

        centers, _ = kmeans_plusplus(points.astype(np.float32), colors, sample_weight=weights, random_state=seed)
        return centers.astype(np.float64)
    # Points in cell order are neighbors in color. Even steps along their cumulative weight^(3/5), the code
    # density that is best for 3 dimensions (Zador 1982), pick distinct points in one pass.
    mass = np.cumsum(weights**0.6)
    picks = np.searchsorted(mass, (np.arange(colors) + 0.5) * mass[-1] / colors)
    return points[np.unique(picks)]


def _mini_batches(
    points: NDArray[np.float64], weights: NDArray[np.int64], centers: NDArray[np.float64], seed: int
) -> NDArray[np.float64]:
    """`centers` after a fixed number of weighted mini-batches drawn evenly from the points."""
    from sklearn.cluster import MiniBatchKMeans

    rng = np.random.default_rng(seed)
    size = max(_BATCH, len(centers))  # the first batch must hold a point for each center
    batches = min(_BATCHES, 2**31 // (size * len(centers)))
    if not batches:  # a batch would cost more than the Lloyd steps, which do the same
        return centers
    model = MiniBatchKMeans(
        len(centers),
        init=centers.astype(np.float32),
        n_init=1,
        batch_size=_BATCH,
        reassignment_ratio=0,  # the default re-seeds rare colors at random
        compute_labels=False,
        random_state=seed,
    )
    for _ in range(batches):
        batch = rng.integers(0, len(points), size)
        model.partial_fit(points[batch].astype(np.float32), sample_weight=weights[batch])
    return model.cluster_centers_.astype(np.float64)


def _lloyd(
    points: NDArray[np.float64], weights: NDArray[np.int64], centers: NDArray[np.float64], steps: int
) -> NDArray[np.float64]:
    """`centers` after at most `steps` Lloyd steps; a center that lost its points moves to the worst one."""
    before = np.inf
    nearest = NearestRows(points)
    for _ in range(steps):
        rows = nearest.update(centers)
        mass, sums, error = _cluster_sums(points, weights, centers, rows)
        empty = np.flatnonzero(mass == 0)
        means = sums / np.where(mass, mass, 1)[:, None]
        if len(empty):
            cost = weights * ((points - centers[rows]) ** 2).sum(axis=1)
            means[empty] = points[np.argsort(-cost, kind="stable")[: len(empty)]]
            centers = means
        elif before - error <= _LLOYD_TOLERANCE * error:
            break
        else:
            centers = centers + _OVERSTEP * (means - centers)
        before = error
    return means


@njit(nogil=True, cache=True)
def _cluster_sums(points, weights, centers, rows):  # type: ignore[no-untyped-def]
    """Weight [k], weighted sum [k, d] of each cluster's points, and the weighted sum of squared errors."""
    mass, sums, error = np.zeros(len(centers)), np.zeros(centers.shape), 0.0
    for i in range(len(points)):
        row, weight = rows[i], weights[i]
        mass[row] += weight
        for c in range(points.shape[1]):
            sums[row, c] += weight * points[i, c]
            error += weight * (points[i, c] - centers[row, c]) ** 2
    return mass, sums, error


def _missing(codes: NDArray[np.uint8], sketch: ColorSketch, count: int) -> NDArray[np.uint8]:
    """`count` more colors that occur and are not codes yet: those that cost the most error today.

    Rounding to 8 bits can make centers coincide, and a sketch may have fewer cells than codes asked for.
    """
    points, counts = sketch.points()
    for candidates, weights in (
        (_rounded(points), counts),
        (sketch.exact_colors(), np.ones(sketch.distinct(), np.int64)),
    ):
        candidates, first = np.unique(candidates, axis=0, return_index=True)
        new = ~np.isin(_packed(candidates), _packed(codes))
        candidates, weights = candidates[new], weights[first][new]
        rows = NearestRows(candidates.astype(np.float64)).update(codes.astype(np.float64))
        cost = weights * ((candidates.astype(np.int64) - codes[rows]) ** 2).sum(axis=1)
        worst = candidates[np.argsort(-cost, kind="stable")[:count]]
        if len(worst) == count:
            break
    return worst


def _packed(colors: NDArray[np.uint8]) -> NDArray[np.int64]:
    """One integer a color, in RGB order."""
    return colors.astype(np.int64) @ (256 ** np.arange(colors.shape[1])[::-1])


def _rounded(centers: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.clip(np.rint(centers), 0, 255).astype(np.uint8)


def _sorted(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """By luma, then RGB."""
    brightness = codes.astype(np.int64) @ np.array([299, 587, 114]) if codes.shape[1] == 3 else codes[:, 0]
    return codes[np.lexsort([_packed(codes), brightness])]
