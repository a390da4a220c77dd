"""Audio copied packet by packet from one file into another, untouched."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
from av.container import OutputContainer

from streamvq.container.audio import AudioFile
from streamvq.errors import MediaDamaged
from streamvq.media.file_type import content_of
from streamvq.media.libav import reason, url
from streamvq.media.video_contents import language
from streamvq.media.writing.nut import DELAY_SECONDS, nut_holds

_TAGS = ("language", "title")  # of a stream, that go with it


class AudioCopy:
    """Copies the audio streams of `path` that `output` can hold.

    Make it before anything is written to `output`; call `copy_until` with the time of each picture, so that the
    streams interleave, and with None at the end. Holds one packet at a time.

    Encoders put a packet of priming samples before time 0, and cut files may have more there that are not to be
    played. MP4 says so in its edit list, Matroska does only for Opus: there the last packet before time 0 of any
    other codec starts at 0, and those before it are left out, or the whole file would have to be shifted.
    """

    def __init__(self, path: Path, output: OutputContainer) -> None:
        self._path = path
        self._file: AudioFile | None = None
        self._input = self._opened(path)
        self._output = output
        self._no_negative_times = output.format.name in ("matroska", "webm")
        # NUT has no times before 0: a fixed delay is added on the way into a .svq file, and taken off on the way out
        self._delay = DELAY_SECONDS * ((output.format.name == "nut") - _is_svq(path))
        self._left_out: list[str] = []  # codecs that the output cannot hold
        self._languages: list[str] = []  # that it cannot hold
        self._streams: dict[int, Any] = {}  # of the output, by their index in the input
        for stream in self._input.streams.audio if self._input else ():
            if _fits(stream, output):
                self._streams[stream.index] = self._added(stream)
            else:
                self._left_out.append(stream.codec_context.name if stream.codec_context else "unknown")
        self.stream_count = len(self._streams)
        self._packets = self._read()
        self._waiting: av.Packet[Any] | None = None

    def _added(self, stream: Any) -> Any:
        """A stream of the output for the packets of one of the input, with its language and title."""
        added = self._output.add_stream_from_template(stream)
        added.metadata.update({name: stream.metadata[name] for name in _TAGS if stream.metadata.get(name)})
        if language(stream) is None:
            added.metadata.pop("language", None)
        elif self._output.format.name == "avi":
            self._languages.append(added.metadata["language"])
        return added

    def _opened(self, path: Path) -> Any:
        """The container with the audio; None where a .svq file has none that can be read."""
        if not _is_svq(path):
            return av.open(url(path), metadata_errors="replace")
        self._file = AudioFile(path)
        try:
            return av.open(self._file, format="nut", metadata_errors="replace")
        except av.error.FFmpegError:
            self._file.close()
            self._file.check()
            return None
        except BaseException:
            self._file.close()
            raise

    def _read(self) -> Iterator[av.Packet[Any]]:
        """The packets to copy, in order, with the times that they get in the output."""
        if not self._streams:
            return
        priming: dict[int, av.Packet[Any]] = {}  # the last packet before time 0 of each stream
        for packet in self._demuxed():
            if packet.dts is None or not packet.size:
                continue
            if self._delay:
                ticks = int(math.copysign(math.ceil(abs(self._delay) / packet.time_base), self._delay))
                packet.dts += ticks
                packet.pts = packet.dts if packet.pts is None else packet.pts + ticks
            if not self._no_negative_times or packet.stream.codec_context.name == "opus":
                yield packet
            elif packet.dts < 0:
                priming[packet.stream.index] = packet
            else:
                if first := priming.pop(packet.stream.index, None):
                    first.pts = first.dts = 0
                    yield first
                yield packet

    def _demuxed(self) -> Iterator[av.Packet[Any]]:
        """The packets as they are. Raises MediaDamaged."""
        try:
            for packet in self._input.demux([self._input.streams[index] for index in self._streams]):
                if self._file is not None:
                    self._file.check()
                yield packet
        except av.error.FFmpegError as error:
            raise MediaDamaged(
                f"{self._path}: its audio is damaged: {reason(error)}; a folder of images does without it"
            ) from error

    def left_out_notes(self, label: str, format: str) -> list[str]:
        """Notes on audio that is not copied."""
        if self._input is None:
            return [f"{label}: the audio is missing or damaged, and left out"]
        notes = [f"{label}: .{format} cannot hold {codec} audio, which is left out" for codec in self._left_out]
        if self._languages:
            notes.append(f"{label}: .{format} cannot hold the languages of audio ({', '.join(self._languages)})")
        return notes

    def copy_until(self, time: Fraction | None, after_packet: Callable[[], None] = lambda: None) -> None:
        """Copy what plays before `time` seconds; with None, all that is left."""
        while True:
            packet = self._waiting or next(self._packets, None)
            self._waiting = packet
            if packet is None or (time is not None and self._plays_at(packet) > time):
                return
            packet.stream = self._streams[packet.stream.index]
            self._output.mux(packet)
            self._waiting = None
            after_packet()

    def _plays_at(self, packet: av.Packet[Any]) -> Fraction:
        """When a packet plays, in seconds of the pictures' clock."""
        assert packet.dts is not None  # those without are not copied
        return packet.dts * Fraction(packet.time_base) - max(0, self._delay)

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        if self._input is not None:
            self._input.close()
        if self._file is not None:
            self._file.close()


def _is_svq(path: Path) -> bool:
    return content_of(path).source == "svq"


def _fits(stream: Any, output: OutputContainer) -> bool:
    """Whether `output` can hold an audio stream as it is; AVI takes no AAC of the self-framing kind (MPEG-TS)."""
    codec = stream.codec_context
    if codec is None:
        return False
    if output.format.name == "nut":
        return nut_holds(stream)
    framed = codec.name == "aac" and not codec.extradata
    return codec.name in output.supported_codecs and not (framed and output.format.name == "avi")
