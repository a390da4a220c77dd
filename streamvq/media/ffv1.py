"""Coded frames as FFV1 (RFC 9043), each a key frame of its own, so that frames can be encoded in parallel."""

from __future__ import annotations

import threading
from fractions import Fraction
from typing import Any

import av
import numpy as np

from streamvq.frames import IndexFrame
from streamvq.quantize.codebook import Codebook

_OPTIONS = {"level": "3", "slices": "4", "slicecrc": "1", "coder": "0", "g": "1"}


class FFV1Frames:
    """Encodes the colors of coded frames exactly: gray, BGR, or BGRA where there is alpha."""

    def __init__(self, codebook: Codebook) -> None:
        self._gray = codebook.space == "gray"
        self._levels = codebook.codes[:, 0]
        bgra = np.full((len(codebook), 4), 255, np.uint8)
        bgra[:, :3] = codebook.palette[:, ::-1]
        self._bgra = bgra.view(np.uint32)[:, 0]  # one word a color: a lookup moves all channels at once
        self._thread = threading.local()

    def pixel_format(self, frame: IndexFrame) -> str:
        """libav's name of the kind of pixels that keeps the frame exactly."""
        if frame.alpha is not None:
            return "bgra"
        return "gray" if self._gray else "bgr0"

    def add_stream(self, output: Any, frame: IndexFrame, rate: Fraction) -> Any:
        """A stream of `output` for frames like `frame`."""
        stream = output.add_stream("ffv1", rate=rate, options=_OPTIONS)
        _set_up(stream.codec_context, frame, self.pixel_format(frame))
        return stream

    def encode(self, frame: IndexFrame) -> bytes:
        """The FFV1 packet of a frame."""
        kind = self.pixel_format(frame)
        key = (frame.width, frame.height, kind)
        if getattr(self._thread, "key", None) != key:
            context = av.CodecContext.create("ffv1", "w")
            context.options = _OPTIONS
            context.time_base = Fraction(1)
            _set_up(context, frame, kind)
            context.thread_count = 1  # frames are the parallel unit
            self._thread.key, self._thread.context, self._thread.count = key, context, 0
        picture = self._picture(frame, kind)
        picture.pts = self._thread.count
        self._thread.count += 1
        return b"".join(bytes(packet) for packet in self._thread.context.encode(picture))

    def _picture(self, frame: IndexFrame, kind: str) -> av.VideoFrame:
        if kind == "gray":
            return av.VideoFrame.from_ndarray(self._levels.take(frame.codes), format="gray")
        pixels = self._bgra.take(frame.codes).view(np.uint8).reshape(frame.height, frame.width, 4)
        if frame.alpha is not None:
            pixels[..., 3] = frame.alpha
        picture = av.VideoFrame(frame.width, frame.height, kind)
        plane = picture.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(frame.height, plane.line_size)
        rows[:, : 4 * frame.width] = pixels.reshape(frame.height, -1)
        return picture


def _set_up(context: Any, frame: IndexFrame, kind: str) -> None:
    context.width, context.height, context.pix_fmt = frame.width, frame.height, kind
