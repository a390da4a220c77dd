"""Files that are cut, flipped or no `.svq` at all: the frames before the damage or an error, never others."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from containers import (
    TICK,
    assert_changes_noticed,
    assert_cut_anywhere,
    assert_same,
    flipped,
    group_places,
    plain,
    read_all,
    saved,
    small_file,
    some_frames,
    svq_bytes,
    timed_frames,
    whole_groups,
)
from pictures import codebook, load, snapshot
from videos import read_video

import streamvq
from streamvq import CodebookError, IndexFrame, MediaDamaged, MediaError, StreamInfo
from streamvq.container.reader import SvqReader

CASES = ["one color a pixel", "blocks", "external", "many codes", "audio"]


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[bytes, list[IndexFrame], streamvq.Codebook | None]:
    """A small file of several groups, its frames, and its codebook where it has none inside."""
    book = codebook(300 if request.param == "many codes" else 8)
    if request.param == "blocks":
        book = streamvq.Codebook(
            np.random.default_rng(0).integers(0, 256, (5, 6)).astype(np.uint8), "ycbcr420", (2, 2)
        )
    frames = some_frames(book)
    audio = [b"first piece", b"second"] if request.param == "audio" else []
    embed = request.param != "external"
    return svq_bytes(book, frames, embed=embed, audio=audio), frames, None if embed else book


def test_cut_anywhere(case: tuple) -> None:
    data, frames, book = case
    assert_cut_anywhere(data, frames, book)
    assert_same(read_all(data, book)[0], frames)
    assert read_all(data, book)[1] is None


def test_a_cut_clip_has_the_whole_groups(case: tuple, tmp_path: Path) -> None:
    """By the index, or without it by walking."""
    data, frames, book = case
    ends = [end for _, end in group_places(data)]
    for cut in (*ends, *(end - 1 for end in ends), *(end + 3 for end in ends), len(data)):
        if not whole_groups(data, cut):
            continue
        path = saved(tmp_path / "x.svq", data[:cut])
        with streamvq.open(path, book) as clip:
            count = min(2 * whole_groups(data, cut), len(frames))
            assert_same([clip.coded(i) for i in range(len(clip))], frames[:count])
            assert (clip.truncation is None) == (cut == len(data)), cut


@pytest.mark.parametrize("changes", [(0x01,), (0x80, 0x20, 0xFF)], ids=["lowest bit", "others"])
def test_every_changed_byte(case: tuple, changes: tuple[int, ...]) -> None:
    assert_changes_noticed(changes, *case)


def test_every_changed_byte_of_a_clip(tmp_path: Path) -> None:
    data, frames = small_file()
    for at in range(len(data)):
        path = saved(tmp_path / "x.svq", flipped(data, at, (0x01, 0x80)[at % 2]))
        try:
            with streamvq.open(path) as clip:
                assert len(clip) == len(frames) or clip.truncation, at
                for index in range(0, len(clip), 2):  # one of each group
                    try:
                        assert_same([clip.coded(index)], [frames[index]])
                    except MediaDamaged:
                        continue
        except (MediaError, CodebookError):
            continue


def test_damage_in_one_group_leaves_the_others(tmp_path: Path) -> None:
    data, frames = small_file()
    start = group_places(data)[1][0]
    with streamvq.open(saved(tmp_path / "x.svq", flipped(data, start + 20, 4))) as clip:
        assert_same([clip.coded(i) for i in (0, 1, 4, 5, 6)], [frames[i] for i in (0, 1, 4, 5, 6)])
        with pytest.raises(MediaDamaged, match=f"byte {start}"):
            clip[2]


def test_random_bytes() -> None:
    data, _ = small_file()
    rng = np.random.default_rng(0)
    for length in (0, 1, 7, 8, 11, 12, 20, 100, 1000):
        for head in (0, 8, 12, 24):
            noise = data[:head] + rng.bytes(max(0, length - head))
            with pytest.raises(MediaError, match=r"x\.svq"):
                read_all(noise)


@pytest.mark.parametrize(
    "content", [b"", b"\x89SVQ", b"text, whatever its name says\n" * 20, b"\x89PNG\r\n\x1a\n" + bytes(50)]
)
@pytest.mark.parametrize("command", ["decompress", "compress", "info"])
def test_what_is_no_svq(content: bytes, command: str, tmp_path: Path, refused: Callable) -> None:
    path = saved(tmp_path / "x.svq", content)
    before = snapshot(tmp_path)
    options = [] if command == "info" else ["-o", tmp_path / "out.mkv"]
    is_image = command == "decompress" and content.startswith(b"\x89PNG")  # which is for another command
    assert "x.svq" in refused(command, path, *options, exit=2 if is_image else 1)
    assert snapshot(tmp_path) == before


@pytest.fixture
def film(tmp_path: Path) -> tuple[bytes, list[IndexFrame], streamvq.Codebook]:
    """A file whose frames make a video: no names, no alpha."""
    book = codebook(8)
    frames = timed_frames(book)
    return svq_bytes(book, frames), frames, book


def test_a_cut_file_on_the_command_line(film: tuple, tmp_path: Path, cli: Callable) -> None:
    """The frames before the cut are kept, the message says what is missing, and the exit code is 1."""
    data, frames, book = film
    groups = [end for _, end in group_places(data)]
    for cut in (groups[0], groups[0] + 5, groups[1] - 1, groups[2] + 13, groups[3], len(data) - 1):
        source, out = saved(tmp_path / "x.svq", data[:cut]), tmp_path / "out.mkv"
        result = cli("decompress", source, "-o", out, "--overwrite", "--json")
        count = min(7, 2 * whole_groups(data, cut))
        assert result.exit_code == 1
        assert result.stderr.count("\n") == 1
        assert f"x.svq: is cut off: {count} " in result.stderr
        for actual, expected in zip(read_video(out), plain(frames[:count], book), strict=True):
            assert (actual == expected).all()


@pytest.mark.parametrize("out", ["out.mkv", "out", "out.svq", "out.png"])
def test_a_file_cut_before_its_first_group_ends(out: str, film: tuple, tmp_path: Path, refused: Callable) -> None:
    data = film[0]
    first = group_places(data)[0][1]
    for cut in (5, 40, first - 30, first - 1):
        source = saved(tmp_path / "x.svq", data[:cut])
        assert "x.svq" in refused("decompress", source, "-o", tmp_path / out)
        assert list(snapshot(tmp_path)) == ["x.svq"]
        assert "x.svq" in refused("decompress", source, "-o", tmp_path / out, "--frames", "0:1")
        assert list(snapshot(tmp_path)) == ["x.svq"]


def test_a_cut_file_through_a_pipe(film: tuple, tmp_path: Path, cli: Callable) -> None:
    data, frames, book = film
    cut = group_places(data)[1][1] + 9
    result = cli("decompress", "-", "-o", tmp_path / "out", stdin=data[:cut])
    assert result.exit_code == 1
    assert "-: is cut off: 4 of about 7" in result.stderr
    for path, expected in zip(sorted((tmp_path / "out").iterdir()), plain(frames[:4], book), strict=True):
        assert (load(path) == expected).all()


@pytest.mark.parametrize("command", ["compress", "fit", "apply"])
def test_a_cut_file_as_an_input_of_others_is_no_whole_one(
    command: str, film: tuple, tmp_path: Path, refused: Callable, cli: Callable
) -> None:
    data, _, book = film
    source = saved(tmp_path / "x.svq", data[: group_places(data)[1][1] + 9])
    book.save(tmp_path / "book.npz")
    before = snapshot(tmp_path)
    out = ["-o", tmp_path / ("new.npz" if command == "fit" else "out.mkv")]
    out += ["-c", tmp_path / "book.npz"] if command == "apply" else []
    line = refused(command, source, *out)
    assert "x.svq" in line
    assert "cut off" in line
    assert "--keep-going" in line
    assert snapshot(tmp_path) == before
    result = cli(command, source, *out, "--keep-going")
    assert result.exit_code == 0
    assert "cut off" in result.stderr


def test_damage_on_the_command_line(film: tuple, tmp_path: Path, refused: Callable, cli: Callable) -> None:
    """Refused as a damaged video is, and with --keep-going kept but for the damaged group."""
    data, frames, book = film
    start = group_places(data)[2][0]
    source = saved(tmp_path / "x.svq", flipped(data, start + 15))
    line = refused("decompress", source, "-o", tmp_path / "out.mkv")
    assert f"byte {start}" in line
    assert list(snapshot(tmp_path)) == ["x.svq"]
    result = cli("decompress", source, "-o", tmp_path / "out.mkv", "--keep-going")
    assert "damaged" in result.stderr
    left = [*frames[:4], *frames[6:]]
    for actual, expected in zip(read_video(tmp_path / "out.mkv"), plain(left, book), strict=True):
        assert (actual == expected).all()


def test_data_behind_the_end_is_left_alone(tmp_path: Path) -> None:
    data, frames = small_file()
    read, truncation = read_all(data + b"a signature that somebody appended")
    assert_same(read, frames)
    assert truncation is None
    with streamvq.open(saved(tmp_path / "x.svq", data + b"more" * 9)) as clip:
        assert len(clip) == len(frames)
        assert clip.truncation is None


def test_a_stream_that_never_ends_a_read_at_once() -> None:
    """A pipe may give one byte at a time."""

    class Drip(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(1, size) if size else size)

    data, frames = small_file()
    reader = SvqReader(Drip(data), "x.svq")  # type: ignore[arg-type]
    assert_same([frame for group in reader.groups() for frame in reader.decode(group)], frames)


def test_an_unfinished_file_is_cut_off() -> None:
    """A writer that died: no index, no end."""
    book = codebook(8)
    frames = some_frames(book)
    info = StreamInfo(8, 6, 1 / TICK, None, TICK)
    read, truncation = read_all(svq_bytes(book, frames, finished=False, info=info))
    assert_same(read, frames)
    assert truncation is not None
    assert "7 frames" in truncation
