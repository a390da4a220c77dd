"""YUV4MPEG2, the format of frame pipes: read through PyAV, written here."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import IO

import av

from streamvq.container.chunks import SIGNATURE
from streamvq.errors import MediaDamaged, MediaError, OutputError
from streamvq.frames import CodedFrame, StreamInfo
from streamvq.media.inputs import MediaInput
from streamvq.media.sinks import FrameSink
from streamvq.media.video_source import Item, VideoSource
from streamvq.quantize.coders import Coder

_SIGNATURE = b"YUV4MPEG2 "
_HEADER_MOST = 1024  # bytes up to the end of the first frame's header


class Y4MSource(VideoSource):
    """y4m from standard input or a file: 4:2:0, 4:2:2, 4:4:4 or mono, 8 bits or more."""

    def __init__(self, source: MediaInput, keep_going: bool = False) -> None:
        if source.kind == "pipe":
            stream: IO[bytes] = sys.stdin.buffer
            if stream.isatty():
                raise MediaError(
                    "-: standard input is a terminal; pipe into it: ffmpeg -i IN -f yuv4mpegpipe - | ..."
                )
            hint = "pipe y4m into it: ffmpeg -i IN -f yuv4mpegpipe - | ..."
        else:
            stream = source.paths[0].open("rb")
            hint = "is it whole?"
        self._pipe = _Counted(stream)
        try:
            super().__init__(self._pipe, source.label, keep_going, "yuv4mpegpipe")  # type: ignore[arg-type]
        except MediaError as error:
            self._pipe.close()
            self._pipe.check()
            if self._pipe.is_svq:
                hint = "it is .svq: streamvq decompress - -o - | ..."
            raise MediaError(f"{source.label}: not y4m; {hint}") from error

    def items(self) -> Iterator[Item]:
        try:
            yield from super().items()
        finally:
            self._pipe.check()

    def _check_whole(self, packets: int, last_end: Fraction) -> None:
        """Raise if the stream ended inside a frame."""
        width, height = self._stream.codec_context.width, self._stream.codec_context.height
        parts = av.VideoFormat(self._stream.codec_context.pix_fmt or "yuv420p", width, height).components
        picture = sum(part.width * part.height * (2 if part.bits > 8 else 1) for part in parts)
        left_over = self._pipe.after_header() - packets * (len(b"FRAME\n") + picture)
        if left_over > 0 and self._pipe.plain_frames:
            raise MediaDamaged("the stream ends inside this frame")

    def close(self) -> None:
        super().close()
        self._pipe.close()


class _Counted:
    """A file that counts its bytes and keeps its beginning.

    PyAV prints and forgets what `read` raises (Ctrl-C while it waits, say): it is kept, and `check` raises it.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._start = b""
        self._count = 0
        self._failure: BaseException | None = None

    def read(self, size: int) -> bytes:
        try:
            data = self._stream.read(size)
        except BaseException as error:  # noqa: BLE001  kept for check()
            self._failure = error
            return b""
        if len(self._start) < _HEADER_MOST:
            self._start += data[:_HEADER_MOST]
        self._count += len(data)
        return data

    def check(self) -> None:
        """Raise what reading raised, if it did."""
        if self._failure is not None:
            raise self._failure

    def after_header(self) -> int:
        return self._count - self._start.find(b"\n") - 1

    @property
    def plain_frames(self) -> bool:
        """Whether frame headers carry no parameters, judged by the first."""
        return b"\nFRAME\n" in self._start

    @property
    def is_svq(self) -> bool:
        """Whether it begins like a file of streamvq's own format."""
        return self._start.startswith(SIGNATURE)

    def close(self) -> None:
        if self._stream is not sys.stdin.buffer:
            self._stream.close()


class Y4MSink(FrameSink):
    """y4m 4:4:4 on standard output. YUV rounds colors, so this is not palette-exact."""

    exact = False

    def __init__(self, coder: Coder, info: StreamInfo, fps: Fraction) -> None:
        super().__init__("-")
        if sys.stdout.isatty():
            raise OutputError("-: standard output is a terminal; pipe it: streamvq ... -o - | ffplay -")
        self._coder = coder
        self._rate = info.fps or fps
        self._aspect = info.pixel_aspect or Fraction(1)
        self._size: tuple[int, int] | None = None
        self._start: Fraction | None = None  # of the first frame
        self._written = 0
        self._varies = self._had_alpha = False
        self.notes.append("-: y4m holds YUV, so colors are rounded: not palette-exact")

    def encode(self, frame: CodedFrame) -> tuple[CodedFrame, bytes]:
        rgb = self._coder.rgb(frame)
        picture = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
            format="yuv444p", dst_color_range="MPEG", dst_colorspace="ITU601"
        )
        return frame, picture.to_ndarray().tobytes()

    def write(self, packet: tuple[CodedFrame, bytes]) -> None:
        frame, planes = packet
        self._start = self._start if self._start is not None else frame.time
        if frame.time is not None and self._start is not None:
            late = abs(frame.time - self._start - self._written / self._rate)
            self._varies |= late > 1 / (2 * self._rate)
        self._written += 1
        out = sys.stdout.buffer
        with writing_stdout():
            if self._size is None:
                self._size = size = (frame.width, frame.height)
                rate = f"{self._rate.numerator}:{self._rate.denominator}"
                aspect = f"{self._aspect.numerator}:{self._aspect.denominator}"
                out.write(
                    _SIGNATURE + f"W{size[0]} H{size[1]} F{rate} Ip A{aspect} C444 XCOLORRANGE=LIMITED\n".encode()
                )
            self.check_size(frame, self._size)
            out.write(b"FRAME\n")
            out.write(planes)
            self.size_bytes += 6 + len(planes)
        if frame.alpha is not None and not self._had_alpha:
            self._had_alpha = True
            self.notes.append("-: y4m has no transparency here, which is lost")

    def finish(self) -> None:
        if self._varies:
            self.notes.append(
                "-: y4m has a constant frame rate, and the input's varies: frames are kept, times are not"
            )
        with writing_stdout():
            sys.stdout.buffer.flush()


@contextmanager
def writing_stdout() -> Iterator[None]:
    """What keeps standard output from being written, as OutputError."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        # Point standard output at nothing, or Python complains again when it flushes at exit.
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)
        closed = "the reader closed the pipe before the last frame"
        raise OutputError(f"-: {closed if isinstance(error, BrokenPipeError) else error.strerror}") from error
