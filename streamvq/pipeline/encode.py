"""Frames through the workers into a sink: redrawn, or as they come out of a `.svq` file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from typing import Any

from streamvq.errors import MediaError
from streamvq.frames import CodedFrame, Failed, Frame
from streamvq.media.sinks.sink import FrameSink
from streamvq.media.sources.source import FrameSource
from streamvq.media.sources.svq import LazyGroup, SvqSource
from streamvq.ordered import frames_ahead, ordered_map
from streamvq.pipeline.encoders import FrameStats, Method
from streamvq.pipeline.grouping import grouped
from streamvq.pipeline.result import StatsAccumulator
from streamvq.progress import Progress
from streamvq.settings import RunSettings

_BYTES_AHEAD = 1 << 30  # of decoded groups, at 4 bytes a pixel


@dataclass(frozen=True)
class _Done:
    """A group's packets, and for each of its items the figures or why it could not be read."""

    packets: list[Any]
    outcomes: list[FrameStats | Failed]


def quantize(
    source: FrameSource,
    items: Iterable[Any],
    method: Method,
    sink: FrameSink,
    run: RunSettings,
    progress: Progress,
) -> tuple[StatsAccumulator, list[str]]:
    """Write every frame of `source` to `sink`, in order, as `method` draws it; the figures, and what could not be
    read."""

    def redraw(group: list[Any]) -> _Done:
        outcomes: list[FrameStats | Failed] = []
        coded: list[CodedFrame] = []
        for frame, figures in method.drawn(_loaded(group, source, outcomes)):
            coded.append(frame)
            outcomes.append(figures)
        return _Done(sink.encode_group(coded), outcomes)

    together = max(sink.group_pixels, method.group_pixels)
    groups = grouped(items, source, together, method.run)
    tally, failed = StatsAccumulator(), []
    pixels = max((source.info.pixels or 0) * method.run, together)
    with closing(ordered_map(redraw, groups, run.jobs, frames_ahead(run.jobs, pixels or None))) as results:
        for done in results:
            for packet in done.packets:
                sink.write(packet)
            for outcome in done.outcomes:
                if isinstance(outcome, Failed):
                    failed.append(outcome.reason)
                else:
                    tally.add(outcome, sink.exact)
                progress.advance()
    if failed and not tally.frames:
        raise MediaError(f"{source.label}: no image could be decoded; the first: {failed[0]}")
    return tally, failed


def _loaded(group: list[Any], source: FrameSource, outcomes: list[FrameStats | Failed]) -> Iterator[Frame]:
    """The frames of items; why there is none goes to `outcomes`, in its turn."""
    for item in group:
        frame = item if isinstance(item, Frame) else source.try_load(item)
        if isinstance(frame, Failed):
            outcomes.append(frame)
        else:
            yield frame


def transcribe(source: SvqSource, sink: FrameSink, run: RunSettings, progress: Progress) -> StatsAccumulator:
    """Write the coded frames of a `.svq` file, or of the range of it that is asked for, to `sink`."""
    groups = source.groups()
    first = next(groups)
    start = None
    if source.only is not None:  # a part starts at time 0, as any clip
        begin = first.frames()[source.wanted(first)[0]]
        start = begin.index, begin.time
        del begin
    ahead = max(2, min(frames_ahead(run.jobs, first.pixels), _BYTES_AHEAD // (4 * first.pixels)))
    groups = chain([first], groups)
    del first

    def encode(group: LazyGroup) -> tuple[list[Any], list[tuple[int, int]]]:
        frames = [group.frames()[position] for position in source.wanted(group)]
        if start is not None:
            frames = [_earlier(frame, *start) for frame in frames]
        return sink.encode_group(frames), [(frame.width, frame.height) for frame in frames]

    tally = StatsAccumulator()
    with closing(ordered_map(encode, groups, run.jobs, ahead)) as results:
        for packets, sizes in results:
            for packet in packets:
                sink.write(packet)
            for size in sizes:
                tally.add(FrameStats(size), False)
                progress.advance()
    return tally


def _earlier(frame: CodedFrame, index: int, time: Fraction | None) -> CodedFrame:
    """The frame on a clock that is 0 at `time`; where there are no times, the index is the clock."""
    if frame.time is None or time is None:
        return replace(frame, meta=replace(frame.meta, index=frame.index - index))
    return replace(frame, meta=replace(frame.meta, time=frame.time - time))
