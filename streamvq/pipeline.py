"""The whole way: plan, learn a codebook or take one, and quantize frames from sources into sinks."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from streamvq.errors import MediaError, OutputError, OutputExists, StreamVQError, UsageError
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
from streamvq.staging import made_folder


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
    same: bool  # the codes' samples are of the input's own kind: no color turned gray, no 16 bits cut to 8
    packet: Any


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
    if not isinstance(codebook, Codebook | None):
        raise TypeError(f"codebook is a {type(codebook).__name__}: give a Codebook, such as Codebook.load(path)")
    writing = writing or OutputSettings()
    inputs = find_inputs(
        [sources] if isinstance(sources, (str, os.PathLike)) else sources, recursive, leave_out=Path(output)
    )
    if len(inputs) > 1 and any(source.kind == "pipe" for source in inputs):
        raise UsageError("-: a pipe cannot be mixed with other inputs; run it alone with -c CODEBOOK")
    jobs, skipped, continues = plan_jobs(inputs, output, writing)
    path = Path(save_codebook) if save_codebook else None
    if path is None and codebook is None and jobs and os.fspath(output) != PIPE:
        path = _codebook_path([*jobs, *skipped], output)
    if path is not None and jobs:
        _check_codebook_path(path, jobs, codebook, writing, continues)
    return Plan(jobs, skipped, path)


def _check_codebook_path(
    path: Path, jobs: Sequence[Job], codebook: Codebook | None, writing: OutputSettings, continues: bool
) -> None:
    files = {str(file.resolve()).casefold() for job in jobs for file in (*job.files(), *job.source.paths)}
    if path.suffix != ".npz" or path.is_dir() or str(path.resolve()).casefold() in files:
        raise UsageError(f"{path}: a codebook file ends in .npz and is no input or output; choose another name")
    if codebook is None and writing.skip_existing:
        if continues and not path.exists():
            raise OutputError(f"{path}: the codebook of the outputs that are there is missing; name it with -c")
    elif path.exists() and not writing.overwrite:
        raise OutputExists(
            f"{path}: this codebook is there already; use it with -c {path}, write another with --save-codebook, "
            "or replace it and the outputs with --overwrite"
        )
    elif not path.parent.is_dir() and not any(job.target.path.parent == path.parent for job in jobs):
        raise OutputError(f"{path}: the folder {path.parent} does not exist; create it first")


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
    path = plan.codebook_path
    known = codebook or _earlier(plan, how)
    unsaved = path if codebook or not known else None
    notes = [] if codebook or not known else [f"{path}: its {len(known)} colors are used, as in the run before"]
    warnings: list[str] = []
    failed: dict[str, list[str]] = {}
    if known is None and plan.jobs and plan.jobs[0].source.kind != "pipe":
        fitted = fit([job.source for job in plan.jobs], settings, how.run, how.progress)
        known, failed, warnings = fitted.codebook, fitted.failed, fewer_colors(fitted.codebook, settings)
    shared_seconds = (time.perf_counter() - start) / max(1, len(plan.jobs))
    results = [Result(job.source.label, str(job.target.path), skipped=True) for job in plan.skipped]
    with made_folder(Path(output)) if plan.shares_folder(output) else nullcontext():
        for job in plan.jobs:
            result = Result(job.source.label, str(job.target.path), bytes_in=job.source.size_bytes)
            result.left_alone, result.notes, result.warnings = job.source.left_alone, [*notes], [*warnings]
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
            if codebook is None and job.target.kind == "pipe" and plan.codebook_path is None:
                # named by its content, so that a pipe can be run again and nothing is lost
                unsaved = path = Path(f"{job.source.stem}.{known.fingerprint[:8]}.codebook.npz")
            if unsaved is not None:
                known.save(unsaved, how.writing.overwrite or job.target.kind == "pipe")
                unsaved = None
            result.codebook = str(path) if path else None
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

    def redraw(item: Any) -> _Coded | str:
        frame = item if isinstance(item, Frame) else source.load_or_reason(item)
        if isinstance(frame, str):
            return frame
        coded, squared_error = codebook.index_frame(frame)
        visible = coded.codes.size if coded.alpha is None else int(np.count_nonzero(coded.alpha))
        samples = visible * codebook.codes.shape[1]
        same = frame.pixels.dtype == np.uint8 and (codebook.space == "rgb" or frame.pixels.shape[2] == 1)
        return _Coded((coded.width, coded.height), samples, squared_error, same, sink.encode(coded))

    tally, failed = Tally(codebook), []
    with closing(ordered_map(redraw, items, run.jobs, frames_ahead(run.jobs, source.info.pixels))) as results:
        for done in results:
            if isinstance(done, str):
                failed.append(done)
            else:
                sink.write(done.packet)
                tally.add(done.size, done.samples, done.squared_error, done.same and sink.exact)
            progress.advance()
    if failed and not tally.frames:
        raise MediaError(f"{source.label}: no image could be decoded; the first: {failed[0]}")
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
            (result.warnings if len(codebook) < how.settings.colors else result.notes).append(note)
        with (
            how.progress.of(f"quantize {source.label}", source.info.frame_count),
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
    if jobs[0].target.kind != "folder" and jobs[0].target.path == Path(output):
        return jobs[0].target.path.with_suffix(".codebook.npz")
    folder = Path(output) if Path(output).name not in ("", "..") else Path(output).resolve()
    return folder.with_name(f"{folder.name}.codebook.npz")
