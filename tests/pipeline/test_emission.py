"""Other colors at the same indices, and failing where a color is not exact."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from pictures import few_colors, noise, save
from PIL import Image
from videos import read_video, write_video

import streamvq
from streamvq import MediaError, UsageError

MEASURED = "#202020,#c8c8c0,#903030"
DEVICE = "#000000,#ffffff,#ff0000"


@pytest.fixture
def art(tmp_path: Path) -> Path:
    return save(noise(12, 16), tmp_path / "art.png")


def test_indices_are_matched_and_other_colors_written(art: Path, tmp_path: Path) -> None:
    plain = streamvq.apply(art, MEASURED, tmp_path / "plain.png")
    result = streamvq.apply(art, MEASURED, tmp_path / "device.png", emit_palette=DEVICE)
    with Image.open(tmp_path / "plain.png") as before, Image.open(tmp_path / "device.png") as after:
        assert (np.asarray(before) == np.asarray(after)).all()
        assert after.getpalette()[:9] == [0, 0, 0, 255, 255, 255, 255, 0, 0]
    assert result.psnr_db == plain.psnr_db
    assert not result.lossless
    assert "of the colors matched" in " ".join(result.notes)


@pytest.mark.parametrize("name", ["out.svq", "out.mkv", "out.webp", "out.gif"])
def test_every_output_has_the_colors_emitted(name: str, art: Path, tmp_path: Path) -> None:
    streamvq.apply(art, MEASURED, tmp_path / "device.png", emit_palette=DEVICE)
    streamvq.apply(art, MEASURED, tmp_path / name, emit_palette=DEVICE)
    if name == "out.svq":
        with streamvq.Clip(tmp_path / name) as clip:
            assert clip.codebook.palette[2].tolist() == [255, 0, 0]
    with streamvq.open_source(tmp_path / name) as source, streamvq.open_source(tmp_path / "device.png") as expected:
        assert (next(iter(source)).pixels == next(iter(expected)).pixels).all()


def test_gray_levels_may_become_colors(tmp_path: Path) -> None:
    source = save(np.array([[[0], [90], [255]]], np.uint8), tmp_path / "in.png")
    streamvq.compress(source, tmp_path / "out.png", 3, gray=True, emit_palette="navy,red,#ff0")
    with streamvq.open_source(tmp_path / "out.png") as out:
        assert next(iter(out)).pixels.tolist() == [[[0, 0, 128], [255, 0, 0], [255, 255, 0]]]


def test_another_run_skips_what_was_matched_and_emitted_the_same(art: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.png"
    streamvq.apply(art, MEASURED, output, emit_palette=DEVICE)
    assert streamvq.apply(art, MEASURED, output, emit_palette=DEVICE, skip_existing=True).skipped
    for codebook, palette in ((MEASURED, None), (MEASURED, "#000,#fff,#00f"), (DEVICE, DEVICE)):
        with pytest.raises(streamvq.OutputExists, match="was made with"):
            streamvq.apply(art, codebook, output, emit_palette=palette, skip_existing=True)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"codebook": MEASURED, "emit_palette": "#000,#fff"}, "has 2 colors, and 3 colors are matched"),
        ({"n_codes": 4, "emit_palette": DEVICE}, "has 3 colors, and 4 colors are matched"),
        ({"n_codes": 4, "block": 2, "emit_palette": DEVICE}, "4 blocks of 2x2"),
        ({"method": "svd", "rank": 2, "emit_palette": DEVICE}, "drop `emit_palette`"),
        ({"strict": True, "lossy": 4}, "contradict"),
        ({"strict": True, "stability": 4}, "contradict"),
        ({"strict": True, "rank": 4}, "contradict"),
        ({"strict": True, "rank": 4, "method": "svd"}, "contradict"),
    ],
)
def test_bad_input(keywords: dict, message: str, art: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        streamvq.compress(art, tmp_path / "out.png", **keywords)
    assert [path.name for path in tmp_path.iterdir()] == ["art.png"]


def test_strict_names_the_first_pixel_that_is_not_exact(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    picture = np.zeros((4, 5, 3), np.uint8)
    picture[1] = 255
    save(picture, folder / "a.png")
    streamvq.apply(folder, "#000,#fff", tmp_path / "out", strict=True)
    picture[2, 3] = 1, 2, 3
    save(picture, folder / "b.png")
    with pytest.raises(
        MediaError, match=r"b\.png: #010203 at x=3, y=2 is not among the 2 colors; the nearest is #000000"
    ):
        streamvq.apply(folder, "#000,#fff", tmp_path / "more", strict=True)
    assert not (tmp_path / "more").exists()


def test_strict_names_the_frame_of_a_video(tmp_path: Path) -> None:
    frames = [np.full((16, 16, 3), level, np.uint8) for level in (0, 255, 7, 9)]
    source = write_video(tmp_path / "in.mkv", frames)
    with pytest.raises(MediaError, match=r"in\.mkv: frame 2: #070707 at x=0, y=0"):
        streamvq.apply(source, "#000,#fff", tmp_path / "out.mkv", strict=True)
    streamvq.compress(source, tmp_path / "out.mkv", 4, strict=True)
    assert (read_video(tmp_path / "out.mkv")[2] == 7).all()


def test_strict_looks_at_what_is_visible_and_at_all_its_bits(tmp_path: Path) -> None:
    hidden = np.zeros((3, 3, 4), np.uint8)
    hidden[..., 3] = 255
    hidden[1, 1] = 9, 9, 9, 0
    streamvq.apply(save(hidden, tmp_path / "a.png"), "#000,#fff", tmp_path / "a-out.png", strict=True)
    deep, path = np.full((2, 2, 3), 255 * 257, np.uint16), tmp_path / "b.png"
    cv2.imwrite(str(path), deep)
    streamvq.apply(path, "#000,#fff", tmp_path / "b-out.png", strict=True)
    deep[0, 1, 2] -= 1
    cv2.imwrite(str(path), deep)
    with pytest.raises(MediaError, match=r"b\.png: #fffeffffffff at x=1, y=0"):
        streamvq.apply(path, "#000,#fff", tmp_path / "c-out.png", strict=True)
    colored = save(few_colors(3), tmp_path / "d.png")
    with pytest.raises(MediaError, match="is not among"):
        streamvq.compress(colored, tmp_path / "d-out.png", 4, gray=True, strict=True)
