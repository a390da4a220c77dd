"""`decompress --time`: the frames of some seconds, or the one that is shown at one; the rest is not read."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from pictures import READY, bands, load, save, snapshot
from videos import MILLISECOND, frame_times, read_video, write_video

import streamvq
from streamvq.container import group_size
from streamvq.container.groups import Group
from streamvq.container.reader import SvqReader

TIMES = [100, 140, 200, 300, 1000, 1010, 1020, 2000, 2500, 3000, 3100]  # milliseconds; counted from the first


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`in.svq` of 11 frames in groups of two, and the same `straight.mkv`."""
    folder = tmp_path_factory.mktemp("made")
    pictures = [bands(shift=shift) for shift in range(len(TIMES))]
    write_video(folder / "in.mkv", pictures, TIMES, MILLISECOND, durations=[100] * len(TIMES))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(group_size, "TARGET_PIXELS", 2 * 32 * 48)
        for name in ("in.svq", "straight.mkv"):
            streamvq.compress(folder / "in.mkv", folder / name, codebook=READY[1])
    return folder


@pytest.mark.parametrize(
    ("text", "part"),
    {
        "0.04:0.9": range(1, 4),
        ":0.91": range(5),
        "0.8:": range(4, 11),
        ":": range(11),
        "0.041:0.11": range(2, 3),
        "2.9": range(9, 10),
        "0": range(1),
        "0.199": range(2, 3),
        "0.2": range(3, 4),
        "3.05": range(10, 11),
    }.items(),
)
def test_seconds_become_frames(text: str, part: range, made: Path, tmp_path: Path) -> None:
    streamvq.decompress(made / "in.svq", tmp_path / "out.mkv", time=text)
    straight = read_video(made / "straight.mkv")
    for actual, index in zip(read_video(tmp_path / "out.mkv"), part, strict=True):
        assert (actual == straight[index]).all()
    start = TIMES[part.start]
    assert frame_times(tmp_path / "out.mkv") == [Fraction(TIMES[index] - start, 1000) for index in part]


def test_a_thumbnail_and_a_pipe(made: Path, tmp_path: Path, good: Callable) -> None:
    good("decompress", made / "in.svq", "--time", 0.5, "-o", tmp_path / "a.png")
    good("decompress", "-", "--time", 0.5, "-o", tmp_path / "b.png", stdin=(made / "in.svq").read_bytes())
    assert (load(tmp_path / "a.png") == read_video(made / "straight.mkv")[3]).all()
    assert (load(tmp_path / "b.png") == load(tmp_path / "a.png")).all()


def test_one_group_is_decoded_and_few_are_read(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded, read = [], []
    decode, group_at = SvqReader.decode, SvqReader.group_at

    def counted(reader: SvqReader, group: Group) -> object:
        decoded.append(group.first)
        return decode(reader, group)

    def looked_at(reader: SvqReader, entry: object) -> Group:
        read.append(entry)
        return group_at(reader, entry)  # type: ignore[arg-type]

    monkeypatch.setattr(SvqReader, "decode", counted)
    monkeypatch.setattr(SvqReader, "group_at", looked_at)
    streamvq.decompress(made / "in.svq", tmp_path / "out.png", time="0.95")
    assert decoded == [6]
    assert len(read) <= 2 + 3 + 1 + 1  # both ends, three of six in between, that one again, and to decode it


def test_images_are_shown_for_a_time_by_fps(tmp_path: Path, good: Callable) -> None:
    for number in range(4):
        save(bands(shift=number), tmp_path / "in" / f"{number}.png")
    good("compress", tmp_path / "in", *READY, "-o", tmp_path / "a.svq")
    good("decompress", tmp_path / "a.svq", "--time", "0.2:0.3", "--fps", 10, "-o", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["2.png"]


@pytest.mark.parametrize(
    "text", ["3.1", "9", "5:6", "0.201:0.202", "2:1", "1:1", "x", "a:b", "", "-1", "1/0", "1:2:3"]
)
def test_what_is_no_time_of_it_is_told(text: str, made: Path, tmp_path: Path, refused: Callable) -> None:
    line = refused("decompress", made / "in.svq", f"--time={text}", "-o", tmp_path / "a.mkv", exit=2)
    assert f"--time {text}".strip() in line
    assert snapshot(tmp_path) == {}


def test_frames_and_time_contradict(made: Path, tmp_path: Path, refused: Callable) -> None:
    line = refused("decompress", made / "in.svq", "--time=1", "--frames=2", "-o", tmp_path / "a.mkv", exit=2)
    assert "contradict" in line
