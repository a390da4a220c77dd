"""What exact and preview videos share: the container, its clock, and the copied audio."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error

from streamvq.errors import OutputError
from streamvq.frames import CodedFrame
from streamvq.media.libav import url, writing
from streamvq.media.made_with import made_with, video_text
from streamvq.media.sinks.request import SinkRequest
from streamvq.media.sinks.sink import FrameSink
from streamvq.media.video_contents import chapter_records
from streamvq.media.writing.audio import AudioCopy
from streamvq.staging import staged_file

_CONTAINERS = {"mkv": "matroska", "avi": "avi", "mp4": "mp4", "mov": "mov", "webm": "webm"}
_ROUNDING_SECONDS = Fraction(1, 1000)  # time stamps that a container moves by more are worth a note
_MAX_SECONDS = 10**11  # 3,000 years; clocks that count from 1970 are far below


class VideoSink(FrameSink):
    """A video file of one stream of pictures and the audio of `audio_from`, with title and chapters.

    Subclasses add the video stream at the first frame (`_add_stream`), and in `_write` call `_start` and `_ticks` for
    each frame, and give their packets to `_mux`; in `_write_held`, those that they still hold.
    """

    holds_audio = True

    def __init__(self, request: SinkRequest) -> None:
        target, decoder, info, settings, _ = request
        super().__init__(str(target.path))
        self._format = target.format
        self._decoder = decoder
        self._settings = settings
        self._fps = info.fps or settings.frame_rate
        # AVI counts frames; the others keep the source's own clock, as finely as they can.
        self._tick = 1 / self._fps if target.format == "avi" else info.time_base or 1 / self._fps
        self._aspect = info.pixel_aspect
        self.holds_chapters = target.format != "avi"
        self._audio_from = request.audio_from
        self._audio: AudioCopy | None = None
        self._size: tuple[int, int] | None = None  # width and height of the first frame
        self._last_tick: int | None = None
        self._rounded = Fraction(0)  # seconds: the largest change of a time stamp
        with self._undone_on_error():
            self._part: Path = self._stack.enter_context(staged_file(target.path, settings.overwrite))
            self._output: Any = av.open(
                url(self._part),
                "w",
                format=_CONTAINERS[target.format],
                # or the file holds random ids; or audio that starts early shifts the pictures
                options={"fflags": "+bitexact", "avoid_negative_ts": "disabled"},
            )
            self._stack.callback(self._abandon)
            self._output.metadata.update(video_text(target.format, made_with(decoder, settings)))
            if info.title:
                self._output.metadata["title"] = info.title
            if info.chapters and self.holds_chapters:
                self._output.set_chapters(chapter_records(info.chapters))

    @abstractmethod
    def _add_stream(self, frame: CodedFrame) -> None:
        """Add the video stream to the container, for frames of this first one's size and pixel format."""

    def write(self, packet: Any) -> None:
        with writing(self.label):
            self._write(packet)

    @abstractmethod
    def _write(self, packet: Any) -> None:
        """What `write` does. Raises OutputError, or what PyAV raises."""

    def _write_held(self) -> None:
        """Write what the encoder holds back at the end."""

    def _start(self, frame: CodedFrame) -> None:
        """Set up the streams at the first frame. Raises OutputError for a later frame of another size."""
        if self._size is None:
            self._size = frame.width, frame.height
            self._add_stream(frame)
            if self._audio_from is not None:
                self._audio = AudioCopy(self._audio_from, self._output)
                self.notes += self._audio.left_out_notes(self.label, self._format)
        self.check_size(frame, *self._size)

    def _ticks(self, frame: CodedFrame) -> int:
        """The frame's time on the container's clock, greater than the previous frame's."""
        time = frame.time if frame.time is not None else frame.index / self._fps
        if abs(time) > _MAX_SECONDS:
            raise OutputError(
                f"{self.label}: {frame.meta.label} is shown at {float(time):.3g} s, and no video is that long; "
                "write a folder of images instead"
            )
        tick = round(time / self._tick)
        if self._last_tick is not None and tick <= self._last_tick:
            tick = self._last_tick + 1
        self._rounded = max(self._rounded, abs(tick * self._tick - time))
        self._last_tick = tick
        return tick

    def _mux(self, packet: av.Packet[Any]) -> None:
        """Write a packet of the video stream, and before it the audio that plays earlier."""
        if self._audio is not None and packet.dts is not None:
            self._audio.copy_until(packet.dts * Fraction(packet.time_base))
        self._output.mux(packet)

    def _write_rest(self) -> None:
        if self._size is None:
            raise OutputError(f"{self.label}: no frame was written")
        with writing(self.label):
            self._write_held()
            if self._audio is not None:
                self._audio.copy_until(None)
            self._close()
        self.size_bytes = self._part.stat().st_size
        if self._rounded > _ROUNDING_SECONDS:
            self.notes.append(
                f"{self.label}: .{self._format} has a constant frame rate, so time stamps moved by up to "
                f"{float(self._rounded) * 1000:.0f} ms; .mkv and .mp4 keep them"
            )

    def _abandon(self) -> None:
        """Close what may be unfinished; of an output that failed, libav may refuse the end too."""
        with suppress(av.error.FFmpegError):
            self._close()

    def _close(self) -> None:
        if self._audio is not None:
            self._audio.close()
        self._output.close()
