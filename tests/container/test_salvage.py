"""`--keep-going` on damaged `.svq` files: all but the damaged groups, and a word on what is missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from containers import (
    TICK,
    flipped,
    group_places,
    joined,
    pieces,
    plain,
    saved,
    svq_bytes,
    timed_frames,
)
from pictures import codebook, load, save, smooth, snapshot
from videos import audio_packets, frame_times, read_video, write_video

import streamvq
from streamvq import MediaDamaged
from streamvq.container import group_size

BOOK = codebook(8)
FRAMES = timed_frames(BOOK)
DATA = svq_bytes(BOOK, FRAMES)  # seven frames in groups of two
PLACES = group_places(DATA)


def damaged(*groups: int, at: int = 20) -> bytes:
    """The file with a wrong bit in some groups, `at` bytes from their start: from 8 on in the payload."""
    data = DATA
    for group in groups:
        data = flipped(data, PLACES[group][0] + at, 4)
    return data


def rewritten(group: int, change: Callable[[bytes], bytes]) -> bytes:
    """The file with another payload of a group, and checksums that are right."""
    parts = pieces(DATA)
    numbers = [number for number, (chunk_type, _) in enumerate(parts) if chunk_type == b"GRUP"]
    parts[numbers[group]] = b"GRUP", change(parts[numbers[group]][1])
    return joined(parts)


CASES: dict[str, tuple[bytes, list[int], str]] = {  # the file, the frames left, and what is said of the others
    "a payload": (damaged(1), [0, 1, 4, 5, 6], "2 frames are missing, 2 to 3"),
    "a length": (damaged(1, at=0), [0, 1, 4, 5, 6], "2 frames are missing, 2 to 3"),
    "a length beyond the file": (damaged(1, at=3), [0, 1, 4, 5, 6], "2 frames are missing, 2 to 3"),
    "a type": (damaged(1, at=5), [0, 1, 4, 5, 6], "2 frames are missing, 2 to 3"),
    "the first": (damaged(0), [2, 3, 4, 5, 6], "2 frames are missing, 0 to 1"),
    "the last": (damaged(3), [0, 1, 2, 3, 4, 5], "1 frame is missing, 6"),
    "two in a row": (damaged(1, 2), [0, 1, 6], "4 frames are missing, 2 to 5"),
    "a table": (rewritten(0, lambda p: p[:2] + b"\xff" + p[3:]), [2, 3, 4, 5, 6], "2 frames are missing, 0 to 1"),
    "pictures": (rewritten(1, lambda p: p + b"\xa5" * 99), [0, 1, 4, 5, 6], "2 frames are missing, 2 to 3"),
    "one that is not there": (DATA[: PLACES[1][0]] + DATA[PLACES[1][1] :], [0, 1, 4, 5, 6], "missing, 2 to 3"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_only_the_damaged_groups_are_lost(case: tuple, tmp_path: Path, cli: Callable) -> None:
    data, left, said = case
    source = saved(tmp_path / "x.svq", data)
    result = cli("decompress", source, "-o", tmp_path / "out.mkv", "--keep-going", "--json")
    assert result.exit_code == 1
    assert f"{said}\n" in result.stderr
    assert result.stderr.count("\n") == 1
    assert json.loads(result.stdout)["frames"] == len(left)
    for actual, expected in zip(
        read_video(tmp_path / "out.mkv"), plain([FRAMES[i] for i in left], BOOK), strict=True
    ):
        assert (actual == expected).all()
    times = frame_times(tmp_path / "out.mkv")
    assert [float(time) for time in times] == pytest.approx([float(i * TICK) for i in left], abs=0.001)


@pytest.mark.parametrize("stdin", [False, True])
def test_numbered_frames_keep_their_numbers(stdin: bool, tmp_path: Path, cli: Callable) -> None:
    source = saved(tmp_path / "x.svq", damaged(1))
    given = {"stdin": source.read_bytes()} if stdin else {}
    result = cli("decompress", "-" if stdin else source, "-o", tmp_path / "out", "--keep-going", **given)
    assert result.exit_code == 1
    assert sorted(snapshot(tmp_path / "out")) == [f"frame{i:06d}.png" for i in (0, 1, 4, 5, 6)]
    assert (load(tmp_path / "out" / "frame000006.png") == BOOK.render(FRAMES[6])).all()


def test_a_part_of_a_damaged_file(tmp_path: Path, cli: Callable, good: Callable) -> None:
    for index, data in enumerate((damaged(1), damaged(1)[: PLACES[3][1]])):  # by the index, and without one
        source, out = saved(tmp_path / "x.svq", data), tmp_path / str(index)
        out.mkdir()
        result = cli("decompress", source, "-o", out / "out.mkv", "--frames", "3:6", "--keep-going")
        assert result.exit_code == 1
        assert "1 frame is missing, 3\n" in result.stderr
        assert len(read_video(out / "out.mkv")) == 2
        good("decompress", source, "-o", out / "whole.mkv", "--frames", "4:6", "--keep-going")


@pytest.mark.parametrize("options", [[], ["--frames", "0:4"]], ids=["all", "a part"])
def test_nothing_left_is_one_sentence(options: list[str], tmp_path: Path, refused: Callable) -> None:
    source = saved(tmp_path / "x.svq", damaged(0, 1, 2, 3))
    line = refused("decompress", source, "-o", tmp_path / "out.mkv", "--keep-going", *options)
    assert "no frame can be read" in line
    assert list(snapshot(tmp_path)) == ["x.svq"]


def test_without_it_damage_is_refused(tmp_path: Path, refused: Callable) -> None:
    for name, (data, _, _) in CASES.items():
        if name == "a length beyond the file":  # which looks like a file that is cut off
            continue
        line = refused("decompress", saved(tmp_path / "x.svq", data), "-o", tmp_path / "out.mkv")
        assert "damaged" in line
        assert list(snapshot(tmp_path)) == ["x.svq"]


def test_other_commands_say_it_too(tmp_path: Path, cli: Callable) -> None:
    """Each with one line on the frames that are missing, and compared frame by frame."""
    source, whole = saved(tmp_path / "x.svq", damaged(1)), saved(tmp_path / "whole.svq", DATA)
    for number, command in enumerate(
        (["compress", "-o", tmp_path / "out.mkv"], ["fit", "-o", tmp_path / "b.npz"], ["compare", whole])
    ):
        result = cli(*command, source, "--keep-going")
        assert result.exit_code == 1, command
        assert result.stderr.count("2 frames are missing, 2 to 3") == 1, number
    assert len(read_video(tmp_path / "out.mkv")) == 5
    found = streamvq.compare(whole, source, keep_going=True)
    assert [frame.index for frame in found.frames] == [0, 1, 4, 5, 6]
    assert found.psnr_db is None
    assert streamvq.fit(source, 4, keep_going=True).n_codes == 4


def test_audio_goes_on_behind_the_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Callable) -> None:
    monkeypatch.setattr(group_size, "TARGET_PIXELS", 5 * 32 * 48)
    write_video(tmp_path / "in.mkv", [smooth(32, 48, i) for i in range(50)], audio="aac")
    streamvq.compress(tmp_path / "in.mkv", tmp_path / "x.svq", 8)
    data = (tmp_path / "x.svq").read_bytes()
    saved(tmp_path / "x.svq", flipped(data, group_places(data)[3][0] + 30))
    result = cli("decompress", tmp_path / "x.svq", "-o", tmp_path / "out.mkv", "--keep-going")
    assert "5 frames are missing, 15 to 19" in result.stderr
    assert audio_packets(tmp_path / "out.mkv") == audio_packets(tmp_path / "in.mkv")


def test_a_piece_of_audio_that_is_damaged_costs_no_frame(tmp_path: Path, cli: Callable) -> None:
    data = svq_bytes(BOOK, FRAMES, audio=[b"one", b"two"])
    start = data.index(b"two") - 8
    source = saved(tmp_path / "x.svq", flipped(data, start + 9))
    result = cli("decompress", source, "-o", tmp_path / "out", "--keep-going")
    assert result.exit_code == 1
    assert f"'AUDI' chunk at byte {start} fails its checksum; no frame is missing" in result.stderr
    assert len(snapshot(tmp_path / "out")) == 7


def test_a_search_through_what_looks_like_chunks_ends(tmp_path: Path, bounded: None) -> None:
    """Each of them claims a megabyte that does not have its checksum."""
    fake = (1 << 20).to_bytes(4, "little") + b"GRUP"
    data = DATA[: PLACES[0][1]] + flipped(fake, 0, 1) + fake * (1 << 18)
    with pytest.raises(MediaDamaged, match="x"):
        streamvq.decompress(saved(tmp_path / "x.svq", data), tmp_path / "out")
    result = streamvq.decompress(saved(tmp_path / "x.svq", data), tmp_path / "out", keep_going=True)
    assert result.frames == 2
    assert result.failed


def test_an_image_of_a_damaged_group(tmp_path: Path, cli: Callable) -> None:
    """Images keep their names, whatever is missing before them."""
    for name in "abc":
        save(np.full((4, 4, 3), ord(name), np.uint8), tmp_path / "in" / f"{name}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(group_size, "TARGET_IMAGES", 1)
        streamvq.compress(tmp_path / "in", tmp_path / "x.svq", 4)
    data = (tmp_path / "x.svq").read_bytes()
    saved(tmp_path / "x.svq", flipped(data, group_places(data)[1][0] + 12))
    result = cli("decompress", tmp_path / "x.svq", "-o", tmp_path / "out", "--keep-going")
    assert "1 frame is missing, 1" in result.stderr
    assert sorted(snapshot(tmp_path / "out")) == ["a.png", "c.png"]
