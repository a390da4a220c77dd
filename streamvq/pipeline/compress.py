"""`compress` and `apply`: plan, fit a codebook or take one, and encode each job with it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streamvq.container.share import Share
from streamvq.errors import BelowQuality, LargerThanInput, MediaError, UsageError, counted
from streamvq.keywords import keywords, keywords_after_two
from streamvq.media.codebooks import CODEBOOK_SUFFIX
from streamvq.media.opening import open_sink, open_with_codebook
from streamvq.media.sinks.sink import FrameSink
from streamvq.media.sources.selection import selected
from streamvq.options import ApplyOptions, CompressOptions, Source
from streamvq.pipeline.alpha import treatment_for
from streamvq.pipeline.emission import emitted, naming_matched
from streamvq.pipeline.encode import encode_frames
from streamvq.pipeline.encoders import Factorization, FrameEncoder, VectorQuantization
from streamvq.pipeline.existing import check_same, codebook_at
from streamvq.pipeline.fit import NothingDecoded, fewer_colors, fit_inputs, warm_up
from streamvq.pipeline.fixed import with_codebook_extended
from streamvq.pipeline.ignored_options import ignored_options
from streamvq.pipeline.job import Job
from streamvq.pipeline.jobs import check_one, names_of, run_jobs, tidy_outputs
from streamvq.pipeline.left_out import left_out_notes
from streamvq.pipeline.own_palettes import OwnPaletteEncoder, own_palettes_note
from streamvq.pipeline.plan import Plan, plan_compression
from streamvq.pipeline.result import Result, StatsAccumulator
from streamvq.pipeline.share_output import begin_part, end_part, files_of, part_of_run, save_record
from streamvq.pipeline.shared_jobs import WindowReader
from streamvq.progress import NoProgress
from streamvq.quantize.codebook import Codebook


@keywords(CompressOptions)
def compress(source: Source, options: CompressOptions) -> Result:
    """Quantize one source with a codebook: fitted to it, or the one given, which never changes.

    `source` is a video, an image, a folder or glob of images, or "-" (y4m on standard input). `output` is a .svq
    file, a video, an image, a folder, or "-" (y4m on standard output); its suffix chooses the kind, and without it
    the output is a .svq file beside the source. A code stands for one pixel or a `block`, as for `fit`. `codebook` is
    a `Codebook` or the path of one. A fitted codebook is written next to the output (`save_codebook` chooses where).

    With `rank` or `energy`, frames are first truncated as by `low_rank` (`method` "svd-vq", or the default "vq").
    With `method` "svd" there is no codebook: the quantized factors are the frames; `space` is where they are stored.
    Raises UsageError, InputMissing, MediaError, CodebookError, OutputError; nothing half-written remains.

    >>> import streamvq, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = streamvq.compress("samples/clip.mp4", f"{folder}/clip.mkv", 32)
    >>> result.n_codes, result.width, result.height
    (32, 480, 270)
    """
    return encode_all(source, options, one=True)[0]


@keywords(CompressOptions)
def compress_many(sources: Source | Sequence[Source], options: CompressOptions) -> list[Result]:
    """Quantize all sources with one codebook, fitted to all of them, as `compress` does one; a result a source.

    Where one of several fails, its result has `error` and the others are done. `output` is a folder then.
    """
    return encode_all(sources, options)


@keywords_after_two(ApplyOptions)
def apply(source: Source, codebook: Codebook | Source, options: ApplyOptions) -> Result:
    """Quantize one source with a saved codebook, a `Codebook` or its path; nothing is fitted. See `compress`."""
    if codebook is None:
        raise UsageError("`codebook=None`: apply fits nothing; give a codebook, or use compress")
    return encode_all(source, CompressOptions(**vars(options), codebook=codebook), one=True)[0]


def encode_all(sources: Source | Sequence[Source], options: CompressOptions, one: bool = False) -> list[Result]:
    """Plan, fit or take a codebook, and encode each job with it."""
    start = time.perf_counter()
    options = with_codebook_extended(options)
    tidy_outputs(options.output, options.save_codebook)
    plan = plan_compression(sources, options)
    if one:
        check_one(plan, "compress_many")
    notes, warnings, failed = list[str](), list[str](), dict[str, list[str]]()
    book = _SharedCodebook(plan, options)
    if plan.continues and plan.jobs:
        again = counted(len(book.codebook or ()), "code")
        notes.append(f"{plan.codebook_path}: its {again} serve, as in the run before")
    if (
        book.codebook is None
        and not options.stores_factors
        and not options.own_palettes
        and plan.jobs
        and plan.jobs[0].source.source_type != "pipe"
    ):
        try:
            fitted = fit_inputs([job.source for job in plan.jobs], options, plan.jobs[0].target.alpha)
        except MediaError as error:
            if len(plan.labels) == 1:
                raise
            undecodable = {plan.jobs[0].source.label: [str(error)]}
            failed = error.failed if isinstance(error, NothingDecoded) else undecodable
        else:
            book.codebook, failed = fitted.codebook, fitted.counted.failed
            warnings = fewer_colors(fitted.codebook, options)
    book.check()
    seconds = (time.perf_counter() - start) / max(1, len(plan.jobs))
    shared = _Shared(tuple(notes), tuple(warnings), seconds, part_of_run(plan, options))

    def do(job: Job) -> Result:
        nothing = book.codebook is None and not options.own_palettes and job.source.source_type != "pipe"
        if job.source.label in failed and (
            nothing or (job.source.source_type != "images" and not options.keep_going)
        ):
            raise MediaError(failed[job.source.label][0])
        return _encode_job(job, book, options, shared)

    results = run_jobs(plan, do, {"notes": shared.notes, "warnings": shared.warnings})
    if options.share and shared.part is None:
        save_record(plan, book.emitted or book.codebook, options, shared.files, results)
    return results


@dataclass(frozen=True)
class _Shared:
    """What all jobs of a run share: remarks, the time that each had in planning and fitting, which part of a .svq
    file is written, where other processes write the others, and all files written so far."""

    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    seconds: float
    part: Share | None
    files: list[Path] = field(default_factory=list)


class _SharedCodebook:
    """The one codebook of a run: given, taken over from the run that `skip_existing` continues, or fitted.

    It is saved before the first output that is kept gets its name, so that no output is ever there without it.
    """

    def __init__(self, plan: Plan, options: CompressOptions) -> None:
        self.codebook = plan.codebook
        self.emitted: Codebook | None = None  # what is written for it, where that is another
        self._options = options
        self.path = plan.codebook_path
        self._size_bytes: int | None = None
        given = options.codebook is not None
        to_pipe = any(job.target.kind == "pipe" for job in plan.jobs)
        # a pipe has no name of its own: there the codebook is named by its content, so that it can be run again
        self._named_by_content = to_pipe and not given and self.path is None and not options.stores_factors
        self._unsaved = (self.path is not None and not plan.continues) or self._named_by_content
        self._overwrite = options.overwrite or to_pipe
        self.given = str(options.codebook) if given and not isinstance(options.codebook, Codebook) else None

    def check(self) -> None:
        """Leave a codebook alone that is there already and has the same codes; OutputExists where it has others.

        UsageError where `emit_palette` does not fit it.
        """
        if self.codebook is not None and self.emitted is None:
            self.emitted = emitted(self.codebook, self._options)
        if not self._unsaved or self._overwrite or self.path is None or self.codebook is None:
            return
        if self.path.exists():
            check_same(self.path, codebook_at(self.path), self.codebook)
            self._unsaved = False

    def save(self, stem: str) -> None:
        """Write the file, once. Raises OutputExists or OutputError."""
        self.check()
        if not self._unsaved or self.codebook is None:
            return
        if self._named_by_content:
            self.path = Path(f"{stem}.{self.codebook.fingerprint[:8]}{CODEBOOK_SUFFIX}")
        assert self.path is not None
        self.codebook.save(self.path, self._overwrite)
        self._unsaved = False

    def figures(self) -> dict[str, Any]:
        """The fields of a `Result` that name it."""
        if self.codebook is None:
            return {}
        path = str(self.path) if self.path else self.given
        if self._size_bytes is None:
            self._size_bytes = len(self.codebook.to_bytes())
        return {"codebook": path, "codebook_bytes": self._size_bytes}


def _encode_job(job: Job, book: _SharedCodebook, options: CompressOptions, shared: _Shared) -> Result:
    """Encode one input into one output: written, accepted, its codebook saved, and only then committed."""
    start = time.perf_counter()
    progress = options.progress or NoProgress()
    notes, warnings = list(shared.notes), list(shared.warnings)
    given = None if options.codebook is None else book.codebook  # a .svq without a codebook inside may need it
    reading = {"keep_going": options.keep_going, "max_pixels": options.max_pixels}
    alpha = treatment_for(job.target, book.codebook, options)
    with selected(open_with_codebook(job.source, given, alpha, **reading), options) as source:
        items = source.items()  # read when it is iterated
        if book.codebook is None and not options.stores_factors and not options.own_palettes:
            book.codebook, items, note = warm_up(source, items, options, options.warmup)
            (warnings if len(book.codebook) < options.code_count else notes).append(note)
            book.check()
        encoder = _encoder(book, options, job, source.info.pixels)
        reader = None
        if options.share:
            reader = WindowReader(source, job.window, encoder.scans)
            items = reader.items()
        with (
            progress.of(f"quantize {source.label}", source.info.frame_count),
            open_sink(
                job.target,
                encoder.decoder,
                source.info,
                naming_matched(book.codebook, options),
                source.audio_from,
                options.external_codebook,
            ) as sink,
        ):
            notes += left_out_notes(source.info, sink, source.audio_from is not None, options.trim is not None)
            warnings += ignored_options(job, source.info, options)
            stats = StatsAccumulator(sink.exact and book.emitted is None)
            if reader is not None:
                begin_part(sink, shared.part, reader)
            skip = reader.skip if reader is not None else 0
            read = encode_frames(source, items, encoder, sink, stats, options, skip, reader is not None)
            end_part(sink, shared.part, job, read, encoder.batch_length)
            sink.finish()
            _accept(sink, stats, job.source.size_bytes, options)
            book.save(job.source.stem)
            sink.commit()
            shared.files.extend(files_of(sink, job))
        notes += source.notes + sink.notes + stats.notes(job.source.label)
        if options.own_palettes:
            notes.append(own_palettes_note(job))
        if book.emitted is not None and stats.psnr_db() is not None:
            notes.append(f"{sink.label}: PSNR is that of the colors matched, not of those of `emit_palette`")
    return Result(
        **names_of(job),
        **book.figures(),
        **stats.figures(encoder.decoder, sink.size_bytes, time.perf_counter() - start + shared.seconds),
        parts=dict(sink.parts),
        failed=read.reasons,
        notes=tuple(notes),
        warnings=tuple(warnings),
    )


def _encoder(book: _SharedCodebook, options: CompressOptions, job: Job, pixels: int | None) -> FrameEncoder:
    """How the frames of a job, of so many pixels, are encoded: to be stored as they are or as pictures."""
    low_rank = options.low_rank
    about = job.source.label if options.strict else None
    if options.own_palettes:
        return OwnPaletteEncoder(options, about)
    if book.codebook is not None:
        dither = book.codebook.dither(options.dither, options.dither_strength)
        gamut = book.codebook.gamut() if options.fit_gamut else None
        return VectorQuantization(
            book.codebook, options.lossy, low_rank, pixels, dither, options.stability, book.emitted, about, gamut
        )
    stored = job.target.format == "svq"
    assert low_rank is not None
    return Factorization(low_rank, "gray" if options.gray else options.space, stored, pixels)


def _accept(sink: FrameSink, stats: StatsAccumulator, size_in: int | None, options: CompressOptions) -> None:
    """Raise LargerThanInput or BelowQuality where a finished output is not to be kept."""
    psnr = stats.psnr_db()
    if options.skip_if_larger and size_in is not None and sink.size_bytes > size_in:
        raise LargerThanInput(f"{sink.label}: not kept: {sink.size_bytes} bytes, and the input has {size_in}")
    if options.min_psnr is not None and psnr is not None and psnr < options.min_psnr:
        raise BelowQuality(f"{sink.label}: not kept: PSNR {psnr:.2f} dB, below {options.min_psnr:g}; use more codes")
