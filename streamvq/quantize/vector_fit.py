"""Codes for vectors of any dimension: k-means++, `MiniBatchKMeans`, breathing k-means, then Lloyd iterations.

What `color_fit` is for pixels and `block_fit` for blocks, without their short cuts. The result depends on the
vectors, their weights and the seed alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.one_thread import one_thread
from streamvq.quantize.kmeans import lloyd, mini_batches, sklearn_kmeans
from streamvq.quantize.nearest_centers import FloatPoints, NearestCenters
from streamvq.quantize.seeding import improved

_MAX_PLUS_PLUS = 1024  # codes; k-means++ costs vectors x codes x log(codes)
_MAX_BATCHES, _MAX_ITERATIONS = 20, 100  # as for colors
_TOLERANCE = 2e-5  # stop when an iteration lowers the error by less than this share
_MAX_COUNT = 2**32 - 1  # a color histogram's counts have 32 bits


def fit_vectors(
    vectors: NDArray[np.float64], weights: NDArray[np.float64], n_codes: int, seed: int
) -> NDArray[np.float64]:
    """Codes, float64 [at most n_codes, d], sorted by their sum, for distinct vectors [n, d] with weights [n].

    Where there are at most `n_codes` vectors, they are the codes.
    """
    codes = vectors
    if len(vectors) > n_codes:
        center = vectors.mean(axis=0)  # near 0 and of size 1, sums lose no digits
        scale = float(np.abs(vectors - center).max())
        points = FloatPoints((vectors - center) / scale, integer_weights(weights))
        centers = _seeds(points.points, points.weights, n_codes, seed)
        rng = np.random.default_rng(seed)
        centers = mini_batches(points.points, points.weights, points.scales, centers, _MAX_BATCHES, rng)
        centers = improved(points.points, points.weights, centers, seed)
        centers = lloyd(points, centers, _MAX_ITERATIONS, _TOLERANCE)
        codes = np.unique(centers * scale + center, axis=0)
    return codes[np.lexsort([*codes.T[::-1], codes.sum(axis=1)])]


def nearest_codes(vectors: NDArray[Any], codes: NDArray[Any]) -> NDArray[np.int64]:
    """The row of the nearest of `codes` [k, d] for each of `vectors` [n, d]: int64 [n]; ties go to the lowest."""
    center = codes.mean(axis=0, dtype=np.float64)
    return NearestCenters(vectors - center).update(codes - center)


def integer_weights(weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Weights as counts of 1 to 2^32 - 1: themselves where they are that, and else in proportion."""
    largest = float(weights.max())
    if largest <= _MAX_COUNT and (weights == np.rint(weights)).all():
        return weights.astype(np.int64)
    counts: NDArray[np.float64] = np.maximum(np.rint(weights / largest * _MAX_COUNT), 1)
    return counts.astype(np.int64)


def _seeds(points: NDArray[np.float64], weights: NDArray[np.int64], n_codes: int, seed: int) -> NDArray[np.float64]:
    """Starting centers [n_codes, d], distinct points."""
    if n_codes > _MAX_PLUS_PLUS:
        rng, probability = np.random.default_rng(seed), weights / weights.sum()
        return points[rng.choice(len(points), n_codes, replace=False, p=probability, shuffle=False)]
    kmeans = sklearn_kmeans()
    centers: NDArray[np.float64]
    with one_thread():  # so that sums in floating point have one order
        centers, _ = kmeans.kmeans_plusplus(points, n_codes, sample_weight=weights, random_state=seed)
    return centers
