"""Learning codes: exact where it can be, good where it must be, the same every time."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pictures import SAMPLES, few_colors, flat, load, noise, save, smooth

import streamvq
from streamvq import OutputExists, UsageError
from streamvq.options import WEIGHTS
from streamvq.quantize.color_fit import fit_colors
from streamvq.quantize.histogram import ColorHistogram, LevelHistogram
from streamvq.quantize.nearest import ColorFinder


def sketch_of(*frames: NDArray, gray: bool = False) -> ColorHistogram | LevelHistogram:
    sketch = LevelHistogram() if gray else ColorHistogram()
    for frame in frames:
        sketch.absorb(frame)
    return sketch


def error_of(codes: NDArray, *frames: NDArray) -> int:
    finder = ColorFinder(codes)
    return sum(finder.squared_error(frame, finder.find(frame)) for frame in frames)


def colors_of(codes: NDArray) -> set[tuple[int, ...]]:
    return {tuple(code) for code in codes.tolist()}


@pytest.mark.slow
@given(st.integers(1, 64), st.integers(0, 3), st.integers(0, 9))
def test_few_colors_are_kept_exactly(count: int, spare: int, seed: int) -> None:
    picture = few_colors(count, seed=seed)
    codes = fit_colors(sketch_of(picture), count + spare, seed)
    assert len(codes) == count
    assert colors_of(codes) == colors_of(picture.reshape(-1, 3))


@pytest.mark.parametrize("colors", [2, 3, 100, 300])
def test_more_colors_than_codes_gives_all_the_codes(colors: int) -> None:
    codes = fit_colors(sketch_of(noise(40, 40)), colors, 0)
    assert codes.shape == (colors, 3)
    assert codes.dtype == np.uint8
    assert len(colors_of(codes)) == colors


def test_rounding_never_loses_a_code() -> None:
    """65 colors side by side share a few cells of the sketch, and 64 codes are asked for."""
    picture = np.zeros((1, 65, 3), np.uint8)
    picture[0, :, 0], picture[0, :, 1] = np.arange(65) // 8, np.arange(65) % 8
    assert len(colors_of(fit_colors(sketch_of(picture), 64, 0))) == 64


def test_codes_are_sorted_by_luma() -> None:
    codes = fit_colors(sketch_of(smooth()), 32, 0).astype(int)
    brightness = codes @ [299, 587, 114]
    assert (np.diff(brightness) >= 0).all()


def test_gray_levels() -> None:
    codes = fit_colors(sketch_of(load(SAMPLES / "photos" / "camera.png", "L"), gray=True), 8, 0)
    assert codes.shape == (8, 1)
    assert (np.diff(codes[:, 0].astype(int)) > 0).all()


def test_gray_levels_are_optimal() -> None:
    """No other pair of codes does better."""
    picture = np.array([[[9], [9], [10], [14], [15], [15], [30]]], np.uint8)
    levels = picture.ravel().astype(int)
    errors = {}
    for pair in combinations(range(256), 2):
        errors[pair] = int(((levels[:, None] - np.array(pair)) ** 2).min(axis=1).sum())
    low, high = fit_colors(sketch_of(picture, gray=True), 2, 0).ravel().tolist()
    assert errors[low, high] == min(errors.values())


@pytest.mark.parametrize("colors", [8, 64])
def test_the_same_input_gives_the_same_codes(colors: int) -> None:
    frames = [smooth(shift=shift) for shift in range(3)]
    assert (fit_colors(sketch_of(*frames), colors, 5) == fit_colors(sketch_of(*reversed(frames)), colors, 5)).all()


def test_the_seed_matters_little_but_may_matter() -> None:
    picture = load(SAMPLES / "photos" / "chelsea.png")[::2, ::2]
    errors = [error_of(fit_colors(sketch_of(picture), 32, seed), picture) for seed in range(3)]
    assert max(errors) < 1.1 * min(errors)


@pytest.mark.slow
def test_more_codes_never_hurt() -> None:
    frames = [smooth(shift=shift) for shift in range(3)]
    errors = [error_of(fit_colors(sketch_of(*frames), colors, 0), *frames) for colors in (2, 8, 16, 32, 256)]
    assert errors == sorted(errors, reverse=True)


def test_a_black_first_frame_decides_nothing() -> None:
    frames = [flat(0), *(smooth(shift=shift) for shift in range(5))]
    codes = fit_colors(sketch_of(*frames), 32, 0)
    assert len(colors_of(codes)) == 32
    assert error_of(codes, *frames) < 1.25 * error_of(fit_colors(sketch_of(*frames[1:]), 32, 0), *frames[1:])


@pytest.mark.parametrize("n_codes", [4, 64])
def test_as_good_as_the_best_of_ten_kmeans(n_codes: int) -> None:
    from sklearn.cluster import KMeans

    picture = load(SAMPLES / "photos" / "chelsea.png")[::3, ::3]
    colors, counts = sketch_of(picture).points()
    model = KMeans(n_codes, n_init=10, random_state=0).fit(colors, sample_weight=counts)
    theirs = error_of(np.rint(model.cluster_centers_).astype(np.uint8), picture)
    ours = error_of(fit_colors(sketch_of(picture), n_codes, 0), picture)
    assert 10 * np.log10(ours / theirs) < 0.02  # dB


def test_two_clusters_solved_by_hand() -> None:
    picture = np.array([[[10, 10, 10], [12, 10, 10], [200, 0, 0], [204, 0, 0]]], np.uint8)
    assert fit_colors(sketch_of(picture), 2, 0).tolist() == [[11, 10, 10], [202, 0, 0]]


@pytest.mark.parametrize("gray", [False, True])
def test_rare_colors_live_where_counts_weigh_less(gray: bool) -> None:
    picture = np.concatenate([flat([20 + i, 20 + i, 20 + i], 2, 48) for i in range(0, 48, 3)])  # 16 of 96 pixels each
    picture[0, 0] = 250
    picture = picture[..., :1] if gray else picture
    sketch = sketch_of(picture, gray=gray)
    nearest = {}
    for weight in WEIGHTS:
        codes = fit_colors(sketch, 3, 0, weight=weight)
        nearest[weight] = 250 - int(codes.max())
    assert nearest["count"] > 100
    assert nearest["uniform"] < 5
    assert nearest["uniform"] <= nearest["sqrt"] <= nearest["count"]


def test_weights_are_of_colors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="blocks"):
        streamvq.fit(smooth(), 4, block=2, weight="sqrt")
    book = streamvq.fit(smooth(), 4, weight="sqrt")
    assert book.provenance["weight"] == "sqrt"
    assert book != streamvq.fit(smooth(), 4)
    source = save(smooth(), tmp_path / "a.png")
    streamvq.compress(source, tmp_path / "b.png", 4, weight="sqrt")
    with pytest.raises(OutputExists, match="weight=sqrt"):
        streamvq.compress(source, tmp_path / "c.png", 4, save_codebook=tmp_path / "b.codebook.npz")


def test_few_colors_are_learned_as_they_are() -> None:
    """Neighbors in a ramp keep codes of their own, where cells of the sketch would merge them."""
    ramp = np.stack([np.arange(200), np.full(200, 90), np.full(200, 40)], axis=1)
    others = np.random.default_rng(0).integers(0, 256, (400, 3))
    pixels = np.concatenate([np.repeat(ramp, 100, axis=0), others]).astype(np.uint8)[None]
    sketch = ColorHistogram()
    sketch.absorb(pixels)
    codes = fit_colors(sketch, 256, 0).astype(np.int64)
    assert ((pixels[0][:, None] - codes[None]) ** 2).sum(axis=2).min(axis=1).sum() < 70_500  # with cells: 74,562
