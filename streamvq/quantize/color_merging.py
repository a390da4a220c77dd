"""Fewer colors from a codebook that is there, quickly: for trying what they would cost, not for keeping.

Pairwise nearest neighbors (Equitz 1989): the two codes whose merging adds the least error become one, until there are
as few as are wanted; a few Lloyd iterations then move them to where they are best.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvq.quantize.color_spaces import colors_at, points_of, unit
from streamvq.quantize.histogram import ColorHistogram
from streamvq.quantize.kmeans import lloyd
from streamvq.quantize.nearest_centers import FloatPoints

_SHIFT = 3  # cells of the sketch hold 2^3 colors along each channel
_ITERATIONS = 6
_TOLERANCE = 1e-3


def merged_colors(
    codes: NDArray[np.uint8], sketch: ColorHistogram, n_codes: int, matching: str = "rgb"
) -> NDArray[np.uint8]:
    """At most `n_codes` colors, uint8 [n, 3], distinct, made of `codes`, uint8 [k, 3]; sorted by RGB."""
    points, weights = sketch.points(_SHIFT, matching)
    cells = FloatPoints(points / unit(matching), weights)
    centers = points_of(codes, matching) / unit(matching)
    mass = np.bincount(cells.labels(centers), weights, len(centers))
    centers = _merged(centers, np.maximum(mass, 1), n_codes)
    centers = lloyd(FloatPoints(cells.points, weights), centers, _ITERATIONS, _TOLERANCE, np.empty((0, 3)))
    return np.unique(colors_at(centers * unit(matching), matching), axis=0)


def _merged(centers: NDArray[np.float64], mass: NDArray[np.float64], n_codes: int) -> NDArray[np.float64]:
    """The `n_codes` centers [n, 3] that are left when those nearest to each other were merged."""
    centers, mass = centers.copy(), mass.astype(np.float64)
    harmonic = mass[:, None] * mass / (mass[:, None] + mass)
    added = harmonic * ((centers[:, None] - centers) ** 2).sum(axis=2)  # error, by merging each two
    np.fill_diagonal(added, np.inf)
    there = np.ones(len(centers), np.bool_)
    for _ in range(len(centers) - n_codes):
        one, two = divmod(int(np.argmin(added)), len(centers))
        together = mass[one] + mass[two]
        centers[one] = (mass[one] * centers[one] + mass[two] * centers[two]) / together
        mass[one], there[two] = together, False
        row = mass * together / (mass + together) * ((centers - centers[one]) ** 2).sum(axis=1)
        row[~there] = row[one] = np.inf
        added[one], added[:, one] = row, row
        added[two], added[:, two] = np.inf, np.inf
    return centers[there]
