"""Sprites of Aseprite as inputs: layers put together, with exact times; what is not read is refused in a line."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from index_files import read_sprite
from numpy.typing import NDArray
from pictures import flat, noise
from PIL import Image
from sprites import BACKGROUND, HIDDEN, REFERENCE, Cel, Layer, write_sprite

from streamvq import Frame, MediaError, open_source


def frames_of(path: Path) -> list[Frame]:
    with open_source(path) as source:
        return list(source)


def rgba(color: object, alpha: int, height: int = 32, width: int = 48) -> NDArray[np.uint8]:
    return np.dstack([flat(color, height, width), np.full((height, width), alpha, np.uint8)])


def test_layers_are_put_upon_each_other(tmp_path: Path) -> None:
    red, green = rgba((255, 0, 0), 255), rgba((0, 255, 0), 255, 4, 6)
    cels = [Cel(green, 1, x=-2, y=30), Cel(red), Cel(rgba((0, 0, 255), 51, 2, 2), 2, x=10, y=10, raw=True)]
    (frame,) = frames_of(write_sprite(tmp_path / "a.aseprite", [cels], [Layer()] * 3))
    expected = red.copy()
    expected[30:, :4] = 0, 255, 0, 255
    expected[10:12, 10:12] = 204, 0, 51, 255
    assert (frame.pixels == expected).all()


@pytest.mark.parametrize(
    "layer",
    [Layer(HIDDEN), Layer(REFERENCE), Layer(level=1), Layer(opacity=0)],
    ids=["off", "reference", "group", "0"],
)
def test_what_is_not_shown_is_not_drawn(layer: Layer, tmp_path: Path) -> None:
    below = noise(32, 48, 4, seed=1) | np.array([0, 0, 0, 255], np.uint8)
    layers = [Layer(), Layer(HIDDEN, type=1), layer, Layer()]
    cels = [Cel(below), Cel(rgba(9, 255), 2), Cel(rgba(7, 255, 1, 1), 3)]
    (frame,) = frames_of(write_sprite(tmp_path / "a.aseprite", [cels], layers))
    assert (frame.pixels[0, 0] == [7, 7, 7, 255]).all()
    assert (frame.pixels[1:] == below[1:]).all()


def test_opacities_multiply_and_orders_move_cels(tmp_path: Path) -> None:
    half = [Cel(rgba(0, 255)), Cel(rgba(255, 255), 1, opacity=128)]
    (frame,) = frames_of(write_sprite(tmp_path / "a.aseprite", [half], [Layer(), Layer(opacity=128)]))
    assert (frame.pixels[..., :3] == 64).all()
    swapped = [Cel(rgba(0, 255), order=2), Cel(rgba(255, 255), 1)]
    (frame,) = frames_of(write_sprite(tmp_path / "b.aseprite", [swapped], [Layer(), Layer()]))
    assert (frame.pixels[..., :3] == 0).all()


@pytest.mark.parametrize("background", [True, False])
def test_indexed_sprites(background: bool, tmp_path: Path) -> None:
    palette = np.random.default_rng(0).integers(0, 256, (9, 4)).astype(np.uint8)
    palette[:, 3] = 255
    indices = np.random.default_rng(1).integers(0, 9, (32, 48, 1)).astype(np.uint8)
    layers = [Layer(BACKGROUND if background else 0)]
    path = write_sprite(tmp_path / "a.aseprite", [[Cel(indices)]], layers, palette=palette, bits=8, transparent=3)
    (frame,) = frames_of(path)
    expected = palette[indices[..., 0]]
    if not background:
        expected[indices[..., 0] == 3] = 0
    assert (frame.pixels == (expected[..., :3] if background else expected)).all()


def test_gray_sprites_and_linked_cels(tmp_path: Path) -> None:
    gray = np.dstack([noise(32, 48, 1), np.full((32, 48), 255, np.uint8)])
    path = write_sprite(tmp_path / "a.aseprite", [[Cel(gray)], [], [Cel(0)]], bits=16, milliseconds=[10, 0, 33])
    frames = frames_of(path)
    assert [frame.duration for frame in frames] == [Fraction(ms, 1000) for ms in (10, 100, 33)]  # 100: the file's own
    assert [frame.time for frame in frames] == [Fraction(ms, 1000) for ms in (0, 10, 110)]
    assert (frames[0].pixels[..., :3] == gray[..., :1]).all()
    assert (frames[1].pixels == 0).all()
    assert (frames[2].pixels == frames[0].pixels).all()


def test_what_we_write_is_read_back(tmp_path: Path, good: Callable) -> None:
    """A sprite with transparency and times through another palette, into a sprite again."""
    pictures = [noise(9, 7, 4, seed=seed) for seed in range(3)]
    source = write_sprite(tmp_path / "in.aseprite", [[Cel(each)] for each in pictures], size=(9, 7))
    good("apply", source, "-c", "preset:pico-8", "-o", tmp_path / "out.aseprite")
    sprite = read_sprite(tmp_path / "out.aseprite")
    assert sprite.milliseconds == [40, 40, 40]
    frames = frames_of(tmp_path / "out.aseprite")
    for index, frame in enumerate(frames):
        assert (frame.pixels == sprite.rgba(index)).all()
    good("apply", tmp_path / "out.aseprite", "-c", tmp_path / "out.aseprite", "-o", tmp_path / "again.aseprite")
    again = read_sprite(tmp_path / "again.aseprite")
    shown = [frame != sprite.transparent for frame in sprite.frames]
    assert all((a[s] == b[s]).all() for a, b, s in zip(again.frames, sprite.frames, shown, strict=True))


def test_a_folder_of_sprites(tmp_path: Path, good: Callable) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for seed in range(2):
        write_sprite(folder / f"{seed}.aseprite", [[Cel(noise(5, 6, 4, seed) | np.uint8(128))]], size=(5, 6))
    good("compress", folder, "-k", 8, "-o", tmp_path / "out")
    with Image.open(tmp_path / "out" / "1.png") as image:
        assert (image.mode, image.size) == ("P", (6, 5))


@pytest.mark.parametrize(
    ("layer", "told"),
    [(Layer(blend=1), "does not blend normally"), (Layer(type=2), "holds tiles")],
    ids=["multiply", "tiles"],
)
def test_what_is_not_read_is_refused(layer: Layer, told: str, tmp_path: Path, refused: Callable) -> None:
    path = write_sprite(tmp_path / "a.aseprite", [[Cel(noise(32, 48, 4))]], [layer])
    message = refused("compress", path, "-k", 4, "-o", tmp_path / "b.png")
    assert f"a.aseprite: its layer 'Ebene' {told}" in message
    assert "aseprite -b" in message


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: data[:-9], "it ends"),
        (lambda data: data[:140], "it is no Aseprite file"),
        (lambda data: data[:8] + bytes(4) + data[12:], "it has no picture"),
        (lambda data: data[:12] + b"\x07" + data[13:], "it has 7 bits a pixel"),
        (lambda data: data[:128] + struct.pack("<IH", 999, 0) + data[134:], "its first frame is damaged"),
    ],
    ids=["cut", "head", "no size", "bits", "frame"],
)
def test_broken_files(change: Callable[[bytes], bytes], told: str, tmp_path: Path) -> None:
    path = write_sprite(tmp_path / "a.aseprite", [[Cel(noise(32, 48, 4))]])
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(MediaError, match=rf"a\.aseprite: .*{told}"):
        frames_of(path)


@pytest.mark.parametrize(
    ("cel", "told"),
    [
        (Cel(noise(32, 48, 4), layer=4), "layer 4, which is not there"),
        (Cel(0), "not before it"),
        (Cel(np.zeros((0, 5, 4), np.uint8)), "a cel of 5x0"),
    ],
)
def test_cels_that_lie(cel: Cel, told: str, tmp_path: Path) -> None:
    path = write_sprite(tmp_path / "a.aseprite", [[cel]])
    with pytest.raises(MediaError, match=told):
        frames_of(path)


def test_a_sprite_is_described(tmp_path: Path, good: Callable) -> None:
    path = write_sprite(tmp_path / "a.aseprite", [[Cel(noise(32, 48, 4))], []])
    told = good("info", path).stdout
    assert "ASEPRITE" in told
    assert "48" in told


def test_the_size_limit_holds(tmp_path: Path) -> None:
    path = write_sprite(tmp_path / "a.aseprite", [[]], size=(60_000, 60_000))
    with pytest.raises(MediaError, match="more pixels than `max_pixels"):
        frames_of(path)
