"""What a run would do, decided and checked before it starts: its jobs, and where the codebook goes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from streamvq.errors import OutputError, OutputExists, UsageError
from streamvq.media.inputs import PIPE, MediaInput, Source, find_inputs
from streamvq.media.targets import Job, plan_jobs
from streamvq.quantize.codebook import Codebook
from streamvq.settings import DrawingSettings, OutputSettings


@dataclass(frozen=True)
class Plan:
    """What a run would do: `jobs` to do and `skipped` ones, and where the codebook goes (None: nowhere)."""

    jobs: list[Job]
    skipped: list[Job]
    codebook_path: Path | None
    output: Path

    def shares_folder(self) -> bool:
        """Whether outputs go into the folder `output` one by one, rather than being it."""
        return any(job.target.kind != "pipe" and job.target.path.parent == self.output for job in self.jobs)


def make_plan(
    sources: Source | Sequence[Source],
    output: Source | None,
    drawing: DrawingSettings | None = None,
    *,
    codebook: Codebook | None = None,
    save_codebook: Source | None = None,
    recursive: bool = False,
    writing: OutputSettings | None = None,
) -> Plan:
    """What `compress` with these arguments would do. Raises what would keep it from starting.

    Without an output, a single input becomes a `.svq` file beside it.
    """
    if not isinstance(codebook, Codebook | None):
        raise TypeError(f"codebook is a {type(codebook).__name__}: give a Codebook, such as Codebook.load(path)")
    writing = writing or OutputSettings()
    factors = drawing is not None and drawing.factors is not None
    if factors and (codebook or save_codebook or writing.lossy or not writing.embed):
        raise UsageError("method svd has no codebook and no codes; drop -c, --save-codebook, --lossy and the like")
    inputs = find_inputs(
        [sources] if isinstance(sources, (str, os.PathLike)) else sources,
        recursive,
        leave_out=None if output is None else Path(output),
    )
    if output is None:
        output = _default_output(inputs)
    if len(inputs) > 1 and any(source.source_type == "pipe" for source in inputs):
        raise UsageError("-: a pipe cannot be mixed with other inputs; run it alone with -c CODEBOOK")
    if os.fspath(output) == PIPE and (writing.skip_if_larger or writing.min_psnr is not None):
        raise UsageError("-: what went into a pipe cannot be taken back; drop --skip-if-larger and --min-psnr")
    if writing.skip_if_larger and any(source.source_type == "pipe" for source in inputs):
        raise UsageError("-: a pipe has no size to compare with; drop --skip-if-larger")
    jobs, skipped, continues = plan_jobs(inputs, output, writing)
    path = Path(save_codebook) if save_codebook else None
    if path is None and not factors and codebook is None and jobs and os.fspath(output) != PIPE:
        path = _codebook_path([*jobs, *skipped], output)
    if path is not None and jobs:
        _check_codebook_path(path, jobs, codebook, writing, continues)
    return Plan(jobs, skipped, path, Path(output))


def _default_output(inputs: Sequence[MediaInput]) -> Path:
    """The `.svq` file beside a single input."""
    if len(inputs) != 1:
        raise UsageError(f"{len(inputs)} inputs: name a folder for their outputs with -o")
    source = inputs[0]
    if source.source_type == "pipe" or source.is_svq:
        raise UsageError(f"{source.label}: name the output with -o")
    beside = source.root.resolve() if source.root and source.label == str(source.root) else source.paths[0]
    return beside.with_name(f"{source.stem}.svq")


def plan_decompression(
    sources: Source | Sequence[Source], output: Source, writing: OutputSettings | None = None
) -> Plan:
    """What `decompress` with these arguments would do. Raises what would keep it from starting."""
    inputs = find_inputs([sources] if isinstance(sources, (str, os.PathLike)) else sources)
    for source in inputs:
        if not source.is_svq and source.source_type != "pipe":
            raise UsageError(f"{source.label}: is not named .svq; decompress takes what compress wrote")
    inputs = [replace(source, pipes_svq=source.source_type == "pipe") for source in inputs]
    jobs, skipped, _ = plan_jobs(inputs, output, writing or OutputSettings())
    return Plan(jobs, skipped, None, Path(output))


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


def _codebook_path(jobs: Sequence[Job], output: Source) -> Path:
    """Where the codebook goes: next to the output, under its name."""
    if jobs[0].target.kind != "folder" and jobs[0].target.path == Path(output):
        return jobs[0].target.path.with_suffix(".codebook.npz")
    folder = Path(output) if Path(output).name not in ("", "..") else Path(output).resolve()
    return folder.with_name(f"{folder.name}.codebook.npz")
