"""Palette files: every format keeps order and values, documented layouts are read, and broken files are told."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import streamvq
from streamvq import Codebook, CodebookError, UsageError, read_palette, write_palette
from streamvq.media.palette_files.aseprite import aseprite_bytes
from streamvq.media.palette_files.formats import READERS, RIFF_SUFFIX, WRITERS, read_palette_file
from streamvq.media.palette_files.palette import palette_of
from streamvq.media.palette_files.presets import load_preset, preset_names

SUFFIXES = sorted([*WRITERS, RIFF_SUFFIX, ".npz"])
NAMED = (".gpl", ".ase", ".aseprite", ".npz")
WITH_ALPHA = (".gpl", ".aseprite", ".png", ".txt", ".pal")
COLOR = st.tuples(*3 * [st.integers(0, 255)])


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(colors=st.lists(COLOR, min_size=1, max_size=40))
def test_a_round_trip_keeps_order_and_values(suffix: str, colors: list, tmp_path: Path) -> None:
    names = [f"color {index} é" for index in range(len(colors))]
    path = tmp_path / f"p{suffix}"
    notes = write_palette(palette_of(colors, names), path, overwrite=True)
    back = read_palette(path)
    assert back.colors[:, :3].tolist() == [list(color) for color in colors]
    assert (back.colors[:, 3] == 255).all()
    assert back.names == (tuple(names) if suffix in NAMED else ())
    assert [str(path) in note and "names" in note for note in notes] == [] if suffix in NAMED else [True]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_256_colors_fit_and_alpha_is_kept_or_told(suffix: str, tmp_path: Path) -> None:
    colors = np.random.default_rng(0).integers(0, 256, (256, 3), np.uint8)
    alpha = [255] * 7 + [0] + [255] * 248
    path = tmp_path / f"p{suffix}"
    notes = write_palette(palette_of(colors, alpha=alpha), path)
    back = read_palette(path)
    assert (back.colors[:, :3] == colors).all()
    kept = suffix in (*WITH_ALPHA, ".act", ".npz")
    assert back.transparent == (7 if kept else None)
    assert any("alpha" in note for note in notes) == (not kept)


@pytest.mark.parametrize("suffix", [".act", ".aseprite"])
def test_too_many_colors(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="257 colors"):
        write_palette(palette_of(np.zeros((257, 3), np.uint8)), tmp_path / f"p{suffix}")
    assert not list(tmp_path.iterdir())


def test_a_large_codebook_becomes_text_and_pictures(tmp_path: Path) -> None:
    colors = np.stack([np.arange(1000) // 256, np.arange(1000) % 256, np.full(1000, 7)], 1).astype(np.uint8)
    for suffix in (".gpl", ".hex", ".png", RIFF_SUFFIX):
        write_palette(read_palette(Codebook(colors)), tmp_path / f"p{suffix}")
        assert (read_palette(tmp_path / f"p{suffix}").colors[:, :3] == colors).all()


GIMP = """GIMP Palette\r
Name: Caramel\r
Columns: 3\r
#\r
# made by hand\r
 48  96  80\tGrass\r
  0   0   0\tUntitled\r
255 128   0  Burnt  orange\r
"""
ADOBE = (
    b"ASEF\0\1\0\0\0\0\0\4"
    + b"\xc0\1\0\0\0\6\0\2\0g\0\0"  # a group
    + b"\0\1\0\0\0\x18\0\2\0r\0\0RGB "
    + struct.pack(">3fH", 1, 0.5, 0, 0)
    + b"\0\1\0\0\0\x10\0\2\0k\0\0Gray"
    + struct.pack(">fH", 0.2, 0)
    + b"\xc0\2\0\0\0\0"
)


def riff() -> bytes:
    chunk = struct.pack("<HH", 0x300, 2) + bytes([1, 2, 3, 0, 250, 251, 252, 4])
    return b"RIFF" + struct.pack("<I", 4 + 8 + len(chunk)) + b"PAL data" + struct.pack("<I", len(chunk)) + chunk


def aseprite_with_old_chunk() -> bytes:
    """As Aseprite writes palettes without names or alpha beside the new chunk, or old versions alone: type 4."""
    chunk = struct.pack("<IH", 6 + 2 + 2 + 6, 4) + struct.pack("<HBB", 1, 0, 2) + bytes([9, 8, 7, 6, 5, 4])
    frame = struct.pack("<IHHH2xI", 16 + len(chunk), 0xF1FA, 1, 100, 0) + chunk
    return struct.pack("<IHHHHH", 128 + len(frame), 0xA5E0, 1, 4, 4, 32).ljust(128, b"\0") + frame


@pytest.mark.parametrize(
    ("name", "data", "colors", "names"),
    [
        ("a.gpl", GIMP.encode(), ["306050", "000000", "ff8000"], ("Grass", "", "Burnt orange")),
        ("a.hex", b"ff0000\n#00FF00\r\n\n0000ff", ["ff0000", "00ff00", "0000ff"], ()),
        ("a.pal", b"JASC-PAL\r\n0100\r\n2\r\n1 2 3\r\n255 255 255\r\n", ["010203", "ffffff"], ()),
        ("a.pal", riff(), ["010203", "fafbfc"], ()),
        ("a.txt", b"; paint.net Palette File\nFF102030\n80FFFFFF ; half\n", ["102030", "ffffff"], ()),
        ("a.ase", ADOBE, ["ff8000", "333333"], ("r", "k")),
        ("a.ase", aseprite_with_old_chunk(), ["090807", "060504"], ()),
        ("a.act", bytes(range(6)).ljust(768, b"\0") + b"\0\2\xff\xff", ["000102", "030405"], ()),
    ],
)
def test_files_as_other_programs_write_them(
    name: str, data: bytes, colors: list[str], names: tuple, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    found = read_palette(tmp_path / name)
    assert [bytes(color[:3]).hex() for color in found.colors] == colors
    assert found.names == names


def test_content_decides_and_not_the_suffix(tmp_path: Path) -> None:
    (tmp_path / "a.hex").write_bytes(GIMP.encode())
    assert read_palette(tmp_path / "a.hex").name(0) == "Grass"


def test_pictures(tmp_path: Path) -> None:
    swatch = np.array([[[9, 9, 9], [9, 9, 9], [1, 2, 3]], [[255, 0, 0], [1, 2, 3], [9, 9, 9]]], np.uint8)
    Image.fromarray(swatch).save(tmp_path / "swatch.png")
    assert read_palette(tmp_path / "swatch.png").colors[:, :3].tolist() == [[9, 9, 9], [1, 2, 3], [255, 0, 0]]
    indexed = Image.fromarray(np.array([[2, 0]], np.uint8), "P")
    indexed.putpalette([5, 5, 5, 6, 6, 6, 7, 7, 7])
    indexed.save(tmp_path / "art.png", transparency=1)
    found = read_palette(tmp_path / "art.png")
    assert found.colors[:3].tolist() == [[5, 5, 5, 255], [6, 6, 6, 0], [7, 7, 7, 255]]


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.gpl", b"GIMP Palette\n1 2\n", "line 2"),
        ("a.gpl", b"GIMP Palette\nName: none\n", "no color"),
        ("a.gpl", b"GIMP Palette\n1 2 300\n", "300"),
        ("a.hex", b"ff0000\nred\n", "line 2"),
        ("a.hex", b"", "no color"),
        ("a.pal", b"JASC-PAL\n0100\n3\n1 2 3\n", "announces 3 colors and has 1"),
        ("a.pal", riff()[:-3], "announces 2 colors"),
        ("a.pal", b"hello", "JASC-PAL"),
        ("a.act", bytes(768) + b"\1\1\xff\xff", "counts 257"),
        ("a.act", bytes(768) + b"\0\0\xff\xff", "counts 0"),
        ("a.act", bytes(767), "767 bytes"),
        ("a.act", bytes(768) + b"\0\2\0\2", "number 2 of 2"),
        ("a.ase", ADOBE[:-20], "ends"),
        ("a.ase", ADOBE.replace(b"RGB ", b"LAB "), "Lab"),
        ("a.aseprite", aseprite_with_old_chunk()[:-3], "ends within"),
        ("a.txt", b"FF10203\n", "line 1"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "cannot be read"),
    ],
)
def test_broken_files_get_a_line_that_names_them(name: str, data: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(CodebookError, match=says) as error:
        read_palette(tmp_path / name)
    assert str(error.value).startswith(str(tmp_path / name))


@given(data=st.binary(max_size=300), suffix=st.sampled_from(sorted(READERS)))
def test_any_bytes_are_read_or_refused(data: bytes, suffix: str, tmp_path: Path) -> None:
    heads = {".ase": ADOBE[:30], ".aseprite": aseprite_with_old_chunk()[:150], ".pal": riff()[:12]}
    path = tmp_path / f"a{suffix}"
    for content in (data, heads.get(suffix, b"") + data):
        path.write_bytes(content)
        try:
            said = str(path) * bool(read_palette_file(path))
        except CodebookError as error:
            said = str(error)
        assert str(path) in said


def test_colors_typed_and_presets() -> None:
    assert read_palette("#000, #fff,tomato").colors[:, :3].tolist() == [[0, 0, 0], [255, 255, 255], [255, 99, 71]]
    for name in preset_names():
        preset = load_preset(name)
        assert len(preset.palette) <= 256
        assert preset.source.endswith((".", ")."))
        assert len(np.unique(preset.palette.colors, axis=0)) == len(preset.palette)
    with pytest.raises(CodebookError, match="there is gameboy"):
        read_palette("preset:gamebo")
    with pytest.raises(UsageError, match="nocolor"):
        read_palette("#fff,nocolor")


def test_a_palette_is_a_codebook_anywhere(tmp_path: Path) -> None:
    picture = np.array([[[250, 250, 250], [3, 3, 3]], [[250, 90, 70], [0, 0, 0]]], np.uint8)
    Image.fromarray(picture).save(tmp_path / "in.png")
    (tmp_path / "three.hex").write_text("000000\nffffff\nff6347\n", "utf-8")
    for codebook in (tmp_path / "three.hex", "#000,#fff,tomato"):
        streamvq.compress(tmp_path / "in.png", tmp_path / "out.png", codebook=codebook, overwrite=True)
        with Image.open(tmp_path / "out.png") as out:
            assert np.asarray(out).tolist() == [[1, 0], [2, 0]]
            assert out.getpalette()[:9] == [0, 0, 0, 255, 255, 255, 255, 99, 71]


def test_names_live_in_codebooks(tmp_path: Path) -> None:
    write_palette(palette_of([[1, 2, 3], [4, 5, 6]], ["one", "two"]), tmp_path / "a.npz")
    book = Codebook.load(tmp_path / "a.npz")
    assert book.names == ("one", "two")
    assert book == Codebook(book.codes)  # a name is no content
    with pytest.raises(CodebookError, match="names"):
        Codebook(book.codes, names=("one",))


def test_blocks_are_no_palette() -> None:
    with pytest.raises(UsageError, match="4x4"):
        read_palette(Codebook(np.zeros((3, 48), np.uint8), block=(4, 4)))


@pytest.mark.parametrize("transparent", [None, 2])
def test_an_aseprite_sprite_holds_the_indices(transparent: int | None) -> None:
    alpha = [0 if index == transparent else 255 for index in range(5)]
    indices = np.arange(12, dtype=np.uint8).reshape(3, 4) % 5
    data = aseprite_bytes(indices, palette_of(np.arange(15).reshape(5, 3), alpha=alpha))
    assert struct.unpack_from("<IHHHHH", data) == (len(data), 0xA5E0, 1, 4, 3, 8)
    at = 128 + 16
    chunks = {}
    while at < len(data):
        size, kind = struct.unpack_from("<IH", data, at)
        chunks[kind] = data[at + 6 : at + size]
        at += size
    assert zlib.decompress(chunks[0x2005][20:]) == indices.tobytes()
    background = struct.unpack_from("<H", chunks[0x2004])[0] & 8
    assert (data[28], bool(background)) == ((2, False) if transparent else (0, True))
