"""Rates, times and sounds that libav's writers and readers refuse: an error of ours, and nothing half-written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from containers import joined, pieces, svq_bytes, timed_frames, with_header
from pictures import codebook
from videos import write_smooth_video

import streamvq
from streamvq import OutputError, StreamVQError

LARGE, SMALL = f"{2**31 - 1}/1", f"1/{2**31 - 1}"
OUTPUTS = ["out.avi", "out.webm", "out.mov", "out.mp4", "out.mkv"]


def outcome(source: Path, output: Path) -> str:
    """What `decompress` says; anything but an error of ours fails the test."""
    try:
        streamvq.decompress(source, output)
    except StreamVQError as error:
        said = str(error)
    else:
        said = ""
    assert "\n" not in said
    assert {path.name for path in source.parent.iterdir()} == {source.name} | ({output.name} if not said else set())
    return said


@pytest.mark.parametrize("out", OUTPUTS)
@pytest.mark.parametrize("fps", ["25/1", LARGE, SMALL, f"{2**31 - 1}/{2**31 - 2}"])
@pytest.mark.parametrize("time_base", ["1/25", LARGE, SMALL])
def test_rates_and_clocks(out: str, fps: str, time_base: str, tmp_path: Path) -> None:
    book = codebook()
    data = svq_bytes(book, timed_frames(book, height=16, width=16))
    (tmp_path / "x.svq").write_bytes(with_header(data, fps=fps, time_base=time_base))
    outcome(tmp_path / "x.svq", tmp_path / out)


@pytest.mark.parametrize("out", OUTPUTS)
def test_a_time_beyond_all_videos(out: str, tmp_path: Path) -> None:
    book = codebook()
    data = svq_bytes(book, timed_frames(book, count=200, height=16, width=16), together=200)
    (tmp_path / "x.svq").write_bytes(with_header(data, time_base=LARGE))
    with pytest.raises(OutputError, match=r"frame 47 is shown at 1.01e\+11 s|cannot be written"):
        streamvq.decompress(tmp_path / "x.svq", tmp_path / out)


@pytest.mark.parametrize("out", ["out.mkv", "out.avi"])
def test_broken_sound(out: str, tmp_path: Path, good: Callable) -> None:
    """Chunks with right checksums, and any bytes in them."""
    source = write_smooth_video(tmp_path, 5, audio="libmp3lame")
    good("compress", source, "-k", 8, "-o", tmp_path / "whole.svq")
    parts = pieces((tmp_path / "whole.svq").read_bytes())
    folder = tmp_path / "broken"
    folder.mkdir()
    said = set()
    for change in (wrong_bytes, wrong_second_half, twice_the_beginning):
        for seed in range(4):
            broken = [(kind, change(data, seed) if kind == b"AUDI" else data) for kind, data in parts]
            (folder / "x.svq").write_bytes(joined(broken))
            said.add(outcome(folder / "x.svq", folder / out))
            (folder / out).unlink(missing_ok=True)
    assert any("its audio is damaged" in text for text in said)


def wrong_bytes(data: bytes, seed: int) -> bytes:
    random, changed = np.random.default_rng(seed), bytearray(data)
    for at in random.integers(0, min(len(data), 300), 4):
        changed[at] = random.integers(256)
    return bytes(changed)


def wrong_second_half(data: bytes, seed: int) -> bytes:
    half = len(data) // 2
    return data[:half] + np.random.default_rng(seed).bytes(len(data) - half)


def twice_the_beginning(data: bytes, seed: int) -> bytes:
    return 2 * data[: 300 + seed]
