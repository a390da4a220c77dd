"""Patterns of numbered images, as FFmpeg takes them: in the order of numbers, and gaps are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pictures import READY, flat, save
from videos import frame_times, read_video

from streamvq import InputMissing
from streamvq.media.inputs import find_inputs


def touch(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        save(flat((9, 9, 9), 2, 2), folder / name)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a%d.png", ["a7.png", "a9.png", "a10.png", "a1234.png", "a12345.png"]),
        ("a%04d.png", ["a0008.png", "a1234.png", "a12345.png"]),
        ("a%4d.png", ["a0008.png", "a1234.png", "a12345.png"]),
        ("%d.100%%.png", ["1.100%.png", "2.100%.png"]),
        ("é[1]%02d.png", ["é[1]00.png", "é[1]01.png"]),
    ],
)
def test_numbers_in_order(pattern: str, expected: list[str], tmp_path: Path) -> None:
    touch(tmp_path / "%d ü", "a10.png", "a9.png", "a7.png", "a0008.png", "a12345.png", "a1234.png", "b1.png", "a.png")
    touch(tmp_path / "%d ü", "a1x.png", "2.100%.png", "1.100%.png", "é[1]01.png", "é[1]00.png", "xa9.png")
    (found,) = find_inputs([tmp_path / "%d ü" / pattern])
    assert [path.name for path in found.paths] == expected


def test_gaps_are_told_in_a_line_and_the_rest_is_a_clip(tmp_path: Path, good: Callable) -> None:
    numbers = [17, 18, 21, 22, 24]
    for number in numbers:
        save(flat((number * 8, 0, 0), 8, 8), tmp_path / f"shot{number:03d}.png")
    colors = ",".join(f"#{number * 8:02x}0000" for number in numbers)
    result = good("compress", tmp_path / "shot%03d.png", "-c", colors, "--fps", 10, "-o", tmp_path / "a.mkv")
    (line,) = [line for line in result.stderr.splitlines() if "missing" in line]
    assert "shot%03d.png: of 17 to 24, 3 numbers are missing (19 to 20, 23)" in line
    assert [int(picture[0, 0, 0]) for picture in read_video(tmp_path / "a.mkv")] == [8 * number for number in numbers]
    assert [float(time) for time in frame_times(tmp_path / "a.mkv")] == [0, 0.1, 0.2, 0.3, 0.4]


def test_many_gaps_are_one_line_too(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{number}.png" for number in range(0, 20, 2)))
    (found,) = find_inputs([tmp_path / "%d.png"])
    (line,) = found.gaps
    assert "of 0 to 18, 9 numbers are missing (1, 3, 5, 7, 9 and 4 more gaps)" in line


def test_what_is_there_has_other_digits(tmp_path: Path) -> None:
    touch(tmp_path, "a01.png", "a02.png")
    with pytest.raises(InputMissing, match=r"a%d\.png: no file.*a02\.png is there: are its digits"):
        find_inputs([tmp_path / "a%d.png"])
    with pytest.raises(InputMissing, match=r"b%04d\.png: no file has such a name"):
        find_inputs([tmp_path / "no folder" / "b%04d.png"])


def test_a_name_that_exists_and_a_glob_come_first(tmp_path: Path, good: Callable) -> None:
    touch(tmp_path, "a%d.png", "a1.png", "100%day.png")
    assert find_inputs([tmp_path / "a%d.png"])[0].paths == (tmp_path / "a%d.png",)
    assert find_inputs([tmp_path / "100%d*.png"])[0].paths == (tmp_path / "100%day.png",)
    good("compress", tmp_path / "a%d.png", *READY, "-o", tmp_path / "b.png")
