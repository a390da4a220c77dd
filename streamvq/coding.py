"""Frames through the workers into a sink: quantized, or as they come out of a `.svq` file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from typing import Any

import numpy as np

from streamvq.errors import MediaError
from streamvq.frames import Frame, IndexFrame
from streamvq.media.sinks import FrameSink
from streamvq.media.sources import FrameSource
from streamvq.media.svq_source import LazyGroup, SvqSource
from streamvq.ordered import frames_ahead, ordered_map
from streamvq.progress import Progress
from streamvq.quantize.codebook import Codebook
from streamvq.results import Tally
from streamvq.settings import RunSettings

_TOGETHER_MOST = 1024  # images of a group
_VIDEO_TOGETHER_MOST = 64  # frames: so much at the most is lost where a file is cut off, and waits in a pipe
_BYTES_AHEAD = 1 << 30  # of decoded groups, at 4 bytes a pixel
_LOSSY_PIXELS = 1 << 24  # codes are kept from frame to frame within so many pixels


@dataclass(frozen=True)
class _Figures:
    """What is counted of one frame."""

    size: tuple[int, int]
    samples: int
    squared_error: int
    same: bool  # the codes' samples are of the input's own kind: no color turned gray, no 16 bits cut to 8


@dataclass(frozen=True)
class _Done:
    """A group's packets, and for each of its items the figures or why it could not be read."""

    packets: list[Any]
    outcomes: list[_Figures | str]


def quantize(
    source: FrameSource,
    items: Iterable[Any],
    codebook: Codebook,
    sink: FrameSink,
    run: RunSettings,
    progress: Progress,
    lossy: float = 0,
) -> tuple[Tally, list[str]]:
    """Write every frame of `source` to `sink`, in order, as codes; the figures, and what could not be read."""

    def redraw(group: list[Any]) -> _Done:
        coded: list[IndexFrame] = []
        outcomes: list[_Figures | str] = []
        for item in group:
            frame = item if isinstance(item, Frame) else source.load_or_reason(item)
            if isinstance(frame, str):
                outcomes.append(frame)
                continue
            index_frame, squared_error = codebook.index_frame(frame, coded[-1] if coded else None, lossy)
            coded.append(index_frame)
            outcomes.append(_figures(frame, index_frame, squared_error, codebook))
        return _Done(sink.encode_group(coded), outcomes)

    together = max(sink.group_pixels, _LOSSY_PIXELS if lossy else 0)
    groups = _grouped(items, source, together)
    tally, failed = Tally(codebook), []
    ahead = frames_ahead(run.jobs, max(source.info.pixels or 0, together) or None)
    with closing(ordered_map(redraw, groups, run.jobs, ahead)) as results:
        for done in results:
            for packet in done.packets:
                sink.write(packet)
            for outcome in done.outcomes:
                if isinstance(outcome, str):
                    failed.append(outcome)
                else:
                    same = outcome.same and sink.exact
                    tally.add(outcome.size, outcome.samples, outcome.squared_error, same)
                progress.advance()
    if failed and not tally.frames:
        raise MediaError(f"{source.label}: no image could be decoded; the first: {failed[0]}")
    return tally, failed


def transcribe(source: SvqSource, sink: FrameSink, run: RunSettings, progress: Progress) -> Tally:
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

    tally = Tally(source.codebook)
    with closing(ordered_map(encode, groups, run.jobs, ahead)) as results:
        for packets, sizes in results:
            for packet in packets:
                sink.write(packet)
            for size in sizes:
                tally.add(size, 0, 0, False)
                progress.advance()
    return tally


def _earlier(frame: IndexFrame, index: int, time: Fraction | None) -> IndexFrame:
    """The frame on a clock that is 0 at `time`; where there are no times, the index is the clock."""
    if frame.time is None or time is None:
        return replace(frame, index=frame.index - index)
    return replace(frame, time=frame.time - time)


def _figures(frame: Frame, coded: IndexFrame, squared_error: int, codebook: Codebook) -> _Figures:
    visible = coded.width * coded.height if coded.alpha is None else int(np.count_nonzero(coded.alpha))
    same = frame.pixels.dtype == np.uint8 and (codebook.channels == 3 or frame.pixels.shape[2] == 1)
    return _Figures((coded.width, coded.height), visible * codebook.channels, squared_error, same)


def _grouped(items: Iterable[Any], source: FrameSource, pixels_most: int) -> Iterator[list[Any]]:
    """Consecutive items with at most so many pixels together, and at least one; single ones where that is 0.

    What reading raises is raised behind the last group.
    """

    most = _VIDEO_TOGETHER_MOST if source.info.fps else _TOGETHER_MOST

    def pixels_of(item: Any) -> int:
        return item.pixels.shape[0] * item.pixels.shape[1] if isinstance(item, Frame) else source.pixels_of(item)

    group: list[Any] = []
    pixels, broken = 0, None
    reading = iter(items)
    while True:
        try:
            item = next(reading)
        except StopIteration:
            break
        except Exception as error:  # noqa: BLE001  raised below
            broken = error
            break
        more = pixels_of(item) if pixels_most else 1
        if group and (pixels + more > pixels_most or len(group) == most):
            yield group
            group, pixels = [], 0
        group.append(item)
        pixels += more
        del item
    if group:
        yield group
    if broken is not None:
        raise broken
