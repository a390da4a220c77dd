"""Image files: depth, alpha, orientation and palettes, checked by Pillow, OpenCV and plain bytes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pictures import SAMPLES, codebook, coded, noise, smooth
from PIL import Image, ImageCms

from streamvq import MediaError
from streamvq.media.reading.image_reading import read_image
from streamvq.media.writing.image_files import encode_image

UPRIGHT: dict[int, Callable[[NDArray], NDArray]] = {  # what a viewer does to stored rows, by EXIF orientation
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(stored, 2).swapaxes(0, 1),
    8: lambda stored: np.rot90(stored, 1),
}
orientations = pytest.mark.parametrize("orientation", UPRIGHT)


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[274] = orientation
    return tags


def write_deep(path: Path, pixels: NDArray) -> Path:
    """16-bit files by OpenCV, which takes BGR."""
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[pixels.shape[2]]
    assert cv2.imwrite(str(path), np.ascontiguousarray(pixels[..., order]))
    return path


def with_exif(path: Path, orientation: int) -> Path:
    """A PNG with an eXIf chunk put before its pixels."""
    data = path.read_bytes()
    payload = exif(orientation).tobytes().removeprefix(b"Exif\x00\x00")
    body = b"eXIf" + payload
    chunk = struct.pack(">I", len(payload)) + body + struct.pack(">I", zlib.crc32(body))
    path.write_bytes(data[:33] + chunk + data[33:])
    return path


@orientations
def test_jpeg_orientation(orientation: int, tmp_path: Path, same_picture: Callable[..., None]) -> None:
    stored = smooth(24, 40)
    Image.fromarray(stored).save(tmp_path / "a.jpg", quality=95, subsampling=0, exif=exif(orientation))
    with Image.open(tmp_path / "a.jpg") as image:
        decoded = np.asarray(image)
    same_picture(read_image(tmp_path / "a.jpg"), UPRIGHT[orientation](decoded))


@orientations
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_deep_png_orientation(
    orientation: int, channels: int, tmp_path: Path, same_picture: Callable[..., None]
) -> None:
    stored = noise(5, 9, channels, dtype=np.uint16)
    path = with_exif(write_deep(tmp_path / "a.png", stored), orientation)
    pixels = read_image(path)
    assert pixels.dtype == np.uint16
    same_picture(pixels, UPRIGHT[orientation](stored))


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bits_keep_their_depth(suffix: str, channels: int, tmp_path: Path, same_picture: Callable) -> None:
    stored = noise(6, 7, channels, dtype=np.uint16)
    pixels = read_image(write_deep(tmp_path / f"a{suffix}", stored))
    assert pixels.dtype == np.uint16
    same_picture(pixels, stored)


def test_gray_with_alpha(tmp_path: Path, same_picture: Callable[..., None]) -> None:
    stored = noise(6, 7, 2)
    Image.fromarray(stored, "LA").save(tmp_path / "a.png")
    same_picture(read_image(tmp_path / "a.png"), stored[..., [0, 0, 0, 1]])


def test_deep_gray_with_alpha(tmp_path: Path) -> None:
    """Written by hand, since neither library writes it: color type 4, 16 bits."""
    rows = noise(2, 3, 2, dtype=np.uint16)
    header = struct.pack(">IIBBBBB", 3, 2, 16, 4, 0, 0, 0)
    raw = b"".join(b"\0" + row.astype(">u2").tobytes() for row in rows)
    data = b"\x89PNG\r\n\x1a\n"
    for name, payload in ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")):
        data += struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))
    (tmp_path / "a.png").write_bytes(data)
    pixels = read_image(tmp_path / "a.png").astype(float)
    full = 257 if pixels.max() < 256 else 1  # its depth may be cut, its values must not be wrong
    assert np.abs(pixels * full - rows[..., [0, 0, 0, 1]]).max() <= 257


def test_a_palette_with_transparency(tmp_path: Path, same_picture: Callable[..., None]) -> None:
    rows = np.array([[0, 1], [2, 1]], np.uint8)
    image = Image.fromarray(rows, "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.save(tmp_path / "a.png", transparency=bytes([255, 0, 128]))
    red, green, blue = [255, 0, 0, 255], [0, 255, 0, 0], [0, 0, 255, 128]
    same_picture(read_image(tmp_path / "a.png"), np.array([[red, green], [blue, green]], np.uint8))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "LA"])
def test_every_mode_becomes_gray_rgb_or_rgba(mode: str, tmp_path: Path) -> None:
    path = tmp_path / ("a.tiff" if mode == "CMYK" else "a.png")
    Image.fromarray(smooth()).convert(mode).save(path)
    pixels = read_image(path)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (32, 48, {"1": 1, "L": 1, "RGBA": 4, "LA": 4}.get(mode, 3))


def test_the_sample_photos(same_picture: Callable[..., None]) -> None:
    for path in sorted((SAMPLES / "photos").iterdir()):
        with Image.open(path) as image:
            if path.name == "rocket.jpg":  # the only one that is not in sRGB, but in Adobe RGB
                profile = BytesIO(image.info["icc_profile"])
                image = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), 1)
            expected = np.asarray(image)
        same_picture(read_image(path), expected[..., None] if expected.ndim == 2 else expected)


@pytest.mark.parametrize("data", [b"", b"text", b"\x89PNG\r\n\x1a\n", b"BM" + bytes(60), b"II*\0" + bytes(60)])
def test_no_image_is_named(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(MediaError, match=r"a\.png"):
        read_image(tmp_path / "a.png")


def test_an_absurd_claim_is_refused(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 2**30, 2**30, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + chunk)
    with pytest.raises(MediaError, match=r"a\.png"):
        read_image(tmp_path / "a.png")


@given(st.binary(max_size=400), st.sampled_from(["png", "webp", "tiff", "bmp", "jpg"]), st.integers(0, 200))
def test_damage_is_an_error_or_a_picture(tmp_path: Path, junk: bytes, format: str, at: int) -> None:
    data = encode_image(coded(codebook()), codebook(), format)
    (tmp_path / "a.png").write_bytes(data[:at] + junk + data[at + len(junk) :])
    try:
        assert read_image(tmp_path / "a.png").ndim == 3
    except MediaError as error:
        assert "a.png" in str(error)  # noqa: PT017  either outcome is right


@pytest.mark.parametrize("format", ["png", "tiff", "bmp"])
@given(st.integers(1, 256), st.integers(1, 20), st.integers(1, 20), st.integers(0, 99), st.booleans())
def test_index_i_is_row_i(format: str, count: int, height: int, width: int, seed: int, gray: bool) -> None:
    book = codebook(count, "gray" if gray else "rgb", seed)
    frame = coded(book, height, width, seed)
    with Image.open(BytesIO(encode_image(frame, book, format))) as image:
        assert image.mode == "P" or (format == "bmp" and image.mode in ("L", "1"))
        assert (np.asarray(image.convert("RGB")) == book.palette[frame.codes]).all()
        if image.mode == "P":
            palette = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
            assert (palette[:count] == book.palette[: len(palette)]).all()
            assert (np.asarray(image) == frame.codes).all()


@pytest.mark.parametrize("count", [1, 2, 4, 16, 17, 256])
def test_the_palette_is_there_in_full_order(count: int) -> None:
    """Also rows that no pixel uses: assets are recolored by editing palettes."""
    book = codebook(count)
    frame = coded(book)
    frame.codes[:] = 0
    with Image.open(BytesIO(encode_image(frame, book, "png"))) as image:
        palette = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
    assert (palette[:count] == book.codes).all()


def test_binary_alpha_takes_one_entry_behind_the_codes() -> None:
    book = codebook(16)
    alpha = (noise(channels=1)[..., 0] > 100).astype(np.uint8) * 255
    frame = coded(book, alpha=alpha)
    with Image.open(BytesIO(encode_image(frame, book, "png"))) as image:
        assert image.mode == "P"
        assert (np.asarray(image)[alpha > 0] == frame.codes[alpha > 0]).all()
        assert (np.asarray(image)[alpha == 0] == 16).all()
        assert (np.asarray(image.convert("RGBA"))[..., 3] == alpha).all()
