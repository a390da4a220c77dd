"""What a run would do, decided and checked before it starts: its jobs, and where the codebook goes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from streamvq.container.reader import open_svq
from streamvq.errors import OutputError, OutputExists, StreamVQError, UsageError
from streamvq.media.codebooks import codebook_path_for, find_codebook
from streamvq.media.inputs import PIPE, MediaInput, find_inputs
from streamvq.media.made_with import made_with
from streamvq.media.sources.source import WHOLE
from streamvq.media.targets import Target, suffix_of
from streamvq.options import (
    INDICES,
    OUTPUT_FORMATS,
    CompressOptions,
    DecompressOptions,
    Source,
    WriteOptions,
)
from streamvq.pipeline.alpha import check_alpha
from streamvq.pipeline.clashes import check_clashes
from streamvq.pipeline.emission import emitted, naming_matched
from streamvq.pipeline.existing import check_same, check_settings, codebook_at, occupied, without_existing
from streamvq.pipeline.job import Job, listed
from streamvq.pipeline.ladder import searches_colors
from streamvq.pipeline.learned_order import palette_of_inputs
from streamvq.pipeline.own_palette_encoder import check_own_palettes
from streamvq.pipeline.reserved_options import fixed_codes, with_codebook_extended
from streamvq.pipeline.shared_jobs import jobs_of_share
from streamvq.pipeline.shares import digest_of
from streamvq.quantize.codebook import Codebook


@dataclass(frozen=True)
class Plan:
    """What a run would do: `jobs` to do and `skipped` ones, and where the codebook goes (None: nowhere).

    `labels` are those of all inputs, in the order of their names. `codebook` is the one given, or the one at
    `codebook_path` that `skip_existing` `continues` with; None where one is to be learned, or none is used.
    `inputs_digest` names all inputs by their content, where the work is shared.
    """

    labels: list[str]
    jobs: list[Job]
    skipped: list[Job]
    codebook_path: Path | None
    output: Path
    codebook: Codebook | None = None
    continues: bool = False
    inputs_digest: str = ""

    def shares_folder(self) -> bool:
        """Whether outputs go into the folder `output` one by one, rather than being it."""
        return any(job.target.kind != "pipe" and job.target.path.parent == self.output for job in self.jobs)


def plan_compression(sources: Source | Sequence[Source], options: CompressOptions) -> Plan:
    """What `compress_many` with these arguments would do. Raises what would keep it from starting.

    Without an output, a single input becomes a `.svq` file beside it.
    """
    options = with_codebook_extended(options)
    output = options.output
    inputs = find_inputs(listed(sources), options.recursive, leave_out=None if output is None else Path(output))
    if sketches := [source.label for source in inputs if source.source_type == "sketch"]:
        raise UsageError(f"{sketches[0]}: is a sketch, which has no frames; fit makes a codebook of it")
    if output is None:
        output = _default_output(inputs)
    pipes = any(source.source_type == "pipe" for source in inputs)
    if len(inputs) > 1 and pipes:
        raise UsageError("-: a pipe cannot be mixed with other inputs; run it alone with `codebook=PATH`")
    if os.fspath(output) == PIPE and options.judged_by:
        raise UsageError(f"-: what went into a pipe cannot be taken back; drop `{options.judged_by[0]}`")
    if options.max_bytes is not None and pipes:
        raise UsageError("-: `max_size` reads its input several times, and a pipe can be read once; name a file")
    if options.skip_if_larger and pipes:
        raise UsageError("-: a pipe has no size to compare with; drop `skip_if_larger`")
    jobs = _all_jobs(inputs, output, options)
    for job in jobs:
        check_alpha(job.target, options)
    path = Path(options.save_codebook) if options.save_codebook else None
    if options.own_palettes:
        check_own_palettes(jobs)
    learns = options.codebook is None and not options.stores_factors and not options.own_palettes
    if path is None and learns and os.fspath(output) != PIPE:
        path = _codebook_path(jobs, output)
    codebook = find_codebook(options.codebook)
    codebook = codebook and codebook.matched_in(options.matching_asked)
    if learns or options.own_palettes:
        fixed_codes(options)
        palette_of_inputs(inputs, options)
    jobs = jobs_of_share(jobs, codebook, options)
    continued = _continued(path, options) if path is not None and learns and options.skip_existing else None
    codebook = codebook or continued
    written = codebook and (emitted(codebook, options) or codebook)
    text = made_with(written, naming_matched(codebook, options))
    known = codebook is not None or not learns
    if options.skip_existing and options.overwrite and learns and codebook is None:
        todo, skipped = jobs, list[Job]()  # with another codebook all outputs are made anew
    else:
        todo, skipped = _left(jobs, options, lambda _: text if known else None)
    lost = options.skip_existing and not options.overwrite and not known and any(map(Path.exists, occupied(jobs)))
    if path is not None and todo:
        _check_codebook_path(path, todo, options, codebook, lost)
    labels = [source.label for source in inputs]
    digest = digest_of(inputs) if options.share else ""
    return Plan(labels, todo, skipped, path if todo else None, Path(output), codebook, continued is not None, digest)


def plan_decompression(sources: Source | Sequence[Source], output: Source, options: DecompressOptions) -> Plan:
    """What `decompress_many` with these arguments would do. Raises what would keep it from starting."""
    inputs = find_inputs(listed(sources))
    for source in inputs:
        if not source.is_svq and source.source_type != "pipe":
            raise UsageError(f"{source.label}: is not a .svq file; decompress takes what compress wrote")
    inputs = [replace(source, pipes_svq=source.source_type == "pipe") for source in inputs]
    codebook = find_codebook(options.codebook)
    jobs, skipped = _left(_all_jobs(inputs, output, options), options, lambda job: _decompressed(job, options))
    return Plan([source.label for source in inputs], jobs, skipped, None, Path(output), codebook)


def _default_output(inputs: Sequence[MediaInput]) -> Path:
    """The `.svq` file beside a single input."""
    if len(inputs) != 1:
        raise UsageError(f"{len(inputs)} inputs: name a folder for their outputs with `output`")
    source = inputs[0]
    if source.source_type == "pipe" or source.is_svq:
        raise UsageError(f"{source.label}: name the output with `output`")
    beside = source.root.resolve() if source.root and source.label == str(source.root) else source.paths[0]
    return beside.with_name(f"{source.stem}.svq")


def _continued(path: Path, options: CompressOptions) -> Codebook | None:
    """The codebook of the run that `skip_existing` continues. Raises OutputExists where it was learned otherwise."""
    if not path.exists():
        return None
    book = Codebook.load(path)
    try:
        check_settings(path, book, options)
    except OutputExists:
        if not options.overwrite:
            raise
        return None  # all is made anew
    return book


def _decompressed(job: Job, options: DecompressOptions) -> str | None:
    """What the output of a job says of how it was made; None for a pipe, which is read once, and a damaged file."""
    if not job.source.paths:
        return None
    try:
        with open_svq(job.source.paths[0], label=job.source.label) as reader:
            return made_with(reader.header, options)
    except StreamVQError:
        return None  # told when it is decoded


def _check_codebook_path(
    path: Path, jobs: Sequence[Job], options: CompressOptions, codebook: Codebook | None, lost: bool
) -> None:
    """Raise where the codebook cannot be saved; `lost`: outputs are there, and their codebook is not."""
    files = {str(file.resolve()).casefold() for job in jobs for file in (*job.files(), *job.source.paths)}
    if path.suffix != ".npz" or path.is_dir() or str(path.resolve()).casefold() in files:
        raise UsageError(f"{path}: a codebook file ends in .npz and is no input or output; choose another name")
    if lost:
        raise OutputError(f"{path}: the codebook of the outputs that are there is missing; give `codebook=PATH`")
    if path.exists() and not options.overwrite:
        if codebook is None and searches_colors(options):
            raise OutputExists(f"{path}: already exists, and the search may find another codebook; use `overwrite`")
        there = codebook_at(path)
        if codebook is not None:
            check_same(path, there, codebook)
        else:
            check_settings(path, there, options)  # the codes are compared when they are known
    elif not path.parent.is_dir() and not any(job.target.path.parent == path.parent for job in jobs):
        raise OutputError(f"{path}: the folder {path.parent} does not exist; create it first")


def _codebook_path(jobs: Sequence[Job], output: Source) -> Path:
    """Where the codebook goes: next to the output, under its name."""
    if jobs[0].target.kind != "folder" and jobs[0].target.path == Path(output):
        return codebook_path_for(jobs[0].target.path, is_folder=False)
    return codebook_path_for(Path(output), is_folder=True)


def _all_jobs(inputs: Sequence[MediaInput], output: str | os.PathLike[str], options: WriteOptions) -> list[Job]:
    """The jobs, whether or not their outputs are there.

    Raises UsageError where two inputs would write the same file or an output is an input, OutputExists where a file
    is in a folder's place, OutputError where the output's folder is missing.
    """
    jobs = [Job(source, target.in_codec(options.codec)) for source, target in _targets(inputs, output, options)]
    for target in (job.target for job in jobs):
        most = target.traits.max_crf
        if target.is_preview and most is not None and options.crf > most:
            raise UsageError(f"{target.path}: .{target.format} takes a `crf` of 0 to {most}, not {options.crf}")
        if target.format == "gif" and isinstance(options, CompressOptions) and not _fits_gif(options):
            raise UsageError(f"{target.path}: a GIF holds up to 256 colors; use `n_codes=256`, or write .webp")
        if target.kind == "folder" and target.path.exists() and not target.path.is_dir():
            raise OutputExists(f"{target.path}: is a file, and a folder is to be written; choose another name")
    check_clashes(jobs)
    parent = Path(output).absolute().parent
    if jobs[0].target.kind != "pipe" and not parent.is_dir():
        raise OutputError(f"{output}: the folder {Path(output).parent} does not exist; create it first")
    return jobs


def _fits_gif(options: CompressOptions) -> bool:
    """Whether what is to be learned has few enough colors; a codebook that is given is looked at when it is used."""
    few = options.code_count <= 256 and options.sides == (1, 1)
    return options.codebook is not None or (few and not options.stores_factors)


def _left(
    jobs: Sequence[Job], options: WriteOptions, expected: Callable[[Job], str | None]
) -> tuple[list[Job], list[Job]]:
    """The jobs to do, and those that `skip_existing` leaves out. Raises OutputExists for what is in the way."""
    taken = [path for path in occupied(jobs) if path.exists()]
    if options.skip_existing:
        _check_whole(jobs, options)
        return without_existing(jobs, set(taken), expected, options)
    if taken and not options.overwrite:
        raise OutputExists(f"{taken[0]}: already exists; use `overwrite`, `skip_existing`, or another name")
    return list(jobs), []


def _check_whole(jobs: Sequence[Job], options: WriteOptions) -> None:
    """Raise UsageError where only some images of a folder are taken: which of them are left cannot be told."""
    if any(job.window != WHOLE and job.target.kind == "folder" for job in jobs):
        raise UsageError(
            "`shard` and `skip_existing` contradict each other here: which frames are left cannot be told"
        )
    some = [name for name in ("every", "trim") if getattr(options, name, None) not in (None, 1)]
    if some and any(job.target.kind == "folder" and job.source.source_type == "images" for job in jobs):
        raise UsageError(f"`{some[0]}` and `skip_existing` contradict each other for a folder of images; drop one")


def _targets(
    inputs: Sequence[MediaInput], output: str | os.PathLike[str], options: WriteOptions
) -> Iterable[tuple[MediaInput, Target]]:
    format = options.format
    if len(inputs) == 1:
        source = inputs[0]
        if _is_one_file(source, format) and _is_folder(output):
            return [(source, _inside(Path(output), source, format))]
        target = Target.from_path(output, format)
        if source.source_type != "image":
            target = target.animated(options.animate)
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
    return os.fspath(output) != PIPE and Target.from_path(output).kind == "folder"


def _is_one_file(source: MediaInput, format: str | None) -> bool:
    """Whether an input becomes one file of a format in a folder, and not one a picture."""
    if format is None:
        return False
    pictures = source.source_type in ("image", "images")
    return OUTPUT_FORMATS[format].is_clip or (OUTPUT_FORMATS[format].family == INDICES and not pictures)


def _inside(folder: Path, source: MediaInput, format: str | None) -> Target:
    """The target of one input inside a folder of outputs."""
    pictures = source.source_type in ("image", "images")
    format = format or ("png" if pictures else "mkv")
    if _is_one_file(source, format):
        return Target("file", folder / f"{source.stem}{suffix_of(format)}", format)
    loose = source.source_type == "image" or (pictures and source.label != str(source.root))  # not those of a folder
    return Target("folder", folder if loose else folder / source.stem, format)
