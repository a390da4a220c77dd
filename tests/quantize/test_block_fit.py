"""Learning block codes: exact where it can be, good where it must be, the same every time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pictures import SAMPLES, flat, load, noise, smooth

from streamvq.quantize.block_fit import _BlockPoints, _lloyd, _with_worst, fit_blocks
from streamvq.quantize.block_sample import BlockSample
from streamvq.quantize.block_search import BlockFinder
from streamvq.quantize.blocks import blocks_to_image, by_luma, code_length, image_to_blocks, scales

CHELSEA = load(SAMPLES / "photos" / "chelsea.png")


def sample_of(*frames: NDArray, **settings: Any) -> BlockSample:
    sample = BlockSample(**{"block": (4, 4), "space": "rgb", "seed": 0, "capacity": 20000, "limit": 500, **settings})
    for key, frame in enumerate(frames):
        sample.absorb(frame, key)
    return sample


def error_of(codes: NDArray, *frames: NDArray, block: tuple[int, int] = (4, 4), space: str = "rgb") -> int:
    finder, error = BlockFinder(codes, scales(block, space)), 0
    for frame in frames:
        vectors, _ = image_to_blocks(frame, block, space)
        back = blocks_to_image(codes[finder.find(vectors)], block, space, *frame.shape[:2])
        error += int(((frame.astype(int) - back) ** 2).sum())
    return error


def distinct(codes: NDArray) -> int:
    return len(np.unique(codes, axis=0))


@pytest.mark.parametrize("spare", [0, 1, 300])
@pytest.mark.parametrize("space", ["rgb", "gray"])
def test_few_blocks_are_kept_exactly(space: str, spare: int) -> None:
    picture = noise(40, 40, 3 if space == "rgb" else 1)
    codes = fit_blocks(sample_of(picture, picture, space=space), 100 + spare, 0)
    assert codes.shape == (100, code_length((4, 4), space))
    assert error_of(codes, picture, space=space) == 0


def test_few_blocks_are_kept_though_the_sample_misses_them() -> None:
    assert error_of(fit_blocks(sample_of(noise(40, 40), capacity=7), 100, 0), noise(40, 40)) == 0


@pytest.mark.parametrize(("k", "space"), [(2, "rgb"), (600, "rgb"), (16, "gray"), (100, "ycbcr420")])
def test_more_blocks_than_codes_gives_all_the_codes(k: int, space: str) -> None:
    codes = fit_blocks(sample_of(CHELSEA, space=space), k, 0)
    assert codes.shape == (k, code_length((4, 4), space))
    assert codes.dtype == np.uint8
    assert distinct(codes) == k
    assert (codes == by_luma(codes, (4, 4), space)).all()


def test_centers_that_coincide_make_room_for_the_worst_blocks() -> None:
    points = np.array([[0, 0], [9, 9], [50, 50], [200, 200]], np.uint8)
    blocks = _BlockPoints(points, np.array([1, 1000, 1, 1]), np.ones(2, np.int16))
    codes = _with_worst(points[:1], blocks, 3, points[:0])
    assert codes.tolist() == [[0, 0], [9, 9], [200, 200]]


@pytest.mark.parametrize("iterations", [3, 10])
def test_centers_without_blocks_move_to_the_worst_ones(iterations: int) -> None:
    points = np.array([[0, 0], [100, 100], [180, 180], [182, 182]], np.uint8)
    centers = np.array([[255, 0], [255, 0], [90, 90]], float)
    blocks = _BlockPoints(points, np.array([1, 1, 1, 3]), np.ones(2, np.int16), jobs=1)
    moved = _lloyd(blocks, centers, iterations, points[:0])
    assert moved[np.argsort(moved[:, 0])].tolist() == [[0, 0], [100, 100], [181.5, 181.5]]


def test_a_sample_with_fewer_blocks_than_codes_is_filled_up() -> None:
    """What was seen has more distinct blocks than codes are asked for, but the sample does not."""
    codes = fit_blocks(sample_of(noise(80, 80), capacity=10, limit=100), 64, 0)
    assert distinct(codes) == 64
    rare = [flat(50)] * 30 + [noise(48, 48)]
    codes = fit_blocks(sample_of(*rare, capacity=5, limit=1, block=(2, 2), space="gray"), 256, 0)
    assert distinct(codes) == 256


def test_the_same_input_gives_the_same_codes() -> None:
    frames = [smooth(64, 64, shift) for shift in range(4)]
    one, two = sample_of(*frames, capacity=500), sample_of(capacity=500)
    for key in (2, 0, 3, 1):
        two.absorb(frames[key], key)
    expected = fit_blocks(one, 40, 5)
    assert (fit_blocks(two, 40, 5) == expected).all()
    for jobs in (1, 3):
        assert (fit_blocks(one, 40, 5, jobs) == expected).all()


@pytest.mark.slow
def test_the_seed_matters_little() -> None:
    errors = [error_of(fit_blocks(sample_of(CHELSEA, seed=seed), 64, seed), CHELSEA) for seed in range(3)]
    assert max(errors) < 1.05 * min(errors)


@pytest.mark.slow
def test_more_codes_never_hurt() -> None:
    errors = [error_of(fit_blocks(sample_of(CHELSEA), k, 0), CHELSEA) for k in (2, 16, 64, 256)]
    assert errors == sorted(errors, reverse=True)


def test_a_black_first_frame_decides_nothing() -> None:
    frames = [flat(0), *(smooth(shift=shift) for shift in range(5))]
    codes = fit_blocks(sample_of(*frames, limit=10), 32, 0)
    assert distinct(codes) == 32
    assert error_of(codes, *frames) < 1.1 * error_of(fit_blocks(sample_of(*frames[1:], limit=10), 32, 0), *frames[1:])


@pytest.mark.parametrize("k", [16, 200])
def test_as_good_as_full_kmeans(k: int) -> None:
    from sklearn.cluster import KMeans

    blocks = image_to_blocks(CHELSEA, (4, 4), "rgb")[0].reshape(-1, 48).astype(np.float32)
    theirs = KMeans(k, n_init=1, random_state=0).fit(blocks).inertia_
    ours = error_of(fit_blocks(sample_of(CHELSEA), k, 0), CHELSEA)
    assert 10 * np.log10(ours / theirs) < 0.1  # dB


def test_a_part_is_nearly_as_good_as_the_whole() -> None:
    whole = error_of(fit_blocks(sample_of(CHELSEA), 16, 0), CHELSEA)
    part = error_of(fit_blocks(sample_of(CHELSEA, capacity=2000), 16, 0), CHELSEA)
    assert part < 1.05 * whole


def test_two_clusters_solved_by_hand() -> None:
    picture = np.array([[10, 10, 12, 10, 200, 0, 204, 0]], np.uint8)[..., None]
    codes = fit_blocks(sample_of(picture, block=(1, 2), space="gray"), 2, 0)
    assert codes.tolist() == [[202, 0], [11, 10]] or codes.tolist() == [[11, 10], [202, 0]]


def test_chroma_counts() -> None:
    """Blocks that differ in color alone are told apart."""
    picture = np.zeros((4, 16, 3), np.uint8)
    picture[:, :4], picture[:, 4:8] = [150, 100, 120], [60, 145, 121]
    picture[:, 8:12], picture[:, 12:] = [151, 101, 121], [61, 146, 122]
    codes = fit_blocks(sample_of(picture, space="ycbcr420"), 2, 0)
    assert error_of(codes, picture, space="ycbcr420") < 3 * picture.size
