"""Coded frames as video by one of libav's encoders, which take pictures and give packets later."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import av
from av.video.frame import PictureType

from streamvq.errors import OutputError
from streamvq.frames import CodedFrame
from streamvq.media.sinks.request import SinkRequest
from streamvq.media.sinks.video import VideoSink
from streamvq.media.writing.flattening import Flattening

Packet = tuple[CodedFrame, av.VideoFrame]  # the frame, and its picture in the pixel format of the stream


class EncodedVideoSink(VideoSink):
    """Pictures without alpha through the encoder `_codec`. Subclasses open it (`_open`) and make pictures for it.

    `_reorders` is true where the encoder may put pictures into another order.
    """

    _codec: str
    _reorders = False

    def __init__(self, request: SinkRequest) -> None:
        if self._codec not in av.codecs_available:
            raise OutputError(
                f"{request.target.path}: this PyAV has no {self._codec} encoder; write .mkv with FFV1 instead"
            )
        super().__init__(request)
        self._flattening = Flattening(self._decoder, self._settings.backdrop, self.label, request.target.named)
        self._held: av.VideoFrame | None = None  # the last one
        self._durations: dict[int, int] = {}  # in ticks, of frames that are in the encoder, by their times

    @abstractmethod
    def _open(self, frame: CodedFrame) -> Any:
        """A stream of the output for frames like `frame`: the pixel format and colors of its encoder are set."""

    @abstractmethod
    def _picture(self, frame: CodedFrame) -> av.VideoFrame:
        """The picture of a frame in the stream's pixel format, on any thread."""

    def _add_stream(self, frame: CodedFrame) -> None:
        stream = self._open(frame)
        stream.width, stream.height = frame.width, frame.height
        context = stream.codec_context
        context.time_base = stream.time_base = self._tick
        if self._aspect is not None:
            context.sample_aspect_ratio = self._aspect
        self._stream = stream

    def encode(self, frame: CodedFrame) -> Packet:
        return frame, self._picture(frame)

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
            if self._reorders and len(set(self._durations.values())) > 1:
                self._held.pict_type = PictureType.I  # MP4 tells how long a frame is decoded: let it come last
            self._mux_all(self._stream.encode(self._held))
        self._mux_all(self._stream.encode())
