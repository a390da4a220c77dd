"""Codes that make LZW's phrases longer: fewer bytes of GIF at the same error, and always codes of the table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pictures import codebook, noise, smooth
from PIL import Image, ImageSequence
from videos import write_video

import streamvq
from streamvq.media.gif.lzw import compress
from streamvq.quantize.lzw_optimize import lengthen_phrases

ONES = np.ones(3, np.int16)


def nearest(pixels: NDArray, table: NDArray) -> NDArray[np.uint8]:
    distances = ((pixels[..., None, :].astype(int) - table.astype(int)) ** 2).sum(-1)
    return distances.argmin(-1).astype(np.uint8)


def squared_error(pixels: NDArray, table: NDArray, codes: NDArray) -> int:
    return int(((pixels.astype(int) - table[codes].astype(int)) ** 2).sum())


def lzw_bytes(codes: NDArray[np.uint8]) -> int:
    return len(compress(codes.ravel(), np.zeros(codes.size, np.bool_), 0, 8, 0))


def noisy(seed: int = 0, height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """Film: gradients with noise."""
    grain = np.random.default_rng(seed).normal(0, 6, (height, width, 1))
    return np.clip(smooth(height, width) * 0.6 + 40 + grain, 0, 255).astype(np.uint8)


def test_bytes_fall_and_the_error_rises_with_lambda() -> None:
    pixels, table = noisy(), codebook(64).palette
    codes = nearest(pixels, table)
    sizes, errors = [lzw_bytes(codes)], [squared_error(pixels, table, codes)]
    for lambda_ in (16, 64, 256):
        found = lengthen_phrases(pixels, codes, table, ONES, None, lambda_)
        assert found.dtype == codes.dtype
        sizes.append(lzw_bytes(found))
        errors.append(squared_error(pixels, table, found))
        assert errors[-1] - errors[0] < lambda_ * 8 * (sizes[0] - sizes[-1]) * 1.5  # a bit is worth that much
    assert sizes == sorted(sizes, reverse=True)
    assert errors == sorted(errors)
    assert sizes[-1] < 0.8 * sizes[0]


def test_no_lambda_changes_nothing() -> None:
    pixels, table = noise(9, 13), codebook(256).palette
    codes = nearest(pixels, table)
    for previous in (None, np.zeros_like(codes)):
        assert (lengthen_phrases(pixels, codes, table, ONES, previous, 0) == codes).all()


@pytest.mark.parametrize("count", [1, 2, 3, 255, 256])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (40, 300)])
def test_only_the_box_that_changes_is_touched(count: int, size: tuple[int, int]) -> None:
    pixels, table = noise(*size), codebook(count).palette
    previous = nearest(noise(*size, seed=1), table)
    codes = previous.copy()
    assert (lengthen_phrases(pixels, codes, table, ONES, previous, 400) == previous).all()
    box = np.s_[size[0] // 3 : size[0] // 3 + 9, size[1] // 2 :]
    codes[box] = nearest(pixels, table)[box]
    found = lengthen_phrases(pixels, codes, table, ONES, previous, 400)
    assert found.max() < count
    outside = np.ones(size, bool)
    outside[box] = False
    assert (found[outside] == previous[outside]).all()


def test_a_gif_with_lossy_is_smaller_at_the_same_error(tmp_path: Path) -> None:
    """Against `--lossy` as it is for other outputs, written as GIF; every color is one of the codebook."""
    pictures = [noisy(seed) for seed in range(4)]
    path = write_video(tmp_path / "in.mkv", pictures)
    book = codebook(64)
    plain = streamvq.compress(path, tmp_path / "plain.svq", codebook=book, lossy=12)
    streamvq.decompress(tmp_path / "plain.svq", tmp_path / "plain.gif")
    made = [streamvq.compress(path, tmp_path / f"{jobs}.gif", codebook=book, lossy=10, jobs=jobs) for jobs in (1, 3)]
    assert (tmp_path / "1.gif").read_bytes() == (tmp_path / "3.gif").read_bytes()
    assert made[0].psnr_db > plain.psnr_db
    assert made[0].bytes_out < 0.98 * (tmp_path / "plain.gif").stat().st_size
    colors = {tuple(color) for color in book.palette.tolist()}
    with Image.open(tmp_path / "1.gif") as animation:
        for frame in ImageSequence.Iterator(animation):
            assert {color for _, color in frame.convert("RGB").getcolors()} <= colors


def test_what_is_transparent_is_left_alone(tmp_path: Path, good: Callable) -> None:
    pictures = [noise(24, 32, 4, seed) for seed in range(2)]
    path = write_video(tmp_path / "in.mkv", pictures, pixel_format="bgra")
    good("compress", path, "-k", 8, "--lossy", 8, "-o", tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as animation:
        alpha = np.asarray(animation.convert("RGBA"))[..., 3]
    assert ((alpha == 255) == (pictures[0][..., 3] >= 128)).all()
