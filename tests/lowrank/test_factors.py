"""Factors as whole numbers: near enough, and pictures from them that are the same everywhere."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pictures import SAMPLES, flat, load, noise, smooth

import streamvq
from streamvq import Frame, UsageError
from streamvq.frames import FrameMeta, LowRankFrame, PlaneFactors
from streamvq.lowrank.codec import LowRankCodec
from streamvq.lowrank.factors import MAX_BITS, MAX_STEP, MAX_VALUE, factor_shapes
from streamvq.lowrank.planes import plane_sizes
from streamvq.options import LowRankOptions

SPACES = ["gray", "rgb", "ycbcr420"]


def levels(plane: PlaneFactors, step: Fraction, side: int, height: int, width: int) -> list[list[int]]:
    """A channel in 256ths of a level, one pixel at a time, in whole numbers and fractions of them."""
    rows = []
    for y in range(height):
        row = []
        for x in range(width):
            total = Fraction(0)
            for left, right, bits in zip(plane.left.tolist(), plane.right.tolist(), plane.bits, strict=True):
                at, within = (y // side, x // side) if side else (y, 0), (y % side, x % side) if side else (0, x)
                total += Fraction(left[at[0]][at[1]] * right[within[0]][within[1]], 1 << bits)
            row.append(min(max((total * step * 2 + 1).__floor__() // 2, -(1 << 24)), 1 << 24))
        rows.append(row)
    return rows


def drawn(frame: LowRankFrame, space: str, side: int) -> NDArray[np.uint8]:
    """The picture of a frame, slowly."""
    planes = []
    for number, plane in enumerate(frame.planes):
        step = Fraction(frame.step, 2 if number and space == "ycbcr420" else 1)
        planes.append(levels(plane, step, side, *plane_sizes(frame.height, frame.width, space)[number]))
    picture = np.empty((frame.height, frame.width, 1 if space == "gray" else 3), np.uint8)
    for y in range(frame.height):
        for x in range(frame.width):
            if space != "ycbcr420":
                samples = [plane[y][x] + 128 >> 8 for plane in planes]
            else:
                gray, blue, red = planes[0][y][x] << 16, planes[1][y // 2][x // 2], planes[2][y // 2][x // 2]
                sums = (gray + 91881 * red, gray - 22554 * blue - 46802 * red, gray + 116130 * blue)
                samples = [value + (1 << 23) >> 24 for value in sums]
            picture[y, x] = [min(max(sample, 0), 255) for sample in samples]
    return picture


@st.composite
def frames(draw: st.DrawFn, bits_most: int = 8, value_most: int = 900, step_most: int = 2000) -> tuple:
    """A small frame of any factors, its space, and the side of its patches."""
    space, side = draw(st.sampled_from(SPACES)), draw(st.sampled_from([0, 0, 2, 3]))
    height, width = draw(st.integers(max(1, side), 6)), draw(st.integers(max(1, side), 7))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    planes = []
    for size in plane_sizes(height, width, space):
        left, right = factor_shapes(*size, side)
        rank = draw(st.integers(0, 3))
        bits = tuple(int(b) for b in rng.integers(0, bits_most, rank, endpoint=True))
        lefts = rng.integers(-value_most, value_most, (rank, *left), np.int32, True)
        rights = [rng.integers(-(1 << b), 1 << b, right, np.int32, True) for b in bits]
        planes.append(PlaneFactors(lefts, np.array(rights, np.int32).reshape(rank, *right), bits))
    step = draw(st.integers(1, step_most))
    return LowRankFrame(tuple(planes), step, FrameMeta(height, width)), space, side


@given(frames())
def test_pictures_are_exact(case: tuple[LowRankFrame, str, int]) -> None:
    frame, space, side = case
    assert (LowRankCodec(space, side).render(frame) == drawn(frame, space, side)).all()


@given(frames(MAX_BITS, MAX_VALUE, MAX_STEP))
def test_pictures_of_the_greatest_factors_are_exact_too(case: tuple[LowRankFrame, str, int]) -> None:
    frame, space, side = case
    assert (LowRankCodec(space, side).render(frame) == drawn(frame, space, side)).all()


@pytest.mark.parametrize("options", [{"rank": 3}, {"rank": 3, "patch": 4}, {"energy": 0.99}], ids=str)
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 1), (13, 18), (16, 21)], ids=str)
@pytest.mark.parametrize("space", SPACES)
def test_pictures_of_frames_are_exact(space: str, size: tuple[int, int], options: dict) -> None:
    """Also of odd sizes, whose chroma and patches reach over the edge."""
    if options.get("patch", 0) > min(size):
        options = {"rank": 1, "patch": 0}
    how = LowRankOptions(**options)
    codec = LowRankCodec(space, how.patch)
    coded = codec.factor_frame(Frame(smooth(*size)), how).coded
    assert (codec.render(coded) == drawn(coded, space, how.patch)).all()


@given(frames())
def test_gray_as_rgb(case: tuple[LowRankFrame, str, int]) -> None:
    frame, space, side = case
    codec = LowRankCodec(space, side)
    assert codec.render(frame).shape == (frame.height, frame.width, codec.channels)
    assert codec.rgb(frame).shape == (frame.height, frame.width, 3)
    assert (codec.rgb(frame) == codec.render(frame)).all()  # one channel becomes three


PHOTOS = ["camera.png", "chelsea.png", "china.jpg", "flower.jpg", "rocket.jpg"]


@pytest.fixture(scope="module")
def pictures() -> list[NDArray[np.uint8]]:
    """Photos at half size, and some frames of the clip."""
    photos = [load(SAMPLES / "photos" / name)[::2, ::2] for name in PHOTOS]
    with streamvq.open_source(SAMPLES / "clip.mp4") as source:
        return photos + [frame.pixels[::2, ::2] for frame in islice(source, 0, 41, 20)]


@pytest.mark.parametrize("patch", [0, 4, 8, 16])
@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("rank", [1, 4, 12])
def test_quantizing_errs_less_than_truncation(
    rank: int, space: str, patch: int, pictures: list[NDArray[np.uint8]]
) -> None:
    """In squares, of visible samples: so with both the PSNR is less than 3 dB lower."""
    how, codec = LowRankOptions(rank=rank, patch=patch), LowRankCodec(space, patch)
    for pixels in pictures:
        made = codec.factor_frame(Frame(pixels), how)
        assert made.truncation_error > 0
        assert made.squared_error < 2 * made.truncation_error
        assert 1 <= made.coded.step <= MAX_STEP


@pytest.mark.parametrize("patch", [0, 8])
def test_the_errors_are_those_of_the_pictures(patch: int, pictures: list[NDArray[np.uint8]]) -> None:
    how, codec = LowRankOptions(rank=6, patch=patch), LowRankCodec("rgb", patch)
    for pixels in pictures:
        made = codec.factor_frame(Frame(pixels), how)
        assert made.squared_error == np.square(codec.render(made.coded).astype(int) - pixels).sum()
        truncated = np.square(made.factors.pixels().astype(int) - pixels).sum()
        assert made.truncation_error == pytest.approx(truncated, rel=1e-3)


@pytest.mark.parametrize("patch", [0, 8])
def test_fine_factors_seldom_round_otherwise(patch: int, pictures: list[NDArray[np.uint8]]) -> None:
    """They are only drawn: nothing is saved by making them coarse."""
    how, codec = LowRankOptions(rank=10, patch=patch), LowRankCodec("rgb", patch, coarse=False)
    for pixels in pictures:
        made = codec.factor_frame(Frame(pixels), how)
        difference = codec.render(made.coded).astype(int) - made.factors.pixels()
        assert np.square(difference).mean() < 1 / 7


def test_transparent_pixels_do_not_count() -> None:
    pixels = noise(20, 30, 4)
    pixels[..., 3] = np.where(np.arange(30) < 11, 0, 200)
    made = LowRankCodec("rgb").factor_frame(Frame(pixels), LowRankOptions(rank=2))
    picture = LowRankCodec("rgb").render(made.coded)
    assert made.squared_error == np.square(picture.astype(int) - pixels[..., :3])[:, 11:].sum()
    assert (made.coded.alpha == pixels[..., 3]).all()


@pytest.mark.parametrize("patch", [0, 8])
@pytest.mark.parametrize("space", SPACES)
def test_bits_follow_singular_values(space: str, patch: int, pictures: list[NDArray[np.uint8]]) -> None:
    """They fall; and components are as many as asked for at the most (gray photos have no chroma), none all zeros."""
    how, codec = LowRankOptions(rank=12, patch=patch), LowRankCodec(space, patch)
    for pixels in pictures:
        for number, plane in enumerate(codec.factor_frame(Frame(pixels), how).coded.planes):
            assert list(plane.bits) == sorted(plane.bits, reverse=True)
            assert plane.rank == len(plane.left) == len(plane.right)
            assert plane.rank <= (6 if number and space == "ycbcr420" else 12)
            assert plane.rank or number
            assert plane.left.any(axis=(1, 2)).all()
            assert plane.right.any(axis=(1, 2)).all()
            assert max(plane.bits, default=0) <= MAX_BITS


def test_sizes_of_factors() -> None:
    how = LowRankOptions(rank=2, patch=4)
    for space, sizes in (("rgb", [(13, 18)] * 3), ("ycbcr420", [(13, 18), (7, 9), (7, 9)]), ("gray", [(13, 18)])):
        for side in (0, 4):
            made = LowRankCodec(space, side).factor_frame(Frame(noise(13, 18)), replace(how, patch=side))
            shapes = [(plane.left.shape[1:], plane.right.shape[1:]) for plane in made.coded.planes]
            whole = [((height, 1), (1, width)) for height, width in sizes]
            cut = [((-(-height // 4), -(-width // 4)), (4, 4)) for height, width in sizes]
            assert shapes == (cut if side else whole)
            for plane in made.coded.planes:
                assert plane.left.dtype == plane.right.dtype == np.int32


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("pixels", [flat(0), flat(255), flat((7, 99, 200)), flat(9, 1, 1), flat(0, 1, 1)])
def test_what_is_constant_is_exact(pixels: NDArray[np.uint8], space: str) -> None:
    """To a level where it becomes luma and chroma."""
    codec = LowRankCodec(space)
    made = codec.factor_frame(Frame(pixels), LowRankOptions(rank=4))
    assert all(plane.rank <= 1 for plane in made.coded.planes)
    expected = np.rint(pixels @ np.array([0.299, 0.587, 0.114]))[..., None] if space == "gray" else pixels
    assert np.abs(codec.render(made.coded).astype(int) - expected).max() <= (space == "ycbcr420")


def test_black_has_no_factors() -> None:
    for space in SPACES:
        made = LowRankCodec(space).factor_frame(Frame(flat(0)), LowRankOptions(rank=4))
        assert [plane.rank for plane in made.coded.planes] == [0] * len(made.coded.planes)
        assert made.squared_error == 0
        assert not LowRankCodec(space).render(made.coded).any()


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bits_and_any_channels(channels: int, space: str) -> None:
    """They are as 8 bits; and a frame keeps what is known of it."""
    pixels = noise(12, 16, channels)
    about = {"index": 5, "time": Fraction(1, 5), "duration": Fraction(1, 25), "name": "a.png"}
    codec = LowRankCodec(space)
    made = codec.factor_frame(Frame(pixels.astype(np.uint16) * 257, **about), LowRankOptions(rank=16))
    same = codec.factor_frame(Frame(pixels, **about), LowRankOptions(rank=16))
    assert (codec.render(made.coded) == codec.render(same.coded)).all()
    assert {name: getattr(made.coded, name) for name in about} == about
    assert (made.coded.height, made.coded.width) == (12, 16)
    assert (made.coded.alpha is not None) == (channels == 4)


def test_frames_from_each_other() -> None:
    """Nearly as near as without, and the same twice."""
    codec, how, near = LowRankCodec("ycbcr420"), LowRankOptions(rank=6), None
    with streamvq.open_source(SAMPLES / "clip.mp4") as source:
        for frame in islice(source, 4):
            made, again = (codec.factor_frame(frame, how, near) for _ in range(2))
            assert (codec.render(made.coded) == codec.render(again.coded)).all()
            cold = codec.factor_frame(frame, how)
            assert made.truncation_error <= 1.005**2 * cold.truncation_error
            near = made.factors


def test_a_patch_larger_than_the_frame() -> None:
    with pytest.raises(UsageError, match=r"16x16.*20x15.*smaller"):
        LowRankCodec("rgb", 16).factor_frame(Frame(noise(15, 20)), LowRankOptions(rank=2, patch=16))
