"""Pictures of low rank: what comes back, and that nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pictures import SAMPLES, flat, load, noise, smooth

import streamvq
from streamvq import Frame, UsageError
from streamvq.lowrank.low_rank import LowRank, cold_start_interval, low_rank, truncate_frames
from streamvq.options import LowRankOptions

TYPES = [np.uint8, np.uint16]
SIZES = [(1, 1), (1, 9), (9, 1), (24, 7), (7, 24), (32, 48)]


def best(plane: NDArray, rank: int) -> NDArray[np.float64]:
    """A plane of a rank by NumPy's decomposition."""
    u, s, v = np.linalg.svd(plane.astype(float), full_matrices=False)
    return (u[:, :rank] * s[:rank]) @ v[:rank]


def as_pixels(planes: list[NDArray[np.float64]], dtype: type) -> NDArray:
    return np.floor(np.dstack(planes) + 0.5).clip(0, np.iinfo(dtype).max).astype(dtype)


def patch_matrix(plane: NDArray, side: int) -> NDArray:
    """The matrix of a plane's patches, slowly."""
    height, width = plane.shape
    rows = [min(y, height - 1) for y in range(-(-height // side) * side)]
    columns = [min(x, width - 1) for x in range(-(-width // side) * side)]
    padded = plane[np.ix_(rows, columns)]
    corners = [(y, x) for y in range(0, len(rows), side) for x in range(0, len(columns), side)]
    return np.array([padded[y : y + side, x : x + side].reshape(-1) for y, x in corners])


def pasted(patches: NDArray, side: int, height: int, width: int) -> NDArray:
    """The plane of a matrix of patches, slowly."""
    across = -(-width // side)
    values = [
        [patches[y // side * across + x // side, y % side * side + x % side] for x in range(width)]
        for y in range(height)
    ]
    return np.array(values)


@pytest.fixture(scope="module")
def photo() -> NDArray[np.uint8]:
    return load(SAMPLES / "photos" / "chelsea.png")[100:196, 100:229]


@pytest.mark.parametrize("rank", [1, 6, 30])
def test_a_photo_is_what_numpy_makes_of_it(rank: int, photo: NDArray[np.uint8]) -> None:
    near = low_rank(photo, rank)
    expected = as_pixels([best(photo[..., i], rank) for i in range(3)], np.uint8)
    difference = near.pixels().astype(int) - expected
    assert np.abs(difference).max() <= 1  # where rounding is a near thing
    assert np.count_nonzero(difference) < 1e-3 * difference.size
    assert (near.rank, near.ranks) == (rank, (rank, rank, rank))


@pytest.mark.parametrize("side", [2, 8, 13, 64])
def test_patches_are_what_numpy_makes_of_their_matrix(side: int, photo: NDArray[np.uint8]) -> None:
    height, width, _ = photo.shape
    near = low_rank(photo, 3, patch=side)
    planes = [pasted(best(patch_matrix(photo[..., i], side), 3), side, height, width) for i in range(3)]
    difference = near.pixels().astype(int) - as_pixels(planes, np.uint8)
    assert np.abs(difference).max() <= 1
    assert np.count_nonzero(difference) < 1e-3 * difference.size


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_type_and_shape_are_those_of_the_input(size: tuple[int, int], channels: int, kind: type) -> None:
    pixels = noise(*size, channels, dtype=kind)
    for options in ({"rank": 2}, {"energy": 0.9}):
        back = low_rank(pixels, **options).pixels()
        assert (back.dtype, back.shape) == (pixels.dtype, pixels.shape)


@pytest.mark.parametrize("kind", TYPES)
def test_gray_without_an_axis_for_it(kind: type) -> None:
    pixels = noise(12, 9, 1, dtype=kind)
    near = low_rank(pixels[..., 0], 3)
    assert near.pixels().shape == (12, 9)
    assert (near.pixels().reshape(pixels.shape) == low_rank(pixels, 3).pixels()).all()


@pytest.mark.parametrize("kind", TYPES)
def test_alpha_stays_and_does_not_matter(kind: type) -> None:
    pixels = noise(20, 30, 4, dtype=kind)
    back = low_rank(pixels, 2).pixels()
    assert (back[..., 3] == pixels[..., 3]).all()
    assert (back[..., :3] == low_rank(np.ascontiguousarray(pixels[..., :3]), 2).pixels()).all()


@given(
    st.sampled_from([(1, 1, 0), (1, 9, 0), (9, 1, 0), (24, 7, 0), (7, 24, 0), (24, 7, 5), (9, 9, 2), (5, 6, 5)]),
    st.sampled_from([1, 3, 4]),
    st.sampled_from(TYPES),
    st.sampled_from([{"rank": 25}, {"rank": 65535}, {"energy": 1.0}]),
    st.integers(0, 99),
)
def test_full_rank_is_lossless(size: tuple[int, int, int], channels: int, kind: type, how: dict, seed: int) -> None:
    height, width, side = size
    pixels = noise(height, width, channels, seed, kind)
    assert (low_rank(pixels, **how, patch=side).pixels() == pixels).all()


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("side", [0, 8])
def test_full_rank_keeps_a_single_pixel(side: int, kind: type) -> None:
    """That is one level darker than all others."""
    pixels = np.full((32, 48, 3), np.iinfo(kind).max, kind)
    pixels[5, 7] -= 1
    assert (low_rank(pixels, 32, patch=side).pixels() == pixels).all()
    assert (low_rank(pixels, energy=1.0, patch=side).pixels() == pixels).all()


def test_a_product_of_low_rank_is_lossless() -> None:
    ramp = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8)
    assert (low_rank(ramp, 2).pixels().reshape(ramp.shape) == ramp).all()
    assert low_rank(ramp, energy=1.0).rank == 2
    assert (low_rank(flat((9, 200, 0)), 1).pixels() == flat((9, 200, 0))).all()


def test_black_has_no_rank() -> None:
    for options in ({"rank": 3}, {"energy": 0.5}, {"energy": 1.0}, {"rank": 2, "patch": 8}):
        near = low_rank(flat(0), **options)
        assert (near.rank, near.energy) == (0, 1.0)
        assert not near.pixels().any()


def test_more_rank_is_nearer(photo: NDArray[np.uint8]) -> None:
    for side in (0, 8):
        results = [low_rank(photo, rank, patch=side) for rank in (1, 2, 5, 12, 40)]
        errors = [np.square(near.pixels().astype(int) - photo).sum() for near in results]
        assert errors == sorted(errors, reverse=True)
        energies = [near.energy for near in results]
        assert energies == sorted(energies)
        assert 0 < energies[0] < energies[-1] < 1


@pytest.mark.parametrize("energy", [0.9, 0.99, 0.999])
def test_each_channel_has_the_least_rank_that_keeps_the_energy(energy: float, photo: NDArray[np.uint8]) -> None:
    near = low_rank(photo, energy=energy)
    for i, rank in enumerate(near.ranks):
        squares = np.linalg.svd(photo[..., i].astype(float), compute_uv=False) ** 2
        assert rank == int((np.cumsum(squares) < energy * squares.sum()).sum()) + 1
    assert near.rank == max(near.ranks)
    assert near.energy >= energy


def test_energy_is_the_share_that_is_kept(photo: NDArray[np.uint8]) -> None:
    squares = [np.linalg.svd(photo[..., i].astype(float), compute_uv=False) ** 2 for i in range(3)]
    expected = sum(s[:4].sum() for s in squares) / sum(s.sum() for s in squares)
    assert low_rank(photo, 4).energy == pytest.approx(expected, abs=1e-6)


def identical(one: LowRank, other: LowRank) -> bool:
    pairs = zip(one.channels, other.channels, strict=True)
    return all((a.left == b.left).all() and (a.right == b.right).all() for a, b in pairs)


@pytest.mark.parametrize("side", [0, 8])
def test_pure(side: int, photo: NDArray[np.uint8]) -> None:
    """The same twice, whatever was done between; of arrays that cannot be written."""
    pixels, start = photo.copy(), low_rank(np.ascontiguousarray(photo[::-1]), 5)
    pixels.flags.writeable = False
    first = low_rank(pixels, 5, patch=side)
    warm = low_rank(pixels, 5, patch=side, warm_start=start)
    assert identical(low_rank(pixels, 5, patch=side), first)
    assert identical(low_rank(pixels, 5, patch=side, warm_start=start), warm)
    assert (pixels == photo).all()


def test_strides_do_not_matter(photo: NDArray[np.uint8]) -> None:
    strided = photo[::-2, ::3, ::-1]
    assert identical(low_rank(strided, 4), low_rank(np.ascontiguousarray(strided), 4))


def test_a_warm_start_is_nearly_as_near() -> None:
    """Frame after frame of a film, and over a cut."""
    with streamvq.open_source(SAMPLES / "clip.mp4") as source:
        frames = [frame.pixels[::3, ::3] for frame, _ in zip(source, range(5), strict=False)]
    frames.append(load(SAMPLES / "photos" / "china.jpg")[:90, :160])
    near = None
    for pixels in frames:
        near, cold = low_rank(pixels, 12, warm_start=near), low_rank(pixels, 12)
        errors = [sum(channel.error for channel in result.channels) for result in (near, cold)]
        assert errors[0] <= 1.005**2 * errors[1]


@pytest.mark.parametrize("other", [noise(9, 9), noise(48, 32), noise(32, 48, 1), noise(32, 48, 4), flat(0)])
def test_a_warm_start_of_any_other_picture(other: NDArray) -> None:
    pixels = smooth()
    error = low_rank(pixels, 3).channels[0].error
    for before in (low_rank(other, 3), low_rank(other, 8, patch=4)):
        for side in (0, 8):
            near = low_rank(pixels, 3, patch=side, warm_start=before)
            assert near.pixels().shape == pixels.shape
            if not side:
                assert near.channels[0].error <= 1.005**2 * error + 1e-6 * near.channels[0].total


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"rank": 3, "energy": 0.9},
        {"rank": 0},
        {"rank": -1},
        {"rank": 65536},
        {"energy": 0.0},
        {"energy": -0.5},
        {"energy": 1.01},
        {"energy": float("nan")},
        {"energy": float("inf")},
        {"rank": 3, "patch": 1},
        {"rank": 3, "patch": -2},
        {"rank": 3, "patch": 65},
        {"rank": 3, "patch": 33},  # the frame is 48x32
    ],
    ids=str,
)
def test_numbers_out_of_range(options: dict) -> None:
    with pytest.raises(UsageError, match=r"choose|give"):
        low_rank(smooth(), **options)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int32, np.int8, np.bool_, np.uint32])
def test_other_types(kind: type) -> None:
    with pytest.raises(TypeError, match=np.dtype(kind).name):
        low_rank(np.zeros((4, 4, 3), kind), 2)


@pytest.mark.parametrize("shape", [(), (4,), (4, 4, 2), (4, 4, 5), (4, 4, 3, 1), (0, 4), (4, 0, 3)], ids=str)
def test_other_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="shape"):
        low_rank(np.zeros(shape, np.uint8), 2)


@pytest.mark.parametrize(("pixels", "expected"), [(None, 1), (1, 8), (480 * 270, 8), (1920 * 1080, 4), (1 << 26, 1)])
def test_runs_are_shorter_for_larger_frames(pixels: int | None, expected: int) -> None:
    assert cold_start_interval(pixels) == expected


def test_frames_along_a_film_start_anew_with_every_run() -> None:
    """So that a run looks the same, whatever came before it."""
    frames = [Frame(smooth(shift=shift), shift, name=f"{shift}.png") for shift in range(7)]
    how = LowRankOptions(rank=4)
    results = list(truncate_frames(frames, how, 3, gray=False))
    for first in (3, 6):
        tail = list(truncate_frames(frames[first:], how, 3, gray=False))
        for (_, near, truncated), (_, other, again) in zip(results[first:], tail, strict=True):
            assert identical(near, other)
            assert (truncated.pixels == again.pixels).all()
    for frame, (original, near, truncated) in zip(frames, results, strict=True):
        assert original is frame
        assert (truncated.name, truncated.index) == (frame.name, frame.index)
        assert (truncated.pixels == near.pixels()).all()


def test_gray_is_the_luma_of_color() -> None:
    pixels = noise(16, 16)
    ((_, near, truncated),) = truncate_frames([Frame(pixels)], LowRankOptions(rank=16), 1, gray=True)
    luma = pixels @ np.array([0.299, 0.587, 0.114])
    assert near.ranks == (16,)
    assert truncated.pixels.shape == (16, 16, 1)
    assert np.abs(truncated.pixels[..., 0] - luma).max() <= 0.5 + 1e-3
