"""What files of indices promise beyond the contract of sinks: how bits are packed, and what sprites hold."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from index_files import read_header, read_sprite, unpack
from numpy.typing import NDArray
from pictures import codebook, coded, load, noise, save, smooth
from videos import FPS, write_video

import streamvq
from streamvq import Codebook, IndexFrame, OutputError, StreamInfo, UsageError, open_sink
from streamvq.lowrank.codec import LowRankCodec
from streamvq.media.index_formats.packing import Packing
from streamvq.options import WriteOptions


def write(path: Path, book: Codebook, frames: list[IndexFrame], **settings: object) -> list[str]:
    """Write frames, and return the notes."""
    with open_sink(path, book, StreamInfo(fps=FPS), WriteOptions(**settings)) as sink:
        for frame in frames:
            sink.write(sink.encode(frame))
    return sink.notes


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("msb", [True, False])
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_what_is_packed_is_read_back(bits: int, msb: bool, padded: bool) -> None:
    for shape in ((1, 1), (3, 5), (2, 8), (4, 17)):
        codes = np.random.default_rng(0).integers(0, 1 << bits, shape).astype(np.uint8 if bits <= 8 else np.uint16)
        packed = Packing(bits, msb, padded).pack(codes)
        assert (unpack(packed, shape, bits, msb, padded)[0] == codes).all()


@pytest.mark.parametrize(("count", "bits"), [(2, 1), (3, 2), (4, 2), (16, 4), (17, 8), (256, 8), (257, 16)])
def test_the_smallest_number_of_bits_that_holds_the_codes(count: int, bits: int, tmp_path: Path) -> None:
    frames = [coded(codebook(count), 4, 16, index) for index in range(2)]
    (note,) = write(tmp_path / "a.raw", codebook(count), frames)
    assert (tmp_path / "a.raw").stat().st_size == 2 * 4 * 16 * bits // 8
    assert "16x4 indices a frame" in note
    assert ("a byte each" if bits == 8 else f"{bits} bits each") in note


def test_the_layout_that_is_asked_for(tmp_path: Path) -> None:
    book = codebook(4)
    frames = [coded(book, 3, 5, index) for index in range(3)]
    write(tmp_path / "a.raw", book, frames, pack_bits=4, bit_order="lsb", unpadded=True)
    found = unpack((tmp_path / "a.raw").read_bytes(), (3, 5), 4, msb=False, padded=False)
    assert (found == [frame.codes for frame in frames]).all()


def test_blocks_have_indices_too(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mkv", [smooth(shift=shift) for shift in range(3)])
    book = streamvq.fit(source, 16, block=4)
    streamvq.apply(source, book, tmp_path / "a.npy")
    assert np.load(tmp_path / "a.npy").shape == (3, 8, 12)
    for name in ("a.h", "a.aseprite"):
        with pytest.raises(UsageError, match=r"single pixels"):
            streamvq.apply(source, book, tmp_path / name)


def test_frames_on_a_pipe_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is there before the next is asked for."""
    book = codebook(4)
    monkeypatch.setattr(sys, "stdout", out := io.TextIOWrapper(io.BufferedWriter(kept := io.BytesIO(), 1 << 20)))
    with open_sink("-", book, StreamInfo(), WriteOptions(format="raw")) as sink:
        for index in range(3):
            sink.write(sink.encode(coded(book, 4, 16, index)))
            assert len(kept.getvalue()) == 16 * (index + 1)
    assert sink.size_bytes == 48
    out.detach()


def test_a_header_compiles_and_holds_what_it_says(tmp_path: Path) -> None:
    book = codebook(17)
    frames = [coded(book, 5, 7, index) for index in range(2)]
    write(tmp_path / "8 héros.h", book, frames)
    found, colors, macros = read_header(tmp_path / "8 héros.h")
    assert (found == [frame.codes for frame in frames]).all()
    assert (colors == book.codes).all()
    assert macros == {"WIDTH": 7, "HEIGHT": 5, "BITS": 8, "COLORS": 17, "FRAMES": 2}
    if (compiler := shutil.which("cc")) is None:
        pytest.skip("no C compiler")
    program = '#include "8 héros.h"\n_Static_assert(sizeof _8_h_ros_frames == 2 * 35, "frames");\n'
    command = [compiler, "-std=c11", "-fsyntax-only", "-Wall", "-Wno-unused", "-Werror", "-x", "c", "-"]
    subprocess.run(command, input=program, text=True, check=True, cwd=tmp_path)


def test_a_sprite_has_the_times_of_its_frames(tmp_path: Path) -> None:
    book = codebook()
    times = [Fraction(milliseconds, 1000) for milliseconds in (0, 40, 45, 300)]
    write(tmp_path / "a.aseprite", book, [coded(book, index=i, time=time) for i, time in enumerate(times)])
    assert read_sprite(tmp_path / "a.aseprite").milliseconds == [40, 5, 255, 255]
    last = [coded(book, time=Fraction(0), duration=Fraction(1, 8))]
    write(tmp_path / "b.ase", book, last)
    assert read_sprite(tmp_path / "b.ase").milliseconds == [125]
    write(tmp_path / "c.aseprite", book, [coded(book, index=index) for index in range(2)])
    assert read_sprite(tmp_path / "c.aseprite").milliseconds == [40, 40]


@pytest.mark.parametrize("first", [0, 1], ids=["from the first frame", "later"])
def test_what_is_hidden_in_a_sprite_has_an_index_of_its_own(first: int, tmp_path: Path) -> None:
    book = codebook(16)
    alpha = (np.arange(32 * 48) % 3 * 100).astype(np.uint8).reshape(32, 48)
    frames = [coded(book, index=i, alpha=alpha if i >= first else None) for i in range(3)]
    (note,) = write(tmp_path / "a.aseprite", book, frames)
    assert "soft transparency became none or all" in note
    sprite = read_sprite(tmp_path / "a.aseprite")
    assert sprite.transparent == len(sprite.colors) - 1 == 16
    for index, frame in enumerate(frames):
        shown = np.dstack([book.codes[frame.codes], np.full((32, 48), 255, np.uint8)])
        if index >= first:
            shown[alpha < 128] = 0
        assert (sprite.rgba(index) == shown).all()


def test_256_colors_leave_no_index_for_transparency(tmp_path: Path) -> None:
    book = codebook(256)
    with pytest.raises(OutputError, match=r"a\.aseprite: frame 0 has transparency, .*255 or fewer"):
        write(tmp_path / "a.aseprite", book, [coded(book, alpha=np.zeros((32, 48), np.uint8))])
    write(tmp_path / "a.aseprite", book, [coded(book, alpha=np.full((32, 48), 255, np.uint8))])
    assert read_sprite(tmp_path / "a.aseprite").transparent is None


def test_sprites_through_an_artists_palette_and_back(tmp_path: Path, good: Callable) -> None:
    """A folder of sprites, drawn with the colors of a .hex file: every index is the place of its color there."""
    colors = np.random.default_rng(2).integers(0, 256, (12, 3)).astype(np.uint8)
    (tmp_path / "art.hex").write_text("".join(f"{r:02x}{g:02x}{b:02x}\n" for r, g, b in colors.tolist()))
    drawn: dict[str, NDArray] = {}
    for seed, name in enumerate(("hero.png", "deep/rock.png")):
        drawn[name] = np.random.default_rng(seed).integers(0, 12, (9, 7 + seed))
        save(colors[drawn[name]], tmp_path / "sprites" / name)
    good(
        "apply",
        tmp_path / "sprites",
        "-r",
        "-c",
        tmp_path / "art.hex",
        "-o",
        tmp_path / "out",
        "--format",
        "aseprite",
    )
    for name, indices in drawn.items():
        path = (tmp_path / "out" / name).with_suffix(".aseprite")
        sprite = read_sprite(path)
        assert (sprite.frames[0] == indices).all()
        assert (sprite.colors[:, :3] == colors).all()
        assert (streamvq.read_palette(path).colors[:, :3] == colors).all()


def test_a_folder_may_be_one_animation(tmp_path: Path, good: Callable) -> None:
    for index in range(3):
        save(noise(6, 8, seed=index), tmp_path / "in" / f"{index}.png")
    good("compress", tmp_path / "in", "-k", 8, "--fps", 10, "-o", tmp_path / "walk.aseprite")
    assert read_sprite(tmp_path / "walk.aseprite").milliseconds == [100, 100, 100]
    good("compress", tmp_path / "in", "-k", 8, "-o", tmp_path / "walk.npy")
    assert np.load(tmp_path / "walk.npy").shape == (3, 6, 8)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("-o", "a.mkv", "--format", "raw"), "its suffix says mkv, and --format raw another"),
        (("-o", "a.raw", "--format", "npy"), "its suffix says raw, and --format npy another"),
        (("-o", "-", "--format", "npy"), "-: carries y4m, or what --format svq and --format raw make; not npy"),
        (("-k", 16, "-o", "a.raw", "--pack-bits", 2), "--pack-bits 2 holds 4 codes: give --colors 4, or more bits"),
        (("-k", 16, "-o", "a.raw", "--pack-bits", 3), "--pack-bits 3: choose one of 1, 2, 4, 8, 16"),
        (("-c", "preset:pico-8", "-o", "a.raw", "--pack-bits", 2), "--pack-bits 2 holds 4 indices, and the codebook"),
        (("--method", "svd", "--rank", 2, "-o", "a.raw"), "holds indices, and frames of method svd have none"),
        (("--method", "svd", "--rank", 2, "-o", "a", "--format", "c"), "holds indices, and frames of method svd"),
    ],
    ids=str,
)
def test_what_makes_no_sense(
    options: tuple, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: Callable
) -> None:
    save(noise(), tmp_path / "in.png")
    monkeypatch.chdir(tmp_path)
    assert told in refused("compress", "in.png", *options, exit=2)
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]


def test_a_layout_beside_another_output_is_told(tmp_path: Path, good: Callable) -> None:
    source = save(noise(), tmp_path / "in.png")
    result = good("compress", source, "-k", 4, "--pack-bits", 4, "-o", tmp_path / "a.png")
    assert "--pack-bits 4 changes nothing here: it belongs to .raw and .h" in result.stderr
    assert load(tmp_path / "a.png").shape == (32, 48, 3)


def test_a_run_that_is_continued_knows_its_sprites(tmp_path: Path, good: Callable, refused: Callable) -> None:
    source = save(noise(), tmp_path / "in.png")
    for name in ("a.aseprite", "a.h"):
        command = ("compress", source, "-c", "preset:pico-8", "-o", tmp_path / name, "--skip-existing")
        good(*command)
        assert "is there already" in good(*command, "--dry-run").stdout
        assert "was made with codebook=" in refused(*command, "--dither", "bayer4")


def test_a_sprite_holds_256_colors(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="up to 256 colors of single pixels, not 300"):
        write(tmp_path / "a.aseprite", codebook(300), [coded(codebook(300))])
    assert not list(tmp_path.iterdir())


def test_factors_have_no_indices(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="method svd"):
        open_sink(tmp_path / "a.npy", LowRankCodec("rgb"), StreamInfo(), WriteOptions())
    assert not list(tmp_path.iterdir())
