"""Audio goes into the output untouched, or a note says that it does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import pytest
from pictures import READY, SAMPLES, smooth
from videos import audio_packets, with_audio_twice, write_video

COPIES = [
    ("aac", ".mkv"),
    ("aac", ".mp4"),
    ("aac", ".mov"),
    ("aac", ".avi"),
    ("libmp3lame", ".mkv"),
    ("libmp3lame", ".mp4"),
    ("libmp3lame", ".avi"),
    ("libopus", ".mkv"),
    ("libopus", ".webm"),
    ("libopus", ".mp4"),
    ("flac", ".mkv"),
    ("flac", ".mp4"),
    ("pcm_s16le", ".mkv"),
    ("pcm_s16le", ".mov"),
    ("pcm_s16le", ".avi"),
]


@pytest.mark.parametrize(("codec", "suffix"), COPIES, ids=["-".join(copy) for copy in COPIES])
def test_packets_are_the_same_bytes(codec: str, suffix: str, tmp_path: Path, good: Callable) -> None:
    source = write_video(tmp_path / "in.mkv", [smooth(shift=i) for i in range(20)], audio=codec)
    result = good("compress", source, *READY, "-o", tmp_path / f"out{suffix}")
    assert "left out" not in result.stderr
    packets = audio_packets(source)
    assert len(packets) > 1
    assert audio_packets(tmp_path / f"out{suffix}") == packets


def test_the_sample_clip_keeps_its_sound(tmp_path: Path, good: Callable) -> None:
    good("compress", SAMPLES / "clip.mp4", *READY, "-o", tmp_path / "out.mp4")
    assert audio_packets(tmp_path / "out.mp4") == audio_packets(SAMPLES / "clip.mp4")


def test_sound_stays_in_time(tmp_path: Path, good: Callable) -> None:
    source = write_video(tmp_path / "in.mkv", [smooth(shift=i) for i in range(20)], audio="aac")
    for suffix in (".mkv", ".mp4"):
        out = tmp_path / f"out{suffix}"
        good("compress", source, *READY, "-o", out, "--overwrite")
        with av.open(str(source)) as one, av.open(str(out)) as other:
            starts = [[float(p.pts * p.time_base) for p in c.demux(audio=0) if p.size] for c in (one, other)]
        assert starts[1][1:] == pytest.approx(starts[0][1:], abs=0.0015)  # the first one only primes the decoder


def test_several_streams(tmp_path: Path, good: Callable) -> None:
    """Two audio streams, made by muxing one clip's sound twice."""
    one = write_video(tmp_path / "one.mkv", [smooth(shift=i) for i in range(20)], audio="aac")
    both = with_audio_twice(one, tmp_path / "both.mkv")
    good("compress", both, *READY, "-o", tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert len(container.streams.audio) == 2


def test_webm_says_that_aac_is_left_out(tmp_path: Path, good: Callable) -> None:
    source = write_video(tmp_path / "in.mkv", [smooth(shift=i) for i in range(20)], audio="aac")
    result = good("compress", source, *READY, "-o", tmp_path / "out.webm")
    (line,) = [line for line in result.stderr.splitlines() if "cannot hold aac" in line]
    assert "left out" in line
    with av.open(str(tmp_path / "out.webm")) as container:
        assert not container.streams.audio


@pytest.mark.parametrize("out", ["frames", "-"])
def test_what_holds_no_sound_says_so(out: str, tmp_path: Path, good: Callable) -> None:
    source = write_video(tmp_path / "in.mkv", [smooth(shift=i) for i in range(5)], audio="aac")
    target = "-" if out == "-" else tmp_path / out
    result = good("compress", source, "-k", 8, "-o", target, "--save-codebook", tmp_path / "book.npz")
    assert any("audio" in line for line in result.stderr.splitlines())
