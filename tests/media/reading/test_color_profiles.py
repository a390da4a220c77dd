"""Color profiles: colors become sRGB; a profile that is sRGB changes nothing, a broken one is told."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from animations import write_apng
from pictures import few_colors, load, noise, save, smooth
from PIL import Image, ImageCms

from streamvq import open_source
from streamvq.media.reading.image_reading import read_image

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
# sRGB with red and green the other way round: the names of two of its tags are exchanged
SWAPPED = SRGB.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")


def gray_profile(gamma: float) -> bytes:
    """A version 2 profile for gray levels of a gamma."""
    white = b"XYZ \0\0\0\0" + struct.pack(">iii", 63190, 65536, 54061)
    curve = b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(gamma * 256), 0)
    tags = struct.pack(">I4sII4sII", 2, b"wtpt", 156, 20, b"kTRC", 176, 16)
    head = struct.pack(">III4s4s4s", 192, 0, 0x02100000, b"mntr", b"GRAY", b"XYZ ") + bytes(12) + b"acsp"
    head += bytes(28) + struct.pack(">iii", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + tags + white + curve


def test_a_profile_that_is_srgb_changes_nothing(tmp_path: Path) -> None:
    path = save(noise(), tmp_path / "a.png", icc_profile=SRGB)
    assert (read_image(path) == noise()).all()


@pytest.mark.parametrize("suffix", ["png", "tiff", "webp"])
@pytest.mark.parametrize("channels", [3, 4])
def test_colors_become_srgb_and_alpha_stays(
    suffix: str, channels: int, tmp_path: Path, same_picture: Callable
) -> None:
    stored = np.dstack([few_colors(50), noise(channels=1)])[..., :channels]
    options = {"lossless": True, "exact": True} if suffix == "webp" else {}
    pixels = read_image(save(stored, tmp_path / f"a.{suffix}", icc_profile=SWAPPED, **options))
    order = [1, 0, 2, 3][:channels]
    same_picture(pixels, stored[..., order], 2)
    if channels == 4:
        assert (pixels[..., 3] == stored[..., 3]).all()


def test_palettes_16_bits_and_animations(tmp_path: Path, same_picture: Callable) -> None:
    expected = few_colors(20)[..., [1, 0, 2]]
    Image.fromarray(few_colors(20)).quantize(20).save(tmp_path / "p.png", icc_profile=SWAPPED)
    same_picture(read_image(tmp_path / "p.png"), load(tmp_path / "p.png")[..., [1, 0, 2]], 2)
    deep = few_colors(20).astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "d.png"), np.ascontiguousarray(deep[..., ::-1]))
    data = (tmp_path / "d.png").read_bytes()
    save(few_colors(3), tmp_path / "s.png", icc_profile=SWAPPED)
    stored = (tmp_path / "s.png").read_bytes()
    at = stored.index(b"iCCP") - 4
    chunk = stored[at : at + 12 + int.from_bytes(stored[at : at + 4])]
    (tmp_path / "d.png").write_bytes(data[:33] + chunk + data[33:])
    same_picture(read_image(tmp_path / "d.png"), expected, 2)
    data = write_apng(tmp_path / "w.png", [few_colors(20), few_colors(20)], [(1, 5)] * 2).read_bytes()
    (tmp_path / "w.png").write_bytes(data[:33] + chunk + data[33:])
    with open_source(tmp_path / "w.png") as source:
        for frame in source:
            same_picture(frame.pixels, expected, 2)


def test_gray_stays_gray(tmp_path: Path) -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    pixels = read_image(save(levels, tmp_path / "a.png", icc_profile=gray_profile(1.0)))
    assert pixels.shape == levels.shape
    linear = levels / 255
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(pixels - 255 * srgb).max() <= 2


@pytest.mark.parametrize(("profile", "why"), [(b"junk" * 50, "is broken"), (gray_profile(2.2), "is for GRAY")])
def test_a_profile_that_cannot_be_used_is_told(profile: bytes, why: str, tmp_path: Path, good: Callable) -> None:
    for number in range(3):
        save(few_colors(4, seed=number), tmp_path / "in" / f"{number}.png", icc_profile=profile)
    result = good("compress", tmp_path / "in", "-o", tmp_path / "out")
    (line,) = [line for line in result.stderr.splitlines() if "profile" in line]
    assert f"0.png: its color profile {why}, and is ignored" in line
    assert "and so of 2 more" in line
    assert (load(tmp_path / "out" / "2.png") == few_colors(4, seed=2)).all()


def test_the_same_for_any_number_of_jobs(tmp_path: Path, good: Callable) -> None:
    for number in range(6):
        save(smooth(shift=number), tmp_path / "in" / f"{number}.png", icc_profile=SWAPPED if number % 2 else b"no")
    results = [good("compress", tmp_path / "in", "-o", tmp_path / f"{jobs}.svq", "-j", jobs) for jobs in (1, 3)]
    assert (tmp_path / "1.svq").read_bytes() == (tmp_path / "3.svq").read_bytes()
    assert results[0].stderr == results[1].stderr
