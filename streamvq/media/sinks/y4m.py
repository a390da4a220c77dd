"""YUV4MPEG2, the format of frame pipes, on standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import av

from streamvq.errors import OutputError
from streamvq.frames import CodedFrame, StreamInfo
from streamvq.media.sinks.sink import FrameSink
from streamvq.quantize.decoder import FrameDecoder

_SIGNATURE = b"YUV4MPEG2 "


class Y4MSink(FrameSink):
    """y4m 4:4:4 on standard output. YUV rounds colors, so this is not palette-exact."""

    exact = False

    def __init__(self, decoder: FrameDecoder, info: StreamInfo, fps: Fraction) -> None:
        super().__init__("-")
        if sys.stdout.isatty():
            raise OutputError("-: standard output is a terminal; pipe it: streamvq ... -o - | ffplay -")
        self._decoder = decoder
        self._rate = info.fps or fps
        self._aspect = info.pixel_aspect or Fraction(1)
        self._size: tuple[int, int] | None = None
        self._start: Fraction | None = None  # of the first frame
        self._written = 0
        self._varies = self._had_alpha = False
        self.notes.append("-: y4m holds YUV, so colors are rounded: not palette-exact")

    def encode(self, frame: CodedFrame) -> tuple[CodedFrame, bytes]:
        rgb = self._decoder.rgb(frame)
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

    def _write_rest(self) -> None:
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
