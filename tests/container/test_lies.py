"""Groups, names and times made to deceive: refused soon, in little memory, and never written outside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from containers import (
    TICK,
    assert_refused,
    assert_same,
    named,
    read_all,
    saved,
    small_file,
    svq_bytes,
    table,
    with_group,
)
from pictures import codebook, few_colors, noise, save, snapshot

import streamvq
from streamvq import Codebook, CodebookError, FrameMeta, IndexFrame, OutputError, StreamInfo
from streamvq.container import group_size
from streamvq.container.frame_table import is_safe
from streamvq.container.groups import encode_group
from streamvq.container.header import Header
from streamvq.container.indices.coding import encode_indices
from streamvq.container.leb128 import leb128, signed_leb128

DATA, FRAMES = small_file()
INDICES = encode_indices([np.zeros((6, 8), np.uint8)], codebook(16).codes)  # of one frame of 8x6
BAD_NAMES = ["../../x", "/abs", "C:\\x", "C:x", "c:/x", "a/../../b", "..", ".", "a/./b", "", "a/", "a//b", "//host/x"]
BAD_NAMES += ["a\0b", "a\nb", "a\\b", "\\\\host\\x", "x" * 5000]

TABLES: dict[str, bytes] = {
    "nothing": b"",
    "no frames": table(),
    "no entries": table(count=5),
    "65536 frames": table(count=65536),
    "65535 huge frames": table(*[bytes([1 | 32]) + leb128(65535) * 2] + [b"\x20"] * 65534),
    "2^60 frames": table(count=2**60),
    "a first frame beyond all": table(b"\x20", first=2**69) + INDICES,
    "a first frame that is not next": table(b"\x20", first=1) + INDICES,
    "a side of 0": table(bytes([1 | 32, 0, 1])) + INDICES,
    "a side of 2^60": table(bytes([1 | 32]) + leb128(2**60) + leb128(1)) + INDICES,
    "a side of 65536": table(bytes([1 | 32]) + leb128(65536) + leb128(1)) + INDICES,
    "many pixels": table(bytes([1 | 32]) + leb128(65535) + leb128(65535)) + INDICES,
    "a number of 11 bytes": table(bytes([1 | 32]) + b"\xff" * 10 + b"\x01\x01"),
    "a number without end": table(bytes([1 | 32]) + b"\x80" * 3),
    "a name of 2^60 bytes": table(bytes([8 | 32]) + leb128(2**60) + b"x"),
    "a name longer than the group": table(bytes([8 | 32]) + leb128(200) + b"x"),
    "a name of no bytes": table(bytes([8 | 32, 0])) + INDICES,
    "a name that is no UTF-8": table(named(b"\xff\xfe")) + INDICES,
    "half a surrogate pair": table(named(b"\xed\xa0\x80")) + INDICES,
    "alpha of 2^60 bytes": table(bytes([16 | 32])) + leb128(2**60) + INDICES,
    "alpha without a length": table(bytes([16 | 32])),
    "indices that go on": table(b"\x20") + INDICES + b"\xa5" * 300,
    "alpha that goes on": table(bytes([16 | 32])) + leb128(300) + b"\xa5" * 300 + INDICES,
    "a time beyond all clocks": table(bytes([2]) + signed_leb128(2**68)) + INDICES,
    "a time before all clocks": table(bytes([2]) + signed_leb128(-(2**68))) + INDICES,
    "an endless duration": table(bytes([4]) + leb128(2**68)) + INDICES,
}


@pytest.mark.parametrize("payload", TABLES.values(), ids=TABLES)
def test_groups(payload: bytes, bounded: None) -> None:
    assert "GRUP" in assert_refused(with_group(DATA, payload))


def test_the_group_that_the_others_are_made_from_is_good() -> None:
    read, _ = read_all(with_group(DATA, table(b"\x20") + INDICES))
    assert read[0].codes.shape == (6, 8)


@pytest.mark.parametrize("name", BAD_NAMES, ids=repr)
def test_names_that_lead_out_are_not_read(name: str, tmp_path: Path, refused: Callable) -> None:
    data = with_group(DATA, table(named(name.encode())) + INDICES)
    assert_refused(data)
    inside = tmp_path / "deep" / "er"
    inside.mkdir(parents=True)
    path = saved(inside / "x.svq", data)
    for format in ("png", "jpg"):
        refused("decompress", path, "-o", inside / "out", "--format", format)
    assert list(snapshot(tmp_path)) == ["deep/er/x.svq"]


@pytest.mark.parametrize("name", BAD_NAMES, ids=repr)
def test_names_that_lead_out_are_not_written(name: str) -> None:
    book = codebook(16)
    header = Header.from_stream(StreamInfo(8, 6), book)
    frame = IndexFrame(np.zeros((6, 8), np.uint8), FrameMeta(6, 8, name=name))
    with pytest.raises(OutputError, match="name"):
        encode_group([frame], header, book)


@pytest.mark.parametrize(
    "name", ["a", "a b.png", "ü/春/🌸 100%.png", "...", "a..b", "-", "~", "a/b/c/d/e", "x" * 200]
)
def test_names_that_stay(name: str) -> None:
    assert is_safe(name)
    read, _ = read_all(with_group(DATA, table(named(name.encode())) + INDICES))
    assert read[0].name == name


def numbered(names: list[str | None]) -> bytes:
    """A file of one frame for each name, all of which look different."""
    book = codebook(16)
    frames = [
        IndexFrame(np.full((6, 8), index, np.uint8), FrameMeta(6, 8, index, name=name))
        for index, name in enumerate(names)
    ]
    return svq_bytes(book, frames, info=StreamInfo())


@pytest.mark.parametrize(
    "names",
    [["a.png", "b.png", "a.png"], ["a.png", "a.jpg"], ["x.png", "x"], [None, "frame000000.png"]],
    ids=lambda names: " ".join(map(str, names)),
)
def test_two_frames_of_one_name_are_not_one_file(names: list[str | None], tmp_path: Path, refused: Callable) -> None:
    path = saved(tmp_path / "x.svq", numbered(names))
    refused("decompress", path, "-o", tmp_path / "out")
    assert list(snapshot(tmp_path)) == ["x.svq"]


@pytest.mark.parametrize("names", [["a.png", "a.png/b.png"], ["a.png/b.png", "a.png"], ["x" * 300], ["é" * 150]])
def test_names_that_the_file_system_refuses(names: list[str | None], tmp_path: Path, refused: Callable) -> None:
    path = saved(tmp_path / "x.svq", numbered(names))
    assert "see --debug" not in refused("decompress", path, "-o", tmp_path / "out")
    assert list(snapshot(tmp_path)) == ["x.svq"]


def test_images_that_differ_in_their_suffix_only(tmp_path: Path, good: Callable) -> None:
    """Both come back, one under another name, which is said."""
    for name, seed in (("a.png", 1), ("a.bmp", 2)):
        save(few_colors(4, seed=seed), tmp_path / "in" / name)
    assert "a-2" in good("compress", tmp_path / "in", "-k", 8, "-o", tmp_path / "x.svq").stderr
    good("decompress", tmp_path / "x.svq", "-o", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a-2.png", "a.png"]


def test_an_old_link_in_the_output_folder_is_not_followed(tmp_path: Path, cli: Callable) -> None:
    """A folder that was there, with a link that leads out of it: what it leads to is only replaced if asked for."""
    (tmp_path / "out").mkdir()
    (tmp_path / "precious.png").write_bytes(b"precious")
    (tmp_path / "out" / "a.png").symlink_to(tmp_path / "precious.png")
    path = saved(tmp_path / "x.svq", numbered(["a.png"]))
    assert cli("decompress", path, "-o", tmp_path / "out").exit_code == 1
    cli("decompress", path, "-o", tmp_path / "out", "--overwrite")
    assert (tmp_path / "precious.png").read_bytes() == b"precious"


def test_a_group_is_never_larger_than_what_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, good: Callable
) -> None:
    """A small picture and then the largest one that there may be, with all limits a millionth of what they are."""
    monkeypatch.setattr("streamvq.container.frame_table.MAX_PIXELS", 4000)
    monkeypatch.setattr(group_size, "TARGET_PIXELS", 1000)
    for index, shape in enumerate([(30, 30), (60, 66), (30, 30), (20, 20), (63, 63)]):
        save(noise(*shape, seed=index) & 0xC0, tmp_path / "in" / f"{index}.png")
    good("compress", tmp_path / "in", "-k", 64, "-o", tmp_path / "x.svq")
    with streamvq.open(tmp_path / "x.svq") as clip:
        assert [clip[i].pixels.shape[:2] for i in range(len(clip))] == [
            (30, 30),
            (60, 66),
            (30, 30),
            (20, 20),
            (63, 63),
        ]


def test_frames_that_are_too_large_are_not_written() -> None:
    book = codebook(16)
    header = Header.from_stream(StreamInfo(), book)
    for height, width in ((1, 65536), (65536, 1), (20_000, 20_000)):
        codes = np.broadcast_to(np.zeros(1, np.uint8), (height, width))
        with pytest.raises(OutputError, match=f"{width}x{height}"):
            encode_group([IndexFrame(codes, FrameMeta(height, width))], header, book)


@pytest.mark.parametrize(("block", "space"), [((1, 33), "gray"), ((64, 64), "gray"), ((100, 1), "rgb")])
def test_blocks_that_would_not_be_read_are_not_written(block: tuple[int, int], space: str) -> None:
    length = block[0] * block[1] * (3 if space == "rgb" else 1)
    try:
        book = Codebook(np.zeros((2, length), np.uint8) + np.arange(2, dtype=np.uint8)[:, None], space, block)
        frame = IndexFrame(np.ones((1, 1), np.uint8), FrameMeta(*block))
        data = svq_bytes(book, [frame], info=StreamInfo())
    except (CodebookError, OutputError):
        return
    assert_same(read_all(data)[0], [frame])


def test_times_are_kept_or_refused() -> None:
    """Never dropped without a word."""
    book = codebook(16)
    frame = IndexFrame(np.zeros((6, 8), np.uint8), FrameMeta(6, 8, 0, TICK, TICK))
    for info in (StreamInfo(8, 6), StreamInfo(8, 6, 1 / TICK), StreamInfo(8, 6, 1 / TICK, None, TICK * 2)):
        try:
            data = svq_bytes(book, [frame], info=info)
        except OutputError:
            continue
        assert read_all(data)[0][0].time == TICK


@pytest.mark.parametrize("ticks", [2**40, 2**48 + 1, 2**62, -(2**40), -(2**62), 2**70])
def test_times_that_would_not_be_read_are_not_written(ticks: int) -> None:
    book = codebook(16)
    frame = IndexFrame(np.zeros((6, 8), np.uint8), FrameMeta(6, 8, 0, ticks * TICK))
    try:
        data = svq_bytes(book, [frame])
    except OutputError:
        return
    assert_same(read_all(data)[0], [frame])
