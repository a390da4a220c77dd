"""Nearest codes are exact: always what brute force says, ties to the lowest row."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from pictures import codebook, noise, smooth

from streamvq.quantize.nearest import ColorFinder, LevelFinder

codes3 = arrays(np.uint8, st.tuples(st.integers(1, 40), st.just(3)))
near_black = arrays(np.uint8, st.tuples(st.integers(1, 12), st.just(3)), elements=st.integers(0, 3))  # many ties


def found(finder: ColorFinder | LevelFinder, pixels: NDArray) -> tuple[NDArray, int]:
    rows = finder.find(pixels)
    return rows, finder.squared_error(pixels, rows)


def brute(points: NDArray, codes: NDArray) -> tuple[NDArray, int]:
    distance = ((points[:, None].astype(np.int64) - codes[None].astype(np.int64)) ** 2).sum(axis=2)
    return distance.argmin(axis=1), int(distance.min(axis=1).sum())


@given(st.one_of(codes3, near_black), st.one_of(codes3, near_black))
def test_colors(codes: NDArray, pixels: NDArray) -> None:
    rows, error = found(ColorFinder(codes), pixels[None])
    expected, expected_error = brute(pixels, codes)
    assert (rows[0] == expected).all()
    assert error == expected_error


@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.just(1))))
def test_levels(codes: NDArray) -> None:
    levels = np.arange(256, dtype=np.uint8)
    rows, error = found(LevelFinder(codes), levels[None])
    expected, expected_error = brute(levels[:, None], codes)
    assert (rows[0] == expected).all()
    assert error == expected_error


@pytest.mark.parametrize("count", [1, 2, 255, 256, 257, 4096])
def test_any_size_of_codebook(count: int) -> None:
    codes, pixels = codebook(count).codes, noise(16, 16)
    rows, error = found(ColorFinder(codes), pixels)
    expected, expected_error = brute(pixels.reshape(-1, 3), codes)
    assert (rows.ravel() == expected).all()
    assert error == expected_error
    assert rows.dtype == (np.uint8 if count <= 256 else np.uint16)


def test_the_largest_codebook_reaches_its_last_row() -> None:
    codes = codebook(65536).codes
    pixels = codes[[0, 1, 32767, 32768, 65534, 65535]]
    rows, error = found(ColorFinder(codes), pixels[None])
    assert rows.tolist() == [[0, 1, 32767, 32768, 65534, 65535]]
    assert error == 0


def test_the_farthest_colors() -> None:
    """Black for white is the largest error there is."""
    finder = ColorFinder(np.array([[0, 0, 0]], np.uint8))
    white = np.full((4, 5, 3), 255, np.uint8)
    for _ in range(2):
        rows, error = found(finder, white)
        assert error == 20 * 3 * 255**2
        assert not rows.any()


def test_remembering_changes_nothing() -> None:
    finder, pixels = ColorFinder(codebook(64).codes), smooth()
    first, second = found(finder, pixels), found(finder, pixels)
    assert (first[0] == second[0]).all()
    assert first[1] == second[1]


def test_threads_may_share_a_finder() -> None:
    codes, frames = codebook(64).codes, [noise(seed=seed % 3) for seed in range(24)]
    finder = ColorFinder(codes)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(finder.find, frames))
    for frame, rows in zip(frames, results, strict=True):
        assert (rows.ravel() == brute(frame.reshape(-1, 3), codes)[0]).all()


def test_the_largest_codebook_twice() -> None:
    """Also when every row is remembered in 16 bits."""
    codes = codebook(65536).codes
    finder, picture = ColorFinder(codes), codes.reshape(256, 256, 3)
    for _ in range(2):
        assert (finder.find(picture).ravel() == np.arange(65536)).all()
