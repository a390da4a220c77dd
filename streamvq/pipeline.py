"""The whole way: plan, learn a codebook or take one, and quantize frames from sources into sinks."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from streamvq.errors import MediaError, StreamVQError, UsageError
from streamvq.frames import Frame
from streamvq.learning import Source, fewer_colors, fit, warm_up
from streamvq.media.inputs import PIPE, find_inputs
from streamvq.media.opening import open_sink, open_source
from streamvq.media.plan import Job, plan_jobs
from streamvq.media.sinks import FrameSink
from streamvq.media.sources import FrameSource
from streamvq.ordered import frames_ahead, ordered_map
from streamvq.progress import NoProgress, Progress
from streamvq.quantize.codebook import Codebook
from streamvq.results import Result, Tally
from streamvq.settings import FitSettings, OutputSettings, RunSettings
from streamvq.staging import check_free, made_folder


@dataclass(frozen=True)
class Plan:
    """What a run would do: `jobs` to do and `skipped` ones, and where the codebook goes (None: nowhere)."""

    jobs: list[Job]
    skipped: list[Job]
    codebook_path: Path | None

    def shares_folder(self, output: Source) -> bool:
        """Whether outputs go into the folder `output` one by one, rather than being it."""
        return any(job.target.kind != "pipe" and job.target.path.parent == Path(output) for job in self.jobs)


@dataclass(frozen=True)
class _How:
    """All that says how a run is done."""

    settings: FitSettings
    run: RunSettings
    writing: OutputSettings
    progress: Progress


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
    settings = FitSettings(colors, gray, seed)
    how = _How(settings, run or RunSettings(), writing or OutputSettings(), progress or NoProgress())
    start = time.perf_counter()
    plan = make_plan(
        sources, output, codebook=codebook, save_codebook=save_codebook, recursive=recursive, writing=how.writing
    )
    known = codebook or _earlier(plan, how)
    unsaved = plan.codebook_path if codebook or not known else None
    notes = [] if codebook or not known else [f"{plan.codebook_path}: reused, to go on with an earlier run"]
    failed: dict[str, list[str]] = {}
    if known is None and plan.jobs and plan.jobs[0].source.kind != "pipe":
        fitted = fit([job.source for job in plan.jobs], settings, how.run, how.progress)
        known, failed, notes = fitted.codebook, fitted.failed, fewer_colors(fitted.codebook, settings)
    shared_seconds = (time.perf_counter() - start) / max(1, len(plan.jobs))
    results = [Result(job.source.label, str(job.target.path), skipped=True) for job in plan.skipped]
    with made_folder(Path(output)) if plan.shares_folder(output) else nullcontext():
        for job in plan.jobs:
            result = Result(job.source.label, str(job.target.path), bytes_in=job.source.size_bytes)
            result.left_alone, result.notes = job.source.left_alone, list(notes)
            results.append(result)
            try:
                if job.source.label in failed and job.source.kind != "images":
                    raise MediaError(failed[job.source.label][0])
                known = _run_job(job, known, how, result, shared_seconds)
            except StreamVQError as error:
                if len(plan.jobs) == 1:
                    raise
                result.error = str(error)
                continue
            if unsaved is not None:
                known.save(unsaved, how.writing.overwrite)
                unsaved = None
            result.codebook = str(plan.codebook_path) if plan.codebook_path else None
            result.codebook_bytes = len(known.to_bytes())
    return results


def _earlier(plan: Plan, how: _How) -> Codebook | None:
    """The codebook of an earlier run that `skip_existing` continues."""
    path = plan.codebook_path
    return Codebook.load(path) if how.writing.skip_existing and path is not None and path.exists() else None


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
    how: _How,
    result: Result,
    shared_seconds: float,
) -> Codebook:
    """Do one job and fill in its result; the codebook, fitted on the warm-up where the input is a pipe."""
    start = time.perf_counter()
    with open_source(job.source, keep_going=how.run.keep_going) as source:
        items = source.items()
        if codebook is None:
            codebook, items, note = warm_up(source, items, how.settings, how.run)
            result.notes += [note, *fewer_colors(codebook, how.settings)]
        with (
            how.progress.of("quantize", source),
            open_sink(job.target, codebook, source.info, how.writing, source.audio_from) as sink,
        ):
            if source.info.audio_streams and not sink.holds_audio:
                result.notes.append(f"{sink.label}: holds no audio, so the input's is left out")
            tally, result.failed = quantize(source, items, codebook, sink, how.run, how.progress)
        result.notes += source.notes + sink.notes
        tally.fill(result, sink.size_bytes, time.perf_counter() - start + shared_seconds)
    return codebook


def _codebook_path(jobs: Sequence[Job], output: Source) -> Path:
    """Where the codebook goes: next to the output, under its name."""
    if os.fspath(output) == PIPE:
        return Path(f"{jobs[0].source.stem}.codebook.npz")
    if len(jobs) == 1 and jobs[0].target.kind != "folder":
        return jobs[0].target.path.with_suffix(".codebook.npz")
    folder = Path(output) if Path(output).name not in ("", "..") else Path(output).resolve()
    return folder.with_name(f"{folder.name}.codebook.npz")
