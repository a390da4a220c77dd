"""Animations and pages in image files: every picture, with exact times."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from animations import write_apng, write_gif
from numpy.typing import NDArray
from pictures import few_colors, flat, load, noise, save
from PIL import Image

import streamvq
from streamvq import Frame, MediaDamaged, open_source

MILLISECOND = Fraction(1, 1000)


def frames_of(path: Path, **options: bool) -> list[Frame]:
    with open_source(path, **options) as source:
        return list(source)


def animate(path: Path, pictures: list[NDArray], **options: object) -> Path:
    first, *rest = map(Image.fromarray, pictures)
    first.save(path, save_all=True, append_images=rest, **options)
    return path


def test_delays_of_png_are_exact(tmp_path: Path) -> None:
    """Also where the file gives none: 0 is shown for a tenth of a second, and a denominator of 0 means 100."""
    pictures = [few_colors(9, 5, 7, seed) for seed in range(4)]
    path = write_apng(tmp_path / "a.png", pictures, [(1, 30), (0, 100), (5, 0), (1, 1)])
    frames = frames_of(path)
    assert [frame.duration for frame in frames] == [Fraction(1, 30), Fraction(1, 10), Fraction(1, 20), Fraction(1)]
    assert [frame.time for frame in frames] == [0, Fraction(1, 30), Fraction(2, 15), Fraction(11, 60)]
    for frame, expected in zip(frames, pictures, strict=True):
        assert (frame.pixels == expected).all()
    with open_source(path) as source:
        assert (source.info.time_base, source.info.fps, source.info.frame_count) == (Fraction(1, 60), 30, 4)


def test_delays_that_no_clock_has(tmp_path: Path) -> None:
    delays = [(1, 65521), (1, 65519), (1, 65497), (1, 65479)]
    frames = frames_of(write_apng(tmp_path / "a.png", [noise(4, 4, seed=seed) for seed in range(4)], delays))
    assert [frame.duration for frame in frames] == [Fraction(15, 1_000_000)] * 4


def test_the_picture_for_those_who_cannot_show_animations(tmp_path: Path) -> None:
    shown = [noise(4, 6, seed=seed) for seed in range(3)]
    frames = frames_of(write_apng(tmp_path / "a.png", shown, [(1, 10)] * 3, hidden=flat(0, 4, 6)))
    assert [frame.time for frame in frames] == [0, Fraction(1, 10), Fraction(1, 5)]
    assert all((frame.pixels == expected).all() for frame, expected in zip(frames, shown, strict=True))
    write_apng(tmp_path / "b.png", shown[:1], [(1, 10)], hidden=flat(0, 4, 6))
    (frame,) = frames_of(tmp_path / "b.png")
    assert frame.name == "b.png"
    assert (frame.pixels == shown[0]).all()


@pytest.mark.parametrize(("suffix", "options"), [("webp", {"lossless": True}), ("avif", {"quality": 100})])
def test_webp_and_avif(suffix: str, options: dict, tmp_path: Path, same_picture: Callable) -> None:
    milliseconds = [33, 33, 34, 500]
    pictures = [np.dstack([flat((40 * i, 90, 9)), np.full((32, 48), 255 - 9 * i, np.uint8)]) for i in range(4)]
    frames = frames_of(animate(tmp_path / f"a.{suffix}", pictures, duration=milliseconds, **options))
    assert [frame.duration for frame in frames] == [each * MILLISECOND for each in milliseconds]
    assert [frame.time for frame in frames] == [0, 33 * MILLISECOND, 66 * MILLISECOND, 100 * MILLISECOND]
    for frame, expected in zip(frames, pictures, strict=True):
        same_picture(frame.pixels, expected, 0 if suffix == "webp" else 4)


def test_pages_of_a_tiff(tmp_path: Path) -> None:
    """They have no times, may differ in size, and thumbnails are none."""
    pages = [noise(5, 7), noise(9, 4, seed=1), noise(6, 6, seed=2)]
    frames = frames_of(animate(tmp_path / "a.tif", pages))
    assert [(frame.index, frame.time, frame.duration, frame.name) for frame in frames] == [
        (index, None, None, None) for index in range(3)
    ]
    assert all((frame.pixels == page).all() for frame, page in zip(frames, pages, strict=True))
    with open_source(tmp_path / "a.tif") as source:
        assert (source.info.pixels, source.info.frame_count, source.info.fps) == (None, 3, None)
    data = (tmp_path / "a.tif").read_bytes()
    assert data[:2] == b"II"
    reduced = _second_page_reduced(data)
    (tmp_path / "b.tif").write_bytes(reduced)
    assert [frame.pixels.shape for frame in frames_of(tmp_path / "b.tif")] == [(5, 7, 3), (6, 6, 3)]


def _second_page_reduced(data: bytes) -> bytes:
    """A little-endian TIFF whose second page says that it is a reduced one: its first tag is made NewSubfileType."""
    changed = bytearray(data)
    start = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[start : start + 2], "little")
    start = int.from_bytes(data[start + 2 + 12 * count : start + 6 + 12 * count], "little")
    count = int.from_bytes(data[start : start + 2], "little")
    entries = [data[start + 2 + 12 * i : start + 14 + 12 * i] for i in range(count)]
    spare = next(entry for entry in entries if int.from_bytes(entry[:2], "little") == 284)  # planar configuration
    reduced = (254).to_bytes(2, "little") + (4).to_bytes(2, "little") + (1).to_bytes(4, "little") * 2
    entries = [reduced, *(entry for entry in entries if entry is not spare)]
    changed[start + 2 : start + 2 + 12 * count] = b"".join(entries)
    return bytes(changed)


def test_pages_of_16_bits(tmp_path: Path) -> None:
    pages = [noise(6, 7, dtype=np.uint16, seed=seed) for seed in range(3)]
    assert cv2.imwritemulti(str(tmp_path / "a.tif"), [np.ascontiguousarray(page[..., ::-1]) for page in pages])
    for frame, page in zip(frames_of(tmp_path / "a.tif"), pages, strict=True):
        assert frame.pixels.dtype == np.uint16
        assert (frame.pixels == page).all()


def test_gif_there_and_back(tmp_path: Path, good: Callable) -> None:
    """Every pixel and delay; also where a picture is to be cleared and the next says nothing of the kind."""
    palette = np.array([(0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)], np.uint8)
    disposals, hundredths = [2, 0, 2, 0, 1], [1, 2, 50, 7, 123]
    boxes = [(3 * index, 2 * index, np.full((8, 8), index % 4 + 1, np.uint8)) for index in range(5)]
    write_gif(tmp_path / "a.gif", (20, 24), palette, boxes, disposals, hundredths)
    canvas, pictures = np.zeros((20, 24), np.uint8), []
    for (top, left, rows), disposal in zip(boxes, disposals, strict=True):
        canvas[top : top + 8, left : left + 8] = rows
        pictures.append(canvas.copy())
        if disposal == 2:
            canvas[top : top + 8, left : left + 8] = 0
    good("compress", tmp_path / "a.gif", "-o", tmp_path / "a.svq")
    with streamvq.open(tmp_path / "a.svq") as clip:
        assert [frame.duration for frame in clip] == [Fraction(each, 100) for each in hundredths]
        assert [frame.time for frame in clip] == [Fraction(sum(hundredths[:i]), 100) for i in range(5)]
    good("decompress", tmp_path / "a.svq", "-o", tmp_path / "back")
    for index, expected in enumerate(pictures):
        pixels = load(tmp_path / "back" / f"frame{index:06d}.png", "RGBA")
        assert ((pixels[..., 3] > 0) == (expected > 0)).all()
        assert (pixels[..., :3][expected > 0] == palette[expected[expected > 0]]).all()


def test_a_file_that_breaks_off(tmp_path: Path) -> None:
    pictures = [noise(60, 60, seed=seed) for seed in range(6)]
    path = write_apng(tmp_path / "a.png", pictures, [(1, 10)] * 6)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(MediaDamaged, match=r"picture [345] of 6 cannot be read.*`keep_going`"):
        frames_of(path)
    with open_source(path, keep_going=True) as source:
        frames = list(source)
        assert len(frames) in (3, 4, 5)
        assert "those before it are kept" in source.notes[0]
    assert all((frame.pixels == expected).all() for frame, expected in zip(frames, pictures, strict=False))


def test_among_other_images(tmp_path: Path, cli: Callable, good: Callable) -> None:
    """Named by itself an animation is a clip; in a folder of pictures it is told, and the rest is done."""
    still = save(few_colors(5), tmp_path / "in" / "a.png")
    walk = write_apng(tmp_path / "in" / "walk.png", [few_colors(5, seed=seed) for seed in range(3)], [(1, 10)] * 3)
    result = cli("compress", tmp_path / "in", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "walk.png: holds 3 pictures; to take them all, name it by itself" in result.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png"]
    good("compress", still, walk, "-o", tmp_path / "both")
    assert sorted(path.name for path in (tmp_path / "both").iterdir()) == ["a.png", "walk.mkv"]
    record = json.loads(good("compress", walk, "-o", tmp_path / "frames", "--format", "png", "--json").stdout)
    assert record["frames"] == 3
    assert len(list((tmp_path / "frames").iterdir())) == 3
