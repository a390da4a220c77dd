"""`streamvq info`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pictures import SAMPLES, codebook, flat, noise, save
from PIL import Image

from streamvq import Codebook
from streamvq.media.codebooks import find_codebook


def test_a_codebook(tmp_path: Path, good: Callable) -> None:
    book = codebook(3)
    book.save(tmp_path / "book.npz")
    record = json.loads(good("info", tmp_path / "book.npz", "--json").stdout)
    assert (record["kind"], record["n_codes"], record["space"]) == ("codebook", 3, "rgb")
    assert record["fingerprint"] == book.fingerprint
    assert record["codes"] == ["#" + code.tobytes().hex() for code in book.codes]
    text = good("info", tmp_path / "book.npz").stdout
    assert book.fingerprint in text
    assert record["codes"][0] in text


def test_a_palette_with_alpha_names_and_reserved_colors(tmp_path: Path, good: Callable) -> None:
    codes, alpha = np.array([[1, 2, 3], [0, 0, 0], [255, 128, 0]], np.uint8), np.array([255, 0, 128], np.uint8)
    book = Codebook(codes, alpha=alpha, names=["ink", "", "glass"], reserved=(0,))
    book.save(tmp_path / "book.npz")
    record = json.loads(good("info", tmp_path / "book.npz", "--json").stdout)
    assert record["codes"] == ["#010203", "#00000000", "#ff800080"]
    assert (record["transparent"], record["names"], record["reserved"]) == (1, ["ink", "", "glass"], [0])
    assert find_codebook(",".join(record["codes"])) == book
    lines = good("palette", tmp_path / "book.npz", "--show").stdout.splitlines()
    assert [line.split()[1:] for line in lines] == [
        ["#010203", "ink", "reserved"],
        ["#000000", "transparent"],
        ["#ff8000", "alpha", "128", "glass"],
    ]


def test_a_video(good: Callable) -> None:
    record = json.loads(good("info", SAMPLES / "clip.mp4", "--json").stdout)
    expected = {"codec": "h264", "width": 480, "height": 270, "frames_announced": 100, "audio_streams": 1}
    assert record.items() >= expected.items()
    assert record["frames_per_second"] == 25
    assert record["bytes"] == (SAMPLES / "clip.mp4").stat().st_size
    assert "h264" in good("info", SAMPLES / "clip.mp4").stdout


def test_images(tmp_path: Path, good: Callable) -> None:
    save(noise(5, 7, 4), tmp_path / "a.png")
    save(noise(5, 7), tmp_path / "deep" / "b.png")
    (tmp_path / "notes.txt").touch()
    record = json.loads(good("info", tmp_path / "a.png", "--json").stdout)
    assert (record["width"], record["height"], record["channels"]) == (7, 5, 4)
    record = json.loads(good("info", tmp_path, "-r", "--json").stdout)
    assert (record["images"], record["ignored_files"]) == (2, 1)


def test_several_files_one_object_each(tmp_path: Path, good: Callable) -> None:
    codebook().save(tmp_path / "book.npz")
    result = good("info", tmp_path / "book.npz", SAMPLES / "clip.mp4", "--json")
    assert [json.loads(line)["kind"] for line in result.stdout.splitlines()] == ["codebook", "video"]


@pytest.mark.parametrize("name", ["bad.mp4", "bad.png", "bad.npz"])
def test_what_is_none_of_these(name: str, tmp_path: Path, refused: Callable) -> None:
    (tmp_path / name).write_bytes(b"text")
    assert name in refused("info", tmp_path / name)


@pytest.mark.parametrize("suffix", ["png", "gif", "webp", "avif"])
def test_an_animation(suffix: str, tmp_path: Path, good: Callable) -> None:
    first, *rest = (Image.fromarray(flat(40 * index)) for index in range(3))
    first.save(tmp_path / f"a.{suffix}", save_all=True, append_images=rest, duration=[40, 40, 1000])
    record = json.loads(good("info", tmp_path / f"a.{suffix}", "--json").stdout)
    assert record.items() >= {"kind": "animation", "frames": 3, "width": 48, "height": 32, "seconds": 1.08}.items()
    assert record["seconds_a_frame"] == [0.04, 1.0]


def test_pages(tmp_path: Path, good: Callable) -> None:
    first, *rest = (Image.fromarray(flat(40 * index)) for index in range(3))
    first.save(tmp_path / "a.tif", save_all=True, append_images=rest)
    record = json.loads(good("info", tmp_path / "a.tif", "--json").stdout)
    assert (record["format"], record["pages"], record["seconds"]) == ("TIFF", 3, None)


def test_formats(good: Callable, refused: Callable) -> None:
    text = good("info", "--formats").stdout
    for word in ("AVIF", ".jp2", ".psd", "y4m", ".svq"):
        assert word in text
    assert "--formats" in refused("info", exit=2)
