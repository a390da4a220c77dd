"""`max_size` and `min_psnr`: the settings that reach them, searched on a sample and verified on the whole.

Settings stand in a *ladder* along which outputs get smaller, or better, and the first that reaches the target is
wanted. How far a setting reaches (its *margin*) is estimated by coding a sample of the frames; regula falsi between
estimates finds the setting to code as a whole. That corrects the estimates, all by the same amount, and the search
goes on until the first setting that is expected to reach the target does.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from streamvq.errors import BelowQuality, LargerThanAsked, MediaError, StreamVQError, bytes_text, counted
from streamvq.media.opening import open_with_codebook
from streamvq.media.sources.selection import selected
from streamvq.options import CompressOptions
from streamvq.pipeline.alpha import treatment
from streamvq.pipeline.encode_job import Shared, StagedOutput, staged_job
from streamvq.pipeline.estimate import estimate
from streamvq.pipeline.fit import fewer_colors
from streamvq.pipeline.frame_sample import MAX_SAMPLE_BYTES, FrameSample
from streamvq.pipeline.job import Job
from streamvq.pipeline.ladder import Setting, ends, first_reached, places, psnr_ladder, searches_colors, size_ladder
from streamvq.pipeline.learned_codebooks import LearnedCodebooks
from streamvq.pipeline.plan import Plan
from streamvq.pipeline.result import Result, Try
from streamvq.pipeline.shared_codebook import SharedCodebook
from streamvq.progress import NoProgress
from streamvq.quantize.codebook import Codebook

_CLOSE_BYTES = 0.03  # margins that are as good as 0, where they are estimates: of a logarithm of bytes
_CLOSE_DB = 0.05
_NO_ERROR_DB = 120.0  # stands for the PSNR of what has no error


def searches(plan: Plan, options: CompressOptions) -> bool:
    """Whether settings are searched; `min_psnr` is only checked where the number of codes is given, and of a pipe."""
    if not plan.jobs or plan.jobs[0].source.source_type == "pipe":
        return False
    return options.max_bytes is not None or (plan.codebook is None and searches_colors(options))


class TargetSearch:
    """The search for all jobs of a run, which share the codebook `book`.

    Frames are read once for the samples and for the sketch that codebooks of any number of colors are fitted to.
    Once an output is kept, its codebook is that of the others, and only `lossy` and `width` can change for them.
    """

    def __init__(self, jobs: Sequence[Job], options: CompressOptions, book: SharedCodebook) -> None:
        self._jobs, self._options, self._book = list(jobs), options, book
        max_bytes = MAX_SAMPLE_BYTES // max(1, len(jobs))
        self.samples = [FrameSample(job.target.format, options.sides, max_bytes) for job in jobs]
        self._learns = book.codebook is None and not options.stores_factors and not options.own_palettes
        self.learned = LearnedCodebooks(jobs, options, self.samples)
        self._ladders: dict[str, list[Setting]] = {}  # by the input's label
        self._margins: dict[str, dict[int, float]] = {}  # estimated, by place in the ladder
        self.tries: dict[str, list[Try]] = {}
        self._progress = options.progress or NoProgress()

    def collect(self) -> None:
        """Take the samples where nothing is learned. What cannot be read is told when it is encoded."""
        for job, sample in zip(self._jobs, self.samples, strict=True):
            given, reading = self._book.codebook, {"keep_going": True, "max_pixels": self._options.max_pixels}
            alpha = treatment(self._options, job.target.alpha)
            try:
                with selected(open_with_codebook(job.source, given, alpha, **reading), self._options) as source:
                    sample.collect(source, self._options.jobs)
            except MediaError:
                sample.frames.clear()

    def order(self) -> list[Job]:
        """The jobs, the hardest first: what it needs decides about the codebook of all."""
        starts: dict[str, int] = {}
        for job, sample in zip(self._jobs, self.samples, strict=True):
            label = job.source.label
            sample.finish()
            self._margins[label], self.tries[label] = {}, []
            self._ladders[label] = self._ladder(job, sample)
            starts[label] = self._first(job, -1, len(self._ladders[label]), 0.0) if sample.frames else -1
        jobs = sorted(self._jobs, key=lambda job: -starts[job.source.label])
        if not self._options.own_palettes:
            self._share_codes(starts)
        return jobs

    def encode(self, job: Job, shared: Shared, keep: bool = True) -> Result:
        """The job done with the first setting that reaches the target. Raises LargerThanAsked or BelowQuality.

        Where it would be kept, but is not to be, the result is what it would be.
        """
        begun, label = time.perf_counter(), job.source.label
        ladder = self._ladders[label]
        missed, reached, shift = -1, len(ladder), 0.0
        with ExitStack() as stack:
            best: tuple[StagedOutput, ExitStack] | None = None
            while True:
                at = self._first(job, missed, reached, shift)
                if best is not None and at == reached:
                    break
                at = min(at, len(ladder) - 1)
                attempt = stack.enter_context(ExitStack())
                staged = attempt.enter_context(self._staged(job, ladder[at], shared))
                margin = self._margin(staged.size_bytes, staged.psnr_db)
                self._tell(job, ladder[at], staged.size_bytes, staged.psnr_db, staged.frames, whole=True)
                shift = margin - self._margins[label].get(at, margin)
                if margin < 0:
                    attempt.close()
                    missed = at
                    if at == len(ladder) - 1:
                        raise self._unreachable(staged, ladder[at])
                    if best is not None:
                        break
                    continue
                improves = best is not None
                if best is not None:
                    best[1].close()
                best, reached = (staged, attempt), at
                if improves or margin <= self._close(job):
                    break
            staged, setting = best[0], ladder[reached]
            self._use(setting)
            self._check_quality(staged)
            staged.check()
            if keep:
                staged.keep()
                self._fix(setting)
            result = staged.result(time.perf_counter() - begun)
            if self._learns and self._book.codebook is not None:
                warned = fewer_colors(self._book.codebook, setting.applied(self._options))
                result = replace(result, warnings=(*warned, *result.warnings))
            return replace(result, tries=tuple(self.tries[label]))

    def _ladder(self, job: Job, sample: FrameSample) -> list[Setting]:
        if self._options.max_bytes is None:
            return psnr_ladder(self._options, {each.target.format for each in self._jobs})
        widths = {frame.pixels.shape[1] for frame in sample.frames}
        return size_ladder(self._options, widths.pop() if len(widths) == 1 else None)

    def _first(self, job: Job, missed: int, reached: int, shift: float) -> int:
        """The first place in the ladder between two that is expected to reach the target; `reached` where none is.

        `shift` is by how much more margin settings have than is estimated.
        """
        margins, ladder = self._margins[job.source.label], self._ladders[job.source.label]

        def margin(at: int) -> float:
            if at not in margins:
                margins[at] = self._estimated(job, ladder[at])
            return margins[at] + shift

        known = {at: each + shift for at, each in margins.items()}
        return first_reached(margin, known, missed, reached, ends(ladder), places(ladder), self._close(job))

    def _estimated(self, job: Job, setting: Setting) -> float:
        """The margin of a setting, by the job's sample."""
        sample = self.samples[self._jobs.index(job)]
        try:
            found = estimate(sample, job, self._codebook(setting, trial=True), setting.applied(self._options))
        except StreamVQError:
            return 0.0  # coding the whole tells what is wrong
        self._tell(job, setting, round(found.size_bytes), found.psnr_db, len(sample.frames), whole=False)
        return self._margin(found.size_bytes, found.psnr_db)

    def _margin(self, size_bytes: float, psnr_db: float | None) -> float:
        """How far something is from the target, 0 or more where it reaches it: a logarithm of bytes, or dB."""
        if self._options.max_bytes is not None:
            return math.log(self._options.max_bytes / max(1.0, size_bytes))
        assert self._options.min_psnr is not None
        return min(_NO_ERROR_DB, _NO_ERROR_DB if psnr_db is None else psnr_db) - self._options.min_psnr

    def _close(self, job: Job) -> float:
        """The margin that is as good as none."""
        if self.samples[self._jobs.index(job)].is_whole:
            return 0.0
        return _CLOSE_DB if self._options.max_bytes is None else _CLOSE_BYTES

    def _codebook(self, setting: Setting, trial: bool) -> Codebook | None:
        if not self._learns or self._book.is_fixed:
            return self._book.codebook
        # codebooks of several inputs are learned from their pictures as they are, whatever width one of them gets
        setting = setting if len(self._jobs) == 1 else replace(setting, width=self._options.width)
        return self.learned.codebook(setting.applied(self._options), trial)

    def _use(self, setting: Setting) -> None:
        """Make the codebook of a setting that of the run."""
        codebook = self._codebook(setting, trial=False)
        if codebook is not None and codebook is not self._book.codebook:
            self._book.use(codebook)

    @contextmanager
    def _staged(self, job: Job, setting: Setting, shared: Shared) -> Iterator[StagedOutput]:
        self._use(setting)
        with staged_job(job, self._book, setting.applied(self._options), shared) as staged:
            yield staged

    def _share_codes(self, starts: Mapping[str, int]) -> None:
        """Leave out of all ladders the numbers of codes that one of the jobs cannot have."""
        needed = [
            self._ladders[label][min(at, len(self._ladders[label]) - 1)].n_codes
            for label, at in starts.items()
            if at >= 0
        ]
        for label, ladder in self._ladders.items():
            first = max(
                (next(i for i, each in enumerate(ladder) if each.n_codes == count) for count in needed), default=0
            )
            self._cut(label, first, len(ladder))

    def _fix(self, setting: Setting) -> None:
        """Leave only settings with so many codes: those of an output that is kept."""
        if self._options.own_palettes:
            return
        for label, ladder in self._ladders.items():
            places = [at for at, each in enumerate(ladder) if each.n_codes == setting.n_codes]
            self._cut(label, places[0], places[-1] + 1)

    def _cut(self, label: str, start: int, stop: int) -> None:
        self._ladders[label] = self._ladders[label][start:stop]
        self._margins[label] = {at - start: each for at, each in self._margins[label].items() if start <= at < stop}

    def _tell(
        self, job: Job, setting: Setting, size_bytes: int, psnr_db: float | None, frames: int, whole: bool
    ) -> None:
        """Show a try, and remember it."""
        tries = self.tries[job.source.label]
        tries.append(Try(setting.n_codes, setting.lossy, setting.width, size_bytes, psnr_db, frames, whole))
        about = f"{job.source.label}: " * (len(self._jobs) > 1) + setting.text(self._options.sides)
        quality = "no error" if psnr_db is None else f"{psnr_db:.2f} dB"
        of = counted(frames, "frame")
        of = f"all {of}" if whole else f"{of} of {self.samples[self._jobs.index(job)].total}"
        size = f"{'' if whole else 'about '}{bytes_text(size_bytes)}"
        self._progress.note(f"try {len(tries)}: {about}: {size}, {quality} ({of})")

    def _check_quality(self, staged: StagedOutput) -> None:
        """Raise BelowQuality where what fits is too poor."""
        most, least = self._options.max_size, self._options.min_psnr
        if most is not None and least is not None and staged.psnr_db is not None and staged.psnr_db < least:
            raise BelowQuality(
                f"{staged.label}: not kept: the best that fits `max_size={most}` has PSNR {staged.psnr_db:.2f} dB, "
                f"below {least:g}; give it more bytes"
            )

    def _unreachable(self, staged: StagedOutput, setting: Setting) -> Exception:
        """The error that says the nearest that is reachable."""
        nearest = f"with {setting.text(self._options.sides)}"
        if self._options.max_bytes is None:
            return BelowQuality(
                f"{staged.label}: not kept: PSNR {staged.psnr_db or 0:.2f} dB {nearest} is the most, below "
                f"{self._options.min_psnr:g}"
            )
        return LargerThanAsked(
            f"{staged.label}: not kept: {staged.size_bytes} bytes {nearest} are the fewest, and "
            f"`max_size={self._options.max_size}` was asked for"
        )
