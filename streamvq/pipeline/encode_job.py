"""One input encoded into one output, which is looked at before it gets its name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from streamvq.container.share import Share
from streamvq.errors import BelowQuality, LargerThanInput
from streamvq.media.opening import open_sink, open_with_codebook
from streamvq.media.sinks.sink import FrameSink
from streamvq.media.sources.kept import KeptFrames
from streamvq.media.sources.selection import selected
from streamvq.media.sources.source import FrameSource
from streamvq.options import CompressOptions
from streamvq.pipeline.alpha import treatment_for
from streamvq.pipeline.emission import naming_matched
from streamvq.pipeline.encode import encode_frames
from streamvq.pipeline.encoders import Factorization, FrameEncoder, VectorQuantization
from streamvq.pipeline.fit import warm_up
from streamvq.pipeline.ignored_options import ignored_options
from streamvq.pipeline.job import Job
from streamvq.pipeline.left_out import left_out_notes
from streamvq.pipeline.own_palette_encoder import OwnPaletteEncoder, own_palettes_note
from streamvq.pipeline.result import Result, StatsAccumulator
from streamvq.pipeline.run_jobs import names_of
from streamvq.pipeline.share_output import begin_part, end_part, files_of
from streamvq.pipeline.shared_codebook import SharedCodebook
from streamvq.pipeline.shared_jobs import WindowReader
from streamvq.progress import NoProgress
from streamvq.quantize.codebook import Codebook


@dataclass(frozen=True)
class Shared:
    """What all jobs of a run share: remarks, the time that each had in planning and fitting, which part of a .svq
    file is written, where other processes write the others, frames that were read already, and all files written so
    far."""

    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    seconds: float
    part: Share | None
    kept: KeptFrames
    files: list[Path] = field(default_factory=list)


class _NotKept(Exception):
    """Undoes an output that was only looked at."""


class StagedOutput:
    """A finished output without its name, which `keep` gives it."""

    def __init__(
        self,
        job: Job,
        book: SharedCodebook,
        options: CompressOptions,
        shared: Shared,
        source: FrameSource,
        sink: FrameSink,
        encoder: FrameEncoder,
        stats: StatsAccumulator,
        failed: tuple[str, ...],
        notes: Sequence[str],
        warnings: Sequence[str],
    ) -> None:
        self._job, self._book, self._options, self._shared = job, book, options, shared
        self._source, self._sink, self._decoder, self._stats = source, sink, encoder.decoder, stats
        self._failed, self._notes, self._warnings = failed, notes, warnings
        self.label, self.size_bytes = sink.label, sink.size_bytes
        self.psnr_db, self.frames = stats.psnr_db(), stats.frames
        self.kept = False

    def keep(self) -> None:
        """Save the codebook, and give the output its name. Raises OutputError."""
        self._book.save(self._job.source.stem)
        self._sink.commit()
        self._shared.files.extend(files_of(self._sink, self._job))
        self.kept = True

    def check(self) -> None:
        """Raise LargerThanInput or BelowQuality where a finished output is not to be kept."""
        size, psnr, options = self._job.source.size_bytes, self.psnr_db, self._options
        about = f"{self._sink.label}: not kept"
        if options.skip_if_larger and size is not None and self.size_bytes > size:
            raise LargerThanInput(f"{about}: {self.size_bytes} bytes, and the input has {size}")
        if options.min_psnr is not None and psnr is not None and psnr < options.min_psnr:
            raise BelowQuality(f"{about}: PSNR {psnr:.2f} dB, below {options.min_psnr:g}; use more codes")

    def result(self, seconds: float) -> Result:
        """The figures; `seconds` were spent on this output alone."""
        job, sink, stats, shared = self._job, self._sink, self._stats, self._shared
        notes = [*shared.notes, *self._notes, *self._source.notes, *sink.notes, *stats.notes(job.source.label)]
        if self._options.own_palettes:
            notes.append(own_palettes_note(job))
        if self._book.emitted is not None and self.psnr_db is not None:
            notes.append(f"{sink.label}: PSNR is that of the colors matched, not of those of `emit_palette`")
        return Result(
            **names_of(job),
            **self._book.result_fields(),
            **stats.result_fields(self._decoder, sink.size_bytes, seconds + shared.seconds),
            lossy=self._options.lossy,
            parts=dict(sink.parts),
            failed=self._failed,
            notes=tuple(notes),
            warnings=(*shared.warnings, *self._warnings),
        )


@contextmanager
def staged_job(job: Job, book: SharedCodebook, options: CompressOptions, shared: Shared) -> Iterator[StagedOutput]:
    """One input encoded into one output, which goes again where it is not kept before the context ends."""
    progress = options.progress or NoProgress()
    given = None if options.codebook is None else book.codebook  # a .svq without a codebook inside may need it
    reading = {"keep_going": options.keep_going, "max_pixels": options.max_pixels}
    alpha = treatment_for(job.target, book.codebook, options)
    with (
        suppress(_NotKept),
        shared.kept.take(job.source.label)
        or selected(open_with_codebook(job.source, given, alpha, **reading), options) as source,
    ):
        items, notes, warnings = source.items(), list[str](), list[str]()  # items are read when they are iterated
        if book.codebook is None and not options.stores_factors and not options.own_palettes:
            codebook, items, note = warm_up(source, items, options, options.warmup)
            (warnings if len(codebook) < options.code_count else notes).append(note)
            book.use(codebook)
        encoder = encoder_of(book.codebook, book.emitted, options, job, source.info.pixels)
        reader = None
        if options.share:
            reader = WindowReader(source, job.window, encoder.scans)
            items = reader.items()
        with open_sink(
            job.target,
            encoder.decoder,
            source.info,
            naming_matched(book.codebook, options),
            source.audio_from,
            options.external_codebook,
        ) as sink:
            notes += left_out_notes(source.info, sink, source.audio_from is not None, options.trim is not None)
            warnings += ignored_options(job, source.info, options)
            stats = StatsAccumulator(sink.exact and book.emitted is None)
            with progress.of(f"quantize {source.label}", source.info.frame_count):
                if reader is not None:
                    begin_part(sink, shared.part, reader)
                skip = reader.skip if reader is not None else 0
                read = encode_frames(source, items, encoder, sink, stats, options, skip, reader is not None)
                end_part(sink, shared.part, job, read, encoder.batch_length)
                sink.finish()
            staged = StagedOutput(
                job, book, options, shared, source, sink, encoder, stats, read.reasons, notes, warnings
            )
            yield staged
            if not staged.kept:
                raise _NotKept


def encoder_of(
    codebook: Codebook | None, emitted: Codebook | None, options: CompressOptions, job: Job, pixels: int | None
) -> FrameEncoder:
    """How the frames of a job, of so many pixels, are encoded: to be stored as they are or as pictures."""
    low_rank = options.low_rank
    about = job.source.label if options.strict else None
    if options.own_palettes:
        return OwnPaletteEncoder(options, about)
    if codebook is not None:
        dither = codebook.dither(options.dither, options.dither_strength)
        gamut = codebook.gamut() if options.fit_gamut else None
        return VectorQuantization(
            codebook, options.lossy, low_rank, pixels, dither, options.stability, emitted, about, gamut,
            for_lzw=job.target.format == "gif",
        )  # fmt: skip
    stored = job.target.format == "svq"
    assert low_rank is not None
    return Factorization(low_rank, "gray" if options.gray else options.space, stored, pixels)
