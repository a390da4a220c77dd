"""Which output each input gets, decided and checked before any work starts."""

from __future__ import annotations

import os
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
    def of(cls, path: str | os.PathLike[str], format: str | None = None) -> Target:
        """The target that a path's suffix means; without a known suffix, a folder."""
        if os.fspath(path) == PIPE:
            return cls("pipe")
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix in _FORMAT_OF_SUFFIX and not path.is_dir():
            of_suffix = _FORMAT_OF_SUFFIX[suffix]
            if format not in (None, of_suffix):
                raise UsageError(f"{path}: its suffix says {of_suffix}, and --format says {format}; drop one of them")
            return cls("video" if of_suffix in VIDEO_FORMATS else "image", path, of_suffix)
        if suffix and not path.is_dir():
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

    def files(self) -> list[Path]:
        """The output files whose names are known beforehand."""
        if self.target.kind == "folder" and self.source.kind in ("image", "images"):
            return [self.target.path / image_name(name, self.target.format) for name in self.source.names()]
        return [] if self.target.kind == "pipe" else [self.target.path]


def frame_name(index: int, format: str) -> str:
    """The file name of a video's frame."""
    return f"frame{index:06d}.{format}"


def numbered_frames(folder: Path, format: str) -> list[Path]:
    """The files in a folder that `frame_name` may have named."""
    return [path for path in folder.glob(f"frame*.{format}") if path.stem.removeprefix("frame").isdecimal()]


def image_name(name: str, format: str) -> str:
    """An image's name inside a folder with the suffix of the format that it gets."""
    return str(PurePosixPath(name).with_suffix(f".{format}"))


def plan_jobs(
    inputs: Sequence[MediaInput], output: str | os.PathLike[str], settings: OutputSettings
) -> tuple[list[Job], list[Job]]:
    """The jobs to do, and those that `skip_existing` leaves out.

    Raises UsageError where two inputs would write the same file or an output is an input, OutputExists where
    something is there already, OutputError where the output's folder is missing.
    """
    jobs = [Job(source, target) for source, target in _targets(inputs, output, settings.format)]
    _check_clashes(jobs)
    parent = Path(output).absolute().parent
    if jobs[0].target.kind != "pipe" and not parent.is_dir():
        raise OutputError(f"{output}: the folder {Path(output).parent} does not exist; create it first")
    if settings.skip_existing:
        return _without_existing(jobs)
    if not settings.overwrite:
        for taken in filter(Path.exists, _occupied(jobs)):
            raise OutputExists(f"{taken}: already exists; use --overwrite, --skip-existing, or another name")
    return jobs, []


def _targets(
    inputs: Sequence[MediaInput], output: str | os.PathLike[str], format: str | None
) -> Iterable[tuple[MediaInput, Target]]:
    if len(inputs) == 1:
        source = inputs[0]
        if (source.kind in ("video", "image") and Path(output).is_dir()) or format in VIDEO_FORMATS:
            target = _inside(Path(output), source, format) if _is_folder(output) else Target.of(output, format)
        else:
            target = Target.of(output, format)
        if target.kind == "image" and source.kind != "image":
            raise UsageError(f"{output}: holds one image, and {source.label} may have many; name a folder or a video")
        return [(source, target)]
    if os.fspath(output) == PIPE:
        raise UsageError(f"-: {len(inputs)} inputs do not fit one pipe; name a folder")
    if not _is_folder(output):
        raise UsageError(f"{output}: {len(inputs)} inputs need a folder for their outputs; name one without a suffix")
    return [(source, _inside(Path(output), source, format)) for source in inputs]


def _is_folder(output: str | os.PathLike[str]) -> bool:
    return os.fspath(output) != PIPE and (Path(output).is_dir() or not Path(output).suffix)


def _inside(folder: Path, source: MediaInput, format: str | None) -> Target:
    """The target of one input inside a folder of outputs."""
    if source.kind == "image":
        if format in VIDEO_FORMATS:
            return Target("video", folder / f"{source.stem}.{format}", format)
        return Target("folder", folder, format or "png")
    if source.kind == "images" and format not in VIDEO_FORMATS:
        named = source.label == str(source.root)  # a folder, not loose images
        return Target("folder", folder / source.stem if named else folder, format or "png")
    if format in IMAGE_FORMATS:
        return Target("folder", folder / source.stem, format)
    return Target("video", folder / f"{source.stem}.{format or 'mkv'}", format or "mkv")


def _check_clashes(jobs: Sequence[Job]) -> None:
    inputs = {path.resolve() for job in jobs for path in job.source.paths}
    writers: dict[str, str] = {}
    for job in jobs:
        origins = job.source.paths if len(job.files()) == len(job.source.paths) else [Path(job.source.label)]
        for file, origin in zip(job.files(), origins, strict=False):
            if file.resolve() in inputs:
                raise UsageError(f"{file}: is an input; choose another output")
            other = writers.setdefault(str(file.absolute()).casefold(), str(origin))
            if other != str(origin):
                raise UsageError(f"{file}: would be written for both {other} and {origin}; rename one of them")


def _occupied(jobs: Sequence[Job]) -> Iterable[Path]:
    """What must not exist yet: files, and folders of numbered frames unless they are empty."""
    for job in jobs:
        for file in job.files():
            if job.target.kind == "folder" and file == job.target.path:
                if file.exists() and not file.is_dir():
                    raise OutputError(f"{file}: is a file, and a folder is to be written; choose another name")
                if numbered_frames(file, job.target.format):
                    yield file
            else:
                yield file


def _without_existing(jobs: Sequence[Job]) -> tuple[list[Job], list[Job]]:
    todo: list[Job] = []
    skipped: list[Job] = []
    taken = {path for path in _occupied(jobs) if path.exists()}
    for job in jobs:
        pairs = list(zip(job.source.paths, job.files(), strict=False))
        if job.target.kind == "folder" and job.source.kind == "images":
            left = tuple(path for path, file in pairs if file not in taken)
            (todo if left else skipped).append(
                replace(job, source=replace(job.source, paths=left or job.source.paths))
            )
        else:
            (skipped if taken.intersection(job.files()) else todo).append(job)
    return todo, skipped
