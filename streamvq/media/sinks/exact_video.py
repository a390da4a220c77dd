"""Coded frames as FFV1 video: the exact colors, in .mkv or .avi."""

from __future__ import annotations

import av

from streamvq.errors import OutputError
from streamvq.frames import CodedFrame
from streamvq.media.sinks.request import SinkRequest
from streamvq.media.sinks.video import VideoSink

Packet = tuple[CodedFrame, bytes]  # the frame, and its FFV1 packet


class ExactVideoSink(VideoSink):
    """FFV1 in .mkv or .avi: every pixel has exactly its code's color, and alpha is kept."""

    def __init__(self, request: SinkRequest) -> None:
        from streamvq.media.ffv1.frames import FFV1Frames  # brings Numba, which the choice of a sink does without

        super().__init__(request)
        self._frames = FFV1Frames(self._decoder, self._aspect)
        self._pix_fmt: str | None = None  # of the first frame

    def _add_stream(self, frame: CodedFrame) -> None:
        self._pix_fmt = self._frames.pixel_format(frame)
        stream = self._frames.add_stream(self._output, frame, self._fps)
        stream.time_base = self._tick
        if self._aspect is not None:
            stream.codec_context.sample_aspect_ratio = self._aspect
        self._stream = stream

    def encode(self, frame: CodedFrame) -> Packet:
        return frame, self._frames.encode(frame)

    def _write(self, packet: Packet) -> None:
        frame, data = packet
        self._start(frame)
        if self._frames.pixel_format(frame) != self._pix_fmt:
            raise OutputError(
                f"{self.label}: some frames have transparency and some have none, and a video has one kind; "
                "write a folder of images instead"
            )
        coded = av.Packet(data)
        coded.stream = self._stream
        coded.time_base = self._tick
        coded.pts = coded.dts = self._ticks(frame)
        if frame.duration:
            coded.duration = round(frame.duration / self._tick)
        coded.is_keyframe = True
        self._mux(coded)
