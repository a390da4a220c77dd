"""Coded frames as a `.svq` file, or on standard output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import av

from streamvq.container.group_size import GroupSize
from streamvq.container.groups import GroupBytes, encode_group
from streamvq.container.header import Header
from streamvq.container.writer import SvqWriter
from streamvq.errors import OutputError
from streamvq.frames import CodedFrame, StreamInfo
from streamvq.media.audio import AudioCopy
from streamvq.media.libav import writing
from streamvq.media.sinks.sink import FrameSink
from streamvq.media.sinks.y4m import writing_stdout
from streamvq.media.targets import Target
from streamvq.options import WriteOptions
from streamvq.quantize.decoder import FrameDecoder
from streamvq.staging import staged_file

_PIECE_BYTES = 1 << 20  # of audio in a chunk, about

Packet = tuple[GroupBytes, Fraction | None]  # and the time where the group ends


class SvqSink(FrameSink):
    """Indices and codebook, or factors; names, times, alpha and audio: without loss, in groups that decode alone."""

    holds_audio = True

    def __init__(
        self,
        target: Target,
        decoder: FrameDecoder,
        info: StreamInfo,
        settings: WriteOptions,
        audio_from: Path | None = None,
        external_codebook: bool = False,
    ) -> None:
        super().__init__(str(target.path))
        self.group_size = GroupSize.for_stream(info, decoder.block)
        self._decoder = decoder
        self._to_pipe = target.kind == "pipe"
        if self._to_pipe and sys.stdout.isatty():
            raise OutputError("-: standard output is a terminal; pipe it: streamvq ... -o - > clip.svq")
        with self._opening():
            if self._to_pipe:
                self._stream: IO[bytes] = sys.stdout.buffer
            else:
                part = self._stack.enter_context(staged_file(target.path, settings.overwrite))
                self._stream = self._stack.enter_context(part.open("wb"))
            self._audio = _Audio(audio_from, self._stack.callback) if audio_from and info.audio_streams else None
            if self._audio is not None:
                self.notes += self._audio.copy.remarks(self.label, "svq")
            info = replace(info, audio_streams=self._audio.copy.streams if self._audio else 0)
            self._header = Header.from_stream(info, decoder)
            self._guard = writing_stdout if self._to_pipe else nullcontext
            with self._guard():
                self._writer = SvqWriter(self._stream, self._header, decoder, not external_codebook)
            self.parts = self._writer.parts

    def encode(self, frame: CodedFrame) -> Packet:
        return self.encode_group([frame])[0]

    def encode_group(self, frames: Sequence[CodedFrame]) -> list[Packet]:
        if not frames:
            return []
        return [(encode_group(frames, self._header, self._decoder), frames[-1].time)]

    def write(self, packet: Packet) -> None:
        group, end = packet
        with self._guard():
            if self._audio is not None:
                self._add_audio(end)
            self._writer.group(group)

    def _write_rest(self) -> None:
        if not self._writer.n_frames:
            raise OutputError(f"{self.label}: no frame was written")
        with self._guard():
            if self._audio is not None:
                self._add_audio(None)
            self._writer.finish()
            self._stream.flush()
        self.size_bytes = self._writer.size
        if not self._to_pipe:
            self._stream.close()

    def _add_audio(self, until: Fraction | None) -> None:
        assert self._audio is not None
        with writing(self.label):
            self._audio.up_to(until, self._writer.audio)


class _Audio:
    """The audio packets of a file as pieces of a NUT file, which keeps any codec and exact times."""

    def __init__(self, path: Path, at_exit: Any) -> None:
        self._pieces: list[bytes] = []
        self._output: Any = av.open(
            self, "w", format="nut", options={"fflags": "+bitexact", "avoid_negative_ts": "disabled"}
        )
        at_exit(self._output.close)
        self.copy = AudioCopy(path, self._output)
        at_exit(self.copy.close)

    def write(self, data: bytes) -> int:
        """What libav calls with the file's next piece."""
        self._pieces.append(bytes(data))
        return len(data)

    def up_to(self, time: Fraction | None, take: Callable[[bytes], None]) -> None:
        """Give `take` the pieces with what plays before `time` seconds; with None, all that is left."""

        def hand_over(least: int) -> None:
            if sum(map(len, self._pieces)) >= least:
                take(b"".join(self._pieces))
                self._pieces.clear()

        self.copy.up_to(time, lambda: hand_over(_PIECE_BYTES))
        if time is None:
            self._output.close()
        hand_over(1)
