"""Coded frames as a lossy preview: H.264 in .mp4 and .mov, VP9 in .webm."""

from __future__ import annotations

from typing import Any

import av
import numpy as np

from streamvq.frames import CodedFrame
from streamvq.media.sinks.encoded_video import EncodedVideoSink
from streamvq.media.sinks.request import SinkRequest

_BT709, _LIMITED_RANGE = 1, 1  # libav's AVCOL_SPC_BT709 and AVCOL_RANGE_MPEG
_VP9_OPTIONS = {"b": "0", "row-mt": "1", "deadline": "good", "cpu-used": "4"}
_H264_OPTIONS = {"x264-params": "mbtree=0"}  # with macroblock trees, x264 varies from run to run


class PreviewVideoSink(EncodedVideoSink):
    """H.264 (.mp4, .mov) or VP9 (.webm): small, plays everywhere, and not palette-exact."""

    exact = False
    _reorders = True

    def __init__(self, request: SinkRequest) -> None:
        self._codec = "libvpx-vp9" if request.target.format == "webm" else "libx264"
        super().__init__(request)
        exact = ".mkv keeps" if self._format == "webm" else ".mkv, or `codec=x264`, keeps"
        self.notes.append(f"{self.label}: a lossy preview, not palette-exact; {exact} the exact colors")

    def _open(self, frame: CodedFrame) -> Any:
        webm = self._format == "webm"
        options = {"crf": str(self._settings.crf)} | (_VP9_OPTIONS if webm else _H264_OPTIONS)
        stream: Any = self._output.add_stream(self._codec, rate=self._fps, options=options)
        stream.pix_fmt = self._pixel_format(frame)
        context = stream.codec_context
        context.colorspace, context.color_range = _BT709, _LIMITED_RANGE
        context.thread_type = "AUTO"
        if webm and self._aspect is not None:
            self.notes.append(f"{self.label}: .webm is written with square pixels; its input has {self._aspect}")
        return stream

    def _pixel_format(self, frame: CodedFrame) -> str:
        """H.264 halves chroma only of even sizes; odd ones keep it whole, or a line would be lost."""
        odd = frame.width % 2 or frame.height % 2
        return "yuv444p" if odd and self._format != "webm" else "yuv420p"

    def _picture(self, frame: CodedFrame) -> av.VideoFrame:
        rgb = np.ascontiguousarray(self._flattening.rgb(frame))
        return av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
            format=self._pixel_format(frame), dst_colorspace="ITU709", dst_color_range="MPEG"
        )
