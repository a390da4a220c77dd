"""Which output each input gets, decided and checked before any work starts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from streamvq.errors import OutputError, OutputExists, UsageError
from streamvq.media.inputs import PIPE, MediaInput
from streamvq.settings import IMAGE_FORMATS, VIDEO_FORMATS, OutputSettings

_FORMAT_OF_SUFFIX = {f".{name}": name for name in IMAGE_FORMATS + VIDEO_FORMATS} | {
    ".jpeg": "jpg",
    ".tif": "tiff",
}


@dataclass(frozen=True)
class Target:
    """One output: a video file, one image file, a folder of images, or the pipe (without a path)."""

    kind: Literal["video", "image", "folder", "pipe"]
    path: Path = Path(PIPE)
    format: str = "y4m"

    @classmethod
    def of(cls, path_given: str | os.PathLike[str], format: str | None = None) -> Target:
        """The target that a path's suffix means; without a known suffix, a folder."""
        if os.fspath(path_given) == PIPE:
            if format not in (None, "svq"):
                raise UsageError(f"-: carries y4m or, with --format svq, .svq; not {format}")
            return cls("pipe", format=format or "y4m")
        path = Path(path_given)
        suffix = path.suffix.lower()
        folder = path.is_dir() or os.fspath(path_given).endswith(("/", os.sep))
        if suffix in _FORMAT_OF_SUFFIX and not folder:
            of_suffix = _FORMAT_OF_SUFFIX[suffix]
            if format not in (None, of_suffix):
                raise UsageError(f"{path}: its suffix says {of_suffix}, and --format says {format}; drop one of them")
            return cls("video" if of_suffix in VIDEO_FORMATS else "image", path, of_suffix)
        if suffix and not folder:
            known = ", ".join(f".{name}" for name in VIDEO_FORMATS + IMAGE_FORMATS)
            raise UsageError(f"{path}: cannot write {suffix}; choose {known}, a folder name without a dot, or -")
        if format in VIDEO_FORMATS:
            raise UsageError(f"{path}: name the file itself: {path}.{format}")
        return cls("folder", path, format or "png")


@dataclass(frozen=True)
class Job:
    """One input and its output."""

    source: MediaInput
    target: Target

    def named(self) -> bool:
        """Whether the outputs take the names of the input's images."""
        return self.target.kind == "folder" and self.source.source_type in ("image", "images")

    def files(self) -> list[Path]:
        """The output files whose names are known beforehand; for numbered frames their folder."""
        if self.named():
            return [self.target.path / image_name(name, self.target.format) for name in self.source.names()]
        return [] if self.target.kind == "pipe" else [self.target.path]


def frame_name(index: int, format: str) -> str:
    """The file name of a video's frame."""
    return f"frame{index:06d}.{format}"


def numbered_frames(folder: Path, format: str) -> list[Path]:
    """The files in a folder that are named as `frame_name` names them."""
    return [path for path in folder.glob(f"frame*.{format}") if re.fullmatch(r"frame\d{6,}", path.stem)]


def image_name(name: str, format: str) -> str:
    """An image's name inside a folder with the suffix of the format that it gets."""
    return str(PurePosixPath(name).with_suffix(f".{format}"))


def plan_jobs(
    inputs: Sequence[MediaInput], output: str | os.PathLike[str], settings: OutputSettings
) -> tuple[list[Job], list[Job], bool]:
    """The jobs to do, those that `skip_existing` leaves out, and whether it leaves out anything.

    Raises UsageError where two inputs would write the same file or an output is an input, OutputExists where
    something is there already, OutputError where the output's folder is missing.
    """
    jobs = [Job(source, target) for source, target in _targets(inputs, output, settings.format)]
    for target in (job.target for job in jobs):
        if target.format in ("mp4", "mov") and settings.crf > 51:
            raise UsageError(f"{target.path}: .{target.format} takes --crf 0 to 51, not {settings.crf}")
        if target.kind == "folder" and target.path.exists() and not target.path.is_dir():
            raise OutputExists(f"{target.path}: is a file, and a folder is to be written; choose another name")
    _check_clashes(jobs)
    parent = Path(output).absolute().parent
    if jobs[0].target.kind != "pipe" and not parent.is_dir():
        raise OutputError(f"{output}: the folder {Path(output).parent} does not exist; create it first")
    taken = [path for path in _occupied(jobs) if path.exists()]
    if settings.skip_existing:
        return *_without_existing(jobs, set(taken)), bool(taken)
    if taken and not settings.overwrite:
        raise OutputExists(f"{taken[0]}: already exists; use --overwrite, --skip-existing, or another name")
    return jobs, [], False


def _targets(
    inputs: Sequence[MediaInput], output: str | os.PathLike[str], format: str | None
) -> Iterable[tuple[MediaInput, Target]]:
    if len(inputs) == 1:
        source = inputs[0]
        if format in VIDEO_FORMATS and _is_folder(output):
            return [(source, _inside(Path(output), source, format))]
        target = Target.of(output, format)
        if target.kind == "image" and source.source_type == "pipe" and not source.is_svq:
            raise UsageError(f"{output}: holds one image, and a pipe brings y4m video; name a folder or a video")
        if target.kind == "image" and not (source.source_type == "image" or source.is_svq):
            raise UsageError(f"{output}: holds one image, and {source.label} may have many; name a folder or a video")
        return [(source, target)]
    if os.fspath(output) == PIPE:
        raise UsageError(f"-: {len(inputs)} inputs do not fit one pipe; name a folder")
    if not _is_folder(output):
        raise UsageError(f"{output}: {len(inputs)} inputs need a folder for their outputs; name one without a suffix")
    return [(source, _inside(Path(output), source, format)) for source in inputs]


def _is_folder(output: str | os.PathLike[str]) -> bool:
    return os.fspath(output) != PIPE and Target.of(output).kind == "folder"


def _inside(folder: Path, source: MediaInput, format: str | None) -> Target:
    """The target of one input inside a folder of outputs."""
    if source.source_type == "image":
        if format in VIDEO_FORMATS:
            return Target("video", folder / f"{source.stem}.{format}", format)
        return Target("folder", folder, format or "png")
    if source.source_type == "images" and format not in VIDEO_FORMATS:
        named = source.label == str(source.root)  # a folder, not loose images
        return Target("folder", folder / source.stem if named else folder, format or "png")
    if format in IMAGE_FORMATS:
        return Target("folder", folder / source.stem, format)
    return Target("video", folder / f"{source.stem}.{format or 'mkv'}", format or "mkv")


def _check_clashes(jobs: Sequence[Job]) -> None:
    """Raise where two inputs would write the same file, or an output is an input."""
    inputs = {path.resolve() for job in jobs for path in job.source.paths}
    writers: dict[str, str] = {}
    for job in jobs:
        origins = [str(path) for path in job.source.paths] if job.named() else [job.source.label]
        for file, origin in zip(job.files(), origins, strict=job.target.kind != "pipe"):
            if file.resolve() in inputs:
                raise UsageError(f"{file}: is an input; choose another output")
            key = str(file.absolute()).casefold()
            if key in writers:
                raise UsageError(f"{file}: would be written for both {writers[key]} and {origin}; rename one of them")
            writers[key] = origin
    for job in jobs:  # numbered frames have a folder to themselves
        own = str(job.target.path.absolute()).casefold()
        if job.target.kind == "folder" and not job.named():
            for other, origin in writers.items():
                if other.startswith(own + os.sep):
                    both = f"{job.source.label} and {origin}"
                    raise UsageError(f"{job.target.path}: would be written for both {both}; rename one of them")


def _occupied(jobs: Sequence[Job]) -> Iterable[Path]:
    """What must not exist yet: files, and folders that hold numbered frames."""
    for job in jobs:
        if job.target.kind != "folder" or job.named():
            yield from job.files()
        elif numbered_frames(job.target.path, job.target.format):
            yield job.target.path


def _without_existing(jobs: Sequence[Job], taken: set[Path]) -> tuple[list[Job], list[Job]]:
    todo: list[Job] = []
    skipped: list[Job] = []
    for job in jobs:
        pairs = list(zip(job.source.paths, job.files(), strict=False))
        if job.target.kind == "folder" and job.source.source_type == "images":
            left = tuple(path for path, file in pairs if file not in taken)
            (todo if left else skipped).append(
                replace(job, source=replace(job.source, paths=left or job.source.paths))
            )
        else:
            (skipped if taken.intersection(job.files()) else todo).append(job)
    return todo, skipped
