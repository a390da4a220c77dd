"""The whole way: plan, learn a codebook or take one, and quantize frames from sources into sinks."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from streamvq.errors import BelowQuality, LargerThanInput, MediaError, StreamVQError, UsageError
from streamvq.media.inputs import Source
from streamvq.media.opening import open_sink, open_source
from streamvq.media.sinks.sink import FrameSink
from streamvq.media.sources.svq import SvqSource, check_no_terminal
from streamvq.media.targets import Job
from streamvq.pipeline.encode import quantize, transcribe
from streamvq.pipeline.encoders import Factorization, Method, VectorQuantization
from streamvq.pipeline.fit import fewer_colors, fit, warm_up
from streamvq.pipeline.plan import Plan, make_plan, plan_decompression
from streamvq.pipeline.result import Result, StatsAccumulator
from streamvq.progress import NoProgress, Progress
from streamvq.quantize.codebook import Codebook
from streamvq.settings import DrawingSettings, FitSettings, LowRankSettings, OutputSettings, RunSettings
from streamvq.staging import made_folder


@dataclass(frozen=True)
class _How:
    """All that says how a run is done; `factors` is set where frames are stored as factors and nothing is learned."""

    settings: FitSettings
    run: RunSettings
    writing: OutputSettings
    progress: Progress
    factors: LowRankSettings | None = None


def compress(
    sources: Source | Sequence[Source],
    output: Source | None = None,
    colors: int | None = None,
    *,
    gray: bool = False,
    seed: int = 0,
    block: int | tuple[int, int] = 1,
    space: str = "",
    method: str = "vq",
    rank: int | None = None,
    energy: float | None = None,
    patch: int = 0,
    codebook: Codebook | None = None,
    save_codebook: Source | None = None,
    recursive: bool = False,
    run: RunSettings | None = None,
    writing: OutputSettings | None = None,
    progress: Progress | None = None,
) -> list[Result]:
    """Quantize all sources with one codebook: learned from all of them, or the one given, which never changes.

    `output` is a .svq file, a video, an image, a folder, or "-" (y4m on standard output); its suffix chooses the
    kind, and without it a single source becomes a .svq file beside it. A code stands for one pixel or a `block`, as
    for `fit_codebook`. A learned codebook is written next to the output (`save_codebook` chooses where). One result
    a source; where one of several fails, its result has `error` and the others are done.

    With `rank` or `energy`, frames are first truncated as by `low_rank` (`method` "svd-vq", or the default "vq").
    With `method` "svd" there is no codebook: the quantized factors are the frames; `space` is where they are stored.
    Raises UsageError, InputMissing, MediaError, CodebookError, OutputError; nothing half-written remains.

    >>> import streamvq, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (result,) = streamvq.compress("samples/clip.mp4", f"{folder}/clip.mkv", colors=32)
    >>> result.colors, result.width, result.height
    (32, 480, 270)
    """
    drawing = DrawingSettings.of(colors, gray, seed, block, space, method, rank, energy, patch)
    settings, factors = drawing.fit, drawing.factors
    how = _How(settings, run or RunSettings(), writing or OutputSettings(), progress or NoProgress(), factors)
    start = time.perf_counter()
    plan = make_plan(
        sources,
        output,
        drawing,
        codebook=codebook,
        save_codebook=save_codebook,
        recursive=recursive,
        writing=how.writing,
    )
    path = plan.codebook_path
    known = codebook or _earlier(plan, how)
    unsaved = path if codebook or not known else None
    notes = [] if codebook or not known else [f"{path}: its {len(known)} colors are used, as in the run before"]
    warnings: list[str] = []
    failed: dict[str, list[str]] = {}
    if known is None and factors is None and plan.jobs and plan.jobs[0].source.source_type != "pipe":
        fitted = fit([job.source for job in plan.jobs], settings, how.run, how.progress)
        known, failed, warnings = fitted.codebook, fitted.failed, fewer_colors(fitted.codebook, settings)
    shared_seconds = (time.perf_counter() - start) / max(1, len(plan.jobs))
    results = [Result(job.source.label, str(job.target.path), skipped=True) for job in plan.skipped]
    with made_folder(plan.output) if plan.shares_folder() else nullcontext():
        for job in plan.jobs:
            result = Result(job.source.label, str(job.target.path), bytes_in=job.source.size_bytes)
            result.ignored_files, result.notes, result.warnings = job.source.ignored_files, [*notes], [*warnings]
            results.append(result)
            keep = None
            if unsaved is not None or (codebook is factors is None and job.target.kind == "pipe" and path is None):
                keep = _Keeper(unsaved, job, how.writing.overwrite)
            try:
                if job.source.label in failed and job.source.source_type != "images":
                    raise MediaError(failed[job.source.label][0])
                known = _run_job(job, known, how, result, shared_seconds, keep)
            except StreamVQError as error:
                if len(plan.jobs) == 1:
                    raise
                result.error, result.exit_code = str(error), error.exit_code
                continue
            if keep is not None:
                path, unsaved = keep.path, None
            if known is not None:
                result.codebook = str(path) if path else None
                result.codebook_bytes = len(known.to_bytes())
    return results


def _earlier(plan: Plan, how: _How) -> Codebook | None:
    """The codebook of an earlier run that `skip_existing` continues."""
    path = plan.codebook_path
    return Codebook.load(path) if how.writing.skip_existing and path is not None and path.exists() else None


def decompress(
    sources: Source | Sequence[Source],
    output: Source,
    *,
    codebook: Codebook | None = None,
    frames: range | None = None,
    run: RunSettings | None = None,
    writing: OutputSettings | None = None,
    progress: Progress | None = None,
) -> list[Result]:
    """Turn `.svq` files, or one on standard input ("-"), back into video, images, or y4m.

    `output` is as for `compress`. `codebook` is for files that have none inside. `frames` is a range of frame
    indices; the rest is not decoded. A file that is cut off is decoded up to its last whole group; its result's
    `failed` says what is missing. Raises UsageError, InputMissing, MediaError, CodebookError, OutputError.
    """
    if frames is not None and not (frames.step == 1 and 0 <= frames.start < frames.stop):
        raise UsageError(f"{frames}: frames is a range of frame indices that is not empty, with step 1")
    how = _How(FitSettings(), run or RunSettings(), writing or OutputSettings(), progress or NoProgress())
    plan = plan_decompression(sources, output, how.writing)
    results = [Result(job.source.label, str(job.target.path), skipped=True) for job in plan.skipped]
    with made_folder(plan.output) if plan.shares_folder() else nullcontext():
        for job in plan.jobs:
            result = Result(job.source.label, str(job.target.path), bytes_in=job.source.size_bytes)
            results.append(result)
            try:
                _decode_job(job, codebook, frames, how, result)
            except StreamVQError as error:
                if len(plan.jobs) == 1:
                    raise
                result.error, result.exit_code = str(error), error.exit_code
    return results


def _run_job(
    job: Job,
    codebook: Codebook | None,
    how: _How,
    result: Result,
    shared_seconds: float,
    keep: _Keeper | None,
) -> Codebook | None:
    """Do one job and fill in its result; the codebook, fitted on the warm-up where the input is a pipe."""
    start = time.perf_counter()
    with open_source(job.source, keep_going=how.run.keep_going) as source:
        items = source.items()
        if codebook is None and how.factors is None:
            codebook, items, note = warm_up(source, items, how.settings, how.run)
            (result.warnings if len(codebook) < how.settings.colors else result.notes).append(note)
        method = _method(codebook, how, job.target.format == "svq", source.info.pixels)
        with (
            how.progress.of(f"quantize {source.label}", source.info.frame_count),
            open_sink(job.target, method.decoder, source.info, how.writing, source.audio_from) as sink,
        ):
            if source.info.audio_streams and not sink.holds_audio:
                result.notes.append(f"{sink.label}: holds no audio, so the input's is left out")
            tally, result.failed = quantize(source, items, method, sink, how.run, how.progress)
            sink.finish()
            _judge(sink, tally, result, how.writing, partial(keep.save, codebook) if keep and codebook else None)
            sink.commit()
        result.notes += source.notes + sink.notes
        tally.fill(result, sink, method.decoder, time.perf_counter() - start + shared_seconds)
    return codebook


def _method(codebook: Codebook | None, how: _How, stored: bool, pixels: int | None) -> Method:
    """How frames of so many pixels are drawn, to be stored as they are or as pictures."""
    if codebook is not None:
        return VectorQuantization(codebook, how.writing.lossy, how.settings.low_rank, pixels)
    assert how.factors is not None
    return Factorization(how.factors, stored, pixels)


class _Keeper:
    """Saves a learned codebook before the first output that is kept gets its name: none is there without it."""

    def __init__(self, path: Path | None, job: Job, overwrite: bool) -> None:
        self.path = path
        self._job = job
        self._overwrite = overwrite or job.target.kind == "pipe"

    def save(self, codebook: Codebook) -> None:
        """Write the file; without a path, named by its content, so that a pipe can be run again."""
        self.path = self.path or Path(f"{self._job.source.stem}.{codebook.fingerprint[:8]}.codebook.npz")
        codebook.save(self.path, self._overwrite)


def _judge(
    sink: FrameSink, tally: StatsAccumulator, result: Result, writing: OutputSettings, keep: Callable[[], None] | None
) -> None:
    """Raise where an output is not worth keeping; where it is, keep what belongs to it."""
    size_in, psnr = result.bytes_in, tally.psnr_db()
    if writing.skip_if_larger and size_in is not None and sink.size_bytes > size_in:
        raise LargerThanInput(f"{sink.label}: not kept: {sink.size_bytes} bytes, and the input has {size_in}")
    if writing.min_psnr is not None and psnr is not None and psnr < writing.min_psnr:
        raise BelowQuality(f"{sink.label}: not kept: PSNR {psnr:.2f} dB, below {writing.min_psnr:g}; use more colors")
    if keep is not None:
        keep()


def _decode_job(job: Job, codebook: Codebook | None, frames: range | None, how: _How, result: Result) -> None:
    """Do one job of `decompress` and fill in its result."""
    start = time.perf_counter()
    with ExitStack() as stack:
        path = job.source.paths[0] if job.source.paths else None
        if path is None and job.target.kind == "video":
            path = stack.enter_context(_spooled())  # audio is read from its own place in the file
        source = stack.enter_context(SvqSource(path, job.source.label, codebook, how.run.keep_going, frames))
        with (
            how.progress.of(f"decompress {source.label}", source.info.frame_count),
            open_sink(job.target, source.decoder, source.info, how.writing, source.audio_from) as sink,
        ):
            if source.info.audio_streams and not (sink.holds_audio and source.audio_from):
                why = "a part has no audio" if frames is not None else "holds no audio"
                result.notes.append(f"{sink.label}: {why}, so the input's is left out")
            tally = transcribe(source, sink, how.run, how.progress)
        if source.missing:
            result.failed.append(source.missing)
        result.notes += source.notes + sink.notes
        tally.fill(result, sink, source.decoder, time.perf_counter() - start)


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
