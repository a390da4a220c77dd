"""Audio inside `.svq` files: the same packets at the same times as without the detour."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest
from containers import assert_same, offsets, pieces, read_all, saved
from pictures import READY, SAMPLES, codebook, smooth
from sink_cases import group_sizes
from videos import (
    FPS,
    audio_packets,
    frame_times,
    read_video,
    timed_audio_packets,
    with_audio_twice,
    write_smooth_video,
    write_video,
)

import streamvq

AUDIO = [
    ("aac", ".mkv"),
    ("aac", ".mp4"),
    ("libmp3lame", ".mkv"),
    ("libopus", ".mkv"),
    ("flac", ".mkv"),
    ("pcm_s16le", ".mov"),
    ("ac3", ".mkv"),
]


@pytest.mark.parametrize(("codec", "suffix"), AUDIO, ids=["-".join(pair) for pair in AUDIO])
def test_audio_is_as_if_it_had_gone_straight(
    codec: str, suffix: str, small_groups: None, tmp_path: Path, good: Callable
) -> None:
    """Same packets at the same times; same pictures at the same times."""
    pictures = [smooth(48, 64, shift) for shift in range(20)]
    source = write_video(tmp_path / f"in{suffix}", pictures, audio=codec)
    codebook(8).save(tmp_path / "book.npz")
    book = ("-c", tmp_path / "book.npz", "-q")
    for out in (".mkv", ".mov") if codec == "aac" else (".mkv",):
        good("compress", source, *book, "-o", tmp_path / f"straight{out}")
        good("compress", source, *book, "-o", tmp_path / "way.svq", "-f")
        good("decompress", tmp_path / "way.svq", "-o", tmp_path / f"round{out}")
        straight, round_ = tmp_path / f"straight{out}", tmp_path / f"round{out}"
        assert len(group_sizes(tmp_path / "way.svq")) == 5
        ours, theirs = timed_audio_packets(round_), timed_audio_packets(straight)
        if codec == "libopus":  # NUT does not keep the codec delay, so Matroska rounds the first time otherwise
            assert abs(ours[0][2] - theirs[0][2]) <= Fraction(1, 1000)
            assert ours.pop(0)[1] == theirs.pop(0)[1]
        assert ours == theirs
        assert len(theirs) > 1
        assert frame_times(round_) == frame_times(straight) == [index / FPS for index in range(20)]
        for one, other in zip(read_video(round_), read_video(straight), strict=True):
            assert (one == other).all()


def test_the_sample_clip(tmp_path: Path, good: Callable) -> None:
    """Of blocks, a part of it; as the command line does it."""
    source = tmp_path / "clip.mp4"
    with av.open(str(SAMPLES / "clip.mp4")) as old, av.open(str(source), "w") as new:
        streams = {stream.index: new.add_stream_from_template(stream) for stream in old.streams}
        for packet in old.demux():
            if packet.dts is not None and packet.dts * packet.time_base < 0.15:
                packet.stream = streams[packet.stream.index]
                new.mux(packet)
    good("compress", source, "--block", "8x4", "-k", 64, "-q")
    good("compress", source, "-c", tmp_path / "clip.codebook.npz", "-q", "-o", tmp_path / "straight.mkv")
    good("decompress", tmp_path / "clip.svq", "-o", tmp_path / "round.mkv")
    assert timed_audio_packets(tmp_path / "round.mkv") == timed_audio_packets(tmp_path / "straight.mkv")
    assert frame_times(tmp_path / "round.mkv") == frame_times(tmp_path / "straight.mkv")
    for one, other in zip(read_video(tmp_path / "round.mkv"), read_video(tmp_path / "straight.mkv"), strict=True):
        assert (one == other).all()


def test_audio_lies_between_the_groups(small_groups: None, tmp_path: Path, good: Callable) -> None:
    """So that a file that is cut has the sound of the frames that are left, and a pipe need not hold it all."""
    source = write_smooth_video(tmp_path, audio="aac")
    good("compress", source, *READY, "-o", tmp_path / "x.svq")
    data = (tmp_path / "x.svq").read_bytes()
    kinds = [kind for kind, _ in pieces(data)]
    assert kinds.count(b"AUDI") >= 4
    assert kinds.index(b"AUDI") < kinds.index(b"GRUP")
    cut = [end for kind, _, end in offsets(data) if kind == b"GRUP"][2]
    saved(tmp_path / "cut.svq", data[:cut])
    streamvq.decompress(tmp_path / "cut.svq", tmp_path / "cut.mkv")
    assert len(read_video(tmp_path / "cut.mkv")) == 12
    whole = audio_packets(source)
    left = audio_packets(tmp_path / "cut.mkv")
    assert left == whole[: len(left)]
    assert len(left) >= 12 / 20 * len(whole) - 3


def test_a_clip_again_and_again(small_groups: None, tmp_path: Path, good: Callable) -> None:
    """.svq to .svq, by decompress and by compress: the same frames and the same sound."""
    source = write_smooth_video(tmp_path, audio="libmp3lame")
    good("compress", source, *READY, "-o", tmp_path / "1.svq")
    good("decompress", tmp_path / "1.svq", "-o", tmp_path / "2.svq")
    good("compress", tmp_path / "1.svq", "-c", tmp_path / "1.svq", "-o", tmp_path / "3.svq")
    first = read_all((tmp_path / "1.svq").read_bytes())[0]
    good("decompress", tmp_path / "1.svq", "-o", tmp_path / "1.mkv")
    for name in ("2", "3"):
        assert_same(read_all((tmp_path / f"{name}.svq").read_bytes())[0], first)
        good("decompress", tmp_path / f"{name}.svq", "-o", tmp_path / f"{name}.mkv")
        assert timed_audio_packets(tmp_path / f"{name}.mkv") == timed_audio_packets(tmp_path / "1.mkv")


def test_audio_that_cannot_be_held_is_said(tmp_path: Path, good: Callable) -> None:
    source = write_video(tmp_path / "in.mov", [smooth(shift=shift) for shift in range(10)], audio="alac")
    result = good("compress", source, *READY, "-o", tmp_path / "x.svq")
    assert "alac" in result.stderr
    assert "left out" in result.stderr
    good("decompress", tmp_path / "x.svq", "-o", tmp_path / "out.mkv")
    assert len(read_video(tmp_path / "out.mkv")) == 10


def test_several_sounds(tmp_path: Path, good: Callable) -> None:
    both = with_audio_twice(write_smooth_video(tmp_path, audio="aac"), tmp_path / "both.mkv")
    good("compress", both, *READY, "-o", tmp_path / "straight.mkv")
    good("compress", both, *READY, "-o", tmp_path / "x.svq")
    good("decompress", tmp_path / "x.svq", "-o", tmp_path / "out.mkv")
    found, expected = timed_audio_packets(tmp_path / "out.mkv"), timed_audio_packets(tmp_path / "straight.mkv")
    assert {stream for stream, *_ in expected} == {1, 2}
    for stream in (1, 2):
        assert [p for p in found if p[0] == stream] == [p for p in expected if p[0] == stream]
