"""`decompress`: the coded frames of `.svq` files into any sink."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

from streamvq.container.frame_times import FrameTimes
from streamvq.container.reader import open_svq
from streamvq.container.salvage import Gap
from streamvq.errors import MediaDamaged, MediaError
from streamvq.frames import CodedFrame
from streamvq.keywords import keywords_after_two
from streamvq.media.opening import open_sink
from streamvq.media.sinks.sink import FrameSink
from streamvq.media.sources.svq import LazyGroup, SvqSource, check_no_terminal
from streamvq.options import DecompressOptions, Source
from streamvq.ordered import frames_ahead, workers
from streamvq.pipeline.encoders import FrameStats
from streamvq.pipeline.grouping import regrouped
from streamvq.pipeline.ignored_options import ignored_options
from streamvq.pipeline.job import Job
from streamvq.pipeline.left_out import left_out_notes
from streamvq.pipeline.neighbors import with_neighbors
from streamvq.pipeline.plan import plan_decompression
from streamvq.pipeline.result import Result, StatsAccumulator
from streamvq.pipeline.run_jobs import check_one, names_of, run_jobs, tidy_outputs
from streamvq.progress import NoProgress
from streamvq.quantize.codebook import Codebook

MAX_BYTES_AHEAD = 1 << 30  # of decoded groups, at 4 bytes a pixel


@keywords_after_two(DecompressOptions)
def decompress(source: Source, output: Source, options: DecompressOptions) -> Result:
    """Turn a `.svq` file, or one on standard input ("-"), back into video, images, or y4m.

    `output` is as for `compress`. `codebook`, a `Codebook` or its path, is for files that have none inside. `frames`
    is a range of frame indices, `time` one of seconds; the rest is not decoded. A file that is cut off is decoded up
    to its last whole group; the result's `failed` says what is missing. Raises UsageError, InputMissing, MediaError,
    CodebookError, OutputError.
    """
    return decode_all(source, output, options, one=True)[0]


@keywords_after_two(DecompressOptions)
def decompress_many(sources: Source | Sequence[Source], output: Source, options: DecompressOptions) -> list[Result]:
    """Turn `.svq` files back, as `decompress` does one; a result a file, with `error` where one of several fails."""
    return decode_all(sources, output, options)


def decode_all(
    sources: Source | Sequence[Source], output: Source, options: DecompressOptions, one: bool = False
) -> list[Result]:
    """Plan, and do each job."""
    tidy_outputs(output)
    plan = plan_decompression(sources, output, options)
    if one:
        check_one(plan, "decompress_many")
    return run_jobs(plan, lambda job: _decode_job(job, plan.codebook, options))


def _decode_job(job: Job, codebook: Codebook | None, options: DecompressOptions) -> Result:
    """Decode one file into one output."""
    start = time.perf_counter()
    progress = options.progress or NoProgress()
    notes: list[str] = []
    with ExitStack() as stack:
        path = job.source.paths[0] if job.source.paths else None
        if path is None and (job.target.kind == "file" or options.keep_going or options.time):
            path = stack.enter_context(_spooled())  # audio, times and what follows damage are looked for in the file
        only = _frames_at(path, job.source.label, options) if path is not None and options.time else options.frames
        source = stack.enter_context(
            SvqSource(path, job.source.label, codebook, options.keep_going, only, options.max_pixels)
        )
        with (
            progress.of(f"decompress {source.label}", source.info.frame_count),
            open_sink(job.target, source.decoder, source.info, options, source.audio_from) as sink,
        ):
            notes += left_out_notes(source.info, sink, source.audio_from is not None, only is not None)
            warnings = ignored_options(job, source.info, options)
            stats, gaps = decode_frames(source, sink, options)
        notes += source.notes + sink.notes
        return Result(
            **names_of(job),
            **stats.result_fields(source.decoder, sink.size_bytes, time.perf_counter() - start),
            parts=dict(sink.parts),
            failed=(*map(str, gaps), *([source.truncation] if source.truncation else [])),
            notes=tuple(notes),
            warnings=tuple(warnings),
        )


def _frames_at(path: Path, label: str, options: DecompressOptions) -> range:
    """The frames that `time` asks for."""
    with open_svq(path, label=label, max_pixels=options.max_pixels) as reader:
        times = FrameTimes(reader, options.frame_rate)
        return times.within(*options.stretch) if options.moment is None else times.shown_at(options.moment)


def decode_frames(
    source: SvqSource, sink: FrameSink, options: DecompressOptions
) -> tuple[StatsAccumulator, list[Gap]]:
    """Write the coded frames of a `.svq` file, or of the range of it that is asked for, to `sink`.

    Returns their figures, and with `keep_going` what is missing between them. Raises MediaDamaged where all are.
    """
    gaps: list[Gap] = []
    groups = _without_gaps(source.groups(), gaps)
    first = _first_group(source, groups, gaps)
    start = None
    if source.only is not None:  # a part starts at time 0, as any clip
        begin = first.frames()[source.wanted(first)[0]]
        start = begin.index, begin.time
        del begin
    ahead = max(2, min(frames_ahead(options.jobs, first.pixels), MAX_BYTES_AHEAD // (4 * first.pixels)))
    groups = chain([first], groups)
    del first

    def decode(group: LazyGroup) -> list[CodedFrame] | Gap:
        try:
            decoded = group.frames() if source.wanted(group) else []
        except MediaDamaged as error:
            if not options.keep_going:
                raise
            return group.gap(error)
        frames = [decoded[position] for position in source.wanted(group)]
        return frames if start is None else [_earlier(frame, *start) for frame in frames]

    def encode(
        frames: list[CodedFrame] | Gap, *neighbors: CodedFrame | None
    ) -> tuple[list[Any], list[tuple[int, int]], Gap | None]:
        if isinstance(frames, Gap):
            return [], [], frames
        return sink.encode_group(frames, *neighbors), [(frame.height, frame.width) for frame in frames], None

    stats, progress, size = StatsAccumulator(), options.progress or NoProgress(), sink.group_size
    with ExitStack() as stack:
        pool = stack.enter_context(workers(options.jobs))

        def mapped(fn: Callable[[Any], Any], items: Iterable[Any], ahead: int) -> Iterator[Any]:
            return stack.enter_context(closing(pool.map(fn, items, ahead)))

        if size is None:
            results = mapped(lambda group: encode(decode(group)), groups, ahead)
        else:
            groups_of_size = regrouped(mapped(decode, groups, ahead), size)
            groups_ahead = frames_ahead(options.jobs, size.pixels)
            if sink.neighbors:
                linked = with_neighbors(groups_of_size, lambda group: [] if isinstance(group, Gap) else group)
                results = mapped(lambda each: encode(*each), linked, groups_ahead)
            else:
                results = mapped(encode, groups_of_size, groups_ahead)
        for packets, sizes, gap in results:
            for packet in packets:
                sink.write(packet)
            for each in sizes:
                stats.add(FrameStats(each))
                progress.advance()
            if gap is not None:
                gaps.append(gap)
    if not stats.frames:
        raise _nothing_left(gaps)
    return stats, sorted(gaps, key=lambda gap: gap.first)


def _without_gaps(groups: Iterable[LazyGroup | Gap], gaps: list[Gap]) -> Iterator[LazyGroup]:
    """The groups alone; `gaps` gets the others."""
    for group in groups:
        if isinstance(group, Gap):
            gaps.append(group)
        else:
            yield group


def _first_group(source: SvqSource, groups: Iterator[LazyGroup], gaps: list[Gap]) -> LazyGroup:
    """The first group; of a part, whose clock it sets, the first that can be decoded."""
    for group in groups:
        try:
            if source.only is not None:
                group.frames()
        except MediaDamaged as error:
            if not source.skips_bad_items:
                raise
            gaps.append(group.gap(error))
        else:
            return group
    raise _nothing_left(gaps)


def _nothing_left(gaps: Sequence[Gap]) -> MediaDamaged:
    return MediaDamaged(f"{min(gaps, key=lambda gap: gap.first).reason}; no frame can be read")


def _earlier(frame: CodedFrame, index: int, time: Fraction | None) -> CodedFrame:
    """The frame on a clock that is 0 at `time`; where there are no times, the index is the clock."""
    if frame.time is None or time is None:
        return replace(frame, meta=replace(frame.meta, index=frame.index - index))
    return replace(frame, meta=replace(frame.meta, time=frame.time - time))


@contextmanager
def _spooled() -> Iterator[Path]:
    """Standard input as a temporary file."""
    check_no_terminal(sys.stdin)
    with tempfile.TemporaryDirectory(prefix="streamvq-") as folder:
        path = Path(folder) / "stdin.svq"
        try:
            with path.open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file)
        except OSError as error:
            raise MediaError(f"-: cannot be kept in {folder}: {error.strerror}; free some space there") from error
        yield path
