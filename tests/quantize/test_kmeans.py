"""k-means of weighted points, in both arithmetics, against its definition."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from streamvq.quantize.block_fit import _BlockPoints
from streamvq.quantize.kmeans import PointSet, costs, largest_costs, lloyd, mini_batches
from streamvq.quantize.nearest_centers import FloatPoints

RNG = np.random.default_rng(0)
POINTS = RNG.integers(0, 256, (500, 3)).astype(np.uint8)
WEIGHTS = RNG.integers(1, 9, 500)


def point_sets() -> list[PointSet]:
    return [FloatPoints(POINTS.astype(float), WEIGHTS), _BlockPoints(POINTS, WEIGHTS, np.full(3, 2, np.int16), 1)]


def error_of(points: PointSet, centers: NDArray) -> float:
    scaled = points.points * points.scales.astype(float)
    return float((points.weights * ((scaled[:, None] - centers) ** 2).sum(axis=2).min(axis=1)).sum())


@pytest.mark.parametrize("points", point_sets(), ids=["colors", "blocks"])
def test_lloyd_ends_near_a_fixed_point(points: PointSet) -> None:
    """Every center is the mean of the points nearest to it, and the error is far below that of the seeds."""
    seeds = (points.points[:8] * points.scales).astype(np.float64)
    centers = lloyd(points, seeds, 200, 0)
    assert error_of(points, centers) < 0.9 * error_of(points, seeds)
    scaled = points.points * points.scales.astype(float)
    labels = ((scaled[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
    for row, center in enumerate(centers):
        assert np.average(scaled[labels == row], axis=0, weights=WEIGHTS[labels == row]) == pytest.approx(
            center, abs=8
        )


@pytest.mark.parametrize("points", point_sets(), ids=["colors", "blocks"])
def test_a_center_without_points_moves_to_the_largest_cost(points: PointSet) -> None:
    far = np.array([[0.0, 0, 0], [255, 255, 255], [255, 255, 255]]) * points.scales
    moved = lloyd(points, far, 1, 0)
    labels = points.labels(points.representable(far))
    worst = largest_costs(points.points, WEIGHTS, points.scales, points.representable(far), labels, 1)
    assert (moved[2] == (points.points[worst] * points.scales)[0]).all()


@pytest.mark.parametrize("points", point_sets(), ids=["colors", "blocks"])
def test_costs_by_definition(points: PointSet) -> None:
    centers = points.representable((points.points[:5] * points.scales).astype(np.float64))
    labels = points.labels(centers)
    scaled = points.points * points.scales.astype(float)
    expected = WEIGHTS * ((scaled - centers[labels]) ** 2).sum(axis=1)
    assert (costs(points.points, WEIGHTS, points.scales, centers, labels) == expected).all()
    worst = largest_costs(points.points, WEIGHTS, points.scales, centers, labels, 7)
    assert (worst == np.argsort(-expected, kind="stable")[:7]).all()


def test_mini_batches_lower_the_error_and_repeat() -> None:
    points, seeds = point_sets()[0], POINTS[:8].astype(float)
    results = [mini_batches(POINTS, WEIGHTS, np.ones(3), seeds, 10, np.random.default_rng(3)) for _ in range(2)]
    assert (results[0] == results[1]).all()
    assert error_of(points, results[0]) < error_of(points, seeds)
    assert (mini_batches(POINTS, WEIGHTS, np.ones(3), seeds, 0, np.random.default_rng(3)) == seeds).all()
