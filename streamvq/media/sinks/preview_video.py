"""Coded frames as a lossy preview: H.264 in .mp4 and .mov, VP9 in .webm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType

from streamvq.errors import OutputError
from streamvq.frames import CodedFrame, StreamInfo
from streamvq.media.flattening import Flattening
from streamvq.media.sinks.video import VideoSink
from streamvq.media.targets import Target
from streamvq.options import WriteOptions
from streamvq.quantize.decoder import FrameDecoder

_BT709, _LIMITED_RANGE = 1, 1  # libav's AVCOL_SPC_BT709 and AVCOL_RANGE_MPEG
_VP9_OPTIONS = {"b": "0", "row-mt": "1", "deadline": "good", "cpu-used": "4"}
_H264_OPTIONS = {"x264-params": "mbtree=0"}  # with macroblock trees, x264 varies from run to run

Packet = tuple[CodedFrame, av.VideoFrame]  # the frame, and its picture in the pixel format of the stream


class PreviewVideoSink(VideoSink):
    """H.264 (.mp4, .mov) or VP9 (.webm): small, plays everywhere, and not palette-exact."""

    exact = False

    def __init__(
        self,
        target: Target,
        decoder: FrameDecoder,
        info: StreamInfo,
        settings: WriteOptions,
        audio_from: Path | None,
    ) -> None:
        self._codec = "libvpx-vp9" if target.format == "webm" else "libx264"
        if self._codec not in av.codecs_available:
            raise OutputError(f"{target.path}: this PyAV has no {self._codec} encoder; write .mkv instead")
        super().__init__(target, decoder, info, settings, audio_from)
        self._flattening = Flattening(decoder, settings.backdrop, self.label, f".{target.format}")
        self._held: av.VideoFrame | None = None  # the last one
        self._durations: dict[int, int] = {}  # in ticks, of frames that are in the encoder, by their times
        self.notes.append(f"{self.label}: a lossy preview, not palette-exact; .mkv keeps the exact colors")

    def _add_stream(self, frame: CodedFrame) -> None:
        webm = self._format == "webm"
        options = {"crf": str(self._settings.crf)} | (_VP9_OPTIONS if webm else _H264_OPTIONS)
        stream: Any = self._output.add_stream(self._codec, rate=self._fps, options=options)
        stream.width, stream.height = frame.width, frame.height
        stream.pix_fmt = self._pixel_format(frame)
        context = stream.codec_context
        context.time_base = stream.time_base = self._tick
        context.colorspace, context.color_range = _BT709, _LIMITED_RANGE
        context.thread_type = "AUTO"
        if self._aspect is not None:
            context.sample_aspect_ratio = self._aspect
            if webm:
                self.notes.append(f"{self.label}: .webm is written with square pixels; its input has {self._aspect}")
        self._stream = stream

    def _pixel_format(self, frame: CodedFrame) -> str:
        """H.264 halves chroma only of even sizes; odd ones keep it whole, or a line would be lost."""
        odd = frame.width % 2 or frame.height % 2
        return "yuv444p" if odd and self._format != "webm" else "yuv420p"

    def encode(self, frame: CodedFrame) -> Packet:
        rgb = np.ascontiguousarray(self._flattening.rgb(frame))
        picture = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
            format=self._pixel_format(frame), dst_colorspace="ITU709", dst_color_range="MPEG"
        )
        return frame, picture

    def _write(self, packet: Packet) -> None:
        frame, picture = packet
        self._start(frame)
        self.notes += self._flattening.notes(frame)
        picture.time_base = self._tick
        picture.pts = self._ticks(frame)
        if frame.duration:
            self._durations[picture.pts] = round(frame.duration / self._tick)
        if self._held is not None:
            self._mux_all(self._stream.encode(self._held))
        self._held = picture

    def _mux_all(self, packets: list[Any]) -> None:
        """Write packets with the durations of their frames, which encoders leave out."""
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts, packet.duration)
            self._mux(packet)

    def _write_held(self) -> None:
        if self._held is not None:
            if len(set(self._durations.values())) > 1:  # MP4 tells how long a frame is decoded: let it come last
                self._held.pict_type = PictureType.I
            self._mux_all(self._stream.encode(self._held))
        self._mux_all(self._stream.encode())
