"""A palette for each image of a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pictures import few_colors, noise, save, smooth, snapshot
from PIL import Image
from videos import write_video

import streamvq
from streamvq import UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = tmp_path / "in"
    source.mkdir()
    save(noise(16, 20), source / "a.png")
    save(smooth(20, 16), source / "b.png")
    save(few_colors(3), source / "c.png")
    return source


def test_each_image_has_the_palette_of_its_own_fit(folder: Path, tmp_path: Path) -> None:
    result = streamvq.compress(folder, tmp_path / "out", 8, per="image", reserve="#f0f@1")
    assert (result.codebook, result.frames, result.n_codes) == (None, 3, 8)
    assert sorted(snapshot(tmp_path / "out")) == ["a.png", "b.png", "c.png"]
    for name, colors in (("a", 8), ("b", 8), ("c", 4)):
        book = streamvq.fit(folder / f"{name}.png", 8, reserve="#f0f@1")
        path = tmp_path / "out" / f"{name}.png"
        with Image.open(path) as image:
            assert (len(image.getpalette()), len(book)) == (3 * colors, colors)
            codes = np.asarray(image)
        with streamvq.open_source(folder / f"{name}.png") as source:
            assert (codes == book.quantize(next(iter(source)).pixels)).all()
        streamvq.apply(path, path, tmp_path / f"{name}.again.png", strict=True)
        with Image.open(tmp_path / f"{name}.again.png") as again:
            assert (np.asarray(again) == codes).all()


def test_the_same_for_any_number_of_jobs_and_again(folder: Path, tmp_path: Path) -> None:
    keywords = {"n_codes": 8, "per": "image", "dither": "floyd-steinberg"}
    for jobs in (1, 3):
        streamvq.compress(folder, tmp_path / f"out{jobs}", jobs=jobs, **keywords)
    assert snapshot(tmp_path / "out1") == snapshot(tmp_path / "out3")
    assert streamvq.compress(folder, tmp_path / "out1", skip_existing=True, **keywords).skipped
    with pytest.raises(streamvq.OutputExists, match="n_codes=8"):
        streamvq.compress(folder, tmp_path / "out1", skip_existing=True, **keywords | {"n_codes": 9})


def test_an_image_of_which_nothing_is_visible(folder: Path, tmp_path: Path) -> None:
    save(np.zeros((4, 4, 4), np.uint8), folder / "blank.png")
    streamvq.compress(folder, tmp_path / "out", 8, per="image")
    with streamvq.open_source(tmp_path / "out" / "blank.png") as source:
        assert not next(iter(source)).pixels[..., 3].any()


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"codebook": "#000,#fff"}, "`codebook` contradict"),
        ({"block": 4}, "`block` contradict"),
        ({"rank": 4}, "`rank` contradict"),
        ({"lossy": 4}, "`lossy` contradict"),
        ({"stability": 4}, "`stability` contradict"),
        ({"save_codebook": "x.npz"}, "`save_codebook` contradict"),
        ({"n_codes": 300}, "at most 256 colors, not 300"),
        ({"format": "webp"}, "writes .png or .bmp"),
        ({"reserve": "blurple"}, "no such color"),
    ],
)
def test_bad_input(keywords: dict, message: str, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        streamvq.compress(folder, tmp_path / "out", per="image", **keywords)
    assert not (tmp_path / "out").exists()


def test_videos_and_svq_are_refused(folder: Path, tmp_path: Path) -> None:
    video = write_video(tmp_path / "in.mkv", [smooth()])
    with pytest.raises(UsageError, match="takes images"):
        streamvq.compress(video, tmp_path / "out", per="image")
    for name in ("out.svq", "out.gif", "out.aseprite", "out.npy"):
        with pytest.raises(UsageError, match="name a folder"):
            streamvq.compress(folder, tmp_path / name, per="image")
