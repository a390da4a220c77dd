"""Cutting and joining blocks: nothing lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pictures import noise, smooth

from streamvq.quantize.blocks import (
    block_sse,
    blocks_to_image,
    by_luma,
    code_length,
    image_to_blocks,
    render_blocks,
    scales,
    visible_blocks,
)
from streamvq.quantize.pixels import luma

BLOCKS = [(1, 1), (2, 2), (4, 4), (3, 5), (8, 2)]
sides = st.integers(1, 21)


@given(st.sampled_from(BLOCKS), sides, sides, st.integers(0, 9))
def test_color_comes_back(block: tuple[int, int], height: int, width: int, seed: int) -> None:
    picture = noise(height, width, seed=seed)
    vectors, alpha = image_to_blocks(picture, block, "rgb")
    assert alpha is None
    assert vectors.shape == (-(-height // block[0]), -(-width // block[1]), code_length(block, "rgb"))
    assert (blocks_to_image(vectors, block, "rgb", height, width) == picture).all()


@given(st.sampled_from(BLOCKS), sides, sides)
def test_gray_comes_back(block: tuple[int, int], height: int, width: int) -> None:
    picture = noise(height, width, 1)
    vectors, _ = image_to_blocks(picture, block, "gray")
    assert (blocks_to_image(vectors, block, "gray", height, width) == picture).all()
    assert (
        image_to_blocks(noise(height, width), block, "gray")[0]
        == image_to_blocks(luma(noise(height, width))[..., None], block, "gray")[0]
    ).all()


def test_a_vector_is_a_block_in_row_order() -> None:
    vectors, _ = image_to_blocks(noise(8, 12), (4, 6), "rgb")
    assert (vectors[1, 1] == noise(8, 12)[4:8, 6:12].reshape(-1)).all()


def test_edges_are_replicated() -> None:
    vectors, _ = image_to_blocks(noise(5, 7, 1), (4, 4), "gray")
    padded = np.pad(noise(5, 7, 1)[..., 0], ((0, 3), (0, 1)), mode="edge")
    assert (vectors[1, 1].reshape(4, 4) == padded[4:, 4:]).all()


def test_sixteen_bits_and_gray_become_color() -> None:
    deep = noise(6, 6, 1, dtype=np.uint16)
    vectors, _ = image_to_blocks(deep, (2, 2), "rgb")
    assert (blocks_to_image(vectors, (2, 2), "rgb", 6, 6) == np.rint(deep / 257)).all()


def test_the_input_is_left_alone() -> None:
    picture = noise(9, 9, 4)
    picture[..., 3] &= 1
    before = picture.copy()
    picture.setflags(write=False)
    for space in ("gray", "rgb", "ycbcr420"):
        image_to_blocks(picture, (4, 4), space)
    assert (picture == before).all()


def jpeg_planes(rgb: NDArray) -> NDArray:
    """Y, Cb, Cr of JFIF in floating point."""
    to = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
    return rgb @ to.T + [0, 128, 128]


@given(st.integers(0, 99))
def test_ycbcr_is_that_of_jpeg(seed: int) -> None:
    picture = noise(4, 4, seed=seed)
    y, cb, cr = np.moveaxis(jpeg_planes(picture), 2, 0)
    vector = image_to_blocks(picture, (4, 4), "ycbcr420")[0][0, 0].astype(float)
    assert np.abs(vector[:16] - y.reshape(-1)).max() <= 0.501
    for at, plane in ((16, cb), (20, cr)):
        assert np.abs(vector[at : at + 4] - plane.reshape(2, 2, 2, 2).mean(axis=(1, 3)).reshape(-1)).max() <= 0.501


@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255), (90, 91, 92)])
def test_flat_color_survives_ycbcr(color: tuple[int, int, int]) -> None:
    picture = np.full((6, 10, 3), color, np.uint8)
    back = blocks_to_image(image_to_blocks(picture, (2, 4), "ycbcr420")[0], (2, 4), "ycbcr420", 6, 10)
    assert np.abs(back.astype(int) - picture).max() <= 1


@given(sides, sides)
def test_ycbcr_of_soft_pictures_is_close(height: int, width: int) -> None:
    picture = smooth(height, width) // 2 + 64
    back = blocks_to_image(image_to_blocks(picture, (4, 4), "ycbcr420")[0], (4, 4), "ycbcr420", height, width)
    assert ((picture.astype(int) - back) ** 2).mean() < 60


def test_lengths() -> None:
    assert [code_length((4, 2), space) for space in ("gray", "rgb", "ycbcr420")] == [8, 24, 12]
    assert scales((2, 2), "rgb").tolist() == [1] * 12
    assert scales((2, 2), "ycbcr420").tolist() == [1, 1, 1, 1, 2, 2]
    for block, space in (
        ((3, 4), "ycbcr420"),
        ((4, 3), "ycbcr420"),
        ((0, 4), "rgb"),
        ((4, 4), "lab"),
        ((999, 99), "gray"),
    ):
        with pytest.raises(ValueError, match=r"block|space"):
            code_length(block, space)


def test_joining_checks_its_input() -> None:
    with pytest.raises(ValueError, match="2 x 3 blocks"):
        blocks_to_image(np.zeros((2, 2, 48), np.uint8), (4, 4), "rgb", 8, 9)


def test_hidden_pixels_take_the_mean_of_the_visible() -> None:
    picture = np.zeros((2, 4, 4), np.uint8)
    picture[:, :2] = [[[10, 0, 0, 255], [13, 0, 0, 1]], [[99, 99, 99, 0], [77, 7, 7, 0]]]
    vectors, alpha = image_to_blocks(picture, (2, 2), "rgb")
    assert vectors[0, 0].reshape(2, 2, 3)[..., 0].tolist() == [[10, 13], [12, 12]]
    assert not vectors[0, 1].any()
    assert alpha is not None
    assert visible_blocks(alpha, (2, 2)).tolist() == [[True, False]]


@given(st.sampled_from(["gray", "rgb", "ycbcr420"]), sides, sides, st.integers(0, 99))
def test_hidden_colors_do_not_matter(space: str, height: int, width: int, seed: int) -> None:
    picture = noise(height, width, 4, seed=seed)
    picture[..., 3] &= 1
    other = np.where(picture[..., 3:] > 0, picture, noise(height, width, 4, seed=seed + 1) & [255, 255, 255, 0])
    assert (
        image_to_blocks(picture, (4, 2), space)[0] == image_to_blocks(other.astype(np.uint8), (4, 2), space)[0]
    ).all()


def test_visible_blocks_at_edges() -> None:
    alpha = np.zeros((5, 9), np.uint8)
    alpha[4, 8] = 1
    assert visible_blocks(alpha, (4, 4)).tolist() == [[False] * 3, [False, False, True]]


@pytest.mark.parametrize(("channels", "depth"), [(1, 1), (1, 3), (3, 1), (3, 3), (4, 3), (4, 1)])
@pytest.mark.parametrize("block", [(1, 1), (2, 3), (4, 4)])
def test_laying_codes(block: tuple[int, int], channels: int, depth: int) -> None:
    """Codes render_blocks side by side, cropped, are the joined vectors; their error is that of visible samples."""
    pixels, looks = noise(7, 9, channels), noise(5 * block[0], block[1], depth, seed=5).reshape(5, *block, depth)
    codes = np.random.default_rng(0).integers(0, 5, (-(-7 // block[0]), -(-9 // block[1]))).astype(np.uint8)
    picture = render_blocks(codes, looks, 7, 9)
    assert (
        picture == blocks_to_image(looks.reshape(5, -1)[codes], block, "rgb" if depth == 3 else "gray", 7, 9)
    ).all()
    color = pixels[..., :3] if channels > 1 else np.repeat(pixels, 3, axis=2)
    wanted = color if depth == 3 else luma(np.ascontiguousarray(color))[..., None]
    gaps = (wanted.astype(int) - picture) ** 2
    if channels == 4:
        pixels[::2, ::3, 3] = 0
        gaps[pixels[..., 3] == 0] = 0
    assert block_sse(pixels, codes, looks) == gaps.sum()
    with pytest.raises(IndexError, match="code 5"):
        render_blocks(codes + 1, looks, 7, 9)


def test_codes_are_sorted_by_light() -> None:
    for space in ("gray", "rgb", "ycbcr420"):
        codes = image_to_blocks(noise(64, 64) // 4 + 96, (4, 4), space)[0].reshape(
            256, -1
        )  # so that no chroma is clipped
        ordered = by_luma(codes[::-1], (4, 4), space)
        pictures = blocks_to_image(ordered[None], (4, 4), space, 4, 1024)
        light = pictures[..., 0] if space == "gray" else luma(pictures)
        light = light.reshape(4, 256, 4).mean(axis=(0, 2))
        assert np.diff(light).min() > (-0.5 if space == "ycbcr420" else -1e-9)  # which is rounded
        assert (by_luma(codes, (4, 4), space) == ordered).all()
    assert by_luma(np.array([[1, 0], [0, 1], [0, 0]], np.uint8), (1, 2), "gray").tolist() == [[0, 0], [0, 1], [1, 0]]
