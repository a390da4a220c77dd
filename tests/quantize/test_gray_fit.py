"""Gray levels are optimal: no other codes of as many levels cost less."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamvq.quantize.gray_fit import optimal_levels


def cost(levels: NDArray, weights: NDArray, codes: NDArray) -> int:
    distances = (levels.astype(np.int64)[:, None] - codes.astype(np.int64).ravel()) ** 2
    return int((weights * distances.min(axis=1)).sum())


def least_cost(levels: NDArray, weights: NDArray, k: int) -> int:
    """By trying every set of k integers in the range of the levels."""
    every = range(int(levels.min()), int(levels.max()) + 1)
    return min(cost(levels, weights, np.array(codes)) for codes in combinations(every, min(k, len(every))))


@given(
    st.lists(st.tuples(st.integers(0, 13), st.integers(1, 50)), min_size=1, max_size=14),
    st.integers(0, 242),
    st.integers(1, 5),
)
def test_no_other_codes_cost_less(points: list[tuple[int, int]], offset: int, k: int) -> None:
    levels = np.array([level + offset for level, _ in points], np.uint8)
    weights = np.array([weight for _, weight in points])
    codes = optimal_levels(levels, weights, k)
    assert codes.dtype == np.uint8
    assert codes.shape == (min(k, len(np.unique(levels))), 1)
    assert (np.diff(codes[:, 0].astype(int)) > 0).all()
    assert cost(levels, weights, codes) == least_cost(levels, weights, k)


@pytest.mark.parametrize("seed", range(2))
def test_two_and_three_codes_of_all_levels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    levels = np.arange(256, dtype=np.uint8)
    weights = rng.integers(0, 1 << 30, 256) ** 2 >> 34
    for k, grid in ((2, 1), (3, 5)):  # three: every fifth integer, which the optimum must beat or equal
        others = combinations(range(0, 256, grid), k)
        assert cost(levels, weights, optimal_levels(levels, weights, k)) <= min(
            cost(levels, weights, np.array(codes)) for codes in others
        )


def test_four_levels_solved_by_hand() -> None:
    codes = optimal_levels(np.array([10, 11, 100, 104], np.uint8), np.array([1, 2, 3, 1]), 2)
    assert codes.tolist() == [[11], [101]]  # means 32/3 and 101


def test_more_codes_never_cost_more_and_are_quick() -> None:
    rng = np.random.default_rng(0)
    levels, weights = np.arange(256, dtype=np.uint8), rng.integers(1, 1 << 37, 256)
    costs = [cost(levels, weights, optimal_levels(levels, weights, k)) for k in (1, 2, 3, 8, 64, 255, 256)]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] == 0


def test_at_most_k_levels_are_kept() -> None:
    levels = np.array([7, 200, 7, 9], np.uint8)
    assert optimal_levels(levels, np.array([1, 1, 5, 0]), 2).tolist() == [[7], [200]]


def test_large_weights_do_not_overflow() -> None:
    levels = np.array([0, 1, 254, 255], np.uint8)
    weights = np.array([1 << 44, 1, 1, 1 << 44])
    assert optimal_levels(levels, weights, 2).tolist() == [[0], [255]]


def test_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="weight"):
        optimal_levels(np.array([3], np.uint8), np.array([0]), 2)
    with pytest.raises(ValueError, match="0 codes"):
        optimal_levels(np.array([3], np.uint8), np.array([1]), 0)
