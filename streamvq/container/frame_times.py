"""Which frames of a `.svq` file are shown when: found by bisection, which reads the tables of a few groups."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from fractions import Fraction
from functools import cache

from streamvq.container.groups import Group
from streamvq.container.index import IndexEntry
from streamvq.container.reader import SvqReader
from streamvq.errors import MediaDamaged, MediaError, UsageError


class FrameTimes:
    """The times of the frames of a seekable file, in seconds from its first frame; they are taken to rise.

    Frames without times are shown for 1 / `rate` seconds each. Everything raises MediaDamaged where a group that is
    needed is damaged.
    """

    def __init__(self, reader: SvqReader, rate: Fraction) -> None:
        if not reader.chunk_reader.seekable:
            raise MediaError(f"{reader.label}: is a pipe, in which no time can be found; give it as -, or a file")
        self._reader, self._rate = reader, rate
        self._entries = reader.index()
        if not self._entries:
            raise MediaDamaged(reader.truncation or f"{reader.label}: holds no frames")
        self._first_of = cache(lambda entry: self._time(reader.group_at(entry), 0))
        self._origin = self._first_of(self._entries[0])

    def within(self, start: Fraction, end: Fraction | None) -> range:
        """The indices of the frames that begin at `start` or later, and before `end`. Raises UsageError for none."""
        last = self._entries[-1]
        found = range(
            self._count(start, bisect_left),
            last.first + last.n_frames if end is None else self._count(end, bisect_left),
        )
        if not found:
            raise self._none(f"{_text(start)}:{'' if end is None else _text(end)}")
        return found

    def shown_at(self, time: Fraction) -> range:
        """The index of the frame that is shown at a time. Raises UsageError where the last one has ended."""
        index = self._count(time, bisect_right) - 1
        end = self._end()
        if end is not None and time >= end:
            raise self._none(_text(time))
        return range(index, index + 1)

    def _count(self, time: Fraction, bisect: Callable[..., int]) -> int:
        """How many frames of the file come before a time, which `bisect` puts before or behind one that is equal."""
        groups = bisect(self._entries, time + self._origin, key=self._first_of)
        if groups == 0:
            return 0
        entry = self._entries[groups - 1]
        return entry.first + bisect(self._times(entry), time + self._origin)

    def _times(self, entry: IndexEntry) -> list[Fraction]:
        """When each frame of a group begins."""
        group = self._reader.group_at(entry)
        return [self._time(group, position) for position in range(group.n_frames)]

    def _time(self, group: Group, position: int) -> Fraction:
        ticks, time_base = group.entries[position].time, group.header.info.time_base
        return (group.first + position) / self._rate if ticks is None or time_base is None else ticks * time_base

    def _end(self) -> Fraction | None:
        """When the last frame has been shown; None where its duration is unknown."""
        group = self._reader.group_at(self._entries[-1])
        info, last = group.header.info, group.entries[-1]
        if last.duration and info.time_base:
            shown = last.duration * info.time_base
        elif info.fps or last.time is None:
            shown = 1 / (info.fps or self._rate)
        else:
            return None
        return self._time(group, group.n_frames - 1) + shown - self._origin

    def _none(self, asked: str) -> UsageError:
        last = self._times(self._entries[-1])[-1] - self._origin
        return UsageError(
            f"{self._reader.label}: no frame is in `time={asked}`: its last is shown at {_text(last)} s"
        )


def _text(seconds: Fraction) -> str:
    return f"{float(seconds):.6g}"
