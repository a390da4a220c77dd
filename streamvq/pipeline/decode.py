"""`decompress`: the coded frames of `.svq` files into any sink."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

from streamvq.container.reader import codebook_from
from streamvq.errors import MediaError
from streamvq.frames import CodedFrame
from streamvq.keywords import keywords_after_two
from streamvq.media.opening import open_sink
from streamvq.media.sinks.sink import FrameSink
from streamvq.media.sources.svq import LazyGroup, SvqSource, check_no_terminal
from streamvq.options import DecompressOptions, Source
from streamvq.ordered import frames_ahead, ordered_map
from streamvq.pipeline.encoders import FrameStats
from streamvq.pipeline.jobs import check_one, names_of, run_jobs
from streamvq.pipeline.plan import Job, plan_decompression
from streamvq.pipeline.result import Result, StatsAccumulator
from streamvq.progress import NoProgress
from streamvq.quantize.codebook import Codebook

MAX_BYTES_AHEAD = 1 << 30  # of decoded groups, at 4 bytes a pixel


@keywords_after_two(DecompressOptions)
def decompress(source: Source, output: Source, options: DecompressOptions) -> Result:
    """Turn a `.svq` file, or one on standard input ("-"), back into video, images, or y4m.

    `output` is as for `compress`. `codebook`, a `Codebook` or its path, is for files that have none inside. `frames`
    is a range of frame indices; the rest is not decoded. A file that is cut off is decoded up to its last whole
    group; the result's `failed` says what is missing. Raises UsageError, InputMissing, MediaError, CodebookError,
    OutputError.
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
    codebook = codebook_from(options.codebook)
    plan = plan_decompression(sources, output, options)
    if one:
        check_one(plan, "decompress_many")
    return run_jobs(plan, lambda job: _decode_job(job, codebook, options))


def _decode_job(job: Job, codebook: Codebook | None, options: DecompressOptions) -> Result:
    """Decode one file into one output."""
    start = time.perf_counter()
    progress = options.progress or NoProgress()
    notes: list[str] = []
    with ExitStack() as stack:
        path = job.source.paths[0] if job.source.paths else None
        if path is None and job.target.kind == "video":
            path = stack.enter_context(_spooled())  # audio is read from its own place in the file
        source = stack.enter_context(SvqSource(path, job.source.label, codebook, options.keep_going, options.frames))
        with (
            progress.of(f"decompress {source.label}", source.info.frame_count),
            open_sink(job.target, source.decoder, source.info, options, source.audio_from) as sink,
        ):
            if source.info.audio_streams and not (sink.holds_audio and source.audio_from):
                why = "a part has no audio" if options.frames is not None else "holds no audio"
                notes.append(f"{sink.label}: {why}, so the input's is left out")
            stats = decode_frames(source, sink, options)
        notes += source.notes + sink.notes
        return Result(
            **names_of(job),
            **stats.figures(source.decoder, sink.size_bytes, time.perf_counter() - start),
            parts=dict(sink.parts),
            failed=(source.truncation,) if source.truncation else (),
            notes=tuple(notes),
        )


def decode_frames(source: SvqSource, sink: FrameSink, options: DecompressOptions) -> StatsAccumulator:
    """Write the coded frames of a `.svq` file, or of the range of it that is asked for, to `sink`."""
    groups = source.groups()
    first = next(groups)
    start = None
    if source.only is not None:  # a part starts at time 0, as any clip
        begin = first.frames()[source.wanted(first)[0]]
        start = begin.index, begin.time
        del begin
    ahead = max(2, min(frames_ahead(options.jobs, first.pixels), MAX_BYTES_AHEAD // (4 * first.pixels)))
    groups = chain([first], groups)
    del first

    def encode(group: LazyGroup) -> tuple[list[Any], list[tuple[int, int]]]:
        frames = [group.frames()[position] for position in source.wanted(group)]
        if start is not None:
            frames = [_earlier(frame, *start) for frame in frames]
        return sink.encode_group(frames), [(frame.height, frame.width) for frame in frames]

    stats, progress = StatsAccumulator(), options.progress or NoProgress()
    with closing(ordered_map(encode, groups, options.jobs, ahead)) as results:
        for packets, sizes in results:
            for packet in packets:
                sink.write(packet)
            for size in sizes:
                stats.add(FrameStats(size))
                progress.advance()
    return stats


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
