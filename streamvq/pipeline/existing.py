"""What is there already: which outputs `skip_existing` may leave out, and which codebooks may stay.

Existing files are never replaced without `overwrite`. So an output or a codebook that was made with other settings is
told, and the run refused; with `skip_existing` and `overwrite` together what does not match is made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from streamvq.errors import CodebookError, OutputExists, codes_text
from streamvq.media.made_with import made_as, read_made_with
from streamvq.media.sources.source import WHOLE
from streamvq.media.targets import numbered_frames
from streamvq.options import FitOptions, WriteOptions
from streamvq.pipeline.job import Job
from streamvq.pipeline.reserved_options import fixed_codes, matching_of
from streamvq.pipeline.sketch_fit import learned_with
from streamvq.quantize.codebook import Codebook

_WAYS_OUT = (
    "use it with `codebook={path}`, save this one elsewhere with `save_codebook`, or replace it and the outputs with "
    "`overwrite`"
)


def occupied(jobs: Sequence[Job]) -> Iterable[Path]:
    """What must not exist yet: files, and folders that hold numbered frames."""
    for job in jobs:
        if job.target.kind == "folder" and job.window != WHOLE:
            continue  # others' files are there too: each is looked at when it is written
        if job.target.kind != "folder" or job.named():
            yield from job.files()
        elif numbered_frames(job.target.path, job.target.format):
            yield job.target.path


def without_existing(
    jobs: Sequence[Job], taken: set[Path], expected: Callable[[Job], str | None], options: WriteOptions
) -> tuple[list[Job], list[Job]]:
    """The jobs to do, and those whose outputs are all there and made as `expected` says (None: unknown, so trusted).

    An output that was made otherwise is to do where `overwrite` replaces it, and else raises OutputExists.
    """
    todo: list[Job] = []
    skipped: list[Job] = []
    for job in jobs:
        text = expected(job)
        text = text and made_as(job.target.format, text, options)
        done = {file for file in job.files() if file in taken and _made_so(job, file, text, options.overwrite)}
        if job.target.kind == "folder" and job.source.source_type == "images":
            pairs = zip(job.source.paths, job.files(), strict=False)
            left = tuple(path for path, file in pairs if file not in done)
            kept = replace(job, source=replace(job.source, paths=left or job.source.paths))
            (todo if left else skipped).append(kept)
        else:
            (skipped if done else todo).append(job)
    return todo, skipped


def check_settings(path: Path, book: Codebook, options: FitOptions) -> None:
    """Raise OutputExists where the codebook at `path` was learned with other settings than those asked for."""
    asked = asked_of_codebook(options)
    there = {"space": book.space, "matching": book.matching, "block": book.block, **book.provenance}
    if "colors_asked" in book.provenance and (changed := _changed(there, asked)):
        raise OutputExists(f"{path}: this codebook was learned with {changed}; {_WAYS_OUT.format(path=path)}")
    fixed = fixed_codes(options)
    if fixed is not None and not fixed.stand_in(book.codes):
        raise OutputExists(f"{path}: this codebook has other reserved colors; {_WAYS_OUT.format(path=path)}")


def asked_of_codebook(options: FitOptions) -> dict[str, object]:
    """The settings of a codebook to be learned: those by which it differs from others of the same frames."""
    space = {"space": options.code_space, "matching": matching_of(options), "block": options.sides}
    return {**space, **learned_with(options)}


def codebook_at(path: Path) -> Codebook:
    """The codebook that is there. Raises OutputExists for a file that is none."""
    try:
        return Codebook.load(path)
    except CodebookError as error:
        raise OutputExists(f"{error}; choose another place with `save_codebook`, or use `overwrite`") from error


def check_same(path: Path, there: Codebook, new: Codebook) -> None:
    """Raise OutputExists where the codebook at `path` has other codes than the one to be saved there."""
    if there != new:
        ours, theirs = (
            f"{codes_text(len(book), book.block)} in {book.matching}, {book.fingerprint[:12]}"
            for book in (new, there)
        )
        raise OutputExists(
            f"{path}: another codebook is there already ({theirs}; this one would be {ours}); "
            + _WAYS_OUT.format(path=path)
        )


def _made_so(job: Job, file: Path, expected: str | None, replaces: bool) -> bool:
    """Whether an output was made as expected; raises OutputExists where it was not, and is not replaced."""
    target = job.target
    if expected is None or not target.traits.has_text:
        return True
    files = numbered_frames(file, target.format) if target.kind == "folder" and not job.named() else [file]
    for each in files:
        found = read_made_with(each, target.format)
        if found != expected:
            if replaces:
                return False
            origin = f"was made with {found[:200]}" if found else "does not say how it was made"
            raise OutputExists(
                f"{each}: {origin}, and {expected} is asked for; with `overwrite` too, what differs is made anew"
            )
    return True


def _changed(there: dict[str, object], asked: dict[str, object]) -> str:
    """The settings that differ as "colors=16, not with colors=64"; empty where none does."""
    names = [name for name in asked if _plain(there.get(name)) != _plain(asked[name])]
    both = (
        ", ".join(f"{name.removesuffix('_asked')}={_plain(of.get(name))}" for name in names) for of in (there, asked)
    )
    return ", not with ".join(both) if names else ""


def _plain(value: object) -> object:
    """A setting as JSON has it, and people read it."""
    if isinstance(value, (tuple, list)):
        return "x".join(map(str, value[::-1]))
    if isinstance(value, dict):
        return " ".join(f"{name} {part}" for name, part in value.items() if part)
    return "none" if value is None else value
