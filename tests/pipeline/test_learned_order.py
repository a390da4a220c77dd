"""The order in which learned colors stand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pictures import noise, save
from PIL import Image

import streamvq
from streamvq import UsageError

INK, PAPER, RED, UNUSED = [20, 20, 30], [250, 250, 240], [200, 30, 30], [0, 255, 0]


@pytest.fixture
def art(tmp_path: Path) -> Path:
    """An indexed image: mostly paper, some red, less ink."""
    image = Image.fromarray(np.array([[0, 0, 0, 0, 3, 3, 2]], np.uint8), "P")
    image.putpalette([*PAPER, *UNUSED, *INK, *RED])
    image.save(tmp_path / "art.png")
    return tmp_path / "art.png"


def test_colors_stand_as_asked_for(art: Path, tmp_path: Path) -> None:
    for order, expected in (
        ("luma", [INK, RED, PAPER]),
        ("palette", [PAPER, INK, RED]),
        ("count", [PAPER, RED, INK]),
    ):
        assert streamvq.fit(art, 8, order=order).codes.tolist() == expected
    streamvq.compress(art, tmp_path / "out.png", 8, order="palette", reserve="#f0f@1")
    with Image.open(tmp_path / "out.png") as out:
        assert out.getpalette() == [*PAPER, 255, 0, 255, *INK, *RED]
        assert np.asarray(out).tolist() == [[0, 0, 0, 0, 3, 3, 2]]


def test_a_codebook_of_the_image_itself_keeps_every_index(art: Path, tmp_path: Path) -> None:
    streamvq.apply(art, art, tmp_path / "same.png", strict=True)
    with Image.open(tmp_path / "same.png") as same:
        assert np.asarray(same).tolist() == [[0, 0, 0, 0, 3, 3, 2]]
        assert same.getpalette() == [*PAPER, *UNUSED, *INK, *RED]


def test_most_used_first_where_colors_are_learned(tmp_path: Path) -> None:
    picture = noise(40, 40)
    book = streamvq.fit(picture, 12, order="count", reserve="red@3")
    counts = np.delete(np.bincount(book.quantize(picture).ravel(), minlength=12), 3)
    assert (np.diff(counts) <= 0).all()
    gray = streamvq.fit(picture, 5, order="count", gray=True)
    assert (np.diff(np.bincount(gray.quantize(picture).ravel(), minlength=5)) <= 0).all()


def test_another_run_with_another_order_is_told(art: Path, tmp_path: Path) -> None:
    streamvq.compress(art, tmp_path / "out.png", 8, order="count")
    with pytest.raises(streamvq.OutputExists, match="order=count, not with order=none"):
        streamvq.compress(art, tmp_path / "out.png", 8, skip_existing=True)


def test_bad_input(art: Path, tmp_path: Path) -> None:
    save(noise(4, 4), tmp_path / "rgb.png")
    for keywords, message in (
        ({"source": tmp_path / "rgb.png", "order": "palette"}, "rgb.png: `order=palette` keeps"),
        ({"source": noise(4, 4), "order": "palette"}, "arrays: `order=palette`"),
        ({"source": art, "order": "count", "block": 2}, "blocks stand by luma"),
        ({"source": art, "order": "size"}, "choose one of luma, count, palette"),
    ):
        with pytest.raises(UsageError, match=message):
            streamvq.fit(**keywords)
    for keywords, message in (
        ({"codebook": "#000,#fff", "order": "count"}, "has its order"),
        ({"per": "image", "order": "palette"}, "`order` contradict"),
        ({"method": "svd", "rank": 1, "order": "count"}, "drop `order`"),
    ):
        with pytest.raises(UsageError, match=message):
            streamvq.compress(art, tmp_path / "out.png", **keywords)
