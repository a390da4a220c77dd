"""YUV4MPEG2, the format of frame pipes, on standard output."""

from __future__ import annotations

import sys
from fractions import Fraction

import av

from streamvq.color_names import Color
from streamvq.frames import CodedFrame, StreamInfo
from streamvq.media.sinks.sink import FrameSink
from streamvq.media.writing.flattening import Flattening
from streamvq.media.writing.stdout import check_no_terminal, writing_stdout
from streamvq.quantize.decoder import FrameDecoder

_FRAME_HEADER = b"FRAME\n"

Packet = tuple[CodedFrame, bytes]  # the frame, and its planes Y, Cb and Cr, each [height, width]


class Y4MSink(FrameSink):
    """y4m 4:4:4 on standard output, limited-range BT.601. YUV rounds colors, so this is not palette-exact."""

    exact = False

    def __init__(self, decoder: FrameDecoder, info: StreamInfo, fps: Fraction, background: Color = (0, 0, 0)) -> None:
        super().__init__("-")
        check_no_terminal("| ffplay -")
        self._flattening = Flattening(decoder, background, "-", "y4m")
        self._rate = info.fps or fps
        self._aspect = info.pixel_aspect or Fraction(1)
        self._size: tuple[int, int] | None = None  # width and height of the first frame
        self._start: Fraction | None = None  # time of the first frame
        self._written = 0
        self._varies = False
        self.notes.append("-: y4m holds YUV, so colors are rounded: not palette-exact")

    def encode(self, frame: CodedFrame) -> Packet:
        picture = av.VideoFrame.from_ndarray(self._flattening.rgb(frame), format="rgb24").reformat(
            format="yuv444p", dst_color_range="MPEG", dst_colorspace="ITU601"
        )
        return frame, picture.to_ndarray().tobytes()

    def write(self, packet: Packet) -> None:
        frame, planes = packet
        out = sys.stdout.buffer
        with writing_stdout():
            if self._size is None:
                self._size = frame.width, frame.height
                header = self._stream_header(*self._size)
                out.write(header)
                self.size_bytes += len(header)
            self.check_size(frame, *self._size)
            out.write(_FRAME_HEADER)
            out.write(planes)
            out.flush()  # whoever reads may show frames as they come
        self.size_bytes += len(_FRAME_HEADER) + len(planes)
        self._check_time(frame.time)
        self._written += 1
        self.notes += self._flattening.notes(frame)

    def _stream_header(self, width: int, height: int) -> bytes:
        rate = f"F{self._rate.numerator}:{self._rate.denominator}"
        aspect = f"A{self._aspect.numerator}:{self._aspect.denominator}"
        return f"YUV4MPEG2 W{width} H{height} {rate} Ip {aspect} C444 XCOLORRANGE=LIMITED\n".encode()

    def _check_time(self, time: Fraction | None) -> None:
        """Notice a frame whose time is half a frame or more off the constant rate."""
        if time is not None:
            self._start = time if self._start is None else self._start
            self._varies |= abs(time - self._start - self._written / self._rate) > 1 / (2 * self._rate)

    def _write_rest(self) -> None:
        if self._varies:
            self.notes.append(
                "-: y4m has a constant frame rate, and the input's varies: frames are kept, times are not"
            )
