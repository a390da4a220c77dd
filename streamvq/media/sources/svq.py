"""A `.svq` file as frames, or as the coded frames that it holds."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, TextIO

from streamvq.container.chunks import Chunk
from streamvq.container.groups import group_parts
from streamvq.container.reader import SvqReader
from streamvq.errors import InputMissing, MediaDamaged, MediaError, UsageError
from streamvq.frames import CodedFrame, Frame
from streamvq.media.sources.source import FrameSource
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.pixels import with_alpha

Item = tuple["LazyGroup", int]  # and the position in it


class LazyGroup:
    """A group of coded frames that is decoded when it is first needed, and once.

    `first` is the index of its first frame; `count` frames have `pixels` pixels together.
    """

    def __init__(self, reader: SvqReader, chunk: Chunk, first: int) -> None:
        self._reader = reader
        self._chunk = chunk
        self._lock = threading.Lock()
        self._frames: list[CodedFrame] | None = None
        self.first = first
        about = reader.explained(chunk, group_parts)
        self.count, self.pixels = about.frames, about.pixels

    def frames(self) -> list[CodedFrame]:
        """The coded frames. Raises MediaDamaged."""
        with self._lock:
            if self._frames is None:
                self._frames = self._reader.decode(self._chunk)
            return self._frames


class SvqSource(FrameSource):
    """The frames of a `.svq` file, or of standard input where `path` is None.

    A file that is cut off ends after its last whole group, and `missing` says what is lost. `only` is a range of
    frame indices: other groups are not decoded. `codebook` is for a file that has none inside. Raises InputMissing,
    MediaError, or CodebookError where the codebook is missing or another one.
    """

    codec = "svq"

    def __init__(
        self,
        path: Path | None,
        label: str,
        codebook: Codebook | None = None,
        keep_going: bool = False,
        only: range | None = None,
    ) -> None:
        super().__init__(label)
        self._keep_going = keep_going
        self.only = only
        if path is None:
            check_no_terminal(sys.stdin)
        try:
            self._stream: IO[bytes] = sys.stdin.buffer if path is None else path.open("rb")
        except FileNotFoundError as error:
            raise InputMissing(f"{label}: no such file; check the spelling") from error
        except OSError as error:
            raise MediaError(f"{label}: cannot be read: {error.strerror}") from error
        try:
            self.reader = SvqReader(self._stream, label, codebook)
            self.decoder = self.reader.decoder
        except BaseException:
            self.close()
            raise
        self._total = 0
        self._size = None if path is None else path.stat().st_size
        self.info = self.reader.header.info
        if only is not None:
            count = self.info.frame_count
            self.info = replace(self.info, frame_count=count and len(range(count)[only.start : only.stop]))
        elif path is not None and self.info.audio_streams:
            self.audio_from = path

    @property
    def missing(self) -> str | None:
        """What is lost where the file is cut off, None where it is whole; complete after reading."""
        return self.reader.missing

    def groups(self) -> Iterator[LazyGroup]:
        """The groups in order. At damage it raises MediaDamaged, or ends with a note where `keep_going` was given."""
        some = False
        try:
            for chunk, first in self._chunks():
                some = True
                yield LazyGroup(self.reader, chunk, first)
        except MediaDamaged as error:
            if not (self._keep_going and some):
                raise
            self.notes.append(f"{error}; the frames before it are kept")
        if not some and self._total:
            raise UsageError(f"{self.label}: has frames 0 to {self._total - 1}, and the part begins behind them")
        if not some:
            raise MediaDamaged(self.missing or f"{self.label}: holds no frames")

    def _chunks(self) -> Iterator[tuple[Chunk, int]]:
        """The wanted groups' chunks, with first frame indices; sets `_total` to the number of frames seen."""
        only = self.only
        if only is not None and self._size is not None:
            groups = self.reader.index(self._size)
            self._total = groups[-1].first + groups[-1].frames if groups else 0
            for group in groups:
                if group.first < only.stop and group.first + group.frames > only.start:
                    yield self.reader.group_at(group), group.first
            return
        for chunk in self.reader.groups():
            first, count = self.reader.span(chunk)
            self._total = first + count
            if only is None or (first < only.stop and first + count > only.start):
                yield chunk, first
            elif first >= only.stop:
                break

    def wanted(self, group: LazyGroup) -> range:
        """The positions in a group of the wanted frames."""
        if self.only is None:
            return range(group.count)
        return range(max(0, self.only.start - group.first), min(group.count, self.only.stop - group.first))

    def items(self) -> Iterator[Item]:
        for group in self.groups():
            for position in self.wanted(group):
                yield group, position
        if self.missing and not self._keep_going:
            raise MediaDamaged(f"{self.missing}; --keep-going keeps what is there")
        if self.missing:
            self.notes.append(self.missing)

    def pixels_of(self, item: Item) -> int:
        group, _ = item
        return -(-group.pixels // group.count)

    def load(self, item: Item) -> Frame:
        group, position = item
        coded = group.frames()[position]
        pixels = with_alpha(self.decoder.render(coded), coded.alpha)
        return Frame(pixels, coded.index, coded.time, coded.duration, coded.name)

    def close(self) -> None:
        if self._stream is not sys.stdin.buffer:
            self._stream.close()


def check_no_terminal(stream: TextIO) -> None:
    """Raise MediaError where standard input is a person at a keyboard."""
    if stream.isatty():
        raise MediaError("-: standard input is a terminal; pipe an .svq file into it")
