"""What files hold is told by their content, whatever their names say."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pictures import READY, few_colors, load, noise, save, smooth
from PIL import Image
from videos import read_video, write_video, y4m

from streamvq import MediaError, open_source
from streamvq.media.file_type import IMAGE_KINDS, ImageKind, content_of
from streamvq.media.reading.image_reading import read_image

FOREIGN = {
    "a.jxl": (b"\xff\x0a\xfa\x3f", "JPEG XL.*djxl"),
    "b.jxl": (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL.*djxl"),
    "a.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC.*heif-convert"),
    "a.svg": (b"<?xml version='1.0'?>\n<!-- a star -->\n<svg xmlns='x'/>", "SVG.*rsvg-convert"),
    "b.png": (b"<svg width='10'></svg>", "SVG.*rsvg-convert"),
    "a.pdf": (b"%PDF-1.7\n", "PDF.*pdftoppm"),
    "a.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript.*gs"),
    "a.exr": (b"\x76\x2f\x31\x01\2\0\0\0", "OpenEXR.*tone-map"),
    "a.hdr": (b"#?RADIANCE\n", "Radiance.*tone-map"),
    "a.nef": (b"MM\0*\0\0\0\x08", "raw data.*darktable"),
    "a.cr3": (b"\0\0\0\x18ftypcrx \0\0\0\x01", "raw data.*darktable"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_pictures_that_are_not_read_say_what_to_do(name: str, tmp_path: Path) -> None:
    data, message = FOREIGN[name]
    (tmp_path / name).write_bytes(data + bytes(64))
    with open_source(tmp_path / name) as source, pytest.raises(MediaError, match=f"{name}: is .*{message}"):
        list(source)


def test_a_raw_picture_in_a_tiff(tmp_path: Path) -> None:
    info = Image.Exif()
    info[50706] = b"\1\4\0\0"  # DNGVersion
    Image.fromarray(noise()).save(tmp_path / "a.tif", exif=info)
    with open_source(tmp_path / "a.tif") as source, pytest.raises(MediaError, match="raw data"):
        list(source)


def test_floating_point_says_what_to_do(tmp_path: Path) -> None:
    Image.fromarray(smooth()[..., 0].astype("f4")).save(tmp_path / "a.tif")
    with open_source(tmp_path / "a.tif") as source, pytest.raises(MediaError, match=r"32-bit levels.*8 or 16 bits"):
        list(source)


@pytest.mark.parametrize("kind", IMAGE_KINDS, ids=lambda kind: kind.name)
def test_a_suffix_alone_makes_no_image(kind: ImageKind, tmp_path: Path) -> None:
    path = tmp_path / f"a{kind.suffixes[0]}"
    path.write_text("Nothing that has a picture in it, but long enough to be looked at more than once.")
    with pytest.raises(MediaError, match=r"not an image|cannot be decoded: [^']+; is the file whole"):
        read_image(path)


@pytest.mark.parametrize("format", ["png", "webp", "gif", "bmp", "jp2", "ppm", "tiff"])
def test_an_image_with_another_name(format: str, tmp_path: Path) -> None:
    options = {"lossless": True} if format == "webp" else {}
    save(few_colors(9), tmp_path / f"a.{format}", **options).rename(tmp_path / "a.mp4")
    (tmp_path / "a.mp4").with_suffix(".jpg").symlink_to(tmp_path / "a.mp4")
    for name in ("a.mp4", "a.jpg"):
        with open_source(tmp_path / name) as source:
            (frame,) = source
        assert (frame.pixels == few_colors(9)).all()


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".avi", ".webm", ".y4m", ".svq"])
def test_a_video_with_another_name(suffix: str, tmp_path: Path, good: Callable) -> None:
    pictures = [smooth(shift=shift) for shift in range(3)]
    path = tmp_path / f"a{suffix}"
    if suffix == ".y4m":
        path.write_bytes(y4m(pictures))
    elif suffix == ".svq":
        good("compress", write_video(tmp_path / "in.mkv", pictures, audio="flac"), "-o", path)
    else:
        write_video(path, pictures)
    with open_source(path) as source:
        expected = [frame.pixels for frame in source]
    path.rename(tmp_path / "a.png")
    with open_source(tmp_path / "a.png") as source:
        assert all((frame.pixels == pixels).all() for frame, pixels in zip(source, expected, strict=True))
    if suffix == ".svq":
        good("decompress", tmp_path / "a.png", "-o", tmp_path / "back.mkv")
        assert len(read_video(tmp_path / "back.mkv")) == 3


def test_a_video_among_images_is_told(tmp_path: Path, cli: Callable) -> None:
    save(noise(), tmp_path / "in" / "a.png")
    write_video(tmp_path / "a.mkv", [noise()]).rename(tmp_path / "in" / "b.jpg")
    result = cli("compress", tmp_path / "in", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "b.jpg: is Matroska video, whatever its name says" in result.stderr


Image.init()
WRITTEN = [kind for kind in IMAGE_KINDS if Image.EXTENSION.get(kind.suffixes[0]) in Image.SAVE]  # by Pillow


@pytest.mark.parametrize("kind", WRITTEN, ids=lambda kind: kind.name)
def test_every_kind_of_image_is_one_image(kind: object, tmp_path: Path, good: Callable) -> None:
    """Into one output image."""
    suffix = kind.suffixes[0]  # type: ignore[attr-defined]
    size = (32, 32) if suffix == ".icns" else (32, 48)
    path = save(smooth(*size), tmp_path / f"in{suffix}")
    assert content_of(path).image == kind
    good("compress", path, "-o", tmp_path / "out.png", *READY)
    assert load(tmp_path / "out.png").shape[2] == 3


def test_layers_of_a_psd_are_one_picture(tmp_path: Path, good: Callable) -> None:
    pixels = few_colors(6, 5, 7)
    layer = struct.pack(">iiiiH", 0, 0, 0, 0, 0) + b"8BIMnorm" + bytes(4) + struct.pack(">I", 0)
    layers = struct.pack(">h", 2) + 2 * layer
    data = struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, 5, 7, 8, 3) + bytes(8)
    data += struct.pack(">II", len(layers) + 4, len(layers)) + layers + bytes(2)
    (tmp_path / "a.psd").write_bytes(data + np.moveaxis(pixels, 2, 0).tobytes())
    result = good("compress", tmp_path / "a.psd", "-o", tmp_path / "out.png")
    assert "a.psd: its layers are taken as the one picture that they make" in result.stderr
    assert (load(tmp_path / "out.png") == pixels).all()
    assert json.loads(good("info", tmp_path / "a.psd", "--json").stdout)["format"] == "PSD"


def test_one_picture_that_libav_cannot_decode_does_not_stop_the_others(tmp_path: Path, cli: Callable) -> None:
    (tmp_path / "a.svg").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "b.jxl").write_bytes(b"\xff\x0a\xfa\x3f")
    clip = write_video(tmp_path / "c.mkv", [smooth()])
    names = [tmp_path / "a.svg", tmp_path / "b.jxl", save(noise(), tmp_path / "d.png"), clip]
    result = cli("compress", *names, "-k", 8, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert [("a.svg" in line, "b.jxl" in line) for line in result.stderr.splitlines() if "error" in line] == [
        (True, False),
        (False, True),
    ]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["c.mkv", "d.png"]
