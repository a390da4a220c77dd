"""The way of a frame: loaded and encoded by the workers, grouped, made packets by the workers, written.

Maps of one set of workers, with plain generators between them: grouping, and a scan where codes depend on the frame
before. Order is restored at each seam, memory is bounded by each map's window, and nothing depends on the number of
workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

from streamvq.errors import MediaError
from streamvq.frames import CodedFrame, Failed, Frame
from streamvq.media.sinks.sink import FrameSink
from streamvq.media.sources.source import FrameSource
from streamvq.options import RunOptions
from streamvq.ordered import frames_ahead, workers
from streamvq.pipeline.batches import batches
from streamvq.pipeline.encoders import EncodedFrame, FrameEncoder, FrameStats, Outcome
from streamvq.pipeline.grouping import grouped
from streamvq.pipeline.neighbors import with_neighbors
from streamvq.pipeline.result import StatsAccumulator
from streamvq.progress import NoProgress

Written = tuple[list[Any], list[FrameStats | Failed]]  # packets of a group, and what is counted of it


@dataclass(frozen=True)
class Unread:
    """What could not be read: the `numbers` of the items, from 0, and the reasons, each once."""

    items: int
    numbers: tuple[int, ...]
    reasons: tuple[str, ...]


def encode_frames(
    source: FrameSource,
    items: Iterable[Any],
    encoder: FrameEncoder,
    sink: FrameSink,
    stats: StatsAccumulator,
    options: RunOptions,
    skip: int = 0,
    shared: bool = False,
) -> Unread:
    """All frames of `source` into `sink`, in order, but for the first `skip`, from which the next ones' codes follow.

    Raises MediaError where nothing can be read, unless the work is `shared` and others have the rest.
    """
    progress = options.progress or NoProgress()

    def encode(batch: Sequence[Any]) -> list[Outcome]:
        failed: list[tuple[int, Failed]] = []
        encoded: list[Outcome] = list(encoder.encode(_loaded(batch, source, failed)))
        for position, failure in failed:
            encoded.insert(position, failure)
        return encoded

    def write(group: Sequence[Outcome], *neighbors: CodedFrame | None) -> Written:
        packets = sink.encode_group(coded_frames(group), *neighbors)
        return packets, [each.stats if isinstance(each, EncodedFrame) else each for each in group]  # type: ignore[misc]

    length, size = encoder.batch_length, sink.group_size
    ahead = frames_ahead(options.jobs, source.info.pixels and source.info.pixels * length)
    groups_ahead = frames_ahead(options.jobs, size.pixels) if size else ahead
    failed: list[str] = []
    numbers: list[int] = []
    count = 0
    with ExitStack() as stack:
        pool = stack.enter_context(workers(options.jobs))

        def mapped(fn: Callable[[Any], Any], batches: Iterable[Any], ahead: int) -> Iterator[Any]:
            return stack.enter_context(closing(pool.map(fn, batches, ahead, source.waits)))

        loading = batches(iter(items), length)
        if size is None and not encoder.scans:  # one hand-over for each batch: no frame waits for a later one
            written = mapped(lambda batch: write(encode(batch)), loading, ahead)
        else:
            encoded = mapped(encode, loading, ahead)
            if encoder.scans:
                encoded = mapped(encoder.measure, _without_first(skip, encoder.scan(encoded)), ahead)
            groups = grouped(encoded, size, length)
            if sink.neighbors:
                written = mapped(lambda each: write(*each), with_neighbors(groups, coded_frames), groups_ahead)
            else:
                written = mapped(write, groups, groups_ahead)
        for packets, outcomes in written:
            for packet in packets:
                sink.write(packet)
            for outcome in outcomes:
                if isinstance(outcome, Failed):
                    failed.append(outcome.reason)
                    numbers.append(count)
                else:
                    stats.add(outcome)
                count += 1
                progress.advance()
    if failed and not stats.frames and not shared:
        raise MediaError(f"{source.label}: no image could be decoded; the first: {failed[0]}")
    return Unread(count, tuple(numbers), tuple(dict.fromkeys(failed)))


def _without_first(count: int, batches: Iterable[Sequence[Outcome]]) -> Iterator[Sequence[Outcome]]:
    """Batches without their first `count` outcomes; of a batch that is empty then, nothing."""
    for batch in batches:
        if left := batch[count:]:
            yield left
        count -= len(batch) - len(left)


def coded_frames(outcomes: Iterable[Outcome]) -> list[CodedFrame]:
    """The frames of those that have one."""
    return [outcome.coded for outcome in outcomes if isinstance(outcome, EncodedFrame)]


def _loaded(batch: Sequence[Any], source: FrameSource, failed: list[tuple[int, Failed]]) -> Iterator[Frame]:
    """The frames of items; those that have none go to `failed`, with their place."""
    for position, item in enumerate(batch):
        frame = item if isinstance(item, Frame) else source.try_load(item)
        if isinstance(frame, Failed):
            failed.append((position, frame))
        else:
            yield frame
