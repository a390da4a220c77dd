"""Lossless H.264: exact in other decoders, small, the same bytes every time, and an input like any other."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest
from pictures import READY, bands, codebook, coded, noise, save, smooth, snapshot
from videos import MILLISECOND, frame_times, read_video, write_smooth_video, write_video

import streamvq
from streamvq import StreamInfo, UsageError, open_sink, open_source
from streamvq.options import WriteOptions

X264 = ("--codec", "x264")


@pytest.mark.parametrize("suffix", [".mkv", ".mov"])
def test_a_variable_frame_rate_and_the_last_duration_are_kept(suffix: str, tmp_path: Path, good: Callable) -> None:
    pictures, times = [smooth(33, 47, shift) for shift in range(4)], [0, 40, 100, 500]
    path = write_video(tmp_path / "in.mkv", pictures, times, MILLISECOND, durations=[40, 60, 400, 1234], audio="aac")
    result = tmp_path / f"out{suffix}"
    good("compress", path, *READY, "-o", result, *X264)
    good("compress", path, *READY, "-o", tmp_path / "ffv1.mkv")
    assert frame_times(result) == [Fraction(time, 1000) for time in times]
    with open_source(result) as source, open_source(tmp_path / "ffv1.mkv") as exact:
        assert source.info.audio_streams == 1
        frames = list(source)
        assert all((one.pixels == other.pixels).all() for one, other in zip(frames, exact, strict=True))
    assert frames[-1].duration == Fraction(1234, 1000)


def test_it_is_an_input_as_it_is(tmp_path: Path, good: Callable) -> None:
    """Compress, compare and info: what comes back is lossless, and its codec is named."""
    path = write_smooth_video(tmp_path, 4)
    good("compress", path, *READY, "-o", tmp_path / "a.mp4", *X264)
    streamvq.apply(tmp_path / "a.mp4", READY[1], tmp_path / "back.svq", strict=True)
    assert streamvq.compare(tmp_path / "back.svq", tmp_path / "a.mp4").psnr_db is None
    good("decompress", tmp_path / "back.svq", "-o", tmp_path / "b.mp4", *X264)
    for one, other in zip(read_video(tmp_path / "a.mp4"), read_video(tmp_path / "b.mp4"), strict=True):
        assert (one == other).all()
    assert json.loads(good("info", tmp_path / "a.mp4", "--json").stdout)["codec"] == "h264"


def test_the_same_bytes_for_any_number_of_jobs(tmp_path: Path) -> None:
    path = write_video(tmp_path / "in.mkv", [bands(96, 128, shift) for shift in range(12)])
    made = set()
    for jobs in (1, 3):
        streamvq.compress(path, tmp_path / "a.mkv", codebook=READY[1], codec="x264", jobs=jobs, overwrite=True)
        made.add((tmp_path / "a.mkv").read_bytes())
    assert len(made) == 1


def test_what_changes_little_takes_little(tmp_path: Path) -> None:
    """The reason to have it: FFV1 codes every frame anew."""
    pictures = [noise(64, 64) // 64 * 64] * 6
    path = write_video(tmp_path / "in.mkv", pictures)
    for codec in ("ffv1", "x264"):
        streamvq.compress(path, tmp_path / f"{codec}.mkv", codebook=READY[1], codec=codec)
    sizes = [(tmp_path / f"{codec}.mkv").stat().st_size for codec in ("x264", "ffv1")]
    assert sizes[0] < 0.5 * sizes[1]


def test_pixel_aspect_is_kept(tmp_path: Path) -> None:
    info = StreamInfo(48, 33, Fraction(25), pixel_aspect=Fraction(4, 3))
    with open_sink(tmp_path / "a.mkv", codebook(), info, WriteOptions(codec="x264")) as sink:
        sink.write(sink.encode(coded(codebook(), 33, 48, 0)))
    with av.open(str(tmp_path / "a.mkv")) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)


def test_transparency_is_flattened_and_told(tmp_path: Path, good: Callable, refused: Callable) -> None:
    path = save(noise(channels=4), tmp_path / "a.png")
    line = good("compress", path, *READY, "-o", tmp_path / "a.mkv", *X264).stderr
    assert "x264 has no transparency here: it is flattened on black" in line
    assert "drop it" in refused("compress", path, "-o", tmp_path / "b.mkv", *X264, "--alpha", "keep", exit=2)
    result = good("compress", path, "-k", 16, "--gray", "--background", "red", "-o", tmp_path / "c.mkv", *X264)
    assert "transparency" not in result.stderr


def test_skip_existing_knows_the_codec(tmp_path: Path, good: Callable, refused: Callable) -> None:
    path = write_smooth_video(tmp_path, 2)
    arguments = ("compress", path, *READY, "-o", tmp_path / "a.mkv", "--skip-existing")
    good(*arguments)
    assert "skipped" in good(*arguments, "--codec", "ffv1", "--json").stdout  # which is the default
    before = snapshot(tmp_path)
    assert "codec=x264" in refused(*arguments, *X264)
    assert snapshot(tmp_path) == before
    good(*arguments, *X264, "-f")
    assert "skipped" in good(*arguments, *X264, "--json").stdout


def test_codecs_that_an_output_does_not_hold(tmp_path: Path, good: Callable) -> None:
    path = write_smooth_video(tmp_path, 2)
    for name, codec, choice in (("a.mp4", "ffv1", ".mkv, .avi"), ("a.webm", "x264", ".mkv, .mp4, .mov")):
        with pytest.raises(UsageError, match=f"does not go into .*{choice}"):
            streamvq.compress(path, tmp_path / name, codec=codec)
    assert "--codec x264 changes nothing here" in good("compress", path, "-o", tmp_path / "a.gif", *X264).stderr
    result = good("compress", path, *READY, "-o", tmp_path / "a.mp4", *X264, "--crf", 60)
    assert "--crf 60 changes nothing here" in result.stderr
