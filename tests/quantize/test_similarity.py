"""Squared errors, SSIM, flicker and distinct colors, each by its definition or by scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import SAMPLES, few_colors, flat, load, noise, smooth
from skimage.metrics import structural_similarity

from streamvq.quantize.pixels import luma
from streamvq.quantize.similarity import ColorCount, composite, is_gray, squared_errors, ssim, still_and_changed

PHOTOS = sorted(path for path in (SAMPLES / "photos").iterdir() if path.suffix in (".png", ".jpg"))


def theirs(a: np.ndarray, b: np.ndarray) -> float:
    return float(
        structural_similarity(a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255)
    )


@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.name)
@pytest.mark.parametrize("damage", ["coarse", "noisy", "dark", "other"])
def test_ssim_is_that_of_scikit_image(path: object, damage: str) -> None:
    a = luma(load(path))  # type: ignore[arg-type]
    b = {
        "coarse": lambda: a // 32 * 32 + 16,
        "noisy": lambda: np.clip(a + np.random.default_rng(0).normal(0, 12, a.shape), 0, 255).astype(np.uint8),
        "dark": lambda: a // 4,
        "other": lambda: a[::-1],
    }[damage]()
    assert ssim(a, b) == pytest.approx(theirs(a, b), abs=1e-6)


@given(st.integers(11, 40), st.integers(11, 40), st.integers(0, 2**32 - 1), st.integers(0, 200))
def test_ssim_of_any_size_and_contrast(height: int, width: int, seed: int, floor: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.integers(floor, 256, (2, height, width), np.uint8)
    assert ssim(a, b) == pytest.approx(theirs(a, b), abs=1e-6)


def test_ssim_of_equals_is_one_and_of_flats_is_their_brightness() -> None:
    a = noise(20, 30, 1)[..., 0]
    assert ssim(a, a.copy()) == 1
    dark, light = np.full((20, 30), 50, np.uint8), np.full((20, 30), 150, np.uint8)
    c1 = 2.55**2
    assert ssim(dark, light) == pytest.approx((2 * 50 * 150 + c1) / (50**2 + 150**2 + c1), abs=1e-9)
    assert ssim(dark, light) == ssim(light, dark)


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (3, 40), (40, 10)])
def test_ssim_of_what_is_smaller_than_the_window(shape: tuple[int, int]) -> None:
    a = noise(*shape, 1)[..., 0]
    assert ssim(a, a) == 1
    assert -1 <= ssim(a, 255 - a) < 0.9


def test_squared_errors_and_lumas() -> None:
    a, b = noise(17, 23), noise(17, 23, seed=1)
    rgb, gray, one, other = squared_errors(a, b)
    assert rgb == ((a.astype(int) - b) ** 2).sum()
    assert gray == ((luma(a).astype(int) - luma(b)) ** 2).sum()
    assert np.array_equal(one, luma(a))
    assert np.array_equal(other, luma(b))


def test_every_gray_level_keeps_its_luma() -> None:
    levels = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    *_, one, _ = squared_errors(levels, levels)
    assert np.array_equal(one[0], np.arange(256))


def test_still_pixels_that_change() -> None:
    before, after = flat((1, 2, 3), 4, 4), flat((1, 2, 3), 4, 4)
    after[0] = 9  # one row moves
    test_before, test_after = noise(4, 4), noise(4, 4)
    test_after[:2, 0, 2] ^= 1  # one pixel in the moved row, and one in a still one
    assert still_and_changed(before, after, test_before, test_after) == (12, 1)
    assert still_and_changed(before, before, test_before, test_before) == (16, 0)


def test_colors_of_each_and_of_all() -> None:
    count = ColorCount()
    first, second = few_colors(100, seed=1), few_colors(300, seed=2)
    assert (count.add(first), count.add(second), count.add(first)) == (100, 300, 100)
    both = np.concatenate([first.reshape(-1, 3), second.reshape(-1, 3)])
    assert count.total() == len(np.unique(both, axis=0))


def test_colors_of_what_is_visible() -> None:
    pixels = smooth()
    visible = np.zeros(pixels.shape[:2], bool)
    visible[:2, :3] = True
    assert ColorCount().add(pixels, visible) == len(np.unique(pixels[:2, :3].reshape(-1, 3), axis=0))


def test_what_is_seen_of_transparent_pixels() -> None:
    pixels = np.array([[[200, 100, 0, 0], [200, 100, 0, 255], [200, 100, 0, 51]]], np.uint8)
    rgb, visible = composite(pixels)
    assert rgb.tolist() == [[[128, 128, 128], [200, 100, 0], [142, 122, 102]]]
    assert visible is not None
    assert visible.tolist() == [[False, True, True]]
    opaque = noise(channels=4)
    opaque[..., 3] = 255
    assert composite(opaque)[1] is None
    assert np.array_equal(composite(opaque)[0], opaque[..., :3])


def test_what_is_seen_of_gray_and_of_16_bits() -> None:
    gray = noise(channels=1)
    assert np.array_equal(composite(gray)[0], np.repeat(gray, 3, axis=2))
    assert np.array_equal(composite(gray.astype(np.uint16) * 257)[0], composite(gray)[0])
    assert is_gray(composite(gray)[0])
    assert not is_gray(noise())
