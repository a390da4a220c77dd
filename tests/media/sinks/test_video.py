"""Exact and preview videos: exact to the pixel in another decoder, and times kept."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from pictures import READY, codebook, coded, noise, smooth
from videos import MILLISECOND, frame_times, read_video, write_video

from streamvq import Codebook, OutputError, StreamInfo, open_sink, open_source
from streamvq.options import WriteOptions

FFMPEG = shutil.which("ffmpeg")


def write(path: Path, book: Codebook, count: int = 3, **about: object) -> list[np.ndarray]:
    frames = [coded(book, 33, 48, index) for index in range(count)]
    info = StreamInfo(48, 33, Fraction(25), **about)  # type: ignore[arg-type]
    with open_sink(path, book, info) as sink:
        for frame in frames:
            sink.write(sink.encode(frame))
    return [book.palette[frame.codes] for frame in frames]


@pytest.mark.skipif(FFMPEG is None, reason="no ffmpeg program here; PyAV compares below")
@pytest.mark.parametrize("suffix", [".mkv", ".avi"])
@pytest.mark.parametrize(("count", "space"), [(16, "rgb"), (2000, "rgb"), (256, "gray")])
def test_the_ffmpeg_program_sees_the_exact_colors(suffix: str, count: int, space: str, tmp_path: Path) -> None:
    book = codebook(count, space)
    expected = np.stack(write(tmp_path / f"a{suffix}", book))
    pix_fmt = "gray" if space == "gray" else "rgb24"
    command = [FFMPEG, "-v", "error", "-i", tmp_path / f"a{suffix}", "-f", "rawvideo", "-pix_fmt", pix_fmt, "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stderr == b""
    actual = np.frombuffer(done.stdout, np.uint8).reshape(3, 33, 48, -1)
    assert (actual == expected).all()


def test_the_same_video_through_pyav(tmp_path: Path, same_picture: Callable[..., None]) -> None:
    expected = write(tmp_path / "a.mkv", codebook(2000))
    for actual, pixels in zip(read_video(tmp_path / "a.mkv"), expected, strict=True):
        same_picture(actual, pixels)


def test_every_frame_is_a_key_frame(tmp_path: Path) -> None:
    write(tmp_path / "a.mkv", codebook())
    with av.open(str(tmp_path / "a.mkv")) as container:
        assert container.streams.video[0].codec_context.name == "ffv1"
        assert all(packet.is_keyframe for packet in container.demux(video=0) if packet.size)


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_pixel_aspect_is_kept(suffix: str, tmp_path: Path) -> None:
    write(tmp_path / f"a{suffix}", codebook(), pixel_aspect=Fraction(4, 3))
    with av.open(str(tmp_path / f"a{suffix}")) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)


@pytest.mark.skipif(FFMPEG is None, reason="no ffmpeg program here, and PyAV does not show a frame's aspect")
def test_pixel_aspect_is_in_the_pictures_of_ffv1(tmp_path: Path) -> None:
    """PyAV cannot set the aspect where the Matroska writer reads it, so FFV1's slice headers carry it."""
    write(tmp_path / "wide.mkv", codebook(), pixel_aspect=Fraction(4, 3))
    command = [FFMPEG, "-hide_banner", "-i", tmp_path / "wide.mkv", "-vf", "showinfo", "-f", "null", "-"]
    assert b" sar:4/3 " in subprocess.run(command, capture_output=True, check=True).stderr


def test_a_lost_pixel_aspect_is_said(tmp_path: Path) -> None:
    info = StreamInfo(48, 33, Fraction(25), pixel_aspect=Fraction(4, 3))
    with open_sink(tmp_path / "a.webm", codebook(), info) as sink:
        sink.write(sink.encode(coded(codebook(), 33, 48, 0)))
    assert any("square pixels" in note for note in sink.notes)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".webm"])
def test_previews_say_what_their_colors_mean(suffix: str, tmp_path: Path) -> None:
    write(tmp_path / f"a{suffix}", codebook())
    with av.open(str(tmp_path / f"a{suffix}")) as container:
        picture = next(container.decode(video=0))
    assert (int(picture.colorspace), int(picture.color_range)) == (1, 1)  # BT.709, limited


def test_a_smaller_crf_is_larger_and_better(tmp_path: Path) -> None:
    book, sizes = codebook(64), []
    for crf in (5, 30):
        path = tmp_path / f"{crf}.mp4"
        with open_sink(path, book, StreamInfo(), WriteOptions(crf=crf)) as sink:
            sink.write(sink.encode(coded(book, 64, 64)))
        sizes.append(path.stat().st_size)
    assert sizes[0] > sizes[1]


TIMES = [0, 1, 33, 67, 500, 501, 1999, 2000, 7003]


@pytest.mark.parametrize("source", [".mkv", ".mp4"])
@pytest.mark.parametrize("out", [".mkv", ".mp4", ".mov", ".webm"])
def test_a_variable_frame_rate_is_kept_exactly(source: str, out: str, tmp_path: Path, good: Callable) -> None:
    pictures = [smooth(shift=shift) for shift in range(len(TIMES))]
    path = write_video(tmp_path / f"in{source}", pictures, TIMES, MILLISECOND)
    good("compress", path, *READY, "-o", tmp_path / f"out{out}")
    assert frame_times(tmp_path / f"out{out}") == [Fraction(time, 1000) for time in TIMES]


@pytest.mark.parametrize("out", [".mkv", ".mp4", ".mov", ".webm"])
@pytest.mark.parametrize("by_svq", [False, True], ids=["straight", "through .svq"])
def test_the_last_duration_is_kept(by_svq: bool, out: str, tmp_path: Path, good: Callable) -> None:
    """That of a slide show, say, whose last picture stays."""
    path, result = tmp_path / "in.mkv", tmp_path / f"out{out}"
    pictures = [smooth(shift=shift) for shift in range(4)]
    write_video(path, pictures, [0, 40, 100, 500], MILLISECOND, durations=[40, 60, 400, 1234])
    if by_svq:
        good("compress", path, *READY, "-o", tmp_path / "way.svq")
        record = json.loads(good("info", tmp_path / "way.svq", "--json").stdout)
        assert record["seconds"] == 1.734
        good("decompress", tmp_path / "way.svq", "-o", result)
    else:
        good("compress", path, *READY, "-o", result)
    with open_source(result) as source:
        assert [frame.duration for frame in source][-1] == Fraction(1234, 1000)
    assert json.loads(good("info", path, "--json").stdout)["seconds"] == 1.734


def test_a_clock_of_thirds_is_kept_exactly_in_mp4(tmp_path: Path, good: Callable) -> None:
    tick = Fraction(1001, 30000)
    path = write_video(tmp_path / "in.mp4", [smooth(shift=i) for i in range(8)], tick=tick)
    good("compress", path, *READY, "-o", tmp_path / "out.mp4")
    assert frame_times(tmp_path / "out.mp4") == [index * tick for index in range(8)]


def test_avi_says_that_it_moved_times(tmp_path: Path, good: Callable) -> None:
    path = write_video(tmp_path / "in.mkv", [smooth(shift=i) for i in range(len(TIMES))], TIMES, MILLISECOND)
    result = good("compress", path, *READY, "-o", tmp_path / "out.avi")
    assert any("time stamps moved" in line for line in result.stderr.splitlines())
    assert len(read_video(tmp_path / "out.avi")) == len(TIMES)


def test_alpha_that_comes_and_goes_does_not_fit_a_video(tmp_path: Path) -> None:
    book = codebook()

    def mix() -> None:
        with open_sink(tmp_path / "a.mkv", book, StreamInfo()) as sink:
            for alpha in (None, noise(channels=1)[..., 0]):
                sink.write(sink.encode(coded(book, alpha=alpha)))

    with pytest.raises(OutputError, match="transparency"):
        mix()
    assert list(tmp_path.iterdir()) == []
