"""Fitting one codebook to all frames of all inputs, none of which is held in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain, islice
from queue import SimpleQueue
from typing import Any

from streamvq.errors import MediaError, StreamVQError, codes_text, counted
from streamvq.frames import Failed, Frame
from streamvq.keywords import keywords
from streamvq.lowrank.low_rank import cold_start_interval, truncate_frames
from streamvq.media.inputs import MediaInput, find_inputs
from streamvq.media.opening import open_with_codebook
from streamvq.media.sources.arrays import Arrays, ArraySource
from streamvq.media.sources.kept import KeptFrames, KeptInput
from streamvq.media.sources.selection import selected
from streamvq.media.sources.source import WHOLE, FrameSource, Window
from streamvq.media.sources.treated import treated
from streamvq.options import FitOptions, Source
from streamvq.ordered import frames_ahead, ordered_map, worker_count
from streamvq.pipeline.alpha import treatment
from streamvq.pipeline.batches import batches
from streamvq.pipeline.elsewhere import cluster_asked
from streamvq.pipeline.frame_sample import FrameSample
from streamvq.pipeline.job import listed
from streamvq.pipeline.learned_order import palette_of_inputs
from streamvq.pipeline.reserved_options import fixed_codes, with_codebook_extended
from streamvq.pipeline.sketch_files import are_sketches, check_complete, sum_of_sketches, with_settings_of_sketches
from streamvq.pipeline.sketch_fit import Sketch, fit_sketch, new_sketch
from streamvq.progress import NoProgress
from streamvq.quantize.codebook import Codebook

MAX_SKETCHES = 4  # one decoder cannot feed more workers, and a sketch may take 66 MB


@dataclass(frozen=True)
class Counted:
    """A sketch of all frames, how many there are, what could not be read (by input, a line each), and remarks."""

    sketch: Sketch
    frames: int
    failed: dict[str, list[str]]
    notes: list[str]


@dataclass(frozen=True)
class Fitted:
    """A codebook, and what it was fitted to."""

    codebook: Codebook
    counted: Counted

    @property
    def failures(self) -> list[str]:
        """What could not be read, a line each."""
        return [reason for reasons in self.counted.failed.values() for reason in reasons]


@keywords(FitOptions)
def fit(source: Source | Sequence[Source] | Arrays, options: FitOptions) -> Codebook:
    """One codebook fitted to all frames of one source or several, none of which is held in memory.

    `source` is a video, an image, a folder, a glob, or "-" (y4m on standard input), or a sequence of them; or files
    that `sketch` made, with the settings that these have; or an array, uint8 or uint16 [height, width] (gray),
    [height, width, channels] or [n, height, width, channels], or an iterable of arrays. A code stands for one pixel,
    or for `block` pixels, a side or (height, width), then in `space` "rgb" or "ycbcr420". With at most `n_codes`
    distinct colors or blocks in them, the codebook is exactly those. With `rank` or `energy` it is fitted to frames
    of low rank, as by `low_rank`. The result does not depend on `jobs`.
    Raises UsageError for numbers out of range, InputMissing, or MediaError.

    >>> import streamvq
    >>> book = streamvq.fit("samples/photos", 16)
    >>> book.codes.shape
    (16, 3)
    """
    options = with_codebook_extended(options)
    if (cluster := cluster_asked(options)) is not None and _are_names(source):
        fitted: Fitted = cluster.fit_on_cluster(source, options)
        if fitted.failures and not options.keep_going:
            raise MediaError(fitted.failures[0])
        return fitted.codebook
    fixed = fixed_codes(options)
    inputs = find_inputs(listed(source), options.recursive) if _are_names(source) else []  # type: ignore[arg-type]
    options = with_settings_of_sketches(inputs, options)
    palette = palette_of_inputs(inputs, options)
    if inputs:
        counted = count_inputs(inputs, options)
    else:
        sketch = new_sketch(options)
        with selected(treated(ArraySource(source), treatment(options)), options) as arrays:  # type: ignore[arg-type]
            frames, bad = absorb_frames(arrays, sketch, 0, options)
        counted = Counted(sketch, frames, {"arrays": bad} if bad else {}, [])
    if counted.failed and not options.keep_going:
        raise MediaError(next(iter(counted.failed.values()))[0])
    return fit_sketch(counted.sketch, options, fixed, palette)


class NothingDecoded(MediaError):
    """No frame of several inputs could be decoded; `failed` says why, by label."""

    def __init__(self, failed: dict[str, list[str]]) -> None:
        super().__init__(f"nothing can be decoded; the first: {next(iter(failed.values()))[0]}")
        self.failed = failed


def fit_inputs(
    inputs: Sequence[MediaInput],
    options: FitOptions,
    alpha: str = "keep",
    samples: Sequence[FrameSample] = (),
    kept: KeptFrames | None = None,
) -> Fitted:
    """Like `fit`, of found inputs; bad images and, among several inputs, bad inputs are left out.

    `alpha` is what becomes of transparency unless `options` say something else; see `count_inputs` for the rest.
    """
    return next(fit_each(inputs, [options.code_count], options, alpha, samples, kept))


def fit_each(
    inputs: Sequence[MediaInput],
    counts: Sequence[int],
    options: FitOptions,
    alpha: str = "keep",
    samples: Sequence[FrameSample] = (),
    kept: KeptFrames | None = None,
) -> Iterator[Fitted]:
    """What `fit_inputs` makes with each number of codes.

    For single pixels all frames are read once for all of them; what is kept of blocks depends on the number of codes,
    so there they are read for each.
    """
    counted = None
    palette = palette_of_inputs(inputs, options)
    for n_codes in counts:
        each = replace(options, n_codes=n_codes, bits=None)
        if counted is None or each.sides != (1, 1):
            counted = count_inputs(inputs, each, alpha, samples=samples, kept=kept)
        with (options.progress or NoProgress()).of(f"fit {n_codes} codes", 0):
            codebook = fit_sketch(counted.sketch, each, fixed_codes(each), palette)
        yield Fitted(codebook, counted)


def count_inputs(
    inputs: Sequence[MediaInput],
    options: FitOptions,
    alpha: str = "keep",
    windows: Sequence[Window | None] | None = None,
    samples: Sequence[FrameSample] = (),
    kept: KeptFrames | None = None,
) -> Counted:
    """A sketch of all frames of all inputs, or, with `windows`, of those of a share of the work.

    Meanwhile `samples`, one of each input, are taken where they are given, and what fits it is `kept`.
    Raises the error of the only one, or NothingDecoded.
    """
    if are_sketches(inputs):
        return _count_sketches(inputs)
    total = new_sketch(options)
    frames, notes = 0, list[str]()
    failed: dict[str, list[str]] = {}
    for number, item in enumerate(inputs):
        window = WHOLE if windows is None else windows[number]
        if window is None:
            continue
        sketch, sample = total.empty() if len(inputs) > 1 else total, samples[number] if samples else None
        try:
            reading = {"keep_going": options.keep_going, "max_pixels": options.max_pixels}
            with selected(open_with_codebook(item, None, treatment(options, alpha), **reading), options) as source:
                held = kept.begin(source) if kept else None
                counted, bad = absorb_frames(source, sketch, number, options, window, sample, held)
                if kept and held:
                    kept.finish(held)
        except StreamVQError as error:
            if len(inputs) == 1:
                raise
            failed[item.label] = [str(error)]
            if samples:
                samples[number].frames.clear()
            continue
        if sketch is not total:
            total.merge(sketch)  # type: ignore[arg-type]
        frames += counted
        notes += source.notes
        if bad:
            failed[item.label] = bad
    if not frames and windows is None:  # other shares may have some
        raise NothingDecoded(failed)
    return Counted(total, frames, failed, notes)


def _count_sketches(inputs: Sequence[MediaInput]) -> Counted:
    """What sketch files have counted together."""
    total = sum_of_sketches(inputs)
    check_complete(total.head, inputs[0].label)
    failed = {inputs[0].label: list(total.head.failed)} if total.head.failed else {}
    if not total.head.frames:
        raise NothingDecoded(failed or {inputs[0].label: [f"{inputs[0].label}: has seen no frame"]})
    return Counted(total.sketch, total.head.frames, failed, [])


def absorb_frames(
    source: FrameSource,
    sketch: Sketch,
    number: int,
    options: FitOptions,
    window: Window = WHOLE,
    sample: FrameSample | None = None,
    held: KeptInput | None = None,
) -> tuple[int, list[str]]:
    """Count the frames of source `number` into `sketch`, in parallel; how many there are, and the bad ones.
    Those that a sample wants are kept in it, and all are added to what is `held`."""
    idle: SimpleQueue[Sketch] = SimpleQueue()
    sketches = [sketch] + [sketch.empty() for _ in range(min(worker_count(options.jobs), MAX_SKETCHES) - 1)]
    for each in sketches:
        idle.put(each)
    if sample is not None:
        sample.begin(source)
    wanted = sample.wants if sample is not None else lambda _: False

    def count(batch: Sequence[Any]) -> list[tuple[Any, Frame | Failed | None]]:
        loaded = [source.try_load(item) for item in batch]
        part = idle.get()
        try:
            for frame in _as_fitted((frame for frame in loaded if isinstance(frame, Frame)), options, length):
                part.absorb(frame.pixels, number << 40 | frame.index)
        finally:
            idle.put(part)
        if held is not None and held.fits:
            return list(zip(batch, loaded, strict=True))
        return [(None, each if isinstance(each, Failed) or wanted(each.index) else None) for each in loaded]

    counted, bad = 0, []
    length = cold_start_interval(source.info.pixels) if options.truncates else 1
    ahead = frames_ahead(options.jobs, source.info.pixels and source.info.pixels * length)
    progress = options.progress or NoProgress()
    with (
        progress.of(f"learn {source.label}", source.info.frame_count),
        closing(ordered_map(count, batches(source.items_from(window), length), options.jobs, ahead)) as outcomes,
    ):
        for item, outcome in chain.from_iterable(outcomes):
            if held is not None and outcome is not None:
                held.add(item, outcome)
            if isinstance(outcome, Failed):
                bad.append(outcome.reason)
            else:
                counted += 1
                if sample is not None:
                    sample.take(outcome)
            progress.advance()
    for part in sketches[1:]:
        sketch.merge(part)  # type: ignore[arg-type]
    return counted, list(dict.fromkeys(bad))


def warm_up(
    source: FrameSource, items: Iterator[Any], options: FitOptions, warmup: int
) -> tuple[Codebook, Iterator[Any], str]:
    """A codebook fitted to the first frames of what can be read once; all items, those frames first; a remark."""
    ahead = frames_ahead(options.jobs, source.info.pixels)
    head = list(ordered_map(source.load, islice(items, warmup), options.jobs, ahead))
    sketch = new_sketch(options)
    length = cold_start_interval(source.info.pixels) if options.truncates else 1
    for frame in _as_fitted(iter(head), options, length):
        sketch.absorb(frame.pixels, frame.index)
    book = fit_sketch(sketch, options, fixed_codes(options))
    note = f"{source.label}: {codes_text(len(book), book.block)} fitted to the first {counted(len(head), 'frame')}"
    if len(book) < options.code_count:
        note += f", which have no more of the {options.code_count} asked for; a larger `warmup` sees more"
    return book, chain(head, items), note


def _are_names(source: Any) -> bool:
    """Whether a source is a name or names, not arrays. An empty sequence is names: it is refused as such."""
    names = [source] if isinstance(source, (str, os.PathLike)) else source
    return isinstance(names, Sequence) and all(isinstance(name, (str, os.PathLike)) for name in names)


def _as_fitted(frames: Iterator[Frame], options: FitOptions, length: int) -> Iterator[Frame]:
    """Frames as the codebook is to see them: of low rank, where that is asked for."""
    if options.low_rank is None:
        return frames
    return (truncated for _, _, truncated in truncate_frames(frames, options.low_rank, length, options.is_gray))


def fewer_colors(codebook: Codebook, options: FitOptions) -> list[str]:
    """A remark where a learned codebook has fewer codes than were asked for."""
    if len(codebook) == options.code_count:
        return []
    exact = (
        "half-resolution color; `space=rgb` keeps them exactly" if codebook.space == "ycbcr420" else "each is a code"
    )
    found = codes_text(len(codebook), codebook.block)
    return [f"{found} instead of {options.code_count}: the input has no more; {exact}"]
