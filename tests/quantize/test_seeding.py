"""Starting centers out of bad local optima, the same every time."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from pictures import SAMPLES, load
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from streamvq.quantize import seeding
from streamvq.quantize.histogram import ColorHistogram
from streamvq.quantize.seeding import improved


def error_of(points: NDArray, weights: NDArray, centers: NDArray) -> float:
    return float((weights * ((points[:, None] - centers) ** 2).sum(axis=2).min(axis=1)).sum())


def photo() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    histogram = ColorHistogram()
    histogram.absorb(load(SAMPLES / "photos" / "chelsea.png"))
    return histogram.points(3)


def test_out_of_a_local_optimum() -> None:
    """Two centers share one of three far clusters, and one center has the other two: Lloyd stays there."""
    points = np.array([[0.0], [1.0], [100.0], [101.0], [200.0], [201.0]])
    weights = np.ones(6, np.int64)
    centers = improved(points, weights, np.array([[0.0], [1.0], [150.5]]), 0)
    assert np.allclose(np.sort(centers.ravel()), [0.5, 100.5, 200.5])


def test_a_weight_is_so_many_points() -> None:
    points = np.array([[0.0, 0.0], [2.0, 0.0], [50.0, 1.0]])
    centers = improved(points, np.array([1, 3, 5]), points[:2], 0)
    assert np.allclose(centers[np.argsort(centers[:, 0])], [[1.5, 0], [50, 1]])


@pytest.mark.parametrize("k", [2, 4, 16, 64])
def test_as_good_as_the_best_of_ten_kmeans(k: int) -> None:
    points, weights = photo()
    theirs = KMeans(k, n_init=10, random_state=0).fit(points, sample_weight=weights).inertia_
    centers = improved(points, weights, points[:: len(points) // k][:k], 0)
    assert centers.shape == (k, 3)
    assert 10 * np.log10(error_of(points, weights, centers) / theirs) < 0.02  # dB


@pytest.mark.parametrize("k", [4, 300])
def test_the_same_every_time_for_any_number_of_threads(k: int) -> None:
    points, weights = photo()
    results = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads):
            results.append(improved(points, weights, points[:k], 5))
    assert (results[0] == results[1]).all()


def test_never_worse() -> None:
    rng = np.random.default_rng(0)
    for k in (1, 2, 5, 30, 49, 50):
        points, weights = rng.normal(size=(50, 2)), rng.integers(1, 9, 50)
        centers = improved(points, weights, points[:k], k)
        assert centers.shape == (k, 2)
        assert error_of(points, weights, centers) <= error_of(points, weights, points[:k])


def test_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would take too long is left as it is; what is begun ends soon after its share of work."""
    points, weights = photo()
    monkeypatch.setattr(seeding, "_MAX_WORK", 15 * points.size * 4)
    assert (improved(points, weights, points[:4], 0) == points[:4]).all()
    monkeypatch.setattr(seeding, "_MAX_WORK", 17 * points.size * 4)
    assert error_of(points, weights, improved(points, weights, points[:4], 0)) < error_of(points, weights, points[:4])
