"""Files cut off, in every container that can tell; and whole ones of several muxers, which are above suspicion."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest
from pictures import SAMPLES, noise
from videos import FPS, write_video

from streamvq import MediaDamaged, open_source
from streamvq.media.reading.truncation import truncation, truncation_of

FFMPEG = shutil.which("ffmpeg")
FRAMES = 60


class Pipe(io.RawIOBase):
    """What a muxer writes to as to a pipe: it cannot go back and fill in sizes."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: Any) -> int:
        self.data += bytes(data)
        return len(data)

    def writable(self) -> bool:
        return True


def muxed(format: str, codec: str, pix_fmt: str, pipe: bool = False, **options: str) -> bytes:
    """A whole file of 60 noisy frames."""
    out: Any = Pipe() if pipe else io.BytesIO()
    with av.open(out, "w", format=format, options=options) as output:
        stream: Any = output.add_stream(codec, rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 48, 32, pix_fmt
        for index in range(FRAMES):
            picture = av.VideoFrame.from_ndarray(noise(seed=index), format="rgb24").reformat(format=pix_fmt)
            picture.pts, picture.time_base = index, 1 / FPS
            output.mux(stream.encode(picture))
        output.mux(stream.encode())
        if pipe:
            output.close()
            return bytes(out.data)
    return bytes(out.getvalue())


def faststart() -> bytes:
    """The index moves to the front when all is written, which takes a real file."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_video(
            Path(folder) / "a.mp4",
            [noise(seed=index) for index in range(FRAMES)],
            codec="mpeg4",
            container_options={"movflags": "faststart"},
        )
        return path.read_bytes()


WHOLE: dict[str, Callable[[], bytes]] = {
    "mkv": lambda: muxed("matroska", "ffv1", "bgr0"),
    "mkv, live": lambda: muxed("matroska", "mjpeg", "yuvj420p", pipe=True),
    "webm": lambda: muxed("webm", "libvpx", "yuv420p"),
    "webm, live": lambda: muxed("webm", "libvpx", "yuv420p", pipe=True),
    "avi": lambda: muxed("avi", "mjpeg", "yuvj420p"),
    "avi, live": lambda: muxed("avi", "mjpeg", "yuvj420p", pipe=True),
    "mp4": lambda: muxed("mp4", "mpeg4", "yuv420p"),
    "mp4, index first": lambda: faststart(),
    "mp4, fragments": lambda: muxed("mp4", "mpeg4", "yuv420p", pipe=True, movflags="frag_keyframe+empty_moov"),
    "mov": lambda: muxed("mov", "mjpeg", "yuvj420p"),
    "ogg": lambda: muxed("ogg", "libvpx", "yuv420p"),
    "gif": lambda: muxed("gif", "gif", "rgb8"),
    "flv": lambda: muxed("flv", "flv", "yuv420p"),
    "wmv": lambda: muxed("asf", "wmv2", "yuv420p"),
    "ts": lambda: muxed("mpegts", "mpeg2video", "yuv420p"),
}


@pytest.fixture(scope="module")
def whole() -> dict[str, bytes]:
    return {name: make() for name, make in WHOLE.items()}


def frames_of(path: Path, **options: bool) -> int:
    with open_source(path, **options) as source:
        return sum(1 for _ in source.items())


@pytest.mark.parametrize("kind", WHOLE)
def test_whole_files_are_not_suspected(kind: str, whole: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / f"a.{kind.split(',')[0]}"
    path.write_bytes(whole[kind])
    assert truncation(path) is None
    assert frames_of(path) == FRAMES


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("share", [0.5, 0.8, 0.97])
def test_a_cut_is_noticed(kind: str, share: float, whole: dict[str, bytes], tmp_path: Path) -> None:
    """At any byte but the few between two packets, where what was written as a stream cannot tell."""
    path = tmp_path / f"a.{kind.split(',')[0]}"
    data = whole[kind]
    path.write_bytes(data[: int(len(data) * share) | 1])  # never between two packets of 188 bytes
    with pytest.raises(MediaDamaged if kind not in ("mp4", "mov") else Exception, match=path.name):
        frames_of(path)
    if kind not in ("mp4", "mov"):  # those have their index at the end: without it, nothing can be read
        assert 0 < frames_of(path, keep_going=True) <= FRAMES


INDEXED = [kind for kind in WHOLE if "live" not in kind and "fragments" not in kind]


@pytest.mark.parametrize(
    ("kind", "lost"),
    # whole .flv of other muxers lack the last 4 bytes
    [(kind, lost) for kind in INDEXED for lost in (1, 10, 100) if (kind, lost) != ("flv", 1)],
)
def test_the_last_bytes_count(kind: str, lost: int, whole: dict[str, bytes]) -> None:
    assert truncation_of(whole[kind][:-lost]) is not None


def test_a_fragment_without_its_data(whole: dict[str, bytes]) -> None:
    data = whole["mp4, fragments"]
    at = data.rindex(b"mdat") - 4
    assert "fragment" in (truncation_of(data[:at]) or "")


MATROSKA = bytes.fromhex("1A45DFA3") + b"\x90" + bytes(16) + bytes.fromhex("18538067")  # and the segment's size


@pytest.mark.parametrize(
    ("size_field", "declared"),
    [(b"\x85", 27), (b"\x40\x05", 28 + 5), (b"\x01\0\0\0\0\0\0\x05", 28 + 6 + 5)],
    ids=["1 byte", "2 bytes", "8 bytes"],
)
def test_sizes_of_matroska(size_field: bytes, declared: int) -> None:
    head = MATROSKA + size_field
    size = len(head) + 5
    assert truncation_of(head + bytes(5)) is None
    assert truncation_of(head + bytes(4)) == f"the file has {size - 1} of {size} bytes"


@pytest.mark.parametrize("content", [b"", b"RIFF", MATROSKA, b"ftypisom" * 20, b"GIF89a", bytes(4000)])
def test_other_content_tells_nothing_and_harms_nothing(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content)
    truncation(tmp_path / "a")


def test_the_sample_clip_is_whole() -> None:
    assert truncation(SAMPLES / "clip.mp4") is None


@pytest.mark.skipif(FFMPEG is None, reason="no ffmpeg program here, whose muxers and encoders are others than PyAV's")
@pytest.mark.parametrize(
    "name", ["a.ogv", "a.mkv", "a.webm", "a.avi", "a.mov", "a.ts", "a.mpg", "a.gif", "a.wmv", "a.flv"]
)
def test_whole_files_of_the_ffmpeg_program(name: str, tmp_path: Path) -> None:
    command = [FFMPEG, "-v", "error", "-f", "lavfi", "-i", "testsrc=size=64x48:duration=1", tmp_path / name]
    subprocess.run(command, check=True)
    assert truncation(tmp_path / name) is None
    assert frames_of(tmp_path / name) >= 24
