"""Coded frames as lossless H.264: the exact colors, in .mkv, .mp4 or .mov."""

from __future__ import annotations

from typing import Any

import av
import numpy as np

from streamvq.frames import CodedFrame
from streamvq.media.sinks.encoded_video import EncodedVideoSink
from streamvq.media.sinks.request import SinkRequest

_FULL_RANGE = 2  # libav's AVCOL_RANGE_JPEG
_OPTIONS = {"qp": "0", "preset": "fast", "refs": "6", "bf": "0"}  # B-frames save nothing where nothing is lost
_THREADS = 4  # on every machine: x264's bytes depend on their number


class LosslessH264Sink(EncodedVideoSink):
    """x264 without quantization, in RGB or gray: every pixel has exactly its code's color.

    That is the profile High 4:4:4 Predictive, which FFmpeg, VLC and mpv play. Decoders in hardware do not, and
    Chromium takes the planes of RGB for those of YCbCr. H.264 has no alpha: frames are flattened.
    """

    def __init__(self, request: SinkRequest) -> None:
        self._gray = request.decoder.space == "gray" and len(set(request.settings.backdrop)) == 1
        self._codec = "libx264" if self._gray else "libx264rgb"
        super().__init__(request)

    def _open(self, frame: CodedFrame) -> Any:
        stream: Any = self._output.add_stream(self._codec, rate=self._fps, options=_OPTIONS)
        stream.pix_fmt = "gray" if self._gray else "rgb24"
        context = stream.codec_context
        context.color_range = _FULL_RANGE
        context.thread_type, context.thread_count = "FRAME", _THREADS
        return stream

    def _picture(self, frame: CodedFrame) -> av.VideoFrame:
        rgb = self._flattening.rgb(frame)
        pixels = np.ascontiguousarray(rgb[..., 0] if self._gray else rgb)
        return av.VideoFrame.from_ndarray(pixels, format="gray" if self._gray else "rgb24")
