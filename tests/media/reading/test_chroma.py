"""Chroma of subsampled video: interpolated to where its samples lie, of interlaced video in each field of its own."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from pictures import noise

from streamvq import open_source
from streamvq.media.reading.chroma import to_rgb

BT601, BT709, BT2020 = (5, 0.299, 0.114), (1, 0.2126, 0.0722), (9, 0.2627, 0.0593)


def planes(height: int, width: int, halved: bool, bits: int = 8) -> tuple[NDArray, NDArray, NDArray]:
    """Noise in 4:2:0 (`halved`) or 4:2:2, with rows longer than they need be, as libav has them."""
    rng = np.random.default_rng(height * width)
    dtype = np.uint8 if bits == 8 else np.uint16
    rows = -(-height // 2) if halved else height
    sizes = [(height, width + 3), (rows, -(-width // 2) + 5), (rows, -(-width // 2) + 5)]
    y, cb, cr = (rng.integers(0, 1 << bits, size).astype(dtype) for size in sizes)
    return y, cb, cr


def upsampled(samples: NDArray, height: int, width: int, rows_at: NDArray, columns_at: NDArray) -> NDArray:
    """Linear interpolation at all pixels of samples that lie at these rows and columns; the outermost go on."""
    wide = np.stack([np.interp(np.arange(width), columns_at, row[: len(columns_at)]) for row in samples])
    return np.stack([np.interp(np.arange(height), rows_at, column) for column in wide.T], axis=1)


def reference(
    given: tuple[NDArray, NDArray, NDArray],
    width: int,
    matrix: tuple[int, float, float],
    bits: int = 8,
    full_range: bool = False,
    centered: bool = False,
) -> NDArray:
    """RGB by the definitions of the ITU, in floating point."""
    y, *chroma = (plane.astype(float) for plane in given)
    height = len(y)
    columns_at = 2 * np.arange(-(-width // 2)) + (0.5 if centered else 0)
    rows_at = 2 * np.arange(len(chroma[0])) + 0.5 if len(chroma[0]) < height else np.arange(height)
    cb, cr = (upsampled(plane, height, width, rows_at, columns_at) for plane in chroma)
    unit = 1 << (bits - 8)
    black, high, wide = (
        (0, 255.0 * unit + unit - 1, 255.0 * unit + unit - 1) if full_range else (16 * unit, 219 * unit, 224 * unit)
    )
    luma, blue, red = (y[:, :width] - black) / high, (cb - 128 * unit) / wide, (cr - 128 * unit) / wide
    _, of_red, of_blue = matrix
    r, b = luma + (2 - 2 * of_red) * red, luma + (2 - 2 * of_blue) * blue
    g = (luma - of_red * r - of_blue * b) / (1 - of_red - of_blue)
    return np.clip(255 * np.stack([r, g, b], axis=2), 0, 255)


@pytest.mark.parametrize("size", [(2, 2), (1, 1), (7, 9), (32, 47), (64, 96)])
@pytest.mark.parametrize("halved", [True, False], ids=["4:2:0", "4:2:2"])
@pytest.mark.parametrize("centered", [True, False])
def test_samples_are_interpolated_where_they_lie(size: tuple[int, int], halved: bool, centered: bool) -> None:
    height, width = size
    given = planes(height, width, halved)
    actual = to_rgb(given, width, bits=8, matrix=1, full_range=False, centered=centered)
    expected = reference(given, width, BT709, centered=centered)
    assert np.abs(actual - expected).max() < 0.56  # half a level, and some more for factors that are whole numbers


@pytest.mark.parametrize("matrix", [BT601, BT709, BT2020])
@pytest.mark.parametrize("bits", [8, 9, 10, 12])
@pytest.mark.parametrize("full_range", [True, False])
def test_any_matrix_depth_and_range(matrix: tuple[int, float, float], bits: int, full_range: bool) -> None:
    given = planes(20, 30, True, bits)
    actual = to_rgb(given, 30, bits=bits, matrix=matrix[0], full_range=full_range)
    assert np.abs(actual - reference(given, 30, matrix, bits, full_range)).max() < 1


@pytest.mark.parametrize("height", [2, 3, 6, 15, 32])
def test_fields_have_chroma_of_their_own(height: int) -> None:
    """Top samples lie a quarter of a row below those of luma in their field, bottom ones three quarters."""
    width = 10
    given = planes(height, width, True)
    actual = to_rgb(given, width, bits=8, matrix=5, full_range=False, interlaced=True)
    if len(given[1]) < 2:
        assert (actual == to_rgb(given, width, bits=8, matrix=5, full_range=False)).all()
        return
    for field in (0, 1):
        y, cb, cr = (plane[field::2].astype(float) for plane in given)
        lines, at = len(y), 2 * np.arange(len(cb)) + (0.25, 0.75)[field]
        wide = [upsampled(plane, lines, width, at, 2 * np.arange(width // 2)) for plane in (cb, cr)]
        full = (y, *(np.repeat(plane, 1, axis=0) for plane in wide))
        luma, blue, red = (full[0][:, :width] - 16) / 219, (full[1] - 128) / 224, (full[2] - 128) / 224
        r, b = luma + 1.402 * red, luma + 1.772 * blue
        g = (luma - 0.299 * r - 0.114 * b) / 0.587
        expected = np.clip(255 * np.stack([r, g, b], axis=2), 0, 255)
        assert np.abs(actual[field::2] - expected).max() < 0.56


def write_planes(path: Path, picture: NDArray, codec: str, pix_fmt: str, **options: str) -> Path:
    """A video of three times the same picture, whose planes are given one below the other."""
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = len(picture) * 2 // 3, picture.shape[1]
        stream.pix_fmt = pix_fmt
        for index in range(3):
            frame = av.VideoFrame.from_ndarray(picture, format=pix_fmt)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def two_fields(height: int, width: int) -> NDArray[np.uint8]:
    """4:2:0 with one color in the top field and another in the bottom field."""
    picture = np.full((height * 3 // 2, width), 128, np.uint8)
    chroma = picture[height:].reshape(2, height // 2, width // 2)
    chroma[0, 0::2], chroma[0, 1::2] = 90, 160
    chroma[1, 0::2], chroma[1, 1::2] = 160, 90
    return picture


def test_an_interlaced_video(tmp_path: Path) -> None:
    options = {"flags": "+ildct+ilme", "qmin": "1", "qmax": "1"}
    path = write_planes(tmp_path / "a.mpg", two_fields(64, 64), "mpeg2video", "yuv420p", **options)
    with open_source(path) as source:
        frame = next(iter(source)).pixels.astype(int)
        assert source.look.interlaced  # type: ignore[attr-defined]
    assert np.ptp(frame[0::2].reshape(-1, 3), axis=0).max() < 16  # no color of the other field
    assert np.ptp(frame[1::2].reshape(-1, 3), axis=0).max() < 16
    assert np.abs(frame[0].mean(axis=0) - frame[1].mean(axis=0)).max() > 60


def test_a_progressive_video_has_no_fields(tmp_path: Path) -> None:
    path = write_planes(tmp_path / "a.mkv", two_fields(64, 64), "ffv1", "yuv420p")
    with open_source(path) as source:
        frame = next(iter(source)).pixels
    expected = to_rgb(
        (np.full((64, 64), 128, np.uint8), *two_fields(64, 64)[64:].reshape(2, 32, 32)),
        64, bits=8, matrix=2, full_range=False,
    )  # fmt: skip
    assert (frame == expected).all()


@pytest.mark.parametrize(("layout", "centered"), [("420jpeg", True), ("420mpeg2", False), ("420", True)])
def test_y4m_says_where_chroma_lies(layout: str, centered: bool, tmp_path: Path) -> None:
    picture = noise(48, 32, 1)[..., 0]  # 32 rows of luma, 16 of chroma in two planes
    (tmp_path / "a.y4m").write_bytes(
        f"YUV4MPEG2 W32 H32 F25:1 Ip A1:1 C{layout}\nFRAME\n".encode() + picture.tobytes()
    )
    with open_source(tmp_path / "a.y4m") as source:
        (frame,) = source
    given = (picture[:32], *picture[32:].reshape(2, 16, 16))
    expected = to_rgb(given, 32, bits=8, matrix=2, full_range=False, centered=centered)
    assert (frame.pixels == expected).all()
