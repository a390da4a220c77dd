"""Transparency on its way through the commands: kept as colors with alpha, cut, or flattened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pictures import codebook, load, noise, save, smooth, snapshot
from PIL import Image
from videos import read_video

from streamvq import Codebook


def faded(height: int = 20, width: int = 30) -> NDArray[np.uint8]:
    """Gradients that fade out to the right."""
    alpha = np.broadcast_to(np.linspace(255, 0, width).astype(np.uint8), (height, width))
    return np.dstack([smooth(height, width), alpha])


@pytest.fixture
def sprite(tmp_path: Path) -> Path:
    return save(faded(), tmp_path / "sprite.png")


def test_soft_alpha_stays_indexed(sprite: Path, tmp_path: Path, good: Callable) -> None:
    good("compress", sprite, "-k", 16, "-o", tmp_path / "a.png")
    book = Codebook.load(tmp_path / "a.codebook.npz")
    assert book.alpha is not None
    assert len(book) == 16
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "P"
        assert image.getpalette("RGB") == book.codes.ravel().tolist()
        assert image.info["transparency"] == bytes(book.alpha[book.alpha < 255])
        assert (np.asarray(image) == book.quantize(faded())).all()
    assert (load(tmp_path / "a.png", "RGBA") == book.lookup(book.quantize(faded()))).all()


@pytest.mark.parametrize("out", ["x.svq", "x.mkv", "x.webp", "x.tiff"])
def test_every_output_shows_the_same(out: str, sprite: Path, tmp_path: Path, good: Callable) -> None:
    good("fit", sprite, "-k", 16, "-o", tmp_path / "b.npz")
    book = Codebook.load(tmp_path / "b.npz")
    good("apply", sprite, "-c", tmp_path / "b.npz", "-o", tmp_path / out)
    if out.endswith("svq"):
        good("decompress", tmp_path / out, "-o", tmp_path / "y.png")
        good("apply", sprite, "-c", tmp_path / out, "-o", tmp_path / "z.png")
        assert (tmp_path / "y.png").read_bytes() == (tmp_path / "z.png").read_bytes()
        picture = load(tmp_path / "y.png", "RGBA")
    else:
        picture = read_video(tmp_path / out, "rgba")[0] if out.endswith("mkv") else load(tmp_path / out, "RGBA")
    assert (picture == book.lookup(book.quantize(faded()))).all()


def test_binary_alpha_has_its_index(sprite: Path, tmp_path: Path, good: Callable) -> None:
    good("compress", sprite, "-k", 32, "--alpha", "binary", "--transparent-index", 31, "-o", tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert len(image.getpalette("RGB") or ()) == 96
        assert ((np.asarray(image) == 31) == (faded()[..., 3] < 128)).all()
    alpha = load(tmp_path / "a.png", "RGBA")[..., 3]
    assert (alpha == np.where(faded()[..., 3] < 128, 0, 255)).all()


def test_flattened_on_a_background(sprite: Path, tmp_path: Path, good: Callable) -> None:
    good("compress", sprite, "-k", 256, "--background", "white", "-o", tmp_path / "a.png")
    flat = load(tmp_path / "a.png", "RGBA")
    assert (flat[..., 3] == 255).all()
    assert flat[:, -1, :3].min() > 240


@pytest.mark.parametrize("out", ["a.jpg", "a.bmp", "a.mp4", "-"])
def test_outputs_without_transparency_are_flattened_and_say_so(
    out: str, sprite: Path, tmp_path: Path, good: Callable
) -> None:
    path = out if out == "-" else tmp_path / out
    result = good(
        "compress", sprite, "-k", 16, "-o", path, "--background", "white", "--save-codebook", tmp_path / "w.npz"
    )
    assert "flattened" not in result.stderr  # it was asked for
    result = good("compress", sprite, "-k", 16, "-o", path, "-f", "--save-codebook", tmp_path / "b.npz")
    assert "flattened on black (--background)" in result.stderr
    assert Codebook.load(tmp_path / "b.npz").alpha is None


def test_decompress_flattens_too(sprite: Path, tmp_path: Path, good: Callable) -> None:
    good("compress", sprite, "-k", 16, "-o", tmp_path / "a.svq")
    result = good("decompress", tmp_path / "a.svq", "-o", tmp_path / "a.bmp", "--background", "#00ff00")
    assert "flattened on #00ff00" in result.stderr
    assert load(tmp_path / "a.bmp")[0, -1].tolist() == [0, 255, 0]
    with Image.open(tmp_path / "a.bmp") as image:
        assert image.mode == "P"
    result = good("decompress", tmp_path / "a.svq", "-o", tmp_path / "b.png", "--background", "white")
    assert "keeps transparency" in result.stderr


def test_a_palette_without_alpha_lends_one_index(sprite: Path, tmp_path: Path, good: Callable) -> None:
    result = good("apply", sprite, "-c", "#000,#fff,tomato", "-o", tmp_path / "a.png")
    assert "the codes have no alpha" in result.stderr
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "P"
        assert ((np.asarray(image) == 3) == (faded()[..., 3] < 128)).all()
    result = good("apply", sprite, "-c", "#000,#fff,tomato", "--alpha", "keep", "-o", tmp_path / "b.png")
    assert "no alpha" not in result.stderr
    assert (load(tmp_path / "b.png", "RGBA")[..., 3] == faded()[..., 3]).all()
    for way, direct in (((), "a.png"), (("--alpha", "keep"), "b.png")):  # through .svq no other picture
        good("apply", sprite, "-c", "#000,#fff,tomato", *way, "-o", tmp_path / "a.svq", "-f")
        good("decompress", tmp_path / "a.svq", "-o", tmp_path / "c.png", "-f")
        assert (load(tmp_path / "c.png", "RGBA") == load(tmp_path / direct, "RGBA")).all()


def test_palette_files_keep_alpha_and_are_matched_with_it(sprite: Path, tmp_path: Path, good: Callable) -> None:
    good("fit", sprite, "-k", 12, "-o", tmp_path / "a.npz")
    good("apply", sprite, "-c", tmp_path / "a.npz", "-o", tmp_path / "a.png")
    for suffix in (".txt", ".png", ".aseprite", ".gpl", ".pal", ".npz"):
        palette = tmp_path / f"p{suffix}"
        good("palette", tmp_path / "a.npz", "-o", palette)
        good("apply", sprite, "-c", palette, "-o", tmp_path / "b.png", "-f")
        assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes(), suffix
        assert "transparent" in good("palette", palette, "--show").stdout


def test_the_transparent_index_of_act(sprite: Path, tmp_path: Path, good: Callable) -> None:
    good("fit", sprite, "-k", 12, "--alpha", "binary", "-o", tmp_path / "a.npz")
    good("palette", tmp_path / "a.npz", "-o", tmp_path / "p.act")
    good("fit", sprite, "-k", 12, "-o", tmp_path / "soft.npz")
    result = good("palette", tmp_path / "soft.npz", "-o", tmp_path / "soft.act")
    assert "soft" in result.stderr
    good("apply", sprite, "-c", tmp_path / "p.act", "--alpha", "binary", "-o", tmp_path / "b.png")
    assert (load(tmp_path / "b.png", "RGBA")[..., 3] == np.where(faded()[..., 3] < 128, 0, 255)).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "x.png", "--alpha", "soft"], "keep, binary, flatten"),
        (["-o", "x.png", "--alpha", "keep", "--background", "red"], "contradict"),
        (["-o", "x.png", "--background", "nocolor"], "nocolor"),
        (["-o", "x.jpg", "--alpha", "keep"], "jpg has no transparency"),
        (["-o", "x.mp4", "--alpha", "binary"], "mp4 has no transparency"),
        (["-o", "x.png", "-k", 8, "--transparent-index", 8], "8 colors end at 7"),
        (["-o", "x.png", "--gray", "--transparent-index", 0], "no transparent code"),
        (["-o", "x.svq", "--block", 2, "--transparent-index", 0], "no transparent code"),
        (["-o", "x.png", "--background", "red", "--transparent-index", 0], "nothing is transparent"),
        (["-o", "x.png", "-c", "#000,#fff", "--transparent-index", 0], "fixes its codes"),
        (["-o", "x.svq", "--method", "svd", "--rank", 2, "--transparent-index", 0], "method svd has no codes"),
    ],
)
def test_contradictions(options: list, message: str, sprite: Path, tmp_path: Path, cli: Callable) -> None:
    before = snapshot(tmp_path)
    options[1] = tmp_path / options[1]
    result = cli("compress", sprite, *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert snapshot(tmp_path) == before


def test_skip_existing_notices_another_alpha(sprite: Path, tmp_path: Path, cli: Callable, good: Callable) -> None:
    good("compress", sprite, "-k", 8, "-o", tmp_path / "a.svq", "--alpha", "binary")
    assert cli("compress", sprite, "-k", 8, "-o", tmp_path / "a.svq", "--skip-existing").exit_code == 1
    good("compress", sprite, "-k", 8, "-o", tmp_path / "a.svq", "--alpha", "binary", "--skip-existing")


def test_pictures_with_and_without_transparency_make_one_video(tmp_path: Path, good: Callable) -> None:
    save(faded(), tmp_path / "in" / "0.png")
    save(smooth(20, 30), tmp_path / "in" / "1.png")
    good("compress", tmp_path / "in", "-k", 16, "-o", tmp_path / "a.mkv", "--fps", 10)
    first, second = read_video(tmp_path / "a.mkv", "rgba")
    assert first[..., 3].min() == 0
    assert (second[..., 3] == 255).all()


def test_opaque_codebooks_and_blocks_keep_alpha_apart(sprite: Path, tmp_path: Path, good: Callable) -> None:
    codebook(8).save(tmp_path / "b.npz")
    for options in (["-c", tmp_path / "b.npz", "--alpha", "keep"], ["--block", 2, "-k", 9], ["--gray", "--bits", 2]):
        good("compress", sprite, *options, "-o", tmp_path / "a.svq", "-f")
        good("decompress", tmp_path / "a.svq", "-o", tmp_path / "a.png", "-f")
        assert (load(tmp_path / "a.png", "RGBA")[..., 3] == faded()[..., 3]).all()


def test_all_transparent(tmp_path: Path, cli: Callable) -> None:
    picture = noise(4, 4, 4)
    picture[..., 3] = 0
    result = cli("compress", save(picture, tmp_path / "a.png"), "-k", 8, "-o", tmp_path / "b.png")
    assert result.exit_code == 1
    assert "no visible pixel" in result.stderr


def test_the_order_of_a_palette_with_transparency(tmp_path: Path, good: Callable) -> None:
    picture = Image.fromarray(np.arange(16, dtype=np.uint8).reshape(4, 4) % 4, "P")
    picture.putpalette([200, 0, 0, 9, 9, 9, 255, 0, 255, 0, 0, 90])
    picture.save(tmp_path / "a.png", transparency=bytes([255, 255, 0, 80]))
    good("compress", tmp_path / "a.png", "-k", 8, "--order", "palette", "-o", tmp_path / "b.png")
    with Image.open(tmp_path / "a.png") as before, Image.open(tmp_path / "b.png") as after:
        assert (np.asarray(before) == np.asarray(after)).all()
        assert after.info["transparency"] == bytes([255, 255, 0, 80])
