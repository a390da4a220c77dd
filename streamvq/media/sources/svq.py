"""A `.svq` file as frames, or as the coded frames that it holds."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from streamvq.container.groups import Group
from streamvq.container.reader import SvqReader, open_svq
from streamvq.errors import MediaDamaged, MediaError, UsageError
from streamvq.frames import CodedFrame, Frame
from streamvq.media.sources.source import FrameSource
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.pixels import with_alpha

Item = tuple["LazyGroup", int]  # and the position in it


class LazyGroup:
    """A group that is decoded when it is first needed, once, and forgotten with its last user."""

    def __init__(self, reader: SvqReader, group: Group) -> None:
        self._reader = reader
        self._group = group
        self._lock = threading.Lock()
        self._frames: Sequence[CodedFrame] | None = None
        self.first, self.count, self.pixels = group.first, group.n_frames, group.pixels

    def frames(self) -> Sequence[CodedFrame]:
        """The coded frames. Raises MediaDamaged."""
        with self._lock:
            if self._frames is None:
                self._frames = self._reader.decode(self._group)
            return self._frames


class SvqSource(FrameSource):
    """The frames of a `.svq` file, or of standard input where `path` is None.

    A truncated file ends after its last whole group, and `truncation` says what it lacks. `only` is a range of
    frame indices, of which alone the groups are read.
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
        self.reader = open_svq(path, codebook, label)
        try:
            self.decoder = self.reader.decoder
        except BaseException:
            self.close()
            raise
        self._total = 0
        self._is_file = path is not None
        self.info = self.reader.header.info
        if only is not None:
            count = self.info.frame_count
            self.info = replace(self.info, frame_count=count and len(range(count)[only.start : only.stop]))
        elif path is not None and self.info.audio_streams:
            self.audio_from = path

    @property
    def truncation(self) -> str | None:
        """What a truncated file lacks; complete after reading."""
        return self.reader.truncation

    def groups(self) -> Iterator[LazyGroup]:
        """The groups in order. Raises MediaDamaged, or ends there where damage is to be lived with."""
        some = False
        try:
            for group in self._groups():
                some = True
                yield LazyGroup(self.reader, group)
        except MediaDamaged as error:
            if not (self._keep_going and some):
                raise
            self.notes.append(f"{error}; the frames before it are kept")
        if not some and self._total:
            raise UsageError(f"{self.label}: has frames 0 to {self._total - 1}, and the part begins behind them")
        if not some:
            raise MediaDamaged(self.truncation or f"{self.label}: holds no frames")

    def _groups(self) -> Iterator[Group]:
        """The groups that are asked for; sets `_total` to the number of frames seen."""
        only = self.only
        if only is not None and self._is_file:
            groups = self.reader.index()
            self._total = groups[-1].first + groups[-1].n_frames if groups else 0
            for entry in groups:
                if entry.first < only.stop and entry.first + entry.n_frames > only.start:
                    yield self.reader.group_at(entry)
            return
        for group in self.reader.groups():
            self._total = group.first + group.n_frames
            if only is None or (group.first < only.stop and self._total > only.start):
                yield group
            elif group.first >= only.stop:
                break

    def wanted(self, group: LazyGroup) -> range:
        """The positions in a group of the frames that are asked for."""
        if self.only is None:
            return range(group.count)
        return range(max(0, self.only.start - group.first), min(group.count, self.only.stop - group.first))

    def items(self) -> Iterator[Item]:
        for group in self.groups():
            for position in self.wanted(group):
                yield group, position
        if self.truncation and not self._keep_going:
            raise MediaDamaged(f"{self.truncation}; `keep_going` keeps what is there")
        if self.truncation:
            self.notes.append(self.truncation)

    def load(self, item: Item) -> Frame:
        group, position = item
        coded = group.frames()[position]
        pixels = with_alpha(self.decoder.render(coded), coded.alpha)
        return Frame(pixels, coded.index, coded.time, coded.duration, coded.name)

    def close(self) -> None:
        self.reader.close()


def check_no_terminal(stream: TextIO) -> None:
    """Raise MediaError where standard input is a person at a keyboard."""
    if stream.isatty():
        raise MediaError("-: standard input is a terminal; pipe an .svq file into it")
