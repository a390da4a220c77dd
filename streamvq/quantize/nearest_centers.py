"""The nearest of moving centers, as Lloyd iterations ask for: exact in float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.quantize.outward_search import squared_distance, two_nearest

_SUM_ROUNDING = 1e-6  # covers the rounding of squared differences of sums


class NearestCenters:
    """The nearest of some moving centers for each of many points, faster from move to move.

    Two bounds for each point (Hamerly 2010), one on the distance to its own center and one on that to any other,
    tell which points cannot have changed their label since the last call.
    """

    def __init__(self, points: NDArray[np.float64]) -> None:
        self._points = points
        self._centers: NDArray[np.float64] | None = None
        self._own = np.full(len(points), np.inf)
        self._other = np.zeros(len(points))
        self.labels = np.zeros(len(points), np.int64)

    def update(self, centers: NDArray[np.float64]) -> NDArray[np.int64]:
        """The row of the nearest of `centers` [k, d] for each point: int64 [n]. k stays the same between calls."""
        if self._centers is None:
            moved = np.zeros(len(centers))
        else:
            moved = np.sqrt(((centers - self._centers) ** 2).sum(axis=1))
        self._centers = centers
        sums = centers.sum(axis=1)
        order = np.argsort(sums, kind="stable")
        _update_labels(
            self._points, centers, centers[order], order, sums[order], moved, self.labels, self._own, self._other
        )
        return self.labels


class FloatPoints:
    """Points [n, d] as k-means takes them (see `PointSet`): float64, with the bounds of `NearestCenters`."""

    def __init__(self, points: NDArray[np.float64], weights: NDArray[np.int64]) -> None:
        self.points, self.weights = points, weights
        self.scales = np.ones(points.shape[1])
        self._nearest = NearestCenters(points)

    def representable(self, centers: NDArray[np.float64]) -> NDArray[np.float64]:
        return centers

    def labels(self, centers: NDArray[np.float64]) -> NDArray[np.int64]:
        return self._nearest.update(centers)


@njit(nogil=True, cache=True)
def _update_labels(  # type: ignore[no-untyped-def]
    points, centers, sorted_centers, order, sums, moved, labels, own, other
):
    """`sorted_centers` and `sums` are `centers` and their sums sorted by sum; `order` maps them back to rows."""
    fastest = np.argmax(moved)
    slower = 0.0  # the most that any center but the fastest moved
    for row in range(len(moved)):
        if row != fastest:
            slower = max(slower, moved[row])
    for i in range(len(points)):
        label = labels[i]
        own[i] += moved[label]
        other[i] -= slower if label == fastest else moved[fastest]
        if own[i] <= other[i]:
            continue
        distance = squared_distance(points[i], centers[label])
        own[i] = np.sqrt(distance)
        if own[i] > other[i]:
            labels[i], distance, second = _two_nearest(points[i], sorted_centers, order, sums, label, distance)
            own[i], other[i] = np.sqrt(distance), np.sqrt(second)


@njit(nogil=True, cache=True)
def _two_nearest(point, sorted_centers, order, sums, label, distance):  # type: ignore[no-untyped-def]
    return two_nearest(point, sorted_centers, order, sums, _SUM_ROUNDING, label, distance, np.inf, True)
