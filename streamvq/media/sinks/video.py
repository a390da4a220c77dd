"""Coded frames as video: FFV1 with the exact colors, or a lossy preview."""

from __future__ import annotations

from abc import abstractmethod
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np

from streamvq.errors import OutputError
from streamvq.frames import CodedFrame, StreamInfo
from streamvq.media.audio import AudioCopy
from streamvq.media.ffv1.frames import FFV1Frames
from streamvq.media.libav import url, writing
from streamvq.media.sinks.sink import FrameSink
from streamvq.media.targets import Target
from streamvq.options import WriteOptions
from streamvq.quantize.decoder import FrameDecoder
from streamvq.staging import staged_file

_CONTAINERS = {"mkv": "matroska", "avi": "avi", "mp4": "mp4", "mov": "mov", "webm": "webm"}
_ROUNDING_SECONDS = Fraction(1, 1000)  # time stamps that a container moves by more are worth a remark


class VideoSink(FrameSink):
    """What exact and preview videos share: the container, its clock, and the copied audio."""

    holds_audio = True

    def __init__(
        self,
        target: Target,
        decoder: FrameDecoder,
        info: StreamInfo,
        settings: WriteOptions,
        audio_from: Path | None,
    ) -> None:
        super().__init__(str(target.path))
        self._format = target.format
        self._decoder = decoder
        self._settings = settings
        self._fps = info.fps or settings.frame_rate
        # AVI counts frames; the others keep the source's own clock, as finely as they can.
        self._tick = 1 / self._fps if target.format == "avi" else info.time_base or 1 / self._fps
        self._aspect = info.pixel_aspect
        self._audio_from = audio_from
        self._audio: AudioCopy | None = None
        self._size: tuple[int, int] | None = None
        self._last_tick: int | None = None
        self._rounded = Fraction(0)
        self._part: Path = self._stack.enter_context(staged_file(target.path, settings.overwrite))
        self._output: Any = av.open(
            url(self._part),
            "w",
            format=_CONTAINERS[target.format],
            # or the file holds random ids; or audio that starts early shifts the pictures
            options={"fflags": "+bitexact", "avoid_negative_ts": "disabled"},
        )
        self._stack.callback(self._close)

    @abstractmethod
    def _add_stream(self, frame: CodedFrame) -> None:
        """Add the video stream to the container, made for frames like this first one."""

    def _begin(self, frame: CodedFrame) -> None:
        """Set up the streams at the first frame, and see that later ones are like it."""
        size = (frame.width, frame.height)
        if self._size is None:
            self._size = size
            self._add_stream(frame)
            if self._audio_from is not None:
                self._audio = AudioCopy(self._audio_from, self._output)
                self.notes += self._audio.remarks(self.label, self._format)
        self.check_size(frame, self._size)

    def _ticks(self, frame: CodedFrame) -> int:
        """The frame's time on the container's clock, later than the frame before it."""
        time = frame.time if frame.time is not None else frame.index / self._fps
        tick = round(time / self._tick)
        if self._last_tick is not None and tick <= self._last_tick:
            tick = self._last_tick + 1
        self._rounded = max(self._rounded, abs(tick * self._tick - time))
        self._last_tick = tick
        return tick

    def _mux(self, packet: av.Packet) -> None:
        if self._audio is not None and packet.dts is not None:
            self._audio.up_to(packet.dts * Fraction(packet.time_base))  # type: ignore[arg-type]
        with writing(self.label):
            self._output.mux(packet)

    def _write_rest(self) -> None:
        if self._size is None:
            raise OutputError(f"{self.label}: no frame was written")
        with writing(self.label):
            if self._audio is not None:
                self._audio.up_to(None)
            self._close()
        self.size_bytes = self._part.stat().st_size
        if self._rounded > _ROUNDING_SECONDS:
            self.notes.append(
                f"{self.label}: .{self._format} has a constant frame rate, so time stamps moved by up to "
                f"{float(self._rounded) * 1000:.0f} ms; .mkv and .mp4 keep them"
            )

    def _close(self) -> None:
        if self._audio is not None:
            self._audio.close()
        self._output.close()


class ExactVideoSink(VideoSink):
    """FFV1 in .mkv or .avi: every pixel has exactly its code's color, and alpha is kept."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._frames = FFV1Frames(self._decoder, self._aspect)
        self._kind: str | None = None

    def _add_stream(self, frame: CodedFrame) -> None:
        self._kind = self._frames.pixel_format(frame)
        stream = self._frames.add_stream(self._output, frame, self._fps)
        stream.time_base = self._tick
        if self._aspect is not None:
            stream.codec_context.sample_aspect_ratio = self._aspect
        self._stream = stream

    def encode(self, frame: CodedFrame) -> tuple[CodedFrame, bytes]:
        return frame, self._frames.encode(frame)

    def write(self, packet: tuple[CodedFrame, bytes]) -> None:
        frame, data = packet
        self._begin(frame)
        if self._frames.pixel_format(frame) != self._kind:
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


class PreviewVideoSink(VideoSink):
    """H.264 (.mp4, .mov) or VP9 (.webm): small, plays everywhere, and not palette-exact."""

    exact = False

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.notes.append(f"{self.label}: a lossy preview, not palette-exact; .mkv keeps the exact colors")
        self._codec = "libvpx-vp9" if self._format == "webm" else "libx264"
        if self._codec not in av.codecs_available:
            raise OutputError(f"{self.label}: this PyAV has no {self._codec} encoder; write .mkv instead")

    def _add_stream(self, frame: CodedFrame) -> None:
        options = {"crf": str(self._settings.crf)}
        if self._format == "webm":
            options |= {"b": "0", "row-mt": "1", "deadline": "good", "cpu-used": "4"}
        else:
            options |= {"x264-params": "mbtree=0"}  # with macroblock trees, x264 varies from run to run
        stream: Any = self._output.add_stream(self._codec, rate=self._fps, options=options)
        stream.width, stream.height = frame.width, frame.height
        # H.264 halves chroma only of even sizes; odd ones keep it whole rather than lose a line
        stream.pix_fmt = self._pixel_format(frame)
        context = stream.codec_context
        context.time_base = stream.time_base = self._tick
        context.colorspace, context.color_range = 1, 1  # BT.709, limited
        context.thread_type = "AUTO"
        if self._aspect is not None:
            context.sample_aspect_ratio = self._aspect
        if self._aspect is not None and self._format == "webm":
            self.notes.append(f"{self.label}: .webm is written with square pixels; its input has {self._aspect}")
        if frame.alpha is not None:
            self.notes.append(f"{self.label}: .{self._format} has no transparency here; .mkv keeps it")
        self._stream = stream

    def _pixel_format(self, frame: CodedFrame) -> str:
        odd = frame.width % 2 or frame.height % 2
        return "yuv444p" if odd and self._format != "webm" else "yuv420p"

    def encode(self, frame: CodedFrame) -> tuple[CodedFrame, av.VideoFrame]:
        rgb = self._decoder.rgb(frame)
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(
            format=self._pixel_format(frame), dst_colorspace="ITU709", dst_color_range="MPEG"
        )
        return frame, picture

    def write(self, packet: tuple[CodedFrame, av.VideoFrame]) -> None:
        frame, picture = packet
        self._begin(frame)
        picture.time_base = self._tick
        picture.pts = self._ticks(frame)
        if frame.duration:
            picture.duration = round(frame.duration / self._tick)
        for coded in self._stream.encode(picture):
            self._mux(coded)

    def _write_rest(self) -> None:
        if self._size is not None:
            for coded in self._stream.encode():
                self._mux(coded)
        super()._write_rest()
