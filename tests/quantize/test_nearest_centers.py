"""Nearest moving centers are exact: always what brute force says, whatever the bounds saved."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from streamvq.quantize.nearest_centers import NearestCenters


@pytest.mark.parametrize("width", [1, 3])
@given(st.data())
def test_moving_codes(width: int, data: st.DataObject) -> None:
    """Halves are exact in floating point and tie often; centers move by little, by much, and not at all."""
    halves = st.integers(0, 510).map(lambda value: value / 2)
    points = data.draw(arrays(np.float64, st.tuples(st.integers(1, 30), st.just(width)), elements=halves))
    count = data.draw(st.integers(1, 12))
    moves = data.draw(st.lists(arrays(np.float64, (count, width), elements=halves), min_size=1, max_size=4))
    nearest = NearestCenters(points)
    for centers in moves:
        distance = ((points[:, None] - centers[None]) ** 2).sum(axis=2)
        labels = nearest.update(centers)
        assert (distance[np.arange(len(points)), labels] == distance.min(axis=1)).all()
    assert (NearestCenters(points).update(centers) == distance.argmin(axis=1)).all()


def test_small_moves_of_many_codes() -> None:
    rng = np.random.default_rng(3)
    points, centers = rng.random((2000, 3)) * 255, rng.random((40, 3)) * 255
    nearest = NearestCenters(points)
    for size in (0, 20, 5, 1, 0.1, 0.01, 0):
        centers = centers + rng.normal(size=centers.shape) * size
        expected = ((points[:, None] - centers[None]) ** 2).sum(axis=2).argmin(axis=1)
        assert (nearest.update(centers) == expected).all()
