"""A `.svq` file as frames, or as the coded frames that it holds."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TextIO

from streamvq.container.groups import Group
from streamvq.container.index import IndexEntry
from streamvq.container.reader import SvqReader, open_svq
from streamvq.container.salvage import Gap, salvaged
from streamvq.errors import MediaDamaged, MediaError, UsageError
from streamvq.frames import CodedFrame, Frame
from streamvq.media.sources.source import FrameSource
from streamvq.options import DEFAULT_MAX_PIXELS
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.pixels import with_alpha

Item = tuple["LazyGroup | Gap", int]  # and the position in it


class LazyGroup:
    """A group that is decoded when it is first needed, once, and forgotten with its last user.

    Raises MediaDamaged where the group's table is invalid.
    """

    def __init__(self, reader: SvqReader, group: Group) -> None:
        self._reader = reader
        self._group = group
        self._lock = threading.Lock()
        self._frames: Sequence[CodedFrame] | None = None
        self.first, self.count, self.pixels = group.first, group.n_frames, group.pixels

    def time_of(self, position: int) -> Fraction | None:
        """When a frame is shown, in seconds, by the table: nothing is decoded."""
        ticks, time_base = self._group.entries[position].time, self._group.header.info.time_base
        return None if ticks is None or time_base is None else ticks * time_base

    def frames(self) -> Sequence[CodedFrame]:
        """The coded frames. Raises MediaDamaged."""
        with self._lock:
            if self._frames is None:
                self._frames = self._reader.decode(self._group)
            return self._frames

    def gap(self, error: MediaDamaged) -> Gap:
        """What is missing where it cannot be decoded."""
        return Gap(self.first, self.count, str(error))


class SvqSource(FrameSource):
    """The frames of a `.svq` file, or of standard input where `path` is None.

    A truncated file ends after its last whole group, and `truncation` says what it lacks. With `keep_going`, damaged
    groups are left out, each frame of which is an item that does not load. `only` is a range of frame indices, of
    which alone the groups are read. A frame of more than `max_pixels` raises MediaError before it is decoded.
    """

    codec = "svq"

    def __init__(
        self,
        path: Path | None,
        label: str,
        codebook: Codebook | None = None,
        keep_going: bool = False,
        only: range | None = None,
        max_pixels: int = DEFAULT_MAX_PIXELS,
    ) -> None:
        super().__init__(label)
        self._keep_going = self.skips_bad_items = keep_going
        self.only = only
        if path is None:
            check_no_terminal(sys.stdin)
        self.reader = open_svq(path, codebook, label, max_pixels)
        try:
            self.decoder = self.reader.decoder
        except BaseException:
            self.close()
            raise
        self._total = 0
        self.info = self.reader.header.info
        if only is not None:
            count = self.info.frame_count
            self.info = replace(
                self.info, frame_count=count and len(range(count)[only.start : only.stop]), chapters=()
            )
        elif path is not None and self.info.audio_streams:
            self.audio_from = path

    @property
    def truncation(self) -> str | None:
        """What a truncated file lacks; complete after reading."""
        return self.reader.truncation

    def groups(self) -> Iterator[LazyGroup | Gap]:
        """The groups that are asked for, in order, and gaps between them where damage is to be lived with.

        Raises MediaDamaged where it is not, and where there are none at all.
        """
        some = False
        for group in self._groups():
            found = group.within(self.only) if isinstance(group, Gap) else self._lazy(group)
            if found is not None:
                some = True
                yield found
        if not some and self._total:
            raise UsageError(f"{self.label}: has frames 0 to {self._total - 1}, and the part begins behind them")
        if not some:
            raise MediaDamaged(self.truncation or f"{self.label}: holds no frames")

    def _lazy(self, group: Group) -> LazyGroup | Gap:
        try:
            return LazyGroup(self.reader, group)
        except MediaDamaged as error:
            if not self._keep_going:
                raise
            return Gap(group.first, group.n_frames, str(error))

    def _groups(self) -> Iterator[Group | Gap]:
        """The groups that are asked for, and all gaps; sets `_total` to the number of frames seen."""
        only = self.only
        entries = self.reader.checked_index() if only is not None and self.reader.chunk_reader.seekable else []
        if only is not None and entries:
            self._total = entries[-1].first + entries[-1].n_frames
            for entry in entries:
                if entry.first < only.stop and entry.first + entry.n_frames > only.start:
                    yield self._at(entry)
            return
        for group in self._in_order():
            if isinstance(group, Gap):
                yield group
                continue
            self._total = group.first + group.n_frames
            if only is None or (group.first < only.stop and self._total > only.start):
                yield group
            elif group.first >= only.stop:
                break

    def _at(self, entry: IndexEntry) -> Group | Gap:
        try:
            return self.reader.group_at(entry)
        except MediaDamaged as error:
            if not self._keep_going:
                raise
            return Gap(entry.first, entry.n_frames, str(error))

    def _in_order(self) -> Iterator[Group | Gap]:
        """All groups from front to back; of what cannot seek, those before the damage."""
        if self._keep_going and self.reader.chunk_reader.seekable:
            yield from salvaged(self.reader)
            return
        try:
            yield from self.reader.groups()
        except MediaDamaged as error:
            if not self._keep_going:
                raise
            yield Gap(self._total, None, str(error))

    def wanted(self, group: LazyGroup) -> range:
        """The positions in a group of the frames that are asked for."""
        if self.only is None:
            return range(group.count)
        start, step = max(0, self.only.start - group.first), self.only.step
        start += (self.only.start - group.first - start) % step
        return range(start, min(group.count, self.only.stop - group.first), step)

    def items(self) -> Iterator[Item]:
        for group in self.groups():
            if isinstance(group, Gap) and group.count == 0:
                self.notes.append(str(group))
                continue
            positions = range(group.count or 1) if isinstance(group, Gap) else self.wanted(group)
            for position in positions:
                yield group, position
        if self.truncation and not self._keep_going:
            raise MediaDamaged(f"{self.truncation}; `keep_going` keeps what is there")
        if self.truncation:
            self.notes.append(self.truncation)

    def time_of(self, item: Item) -> Fraction | None:
        group, position = item
        return None if isinstance(group, Gap) else group.time_of(position)

    def load(self, item: Item) -> Frame:
        group, position = item
        if isinstance(group, Gap):
            raise MediaDamaged(str(group))
        try:
            coded = group.frames()[position]
        except MediaDamaged as error:
            if not self._keep_going:
                raise
            raise MediaDamaged(str(group.gap(error))) from error
        pixels = with_alpha(self.decoder.render(coded), self.decoder.alpha_of(coded))
        return Frame(pixels, coded.index, coded.time, coded.duration, coded.name)

    def close(self) -> None:
        self.reader.close()


def check_no_terminal(stream: TextIO) -> None:
    """Raise MediaError where standard input is a person at a keyboard."""
    if stream.isatty():
        raise MediaError("-: standard input is a terminal; pipe an .svq file into it")
