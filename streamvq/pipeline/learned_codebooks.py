"""Codebooks of several numbers of codes, learned from what is read of the inputs once."""

from __future__ import annotations

from collections.abc import Sequence

from streamvq.options import CompressOptions
from streamvq.pipeline.fit import Fitted, absorb_frames, count_inputs
from streamvq.pipeline.frame_sample import FrameSample
from streamvq.pipeline.job import Job
from streamvq.pipeline.learned_order import palette_of_inputs
from streamvq.pipeline.reserved_options import fixed_codes
from streamvq.pipeline.sketch_fit import Sketch, fit_sketch, new_sketch
from streamvq.progress import NoProgress
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.color_fit import sorted_by_luma
from streamvq.quantize.color_merging import merged_colors
from streamvq.quantize.histogram import ColorHistogram

_MAX_KEPT = 4  # codebooks; each may remember 32 MB of colors


class LearnedCodebooks:
    """The codebooks that the inputs of `jobs` get with other options, the same as if each was learned by itself.

    For single pixels the sketch of all frames serves for all of them. What is kept of blocks depends on their number,
    and another width makes other pictures: there all frames are read again for a codebook to be kept, and the
    `samples` alone serve for one to try. Where these are not all frames, so that a try says roughly what comes out
    anyway, colors to try are those of the first codebook, merged.
    """

    def __init__(self, jobs: Sequence[Job], options: CompressOptions, samples: Sequence[FrameSample]) -> None:
        self._jobs, self._options, self._samples = jobs, options, samples
        self._alpha = jobs[0].target.alpha
        self._palette = palette_of_inputs([job.source for job in jobs], options)
        self._kept: dict[tuple[object, ...], Codebook] = {}
        self._sketch: Sketch | None = None  # of all frames as `options` select them
        self._first: Codebook | None = None  # that of `options`

    def take(self, fitted: Fitted) -> None:
        """Take the sketch, and the codebook that was fitted to it."""
        self._sketch = fitted.counted.sketch
        self._first = self._kept[self._key(self._options, False)] = fitted.codebook

    def codebook(self, options: CompressOptions, trial: bool) -> Codebook:
        """The codebook with these options; for a `trial` perhaps that of the samples."""
        key = self._key(options, trial)
        if key not in self._kept:
            while len(self._kept) >= _MAX_KEPT:
                del self._kept[next(iter(self._kept))]
            if trial and (found := self._merged(options.code_count)) is not None:
                self._kept[key] = found
                return found
            sketch = self._sketch if self._serves(options) else self._sketch_again(options, trial)
            assert sketch is not None
            with (options.progress or NoProgress()).of(f"fit {options.code_count} codes", 0):
                self._kept[key] = fit_sketch(sketch, options, fixed_codes(options), self._palette)
        return self._kept[key]

    def _key(self, options: CompressOptions, trial: bool) -> tuple[object, ...]:
        merges = trial and self._merges()
        return options.code_count, None if merges else options.width, merges or (trial and not self._serves(options))

    def _merges(self) -> bool:
        """Whether codebooks to try are made by merging colors."""
        plain = isinstance(self._sketch, ColorHistogram) and fixed_codes(self._options) is None
        learned = self._palette is None and self._options.order == "luma" and self._options.sides == (1, 1)
        book = self._first if plain and learned else None
        return book is not None and book.alpha is None and not all(each.is_whole for each in self._samples)

    def _merged(self, n_codes: int) -> Codebook | None:
        """About the codebook with so many codes, for a try; None where it has to be learned."""
        book = self._first
        if book is None or not self._merges() or n_codes > self._options.code_count:
            return None
        if n_codes >= len(book):
            return book
        assert isinstance(self._sketch, ColorHistogram)
        codes = merged_colors(book.codes, self._sketch, n_codes, book.matching)
        return Codebook(sorted_by_luma(codes), book.space, matching=book.matching)

    def _serves(self, options: CompressOptions) -> bool:
        """Whether the sketch that is there serves for these options."""
        return options.sides == (1, 1) and options.width == self._options.width

    def _sketch_again(self, options: CompressOptions, trial: bool) -> Sketch:
        if not trial:
            return count_inputs([job.source for job in self._jobs], options, self._alpha).sketch
        sketch = new_sketch(options)
        for number, (job, sample) in enumerate(zip(self._jobs, self._samples, strict=True)):
            if sample.frames:
                absorb_frames(sample.source(job.source.label, options.width), sketch, number, options)
        return sketch
