"""The whole way, one screen each: plan, fit, and quantize frames from a source into a sink."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from streamvq.errors import MediaError, StreamVQError, UsageError
from streamvq.frames import Frame
from streamvq.media.inputs import PIPE, MediaInput, find_inputs
from streamvq.media.plan import Job, plan_jobs
from streamvq.media.sinks import FrameSink, open_sink
from streamvq.media.sources import FrameSource, open_source
from streamvq.ordered import frames_ahead, ordered_map, worker_count
from streamvq.progress import NoProgress, Progress
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.fitting import fit_codes
from streamvq.quantize.histogram import ColorHistogram, ColorSketch, LevelHistogram
from streamvq.results import Result, Tally
from streamvq.settings import FitSettings, OutputSettings, RunSettings
from streamvq.staging import check_free

Source = str | os.PathLike[str]
_SKETCHES_MOST = 4  # one decoder cannot feed more workers, and a sketch may take 66 MB


@dataclass(frozen=True)
class Plan:
    """What a run would do: `jobs` to do and `skipped` ones, and where the codebook goes (None: nowhere)."""

    jobs: list[Job]
    skipped: list[Job]
    codebook_path: Path | None


@dataclass(frozen=True)
class Fitted:
    """A learned codebook, the frames counted for it, and what could not be read (a line each)."""

    codebook: Codebook
    frames: int
    failed: dict[str, list[str]]  # by input
    notes: list[str]


@dataclass(frozen=True)
class _Coded:
    """A frame ready to be written, with its figures."""

    size: tuple[int, int]
    samples: int
    squared_error: int
    packet: Any


@dataclass(frozen=True)
class _Skipped:
    """A bad item among good ones."""

    reason: str


def fit_codebook(
    sources: Source | Sequence[Source],
    colors: int = 256,
    *,
    gray: bool = False,
    seed: int = 0,
    recursive: bool = False,
    run: RunSettings | None = None,
    progress: Progress | None = None,
) -> Codebook:
    """One codebook learned from all frames of all sources, none of which is held in memory.

    `sources` are videos, images, folders, globs, or "-" (y4m on standard input). With at most `colors` distinct
    colors in them, the codebook is exactly those. The result does not depend on `run.jobs`.
    Raises UsageError for numbers out of range, InputMissing, or MediaError.

    >>> import streamvq
    >>> book = streamvq.fit_codebook("samples/photos", colors=16)
    >>> book.codes.shape
    (16, 3)
    """
    inputs = find_inputs([sources] if isinstance(sources, (str, os.PathLike)) else sources, recursive)
    fitted = fit(inputs, FitSettings(colors, gray, seed), run or RunSettings(), progress or NoProgress())
    for reasons in fitted.failed.values():
        raise MediaError(reasons[0])
    return fitted.codebook


def fit(inputs: Sequence[MediaInput], settings: FitSettings, run: RunSettings, progress: Progress) -> Fitted:
    """Like `fit_codebook`, of found inputs; bad images and, among several inputs, bad inputs are left out."""
    total = _new_sketch(settings)
    frames, failed, notes = 0, {}, []
    for source in inputs:
        sketch = _new_sketch(settings) if len(inputs) > 1 else total
        try:
            counted, bad, remarks = _absorb(source, sketch, run, progress)
        except StreamVQError as error:
            if len(inputs) == 1:
                raise
            failed[source.label] = [str(error)]
            continue
        if sketch is not total:
            total.merge(sketch)
        frames += counted
        notes += remarks
        if bad:
            failed[source.label] = bad
    if not frames:
        raise MediaError(f"nothing can be decoded; the first: {next(iter(failed.values()))[0]}")
    return Fitted(_fitted(total, settings), frames, failed, notes)


def make_plan(
    sources: Source | Sequence[Source],
    output: Source,
    *,
    codebook: Codebook | None = None,
    save_codebook: Source | None = None,
    recursive: bool = False,
    writing: OutputSettings | None = None,
) -> Plan:
    """What `compress` with these arguments would do. Raises what would keep it from starting."""
    writing = writing or OutputSettings()
    inputs = find_inputs([sources] if isinstance(sources, (str, os.PathLike)) else sources, recursive)
    if len(inputs) > 1 and any(source.kind == "pipe" for source in inputs):
        raise UsageError("-: a pipe cannot be mixed with other inputs; run it alone with -c CODEBOOK")
    jobs, skipped = plan_jobs(inputs, output, writing)
    path = Path(save_codebook) if save_codebook else None
    if path is None and codebook is None and jobs:
        path = _codebook_path(jobs, output)
    if path is not None and jobs:
        if any(path.absolute() == file.absolute() for job in jobs for file in (*job.files(), *job.source.paths)):
            raise UsageError(f"{path}: is an input or output too; choose another name for the codebook")
        check_free(path, writing.overwrite or (writing.skip_existing and codebook is None))
    return Plan(jobs, skipped, path)


def compress(
    sources: Source | Sequence[Source],
    output: Source,
    colors: int = 256,
    *,
    gray: bool = False,
    seed: int = 0,
    codebook: Codebook | None = None,
    save_codebook: Source | None = None,
    recursive: bool = False,
    run: RunSettings | None = None,
    writing: OutputSettings | None = None,
    progress: Progress | None = None,
) -> list[Result]:
    """Quantize all sources with one codebook: learned from all of them, or the one given, which never changes.

    `output` is a video, an image, a folder, or "-" (y4m on standard output); its suffix chooses the kind. A
    learned codebook is written next to the output (`save_codebook` chooses where). One result a source; where
    one of several fails, its result has `error` and the others are done.
    Raises UsageError, InputMissing, MediaError, CodebookError, OutputError; nothing half-written remains.

    >>> import streamvq, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (result,) = streamvq.compress("samples/clip.mp4", f"{folder}/clip.mkv", colors=32)
    >>> result.colors, result.width, result.height
    (32, 480, 270)
    """
    start = time.perf_counter()
    settings = FitSettings(colors, gray, seed)
    run, writing, progress = run or RunSettings(), writing or OutputSettings(), progress or NoProgress()
    plan = make_plan(
        sources, output, codebook=codebook, save_codebook=save_codebook, recursive=recursive, writing=writing
    )
    results = [Result(job.source.label, str(job.target.path), skipped=True) for job in plan.skipped]
    path, failed, notes = plan.codebook_path, {}, []
    if writing.skip_existing and codebook is None and path is not None and path.exists():
        codebook, notes = (
            Codebook.load(path),
            [f"{path}: reused, since --skip-existing continues an earlier run"],
        )
        written = True
    else:
        written = path is None
    if codebook is None and plan.jobs and plan.jobs[0].source.kind != "pipe":
        fitted = fit([job.source for job in plan.jobs], settings, run, progress)
        codebook, failed = fitted.codebook, fitted.failed
    shared = (time.perf_counter() - start) / max(1, len(plan.jobs))
    for job in plan.jobs:
        result = Result(job.source.label, str(job.target.path), bytes_in=job.source.size_bytes)
        result.left_alone, result.notes = job.source.left_alone, list(notes)
        results.append(result)
        try:
            if job.source.label in failed and job.source.kind != "images":
                raise MediaError(failed[job.source.label][0])
            codebook = _run_job(job, codebook, settings, run, writing, result, progress, shared)
        except StreamVQError as error:
            if len(plan.jobs) == 1:
                raise
            result.error = str(error)
            continue
        if not written and path is not None:
            codebook.save(path, writing.overwrite)
            written = True
        result.codebook = str(path) if path else None
        result.codebook_bytes = len(codebook.to_bytes())
    return results


def _absorb(
    source: MediaInput, sketch: ColorSketch, run: RunSettings, progress: Progress
) -> tuple[int, list[str], list[str]]:
    """Count all frames of an input into `sketch`, in parallel; frames counted, bad ones, and remarks."""
    spare: SimpleQueue[ColorSketch] = SimpleQueue()
    parts = [sketch] + [type(sketch)() for _ in range(min(worker_count(run.jobs), _SKETCHES_MOST) - 1)]
    for part in parts:
        spare.put(part)

    def count(item: Any) -> str | None:
        try:
            frame = opened.load(item)
        except MediaError as error:
            if opened.skips_bad_items:
                return str(error)
            raise
        part = spare.get()
        try:
            part.absorb(frame.pixels)
        finally:
            spare.put(part)
        return None

    counted, bad = 0, []
    with open_source(source, keep_going=run.keep_going) as opened, progress.of("learn", opened):
        for reason in ordered_map(count, opened.items(), run.jobs, frames_ahead(run.jobs)):
            if reason is None:
                counted += 1
            else:
                bad.append(reason)
            progress.advance()
    for part in parts[1:]:
        sketch.merge(part)
    return counted, bad, opened.notes


def quantize(
    source: FrameSource,
    items: Iterable[Any],
    codebook: Codebook,
    sink: FrameSink,
    run: RunSettings,
    progress: Progress,
) -> tuple[Tally, list[str]]:
    """Write every frame of `source` to `sink`, in order, as codes; the figures, and what could not be read."""

    def redraw(item: Any) -> _Coded | _Skipped:
        try:
            frame = item if isinstance(item, Frame) else source.load(item)
        except MediaError as error:
            if source.skips_bad_items:
                return _Skipped(str(error))
            raise
        coded, squared_error = codebook.index_frame(frame)
        visible = coded.codes.size if coded.alpha is None else int(np.count_nonzero(coded.alpha))
        samples = visible * codebook.codes.shape[1]
        return _Coded((coded.width, coded.height), samples, squared_error, sink.encode(coded))

    tally, failed = Tally(codebook), []
    for done in ordered_map(redraw, items, run.jobs, frames_ahead(run.jobs)):
        if isinstance(done, _Skipped):
            failed.append(done.reason)
        else:
            sink.write(done.packet)
            tally.add(done.size, done.samples, done.squared_error)
        progress.advance()
    if failed and not tally.frames:
        raise MediaError(f"{source.label}: none of its images can be decoded; the first: {failed[0]}")
    return tally, failed


def _run_job(
    job: Job,
    codebook: Codebook | None,
    settings: FitSettings,
    run: RunSettings,
    writing: OutputSettings,
    result: Result,
    progress: Progress,
    shared_seconds: float,
) -> Codebook:
    """Do one job and fill in its result; the codebook, fitted on the warm-up where the input is a pipe."""
    start = time.perf_counter()
    with open_source(job.source, keep_going=run.keep_going) as source:
        items = source.items()
        if codebook is None:
            codebook, items = _warm_up(source, items, settings, run, result)
        with (
            progress.of("quantize", source),
            open_sink(job.target, codebook, source.info, writing, source.audio_from) as sink,
        ):
            if source.info.audio_streams and not sink.holds_audio:
                result.notes.append(f"{sink.label}: holds no audio, so the input's is left out")
            tally, result.failed = quantize(source, items, codebook, sink, run, progress)
        if len(codebook) < settings.colors and codebook.provenance.get("colors_asked") == settings.colors:
            result.notes.append(fewer_colors(len(codebook), settings.colors))
        result.notes += source.notes + sink.notes
        tally.fill(result, sink.size_bytes, time.perf_counter() - start + shared_seconds)
    return codebook


def _warm_up(
    source: FrameSource, items: Iterator[Any], settings: FitSettings, run: RunSettings, result: Result
) -> tuple[Codebook, Iterator[Any]]:
    """A codebook fitted on the first frames of what can be read once, and all items, those frames first."""
    head = list(ordered_map(source.load, islice(items, run.warmup), run.jobs, frames_ahead(run.jobs)))
    sketch = _new_sketch(settings)
    for frame in head:
        sketch.absorb(frame.pixels)
    result.notes.append(f"{source.label}: codebook learned from the first {len(head)} frames (--warmup)")
    return _fitted(sketch, settings), chain(head, items)


def _new_sketch(settings: FitSettings) -> ColorSketch:
    return LevelHistogram() if settings.gray else ColorHistogram()


def _fitted(sketch: ColorSketch, settings: FitSettings) -> Codebook:
    if not sketch.distinct():
        raise MediaError("the input has no visible pixel to learn from")
    codes = fit_codes(sketch, settings.colors, settings.seed)
    provenance = {
        "colors_asked": settings.colors,
        "seed": settings.seed,
        "streamvq": _version("streamvq"),
        "scikit-learn": _version("scikit-learn"),
        "numpy": np.__version__,
    }
    return Codebook(codes, "gray" if settings.gray else "rgb", provenance=provenance)


def fewer_colors(found: int, asked: int) -> str:
    return f"{found} colors instead of {asked}: the input has no more distinct ones, so the output is lossless"


def _codebook_path(jobs: Sequence[Job], output: Source) -> Path:
    """Where the codebook goes: next to the output, under its name."""
    if os.fspath(output) == PIPE:
        return Path(f"{jobs[0].source.stem}.codebook.npz")
    files = jobs[0].files() if len(jobs) == 1 else []
    if len(files) == 1 and files[0].suffix:
        return files[0].with_suffix(".codebook.npz")
    folder = Path(output) if Path(output).name not in ("", "..") else Path(output).resolve()
    return folder.with_name(f"{folder.name}.codebook.npz")


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
