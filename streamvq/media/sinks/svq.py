"""Coded frames as a `.svq` file, or on standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import IO

from streamvq.container.group_size import GroupSize
from streamvq.container.groups import GroupBytes, encode_group
from streamvq.container.header import Header
from streamvq.container.share import Share
from streamvq.container.writer import SvqWriter
from streamvq.errors import OutputError
from streamvq.frames import CodedFrame
from streamvq.media.libav import writing
from streamvq.media.made_with import settings_given
from streamvq.media.sinks.request import SinkRequest
from streamvq.media.sinks.sink import FrameSink
from streamvq.media.writing.audio import AudioCopy
from streamvq.media.writing.nut import NutPieces
from streamvq.media.writing.stdout import check_no_terminal, writing_stdout
from streamvq.options import CODERS, EFFORTS
from streamvq.staging import staged_file

_AUDIO_CHUNK_BYTES = 1 << 20  # at least, but for the last chunk before a group

Packet = tuple[GroupBytes, Fraction | None]  # and the time of the group's last frame, in seconds


class SvqSink(FrameSink):
    """Indices and codebook, or factors; names, times, alpha and audio: without loss, in groups that decode alone."""

    holds_audio = holds_chapters = True

    def __init__(self, request: SinkRequest, external_codebook: bool = False) -> None:
        target, decoder, info, settings, audio_from = request
        super().__init__(str(target.path))
        self._share: Share | None = None
        self._before: Callable[[], Fraction | None] | None = None
        self.group_size = GroupSize.for_stream(info, decoder.block)
        self._decoder = decoder
        self._to_pipe = target.kind == "pipe"
        self._guard = writing_stdout if self._to_pipe else nullcontext
        self._audio: AudioCopy | None = None
        with self._undone_on_error():
            self._stream = self._opened(target.path, settings.overwrite)
            if audio_from is not None and info.audio_streams:
                self._audio = self._audio_copy(audio_from)
            info = replace(info, audio_streams=self._audio.stream_count if self._audio else 0)
            header = Header.from_stream(info, decoder, EFFORTS[settings.effort] if decoder.block else CODERS[0])
            self._header = replace(header, settings=tuple(settings_given(settings)))
            with self._guard():
                self._writer = SvqWriter(self._stream, self._header, decoder, not external_codebook)
            self.parts = self._writer.parts

    def _opened(self, path: Path, overwrite: bool) -> IO[bytes]:
        if self._to_pipe:
            check_no_terminal("> clip.svq")
            return sys.stdout.buffer
        part = self._stack.enter_context(staged_file(path, overwrite))
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        return self._stack.enter_context(os.fdopen(descriptor, "wb"))  # a signal right after creation finds no file

    def _audio_copy(self, path: Path) -> AudioCopy:
        self._nut = NutPieces()
        self._stack.callback(self._nut.close)
        audio = AudioCopy(path, self._nut.container)
        self._stack.callback(audio.close)
        self.notes += audio.left_out_notes(self.label, "svq")
        return audio

    def encode(self, frame: CodedFrame) -> Packet:
        return self.encode_group([frame])[0]

    def encode_group(
        self, frames: Sequence[CodedFrame], before: CodedFrame | None = None, after: CodedFrame | None = None
    ) -> list[Packet]:
        if not frames:
            return []
        return [(encode_group(frames, self._header, self._decoder), frames[-1].time)]

    def begin_share(self, share: Share, before: Callable[[], Fraction | None]) -> None:
        """Before anything is written: the file will be a part, whose audio begins behind the last frame of the part
        before it; `before` gives its time when the first frame is written."""
        self._share, self._before = share, before

    def end_share(self, share: Share) -> None:
        """When all frames are written: which they are."""
        self._share = share

    def write(self, packet: Packet) -> None:
        group, end = packet
        with self._guard():
            self._write_audio(end)
            self._writer.group(group)
            if self._to_pipe:
                self._stream.flush()

    def _write_rest(self) -> None:
        if not self._writer.n_frames and self._share is None:
            raise OutputError(f"{self.label}: no frame was written")
        with self._guard():
            if self._share is None or self._share.stop is None:
                self._write_audio(None)
            if self._share is not None:
                self._writer.share(self._share)
            self._writer.finish()
            self._stream.flush()
        self.size_bytes = self._writer.size
        if not self._to_pipe:
            self._stream.close()

    def _write_audio(self, until: Fraction | None) -> None:
        """Write chunks of the audio that plays before `until` seconds; with None, of all that is left."""
        if self._audio is None:
            return
        if self._before is not None:
            before, self._before = self._before(), None
            if before is not None:
                self._audio.copy_until(before)
                self._nut.take()
        with writing(self.label):
            self._audio.copy_until(until, lambda: self._write_audio_chunk(_AUDIO_CHUNK_BYTES))
            if until is None:
                self._nut.close()
            self._write_audio_chunk(1)

    def _write_audio_chunk(self, min_bytes: int) -> None:
        if (data := self._nut.take(min_bytes)) is not None:
            self._writer.audio(data)
