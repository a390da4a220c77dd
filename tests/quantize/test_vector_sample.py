"""A sample of vectors: exact while there are few, fair and bounded beyond."""

from __future__ import annotations

import numpy as np
import pytest

from streamvq.quantize import vector_sample
from streamvq.quantize.vector_sample import VectorSample

VECTORS = np.random.default_rng(0).normal(size=(5000, 2))


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_sample, "_MAX_VECTORS", 500)
    monkeypatch.setattr(vector_sample, "_MIN_PENDING", 300)


def test_few_are_exact_and_sorted() -> None:
    sample = VectorSample(2, 4)
    sample.absorb(np.array([[1.0, 2.0], [-3.0, 0.0], [-3.0, -0.0], [-4.0, 9.0]]), np.array([1.0, 2.0, 3.5, 0.0]))
    sample.absorb(np.array([[1, 2]], np.uint8), np.array([1.0]))
    vectors, weights = sample.points()
    assert vectors.tolist() == [[-3, 0], [1, 2]]
    assert weights.tolist() == [5.5, 2]


def test_the_order_of_numbers() -> None:
    vectors = np.array([[-np.pi], [1e300], [0.0], [-1e-300], [2.0], [-2.0], [5e-324]])
    sample = VectorSample(1, 4)
    sample.absorb(vectors, np.ones(len(vectors)))
    assert sample.points()[0].ravel().tolist() == sorted(vectors.ravel().tolist())


@pytest.mark.usefixtures("_small")
def test_many_are_bounded_and_stand_for_all() -> None:
    weights = np.random.default_rng(1).integers(1, 9, len(VECTORS)).astype(float)
    sample = VectorSample(2, 4)
    for start in range(0, len(VECTORS), 70):
        sample.absorb(VECTORS[start : start + 70], weights[start : start + 70])
    vectors, stands_for = sample.points()
    assert len(vectors) <= 500
    assert stands_for.sum() == pytest.approx(weights.sum(), rel=0.1)
    left = VECTORS[:, 0] < 0
    assert stands_for[vectors[:, 0] < 0].sum() == pytest.approx(weights[left].sum(), rel=0.15)


@pytest.mark.usefixtures("_small")
def test_neither_order_nor_batches_matter_to_a_sample() -> None:
    samples = []
    for order, size in ((np.arange(5000), 5000), (np.random.default_rng(2).permutation(5000), 110)):
        sample = VectorSample(2, 4)
        for start in range(0, 5000, size):
            rows = order[start : start + size]
            sample.absorb(VECTORS[rows], np.ones(len(rows)))
        samples.append(sample.points())
    assert (samples[0][0] == samples[1][0]).all()
    assert (samples[0][1] == samples[1][1]).all()


@pytest.mark.usefixtures("_small")
def test_heavy_vectors_are_kept() -> None:
    weights = np.ones(len(VECTORS))
    weights[1234] = 1e5
    sample = VectorSample(2, 4)
    sample.absorb(VECTORS, weights)
    vectors, stands_for = sample.points()
    assert stands_for[(vectors == VECTORS[1234]).all(axis=1)] == 1e5
