"""k-means of weighted points, for colors and for blocks: mini-batches, then Lloyd iterations.

The mini-batches (Sculley 2010) move the seeds cheaply; Lloyd iterations (Lloyd 1982) then move every center toward
the mean of exactly the points nearest to it, and beyond it (over-relaxation), which takes fewer iterations. Colors
and blocks share both. They differ in how the nearest centers are found and in their arithmetic: colors are float64,
blocks are integers, which keeps sums exact. That is what a `PointSet` hides.

Nothing here depends on the number of threads or the order of frames.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from streamvq import deferred
from streamvq.compiling import njit
from streamvq.one_thread import one_thread

_BESIDE = "sklearn.cluster", "sklearn.metrics", "scipy.stats"  # other clusterings, and what they need
_BATCH_POINTS = 4096
_MAX_DISTANCES = 1 << 31  # of all mini-batches together: more would cost more than the Lloyd iterations after them
_OVER_RELAXATION = 1.8  # centers go this far toward their means: fewer iterations to the same error (2 oscillates)


class PointSet(Protocol):
    """Weighted points and the arithmetic they are clustered in.

    `points` is [n, d], `weights` int64 [n]; the points' samples are multiplied by `scales` [d] before they are
    compared with centers.
    """

    @property
    def points(self) -> NDArray[Any]: ...
    @property
    def weights(self) -> NDArray[np.int64]: ...
    @property
    def scales(self) -> NDArray[Any]: ...

    def representable(self, centers: NDArray[Any]) -> NDArray[Any]:
        """`centers` [k, d] as they are searched: unchanged, or rounded to the integers that the search takes."""

    def labels(self, centers: NDArray[Any]) -> NDArray[np.int64]:
        """The row of the center nearest to each point: int64 [n]. Calls may start from the labels of the last."""


@cache
def sklearn_kmeans() -> Any:
    """The module of scikit-learn with `MiniBatchKMeans` and `kmeans_plusplus`; in commands without the rest."""
    try:
        with deferred.deferred(*(_BESIDE if deferred.is_command else ())):
            return import_module("sklearn.cluster._kmeans")
    except ImportError:  # another version of it, whose modules want their packages first
        return import_module("sklearn.cluster")


def mini_batches(
    points: NDArray[Any],
    weights: NDArray[np.int64],
    scales: NDArray[Any],
    centers: NDArray[Any],
    max_batches: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Centers, float64 [k, d], after at most `max_batches` weighted mini-batches drawn evenly from the points.

    `points` [n, d] are scaled by `scales` [d]; `centers` [k, d] are scaled already.
    """
    k = len(centers)
    size = max(_BATCH_POINTS, k)  # the first batch must hold a point for each center
    batches = min(max_batches, _MAX_DISTANCES // (size * k))
    if not batches:
        return centers.astype(np.float64)
    model = sklearn_kmeans().MiniBatchKMeans(
        k,
        init=centers.astype(np.float32),
        n_init=1,
        batch_size=_BATCH_POINTS,
        reassignment_ratio=0,  # the default re-seeds rare colors and blocks at random
        compute_labels=False,
        random_state=0,  # of no effect: the centers are given, and none is re-seeded
    )
    with one_thread():  # sums in floating point get one order; batches are too small to share anyway
        for _ in range(batches):
            batch = rng.integers(0, len(points), size)
            model.partial_fit((points[batch] * scales).astype(np.float32), sample_weight=weights[batch])
    result: NDArray[np.float64] = model.cluster_centers_.astype(np.float64)
    return result


def lloyd(
    point_set: PointSet,
    centers: NDArray[np.float64],
    max_iterations: int,
    tolerance: float,
    fixed: NDArray[Any] | None = None,
) -> NDArray[np.float64]:
    """Centers, float64 [k, d], after at most `max_iterations` over-relaxed Lloyd iterations.

    They stop when one lowers the error by less than the share `tolerance`. A center that lost all its points moves
    to the point of largest cost. Centers that are `fixed`, [m, d], take the points nearest to them and never move.
    """
    points, weights, scales = point_set.points, point_set.weights, point_set.scales
    n_fixed = 0 if fixed is None else len(fixed)
    centers = point_set.representable(centers if fixed is None else np.concatenate([fixed, centers]))
    previous_error = np.inf
    for _ in range(max_iterations):
        labels = point_set.labels(centers)
        mass, sums = np.zeros(len(centers), np.int64), np.zeros(centers.shape, _sum_dtype(centers))
        error = _add_points(points, weights, scales, centers, labels, mass, sums)
        means = sums / np.where(mass, mass, 1)[:, None]
        mass[:n_fixed], means[:n_fixed] = 1, centers[:n_fixed]  # where they are, whatever is nearest to them
        empty = np.flatnonzero(mass == 0)
        if len(empty):
            worst = largest_costs(points, weights, scales, centers, labels, len(empty))
            means[empty] = points[worst] * scales
            centers = point_set.representable(means)
        elif previous_error - error <= tolerance * error:
            break
        else:
            centers = point_set.representable(centers + _OVER_RELAXATION * (means - centers))
        previous_error = error
    return means[n_fixed:]


def costs(
    points: NDArray[Any],
    weights: NDArray[np.int64],
    scales: NDArray[Any],
    centers: NDArray[Any],
    labels: NDArray[np.int64],
) -> NDArray[Any]:
    """The weighted squared error of each point, [n]: float64 or int64, as the points and centers are."""
    result = np.empty(len(points), _sum_dtype(centers))
    _fill_costs(points, weights, scales, centers, labels, result)
    return result


def largest_costs(
    points: NDArray[Any],
    weights: NDArray[np.int64],
    scales: NDArray[Any],
    centers: NDArray[Any],
    labels: NDArray[np.int64],
    count: int,
) -> NDArray[np.int64]:
    """The rows of the `count` points that cost most, the largest first; of equal ones the lowest row."""
    return np.argsort(-costs(points, weights, scales, centers, labels), kind="stable")[:count]


def _sum_dtype(centers: NDArray[Any]) -> type[np.float64] | type[np.int64]:
    """What sums are kept in: integers stay integers."""
    return np.float64 if centers.dtype.kind == "f" else np.int64


@njit(nogil=True, cache=True)
def _add_points(points, weights, scales, centers, labels, mass, sums):  # type: ignore[no-untyped-def]
    """Add each point to the `mass` [k] and the weighted `sums` [k, d] of its cluster, both 0 before.

    Returns the weighted sum of squared errors, of the type of `sums`.
    """
    error = sums[0, 0]
    for i in range(len(points)):
        label, weight = labels[i], weights[i]
        mass[label] += weight
        for c in range(points.shape[1]):
            value = points[i, c] * scales[c]
            sums[label, c] += weight * value
            error += weight * (value - centers[label, c]) ** 2
    return error


@njit(nogil=True, cache=True)
def _fill_costs(points, weights, scales, centers, labels, result):  # type: ignore[no-untyped-def]
    for i in range(len(points)):
        label = labels[i]
        distance = (points[i, 0] * scales[0] - centers[label, 0]) ** 2
        for c in range(1, points.shape[1]):
            distance += (points[i, c] * scales[c] - centers[label, c]) ** 2
        result[i] = weights[i] * distance
