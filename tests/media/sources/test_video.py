"""Reading video: the stream's own colors, rotation, depth, times, and damage."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from pictures import SAMPLES, noise, smooth
from videos import MILLISECOND, frame_times, write_video

from streamvq import Frame, MediaDamaged, MediaError, open_source

BT601, BT709 = (0.299, 0.114, 5), (0.2126, 0.0722, 1)  # weights of red and blue, libav's number
LIMITED, FULL = 1, 2
COLORS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (200, 120, 40), (30, 90, 160)]


def frames_of(path: Path, **options: bool) -> list[Frame]:
    with open_source(path, **options) as source:
        return list(source)


def ycbcr(rgb: NDArray, weights: tuple[float, float, int], color_range: int) -> NDArray:
    """By the definitions in ITU-R BT.601 and BT.709, float64 for `write_video` to store as it is."""
    red, blue, _ = weights
    r, g, b = np.moveaxis(rgb / 255.0, -1, 0)
    y = red * r + (1 - red - blue) * g + blue * b
    cb, cr = (b - y) / (2 - 2 * blue), (r - y) / (2 - 2 * red)
    if color_range == LIMITED:
        planes = [16 + 219 * y, 128 + 224 * cb, 128 + 224 * cr]
    else:
        planes = [255 * y, 128 + 255 * cb, 128 + 255 * cr]
    return np.clip(np.rint(np.stack(planes, axis=-1)), 0, 255)


@pytest.mark.parametrize("weights", [BT601, BT709], ids=["BT.601", "BT.709"])
@pytest.mark.parametrize("color_range", [LIMITED, FULL], ids=["limited", "full"])
def test_the_stream_says_what_its_colors_mean(
    weights: tuple[float, float, int], color_range: int, tmp_path: Path, same_picture: Callable[..., None]
) -> None:
    rgb = np.repeat(np.array(COLORS, np.uint8)[None], 16, axis=0).repeat(8, axis=1)
    path = write_video(
        tmp_path / "a.mkv",
        [ycbcr(rgb, weights, color_range)],
        pixel_format="yuv444p",
        colorspace=weights[2],
        color_range=color_range,
    )
    (frame,) = frames_of(path)
    same_picture(frame.pixels, rgb, 3)


def test_without_tags_it_is_bt601_limited(tmp_path: Path, same_picture: Callable[..., None]) -> None:
    rgb = np.repeat(np.array(COLORS, np.uint8)[None], 16, axis=0).repeat(8, axis=1)
    path = write_video(tmp_path / "a.mkv", [ycbcr(rgb, BT601, LIMITED)], pixel_format="yuv444p")
    same_picture(frames_of(path)[0].pixels, rgb, 3)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotation_is_applied(degrees: int, tmp_path: Path, same_picture: Callable[..., None]) -> None:
    """Counterclockwise, as the ffmpeg program shows the same file."""
    picture = noise(20, 30)
    path = write_video(tmp_path / "a.mov", [picture], codec="png", pixel_format="rgb24", rotation=degrees)
    (frame,) = frames_of(path)
    same_picture(frame.pixels, np.rot90(picture, degrees // 90))


def test_rotation_of_mp4(tmp_path: Path, same_picture: Callable[..., None]) -> None:
    picture = np.zeros((32, 64, 3), np.uint8)
    picture[:16, :32] = 255  # top left
    (frame,) = frames_of(write_video(tmp_path / "a.mp4", [picture], rotation=90))
    assert frame.pixels.shape == (64, 32, 3)
    same_picture(frame.pixels[40:60, 3:13], np.full((20, 10, 3), 255, np.uint8), 8)  # bottom left


@pytest.mark.parametrize(("pix_fmt", "channels"), [("bgra", 4), ("gray", 1), ("bgr0", 3)])
def test_channels(pix_fmt: str, channels: int, tmp_path: Path, same_picture: Callable[..., None]) -> None:
    picture = noise(17, 33, channels)
    (frame,) = frames_of(write_video(tmp_path / "a.mkv", [picture], pixel_format=pix_fmt))
    same_picture(frame.pixels, picture)


@pytest.mark.parametrize(
    "pix_fmt", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv444p16le", "gray16le", "gray10le"]
)
def test_any_depth_and_subsampling(pix_fmt: str, tmp_path: Path, same_picture: Callable[..., None]) -> None:
    picture = np.repeat(smooth(32, 48)[..., :1], 3, axis=2)
    path = write_video(tmp_path / "a.mkv", [picture], pixel_format=pix_fmt, color_range=LIMITED)
    (frame,) = frames_of(path)
    same_picture(np.broadcast_to(frame.pixels, picture.shape), picture, 3)


TIMES = [0, 1, 33, 67, 500, 501, 1999, 2000, 7003]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov", ".webm"])
def test_variable_frame_rates_are_exact(suffix: str, tmp_path: Path) -> None:
    path = write_video(tmp_path / f"a{suffix}", [smooth(shift=i) for i in range(9)], TIMES, MILLISECOND)
    times = [frame.time for frame in frames_of(path)]
    assert times == [Fraction(t, 1000) for t in TIMES]
    assert times == frame_times(path)


def test_a_clock_of_thirds_is_exact(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [smooth(shift=i) for i in range(6)], tick=Fraction(1001, 30000))
    assert [frame.time for frame in frames_of(path)] == [index * Fraction(1001, 30000) for index in range(6)]


def test_frames_come_in_the_order_they_are_shown(tmp_path: Path) -> None:
    """B frames are stored out of order."""
    path = write_video(tmp_path / "a.mp4", [smooth(shift=i) for i in range(24)], bf="3", g="24")
    times = [frame.time for frame in frames_of(path)]
    assert times == sorted(times)
    assert len(times) == 24


def test_the_sample_clip(same_picture: Callable[..., None]) -> None:
    accurate = 0x2 | 0x40000 | 0x4000 | 0x2000  # SWS_BILINEAR, _ACCURATE_RND, _FULL_CHR_H_INP and _FULL_CHR_H_INT
    with av.open(str(SAMPLES / "clip.mp4")) as container:
        pictures = [picture for picture, _ in zip(container.decode(video=0), range(3), strict=False)]
    expected = [picture.to_ndarray(format="rgb24", interpolation=accurate) for picture in pictures]
    with open_source(SAMPLES / "clip.mp4") as source:
        assert (source.info.width, source.info.height, source.info.fps) == (480, 270, 25)
        assert source.info.audio_streams == 1
        assert source.info.frame_count == 100
        assert source.audio_from == SAMPLES / "clip.mp4"
        frames = list(source)
    assert [frame.index for frame in frames] == list(range(100))
    for frame, pixels in zip(frames, expected, strict=False):
        same_picture(frame.pixels, pixels, 2)


def test_audio_alone_is_no_video(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        output.mux(stream.encode(frame))
    with pytest.raises(MediaError, match=r"a\.mkv.*no video"):
        open_source(tmp_path / "a.mkv")


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".avi"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.8, 0.97])
def test_a_cut_is_noticed(suffix: str, share: float, tmp_path: Path) -> None:
    pictures = [noise(64, 64, seed=i) for i in range(75)]
    options = {"movflags": "faststart"} if suffix == ".mp4" else {}
    path = write_video(tmp_path / f"a{suffix}", pictures, container_options=options)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(MediaDamaged, match=rf"a\{suffix}.*`keep_going`"):
        frames_of(path)
    with open_source(path, keep_going=True) as source:
        kept = list(source)
    assert abs(len(kept) - 75 * share) < 12
    assert any(f"{len(kept)} frames" in note for note in source.notes)


def test_sound_that_outlasts_the_picture_is_no_damage(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", [smooth()] * 3, audio="aac")
    assert len(frames_of(path)) == 3


def test_a_short_clip_with_an_offset_is_no_damage(tmp_path: Path) -> None:
    ticks = [5000 + 40 * i for i in range(10)]
    path = write_video(tmp_path / "a.mkv", [smooth(shift=i) for i in range(10)], ticks, MILLISECOND)
    assert [frame.time for frame in frames_of(path)] == [Fraction(t, 1000) for t in ticks]
