"""Better starting centers for k-means: several starts, each improved by breathing k-means.

Lloyd iterations end in the local optimum that their seeds lead to. Breathing k-means (Fritzke 2020) leaves it: add a
few centers beside those whose clusters cost most, iterate, remove as many whose removal costs least, iterate, and
keep what is better; after a failure breathe less deeply. On a sketch of some thousand cells that takes a fraction of
a second.

All sums have one order, so the result depends on the points, the weights and the seed alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.one_thread import one_thread
from streamvq.quantize.kmeans import sklearn_kmeans

_MAX_STARTS = 8
_MAX_SEEDS = 256  # of all starts together, beyond the first: with more centers, starts differ less and take longer
_MAX_WORK = 1 << 29  # coordinates compared in all passes: a quarter of a second
_MIN_PASSES = 16  # of all points, or improving is not begun
_MAX_DEPTH = 5  # centers added at once, as in the paper
_MAX_ITERATIONS = 30  # between two breaths
_TOLERANCE = 1e-3  # an iteration that lowers the error by less than this share is the last before the next breath
_MIN_GAIN = 2e-4  # a breath that lowers the error by less than this share has failed
_NUDGE = 0.1  # how far a new center is from its twin, in standard deviations of their cluster
_OVER_RELAXATION = 1.8  # centers go this far toward their means: fewer iterations to the same error


class _Clusters(NamedTuple):
    """What one pass over all points says of centers [k, d]."""

    means: NDArray[np.float64]  # [k, d]; a center without points stays
    masses: NDArray[np.float64]  # [k], summed weights
    errors: NDArray[np.float64]  # [k], weighted squared errors
    utilities: NDArray[np.float64]  # [k]: how much the error grows where the center is removed


def improved(
    points: NDArray[np.float64],
    weights: NDArray[np.int64],
    centers: NDArray[np.float64],
    seed: int,
    fixed: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Centers [k, d] of lower weighted squared error than `centers` [k, d], or those where it would take too long.

    The best of up to 8 starts, of which the first is `centers`, the others are seeded by k-means++; fewer where
    `points` [n, d] or centers are many. `weights` [n] are not negative. Centers that are `fixed`, [m, d], stand
    beside them: they take their nearest points and never move.
    """
    if len(points) <= len(centers):
        return centers
    fixed = np.empty((0, points.shape[1])) if fixed is None else fixed
    search = _Search(points, weights.astype(np.float64), np.random.default_rng(seed), fixed)
    if search.left < _MIN_PASSES * points.size * (len(fixed) + len(centers)):
        return centers
    best, least = search.breathe(centers)
    used = _MAX_WORK - search.left  # what a start takes, about
    for start in range(1, min(_MAX_STARTS, _MAX_SEEDS // len(centers))):
        if search.left < used:
            break
        others, error = search.breathe(plus_plus(points, weights, len(centers), seed + start, fixed))
        if error < least:
            best, least = others, error
    return best


class _Search:
    """Breathing k-means within a bound on the work. In clusters, those of `fixed` centers come first."""

    def __init__(
        self,
        points: NDArray[np.float64],
        weights: NDArray[np.float64],
        rng: np.random.Generator,
        fixed: NDArray[np.float64],
    ) -> None:
        self._points, self._weights, self._rng, self._fixed = points, weights, rng, fixed
        self.left = _MAX_WORK

    def breathe(self, centers: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
        """The best centers found from `centers`, and their error."""
        depth = min(_MAX_DEPTH, len(centers))
        clusters = self._lloyd(np.concatenate([self._fixed, centers]))
        best, least = clusters.means, clusters.errors.sum()
        while depth and self.left > 0:
            clusters = self._lloyd(self._with_twins(clusters, depth))
            clusters = self._lloyd(_without_useless(clusters, depth, len(self._fixed)))
            error = clusters.errors.sum()
            if error < (1 - _MIN_GAIN) * least:
                best, least = clusters.means, error
            else:
                depth -= 1
        return best[len(self._fixed) :], least

    def _lloyd(self, centers: NDArray[np.float64]) -> _Clusters:
        """Clusters of the last of some Lloyd iterations."""
        before = np.inf
        for _ in range(_MAX_ITERATIONS):
            clusters = self._clusters(centers)
            error = clusters.errors.sum()
            if before - error <= _TOLERANCE * error:
                break
            before = error
            centers = centers + _OVER_RELAXATION * (clusters.means - centers)
        return clusters

    def _with_twins(self, clusters: _Clusters, count: int) -> NDArray[np.float64]:
        """The means and a twin of each of the `count` that cost most: [k + count, d]."""
        worst = np.argsort(-clusters.errors, kind="stable")[:count]
        deviations = np.sqrt(clusters.errors[worst] / np.maximum(clusters.masses[worst], 1))
        nudges = _NUDGE * deviations[:, None] * self._rng.normal(size=(count, self._points.shape[1]))
        return np.concatenate([clusters.means, clusters.means[worst] + nudges])

    def _clusters(self, centers: NDArray[np.float64]) -> _Clusters:
        k = len(centers)
        self.left -= self._points.size * k
        clusters = _Clusters(centers.copy(), np.zeros(k), np.zeros(k), np.zeros(k))
        _fill_clusters(self._points, self._weights, np.ascontiguousarray(centers.T), *clusters)
        clusters.means[: len(self._fixed)] = self._fixed
        return clusters


def _without_useless(clusters: _Clusters, count: int, n_fixed: int) -> NDArray[np.float64]:
    """The means but the `count` of least utility, of which no two are nearest neighbors where that can be, and none
    is of the first `n_fixed`."""
    distances = ((clusters.means[:, None] - clusters.means) ** 2).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    removed: list[int] = []
    kept = set(range(n_fixed))
    for row in np.argsort(clusters.utilities, kind="stable").tolist():
        if row in kept:
            continue
        removed.append(row)
        if len(removed) == count:
            break
        if len(kept) + count < len(distances):  # leaves enough to remove
            kept.add(int(distances[row].argmin()))
    return np.delete(clusters.means, removed, axis=0)


def plus_plus(
    points: NDArray[np.float64], weights: NDArray[np.int64], k: int, seed: int, fixed: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Centers [k, d] by k-means++: points [n, d], each drawn in proportion to its cost with those before, where
    `fixed` ones [m, d] come before all."""
    if len(fixed):
        return _plus_plus_with_fixed(points, weights, k, np.random.default_rng(seed), fixed)
    kmeans = sklearn_kmeans()
    centers: NDArray[np.float32]
    with one_thread():  # so that sums in floating point have one order
        centers, _ = kmeans.kmeans_plusplus(
            points.astype(np.float32), k, sample_weight=weights, random_state=seed % 2**32
        )
    return centers.astype(np.float64)


def _plus_plus_with_fixed(
    points: NDArray[np.float64],
    weights: NDArray[np.int64],
    k: int,
    rng: np.random.Generator,
    fixed: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The same where some centers are there already, which scikit-learn's cannot be told."""
    nearest = np.full(len(points), np.inf)
    for center in fixed:
        np.minimum(nearest, ((points - center) ** 2).sum(axis=1), out=nearest)
    chosen = np.empty((k, points.shape[1]))
    for i in range(k):
        cumulative = np.cumsum(weights * nearest)
        draws = rng.random(2 + int(np.log(k))) * cumulative[-1]
        candidates = points[np.minimum(np.searchsorted(cumulative, draws, side="right"), len(points) - 1)]
        left = [np.minimum(nearest, ((points - candidate) ** 2).sum(axis=1)) for candidate in candidates]
        best = int(np.argmin([(weights * each).sum() for each in left]))
        chosen[i], nearest = candidates[best], left[best]
    return chosen


@njit(nogil=True, cache=True)
def _fill_clusters(points, weights, centers, means, masses, errors, utilities):  # type: ignore[no-untyped-def]
    """Fill `_Clusters` of `centers`, here [d, k]; all but `means` are 0 before.

    All distances are computed, which for some hundred centers the processor's wide registers do faster than a search.
    """
    d, k = centers.shape
    distances, sums = np.empty(k), np.zeros((k, d))
    for i in range(len(points)):
        value = points[i, 0]
        for row in range(k):
            distances[row] = (value - centers[0, row]) ** 2
        for c in range(1, d):
            value = points[i, c]
            for row in range(k):
                distances[row] += (value - centers[c, row]) ** 2
        first = second = np.inf
        nearest = 0
        for row in range(k):  # without a branch: half the time
            distance = distances[row]
            less = distance < first
            second = min(second, first if less else distance)
            nearest = row if less else nearest
            first = distance if less else first
        weight = weights[i]
        masses[nearest] += weight
        errors[nearest] += weight * first
        utilities[nearest] += weight * (second - first)
        for c in range(d):
            sums[nearest, c] += weight * points[i, c]
    for row in range(k):
        if masses[row] > 0:
            for c in range(d):
                means[row, c] = sums[row, c] / masses[row]
