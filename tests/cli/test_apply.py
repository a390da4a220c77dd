"""`streamvq apply`: a codebook that never changes, on anything new."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pictures import codebook, load, noise, save, smooth, snapshot
from PIL import Image
from videos import read_video, write_video, y4m

from streamvq import Codebook


@pytest.fixture
def book(tmp_path: Path) -> Path:
    codebook(32).save(tmp_path / "book.npz")
    return tmp_path / "book.npz"


def test_row_i_stays_index_i_whatever_is_drawn(book: Path, tmp_path: Path, good: Callable) -> None:
    codes = Codebook.load(book).codes
    pictures = {"few": np.full((8, 8, 3), 9, np.uint8), "many": noise(), "deep": noise(seed=4, channels=4)}
    for name, pixels in pictures.items():
        save(pixels, tmp_path / "in" / f"{name}.png")
    good("apply", tmp_path / "in", "-c", book, "-o", tmp_path / "out")
    for name in ("few", "many"):
        with Image.open(tmp_path / "out" / f"{name}.png") as image:
            assert image.getpalette("RGB")[:96] == codes.ravel().tolist()
            assert (np.asarray(image) == Codebook.load(book).quantize(pictures[name])).all()


def test_nothing_is_learned_or_written_besides(book: Path, tmp_path: Path, good: Callable) -> None:
    before = book.read_bytes()
    clip = write_video(tmp_path / "in.mkv", [smooth(shift=shift) for shift in range(3)])
    record = json.loads(good("apply", clip, "-c", book, "-o", tmp_path / "out.mkv", "--json").stdout)
    assert book.read_bytes() == before
    assert set(snapshot(tmp_path)) == {"book.npz", "in.mkv", "out.mkv"}
    assert record["codebook"] == str(book)
    assert record["codebook_bytes"] == len(before)
    assert record["n_codes"] == 32


def test_applying_twice_changes_nothing_more(book: Path, tmp_path: Path, good: Callable) -> None:
    source = save(noise(), tmp_path / "in.png")
    good("apply", source, "-c", book, "-o", tmp_path / "once.png")
    text = good("apply", tmp_path / "once.png", "-c", book, "-o", tmp_path / "twice.png").stdout
    assert (load(tmp_path / "once.png") == load(tmp_path / "twice.png")).all()
    assert "lossless" in text


def test_a_pipe_is_not_learned_from(book: Path, tmp_path: Path, good: Callable) -> None:
    good("apply", "-", "-c", book, "-o", tmp_path / "out.mkv", stdin=y4m([noise(seed=seed) for seed in range(40)]))
    shown = read_video(tmp_path / "out.mkv")
    assert len(shown) == 40
    allowed = {tuple(code) for code in Codebook.load(book).codes}
    assert {tuple(color) for picture in shown for color in picture.reshape(-1, 3)} <= allowed


def test_two_runs_agree(book: Path, tmp_path: Path, good: Callable) -> None:
    """A sprite added later is drawn like those before it."""
    one, both = tmp_path / "one", tmp_path / "both"
    save(noise(seed=1), one / "a.png")
    save(noise(seed=1), both / "a.png")
    save(noise(seed=2), both / "b.png")
    for folder in (one, both):
        good("apply", folder, "-c", book, "-o", tmp_path / f"{folder.name} out")
    outs = [(tmp_path / f"{name} out" / "a.png").read_bytes() for name in ("one", "both")]
    assert outs[0] == outs[1]


def test_a_codebook_is_needed(tmp_path: Path, cli: Callable) -> None:
    result = cli("apply", save(noise(), tmp_path / "in.png"), "-o", tmp_path / "out.png")
    assert result.exit_code == 2
    assert "--codebook" in result.stderr
