"""Codes that stand while others are learned beside them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray
from pictures import few_colors, noise, smooth

from streamvq.quantize.block_fit import fit_blocks
from streamvq.quantize.block_sample import BlockSample
from streamvq.quantize.color_fit import fit_colors
from streamvq.quantize.fixed_codes import FixedCodes
from streamvq.quantize.gray_fit import optimal_levels
from streamvq.quantize.histogram import ColorHistogram
from streamvq.quantize.nearest import ColorFinder


def sketch_of(picture: NDArray) -> ColorHistogram:
    sketch = ColorHistogram()
    sketch.absorb(picture)
    return sketch


def error_of(codes: NDArray, picture: NDArray) -> int:
    finder = ColorFinder(codes)
    return finder.squared_error(picture, finder.find(picture))


@pytest.mark.parametrize("n_codes", [1, 8, 1100])
def test_learned_codes_stand_beside_fixed_ones(n_codes: int) -> None:
    picture = noise(48, 48)
    fixed = np.array([[0, 0, 0], [255, 0, 255], [0, 0, 0]], np.uint8)
    learned = fit_colors(sketch_of(picture), n_codes, 0, fixed=fixed)
    together = np.concatenate([fixed[:2], learned])
    assert len(np.unique(together, axis=0)) == n_codes + 2
    assert error_of(together, picture) <= error_of(
        np.concatenate([fixed, fit_colors(sketch_of(picture), n_codes, 0)]), picture
    )


def test_what_fixed_codes_represent_is_not_learned_again() -> None:
    """Half of the codes are there already: the other half is learned for what is left, nearly as well as all."""
    picture = smooth(64, 64)
    best = fit_colors(sketch_of(picture), 16, 0)
    learned = fit_colors(sketch_of(picture), 8, 0, fixed=best[::2])
    assert error_of(np.concatenate([best[::2], learned]), picture) < 1.02 * error_of(best, picture)


def test_few_colors_are_kept_exactly_beside_fixed_ones() -> None:
    picture = few_colors(12)
    colors = np.unique(picture.reshape(-1, 3), axis=0)
    learned = fit_colors(sketch_of(picture), 8, 0, fixed=colors[:4])
    assert {*map(tuple, learned.tolist())} == {*map(tuple, colors[4:].tolist())}
    assert len(fit_colors(sketch_of(picture), 0, 0, fixed=colors)) == 0


def test_gray_levels_beside_fixed_ones_are_optimal() -> None:
    levels, weights = np.array([3, 9, 10, 14, 15, 30, 31, 200], np.uint8), np.array([1, 2, 1, 3, 1, 1, 5, 2])
    fixed = np.array([12, 190], np.uint8)

    def cost(codes: list[int]) -> int:
        distances = (levels[:, None].astype(int) - np.array([*codes, 12, 190])) ** 2
        return int((distances.min(axis=1) * weights).sum())

    found = optimal_levels(levels, weights, 2, fixed=fixed).ravel().tolist()
    assert cost(found) == min(cost(list(pair)) for pair in combinations(range(256), 2))
    assert optimal_levels(levels, weights, 7, fixed=np.array([9], np.uint8)).ravel().tolist() == [
        3,
        10,
        14,
        15,
        30,
        31,
        200,
    ]


def test_blocks_beside_fixed_ones() -> None:
    sample = BlockSample((2, 2), "rgb", 0, 4096, 64)
    sample.absorb(noise(64, 64), 0)
    fixed = fit_blocks(sample, 8, 0, 1)
    learned = fit_blocks(sample, 8, 0, 1, fixed)
    assert len(np.unique(np.concatenate([fixed, learned]), axis=0)) == 16
    assert (learned == fit_blocks(sample, 8, 0, 2, fixed)).all()


def test_each_code_has_its_row() -> None:
    red, blue = [255, 0, 0], [0, 0, 255]
    fixed = FixedCodes(np.array([red, blue], np.uint8), (2, 0), ("", "blue"))
    learned = np.array([[1, 1, 1], [2, 2, 2], [3, 3, 3]], np.uint8)
    table = fixed.with_learned(learned)
    assert table.tolist() == [blue, [1, 1, 1], red, [2, 2, 2], [3, 3, 3]]
    assert (fixed.reserved, fixed.all_names(5)) == ((0, 2), ("blue", "", "", "", ""))
    assert fixed.stand_in(table)
    assert not fixed.stand_in(table[:2])
    assert not fixed.stand_in(table[::-1])


def test_rows_that_nothing_fills_are_never_chosen() -> None:
    magenta = np.array([[255, 0, 255]], np.uint8)
    table = FixedCodes(magenta, (5,), ("",)).with_learned(np.array([[0, 0, 0], [9, 9, 9]], np.uint8))
    assert table.shape == (6, 3)
    everything = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    everything[0, 0] = 0
    assert {*np.unique(ColorFinder(table).find(everything))} == {0, 1, 5}
    alone = FixedCodes(np.zeros((1, 3), np.uint8), (1,), ("",)).with_learned(np.empty((0, 3), np.uint8))
    assert ColorFinder(alone).find(np.zeros((1, 1, 3), np.uint8)).item() == 1
