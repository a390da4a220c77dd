"""Dither: neighbors together have the color, exact colors stay, positional dithers are positional."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import SAMPLES, noise, smooth

import streamvq
from streamvq import Codebook, UsageError
from streamvq.frames import Frame
from streamvq.options import DITHERS, ORDERED_DITHERS
from streamvq.quantize.color_spaces import ONE, level_points, unit
from streamvq.quantize.dither.diffusion import KERNELS
from streamvq.quantize.dither.masks import bayer, blue_noise

REAL = DITHERS[1:]
SPACES = [(name, "linear") for name in ("floyd-steinberg", "bayer8")] + [
    (name, "oklab") for name in ("floyd-steinberg", "yliluoma")
]  # each is compiled
COLORS = np.array([[0, 0, 0], [255, 255, 255], [200, 40, 40], [40, 60, 190], [90, 160, 70], [92, 161, 71]], np.uint8)


def dithered(pixels: np.ndarray, name: str, codes: np.ndarray = COLORS, strength: float = 1) -> np.ndarray:
    book = Codebook(codes)
    return book.nearest_frame(Frame(pixels), book.dither(name, strength)).coded.codes


@pytest.mark.parametrize("name", REAL)
def test_exact_colors_stay(name: str) -> None:
    rows = noise(24, 40, 1)[..., 0] % len(COLORS)
    assert (dithered(COLORS[rows], name) == rows).all()


@pytest.mark.parametrize("name", REAL)
def test_neighbors_together_have_the_color(name: str) -> None:
    codes = np.array([[40, 60, 80], [120, 110, 160]], np.uint8)
    pixels = np.broadcast_to(np.array([72, 80, 112], np.uint8), (64, 64, 3)).copy()
    mean = codes[dithered(pixels, name, codes)].reshape(-1, 3).mean(0)
    most = {"atkinson": 16, "bayer2": 11}.get(name, 7)  # one drops a quarter of the error, one has four thresholds
    assert np.abs(mean - pixels[0, 0]).max() < most
    assert len(np.unique(dithered(pixels, name, codes))) == 2


@pytest.mark.parametrize("name", ORDERED_DITHERS)
@given(y=st.integers(0, 15), x=st.integers(0, 19), color=st.tuples(*3 * [st.integers(0, 255)]))
def test_a_positional_dither_changes_only_the_pixel_that_changed(name: str, y: int, x: int, color: tuple) -> None:
    pixels = smooth(16, 20)
    before = dithered(pixels, name)
    pixels[y, x] = color
    changed = dithered(pixels, name) != before
    changed[y, x] = False
    assert not changed.any()


@pytest.mark.parametrize("name", REAL)
def test_no_strength_is_no_dither(name: str) -> None:
    pixels = smooth(16, 20)
    assert (dithered(pixels, name, strength=0) == Codebook(COLORS).quantize(pixels)).all()


@pytest.mark.parametrize("name", REAL)
def test_hidden_pixels_have_no_color_and_pass_no_error(name: str) -> None:
    pixels = np.dstack([smooth(16, 20), np.full((16, 20), 255, np.uint8)])
    pixels[:, 8:12, 3] = 0
    other = pixels.copy()
    other[:, 8:12, :3] = 77
    rows = dithered(pixels, name)
    assert (rows[:, 8:12] == 0).all()
    assert (rows == dithered(other, name)).all()


@pytest.mark.parametrize("name", KERNELS)
def test_error_diffusion_by_definition(name: str) -> None:
    """Codes 50 levels apart are alone in their cells, so that the nearest code is that of the cell's middle."""
    codes = np.array([[r, g, b] for r in (60, 110, 160) for g in (60, 110, 160) for b in (60, 110, 160)], np.uint8)
    pixels = noise(9, 13)  # of which many are far from all codes
    damped = 0
    height, width = pixels.shape[:2]
    work = pixels.astype(int) * 16 * 16
    expected = np.zeros((height, width), np.uint8)
    for y in range(height):
        ahead = -1 if y % 2 else 1
        for x in range(width)[::ahead]:
            value = ((work[y, x] + 8) // 16).clip(0, 255 * 16)
            color = (value + 8) // 16
            near = ((codes.astype(int) - (color // 4 * 4 + 2)) ** 2).sum(1).argmin()
            expected[y, x] = near
            error = value - codes[near].astype(int) * 16
            if (error**2).sum() > (50 * 16) ** 2:
                error -= error // 4
                damped += 1
            places = ((0, 1), (0, 2), (1, -1), (1, 0), (1, 1), (2, 0))
            for (down, across), share in zip(places, KERNELS[name], strict=True):
                if y + down < height and 0 <= x + ahead * across < width:
                    work[y + down, x + ahead * across] += error * share
    assert (dithered(pixels, name, codes) == expected).all()
    assert damped > 10


def test_colors_beyond_the_palette_do_not_become_noise() -> None:
    """Blurred, a dithered photo of few colors is nearer to itself than with less strength, and means stay."""
    import cv2

    photo = cv2.imread(str(SAMPLES / "photos" / "flower.jpg"))[::4, ::4]
    book = streamvq.fit(photo, 16)
    errors = []
    for strength in (0.85, 1):
        picture = book.lookup(dithered(photo, "floyd-steinberg", book.codes, strength))
        difference = cv2.GaussianBlur(picture.astype(np.float32) - photo, (0, 0), 1.5)
        errors.append(float((difference**2).mean()))
    assert errors[1] < errors[0]
    ends = np.array([[0, 0, 0], [255, 255, 255]], np.uint8)
    for level in (16, 64, 200):
        mean = dithered(np.full((64, 64, 3), level, np.uint8), "floyd-steinberg", ends).mean()
        assert abs(255 * mean - level) < 2


@pytest.mark.parametrize(("name", "matching"), SPACES)
def test_the_mean_is_that_of_the_space(name: str, matching: str) -> None:
    book = Codebook(np.array([[0, 0, 0], [255, 255, 255]], np.uint8), matching=matching)
    level = 160  # three eighths of the light of white, and 7 tenths of its lightness
    rows = book.nearest_frame(Frame(np.full((64, 64, 3), level, np.uint8)), book.dither(name)).coded.codes
    assert abs(rows.mean() - level_points(matching)[level] / ONE) < 0.04


@pytest.mark.parametrize(("name", "matching"), SPACES)
def test_exact_colors_stay_in_any_space(name: str, matching: str) -> None:
    book = Codebook(noise(9, 9).reshape(-1, 3), matching=matching)
    frame = Frame(book.codes[None].copy())  # kernels are not compiled anew for what can be written
    assert (book.nearest_frame(frame, book.dither(name)).coded.codes == np.arange(81)).all()


@pytest.mark.parametrize("matching", ["rgb", "oklab"])
def test_patterns_have_no_band_for_each_cell_of_colors(matching: str) -> None:
    book = Codebook(np.arange(0, 256, 17, np.uint8)[:, None].repeat(3, 1), matching=matching)
    levels = np.arange(60, 200)
    pixels = levels.astype(np.uint8).repeat(8)[None, :, None].repeat(8, 0).repeat(3, 2)  # each fills a mask
    rows = book.nearest_frame(Frame(pixels), book.dither("yliluoma")).coded.codes
    means = level_points(matching)[book.codes[rows, 0]].reshape(8, -1, 8).mean((0, 2))
    assert np.abs(means - level_points(matching)[levels]).max() < 1.25 * unit(matching)  # cells are of 4 levels


def test_strength_scales_the_error_that_is_passed_on() -> None:
    pixels = np.full((64, 64, 3), 64, np.uint8)
    codes = np.array([[0, 0, 0], [255, 255, 255]], np.uint8)
    shares = [dithered(pixels, "floyd-steinberg", codes, strength).mean() for strength in (0.5, 0.9, 1)]
    assert shares[0] < shares[1] < shares[2]


def test_gray_codebooks_and_many_codes() -> None:
    levels = Codebook(np.array([[0], [255]], np.uint8), "gray")
    rows = levels.nearest_frame(
        Frame(np.full((32, 32, 1), 64, np.uint8)), levels.dither("floyd-steinberg")
    ).coded.codes
    assert 0.22 < rows.mean() < 0.28
    many = np.random.default_rng(1).integers(0, 256, (3000, 3), np.uint8)
    rows = dithered(many.reshape(50, 60, 3), "blue-noise", many)
    assert rows.dtype == np.uint16
    assert (many[rows] == many.reshape(50, 60, 3)).all()


def test_masks() -> None:
    assert bayer(4).tolist() == [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]
    made = runpy.run_path(str(Path(__file__).resolve().parents[2] / "scripts" / "make_blue_noise.py"))
    assert (blue_noise() == made["void_and_cluster"](made["SIDE"], np.random.default_rng(0))).all()


def test_a_sky_of_16_colors_has_no_bands() -> None:
    """Blurred, the dithered sky is nearer to the sky than its nearest colors are."""
    import cv2

    down = np.repeat(np.arange(128)[:, None], 96, 1)
    sky = np.stack([20 + down, 60 + down, 127 + down], 2).astype(np.uint8)
    book = streamvq.fit(sky, 8)
    errors = {}
    for name in ("none", "blue-noise", "yliluoma", "floyd-steinberg"):
        picture = book.lookup(book.nearest_frame(Frame(sky), book.dither(name)).coded.codes)
        blurred = cv2.GaussianBlur(picture.astype(np.float32) - sky, (0, 0), 3)[20:-20]  # within the codes
        errors[name] = float((blurred**2).mean())
    assert max(errors["blue-noise"], errors["yliluoma"], errors["floyd-steinberg"]) < 0.4 * errors["none"], errors


def test_any_number_of_workers_gives_the_same_bytes(tmp_path: Path) -> None:
    for jobs in (1, 3):
        streamvq.compress(SAMPLES / "photos", tmp_path / f"out{jobs}", 12, dither="floyd-steinberg", jobs=jobs)
    for path in (tmp_path / "out1").iterdir():
        assert path.read_bytes() == (tmp_path / "out3" / path.name).read_bytes()


def test_bad_options(refused: Callable, tmp_path: Path) -> None:
    source = SAMPLES / "photos" / "sprite.png"
    assert "4x4" in refused("compress", source, "--block", 4, "--dither", "bayer4", "-o", tmp_path / "a.svq", exit=2)
    assert "--lossy" in refused("compress", source, "--lossy", 4, "--dither", "bayer4", exit=2)
    assert "blue-noise" in refused("compress", source, "--dither", "noise", exit=2)
    assert not list(tmp_path.iterdir())
    with pytest.raises(UsageError, match="strength"):
        streamvq.compress(source, tmp_path / "a.png", dither="bayer4", dither_strength=2)
