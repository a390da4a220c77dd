"""Nearest block codes are exact: always what brute force says, ties to the lowest row."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from pictures import SAMPLES, load, noise, smooth

from streamvq.quantize.block_search import BlockFinder, CodeTree
from streamvq.quantize.blocks import image_to_blocks
from streamvq.quantize.blocks import scales as scales_of


def brute(vectors: NDArray, codes: NDArray, scales: NDArray | None = None) -> tuple[NDArray, int]:
    """Nearest rows and the sum of squared differences, with the largest arrays and the simplest code."""
    scale = np.ones(codes.shape[1]) if scales is None else scales.astype(float)
    points, scaled = vectors.reshape(-1, codes.shape[1]) * scale, codes * scale
    rows, error = [], 0.0
    for start in range(0, len(points), 4096):
        part = points[start : start + 4096]
        distance = (part**2).sum(axis=1)[:, None] - 2 * part @ scaled.T + (scaled**2).sum(axis=1)  # exact: integers
        rows.append(distance.argmin(axis=1))
        error += distance.min(axis=1).sum()
    return np.concatenate(rows).reshape(vectors.shape[:2]), int(error)


def check(vectors: NDArray, codes: NDArray, scales: NDArray | None = None) -> None:
    finder = BlockFinder(codes, scales)
    rows = finder.find(vectors)
    expected, error = brute(vectors, codes, scales)
    assert (rows == expected).all()
    assert rows.dtype == (np.uint8 if len(codes) <= 256 else np.uint16)
    assert finder.squared_error(vectors, rows) == error


def photo(block: tuple[int, int], space: str) -> NDArray[np.uint8]:
    return image_to_blocks(load(SAMPLES / "photos" / "chelsea.png"), block, space)[0]


@given(st.data())
def test_anything(data: st.DataObject) -> None:
    """Few levels tie often, many rarely."""
    length, most = data.draw(st.integers(1, 20)), data.draw(st.sampled_from([1, 2, 255]))
    levels = st.integers(0, most)
    codes = data.draw(arrays(np.uint8, (data.draw(st.integers(1, 70)), length), elements=levels))
    vectors = data.draw(arrays(np.uint8, (data.draw(st.integers(1, 6)), 3, length), elements=levels))
    scales = data.draw(st.none() | arrays(np.int16, length, elements=st.integers(1, 2)))
    check(vectors, codes, scales)


SIDES, SPACES, COUNTS = [(2, 2), (4, 4), (8, 8), (2, 6)], ["gray", "rgb", "ycbcr420"], [3, 256, 1000]


@pytest.mark.parametrize(
    ("block", "space", "count"),
    [(block, space, COUNTS[(i + j) % 3]) for i, block in enumerate(SIDES) for j, space in enumerate(SPACES)],
    ids=str,
)
def test_a_photo(block: tuple[int, int], space: str, count: int) -> None:
    vectors = photo(block, space)
    rng = np.random.default_rng(count)
    codes = rng.permutation(vectors.reshape(-1, vectors.shape[2]))[:count]
    check(vectors[::3], codes, scales_of(block, space))


@pytest.mark.parametrize("count", [1, 2, 31, 32, 33, 255, 256, 257, 4096])
def test_any_size_of_codebook(count: int) -> None:
    vectors, _ = image_to_blocks(noise(64, 64), (4, 4), "rgb")
    check(vectors, image_to_blocks(noise(4, 4 * count, seed=1), (4, 4), "rgb")[0][0])


def test_the_largest_codebook() -> None:
    codes = np.random.default_rng(0).integers(0, 256, (65536, 12), np.uint8)
    ends = codes[[0, 1, 32767, 32768, 65534, 65535]][None]
    assert BlockFinder(codes).find(ends).tolist() == [[0, 1, 32767, 32768, 65534, 65535]]
    check(image_to_blocks(smooth(32, 32), (2, 2), "rgb")[0], codes)


@pytest.mark.parametrize("length", [4, 48, 768, 16384])
def test_the_farthest_blocks(length: int) -> None:
    """White for black is the largest error there is, also of the longest codes with the largest scales."""
    codes = np.array([[255] * length, [254] * length], np.uint8)
    scales = np.where(np.arange(length) < length * 2 // 3, 1, 2).astype(np.int16)
    check(np.zeros((2, 3, length), np.uint8), codes, scales)


def test_equal_codes_and_ties_go_to_the_lowest_row() -> None:
    codes = np.array([[9, 9], [7, 7], [5, 9], [7, 7], [9, 9]] * 40, np.uint8)
    vectors = np.array([[[7, 7], [9, 9], [7, 8], [8, 8], [6, 8]]], np.uint8)
    assert BlockFinder(codes).find(vectors).tolist() == [[1, 0, 1, 0, 1]]


def test_a_flat_codebook() -> None:
    """Codes without any spread have no principal axes to speak of."""
    check(image_to_blocks(noise(16, 16), (4, 4), "rgb")[0], np.full((100, 48), 7, np.uint8))


def test_codes_on_a_line() -> None:
    """All codes differ along one axis alone, and blocks lie far off it."""
    codes = np.repeat(np.random.default_rng(0).permutation(256).astype(np.uint8)[:, None], 48, axis=1)
    check(image_to_blocks(noise(32, 32), (4, 4), "rgb")[0], codes)


def test_hairsbreadth_differences_at_large_distances() -> None:
    """Codes that differ by one level in one sample, seen from afar: rounding must decide nothing."""
    codes = np.full((193, 192), 128, np.uint8)
    codes[np.arange(192), np.arange(192)] += 1
    vectors = np.random.default_rng(1).choice(np.array([0, 1, 254, 255], np.uint8), (8, 8, 192))
    check(vectors, codes)


def test_neighbors_do_not_decide() -> None:
    """The same block finds the same row wherever it stands."""
    vectors = photo((4, 4), "rgb")
    codes = vectors.reshape(-1, 48)[::37]
    rows = BlockFinder(codes).find(vectors)
    order = np.random.default_rng(0).permutation(rows.size)
    shuffled = vectors.reshape(-1, 48)[order].reshape(vectors.shape)
    assert (BlockFinder(codes).find(shuffled).reshape(-1) == rows.reshape(-1)[order]).all()


def test_threads_may_share_a_finder() -> None:
    codes = photo((4, 4), "rgb").reshape(-1, 48)[::17]
    pictures = [image_to_blocks(noise(64, 64, seed=seed % 3), (4, 4), "rgb")[0] for seed in range(24)]
    finder = BlockFinder(codes)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(finder.find, pictures))
    for vectors, rows in zip(pictures, results, strict=True):
        assert (rows == brute(vectors, codes)[0]).all()


@pytest.mark.parametrize("precision", [4, 16])
def test_codes_between_the_levels(precision: int) -> None:
    """Fits search among centers that are finer than samples, from the rows found before."""
    points = photo((4, 4), "rgb").reshape(-1, 48)[::5]
    codes = np.random.default_rng(0).integers(0, 255 * precision, (300, 48)).astype(np.int16)
    codes[::2] = points[: len(codes[::2])].astype(np.int16) * precision + 1
    rows = np.random.default_rng(1).integers(0, 300, len(points))
    CodeTree(codes, np.full(48, precision, np.int16)).find(points, rows, 0)
    assert (rows == brute(points[None].astype(int) * precision, codes)[0][0]).all()


def test_frames_without_blocks() -> None:
    assert BlockFinder(np.zeros((2, 4), np.uint8)).find(np.zeros((0, 5, 4), np.uint8)).shape == (0, 5)
