"""Learning one codebook from all frames of all inputs, none of which is held in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import chain, islice
from queue import SimpleQueue
from typing import Any

import numpy as np

from streamvq.errors import MediaError, StreamVQError
from streamvq.frames import Frame
from streamvq.lowrank.low_rank import cold_start_interval, truncate_frames
from streamvq.media.inputs import MediaInput, Source, find_inputs
from streamvq.media.opening import open_source
from streamvq.media.sources.source import FrameSource
from streamvq.ordered import frames_ahead, ordered_map, worker_count
from streamvq.pipeline.grouping import grouped
from streamvq.progress import NoProgress, Progress
from streamvq.quantize.block_fit import fit_blocks
from streamvq.quantize.block_sample import BlockSample, sample_size
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.color_fit import fit_colors
from streamvq.quantize.histogram import ColorHistogram, ColorSketch, LevelHistogram
from streamvq.settings import FitSettings, LowRankSettings, RunSettings

Sketch = ColorSketch | BlockSample
_SKETCHES_MOST = 4  # one decoder cannot feed more workers, and a sketch may take 66 MB


@dataclass(frozen=True)
class Fitted:
    """A learned codebook, the frames counted for it, and what could not be read (a line each)."""

    codebook: Codebook
    frames: int
    failed: dict[str, list[str]]  # by input
    notes: list[str]


def fit_codebook(
    sources: Source | Sequence[Source],
    colors: int | None = None,
    *,
    gray: bool = False,
    seed: int = 0,
    block: int | tuple[int, int] = 1,
    space: str = "",
    rank: int | None = None,
    energy: float | None = None,
    patch: int = 0,
    recursive: bool = False,
    run: RunSettings | None = None,
    progress: Progress | None = None,
) -> Codebook:
    """One codebook learned from all frames of all sources, none of which is held in memory.

    `sources` are videos, images, folders, globs, or "-" (y4m on standard input). A code stands for one pixel, or for
    `block` pixels, a side or (height, width), then in `space` "rgb" or "ycbcr420". With at most `colors` distinct
    colors or blocks in them, the codebook is exactly those. With `rank` or `energy` it is learned from frames of low
    rank, as by `low_rank`. The result does not depend on `run.jobs`.
    Raises UsageError for numbers out of range, InputMissing, or MediaError.

    >>> import streamvq
    >>> book = streamvq.fit_codebook("samples/photos", colors=16)
    >>> book.codes.shape
    (16, 3)
    """
    inputs = find_inputs([sources] if isinstance(sources, (str, os.PathLike)) else sources, recursive)
    settings = FitSettings.of(colors, gray, seed, block, space, LowRankSettings.of(rank, energy, patch))
    fitted = fit(inputs, settings, run or RunSettings(), progress or NoProgress())
    for reasons in fitted.failed.values():
        raise MediaError(reasons[0])
    return fitted.codebook


def fit(inputs: Sequence[MediaInput], settings: FitSettings, run: RunSettings, progress: Progress) -> Fitted:
    """Like `fit_codebook`, of found inputs; bad images and, among several inputs, bad inputs are left out."""
    return next(fit_each(inputs, [settings], run, progress))


def fit_each(
    inputs: Sequence[MediaInput], settings: Sequence[FitSettings], run: RunSettings, progress: Progress
) -> Iterator[Fitted]:
    """What `fit` makes of each settings, which differ in `colors` alone.

    For single pixels all frames are read once for all of them; what is kept of blocks depends on how many codes are
    wanted, so there they are read for each.
    """
    counted = None
    for each in settings:
        if counted is None or each.block != (1, 1):
            counted = _count_all(inputs, each, run, progress)
        sketch, frames, failed, notes = counted
        with progress.of(f"fit {each.colors} codes", 0):
            codebook = _fitted(sketch, each, run.jobs)
        yield Fitted(codebook, frames, failed, notes)


def _count_all(
    inputs: Sequence[MediaInput], settings: FitSettings, run: RunSettings, progress: Progress
) -> tuple[Sketch, int, dict[str, list[str]], list[str]]:
    """A sketch of all frames of all inputs; and of `Fitted`, all but the codebook."""
    total = _new_sketch(settings)
    frames, notes = 0, list[str]()
    failed: dict[str, list[str]] = {}
    for number, source in enumerate(inputs):
        sketch = total.empty() if len(inputs) > 1 else total
        try:
            counted, bad, remarks = _absorb(source, sketch, number, settings, run, progress)
        except StreamVQError as error:
            if len(inputs) == 1:
                raise
            failed[source.label] = [str(error)]
            continue
        if sketch is not total:
            total.merge(sketch)  # type: ignore[arg-type]
        frames += counted
        notes += remarks
        if bad:
            failed[source.label] = bad
    if not frames:
        raise MediaError(f"nothing can be decoded; the first: {next(iter(failed.values()))[0]}")
    return total, frames, failed, notes


def _absorb(
    source: MediaInput, sketch: Sketch, number: int, settings: FitSettings, run: RunSettings, progress: Progress
) -> tuple[int, list[str], list[str]]:
    """Count all frames of input `number` into `sketch`, in parallel; frames counted, bad ones, and remarks."""
    spare: SimpleQueue[Sketch] = SimpleQueue()
    parts = [sketch] + [sketch.empty() for _ in range(min(worker_count(run.jobs), _SKETCHES_MOST) - 1)]
    for part in parts:
        spare.put(part)

    def count(group: list[Any]) -> list[str | None]:
        loaded = [opened.try_load(item) for item in group]
        part = spare.get()
        try:
            for frame in _as_learned((frame for frame in loaded if isinstance(frame, Frame)), settings, length):
                part.absorb(frame.pixels, number << 40 | frame.index)
        finally:
            spare.put(part)
        return [frame if isinstance(frame, str) else None for frame in loaded]

    counted, bad = 0, []
    with (
        open_source(source, keep_going=run.keep_going) as opened,
        progress.of(f"learn {opened.label}", opened.info.frame_count),
    ):
        length = cold_start_interval(opened.info.pixels) if settings.low_rank else 1
        pixels = opened.info.pixels and opened.info.pixels * length
        groups = grouped(opened.items(), opened, 0, length)
        with closing(ordered_map(count, groups, run.jobs, frames_ahead(run.jobs, pixels))) as outcomes:
            for reason in chain.from_iterable(outcomes):
                if reason is None:
                    counted += 1
                else:
                    bad.append(reason)
                progress.advance()
    for part in parts[1:]:
        sketch.merge(part)  # type: ignore[arg-type]
    return counted, bad, opened.notes


def warm_up(
    source: FrameSource, items: Iterator[Any], settings: FitSettings, run: RunSettings
) -> tuple[Codebook, Iterator[Any], str]:
    """A codebook fitted on the first frames of what can be read once; all items, those frames first; a remark."""
    ahead = frames_ahead(run.jobs, source.info.pixels)
    head = list(ordered_map(source.load, islice(items, run.warmup), run.jobs, ahead))
    sketch = _new_sketch(settings)
    length = cold_start_interval(source.info.pixels) if settings.low_rank else 1
    for frame in _as_learned(iter(head), settings, length):
        sketch.absorb(frame.pixels, frame.index)
    book = _fitted(sketch, settings, run.jobs)
    note = f"{source.label}: {len(book)} {codes_name(settings.block)} learned from the first {len(head)} frames"
    if len(book) < settings.colors:
        note += f", which have no more of the {settings.colors} asked for; a larger --warmup sees more"
    return book, chain(head, items), note


def _as_learned(frames: Iterator[Frame], settings: FitSettings, run: int) -> Iterator[Frame]:
    """Frames as the codebook is to see them: of low rank, where that is asked for."""
    if settings.low_rank is None:
        return frames
    return (truncated for _, _, truncated in truncate_frames(frames, settings.low_rank, run, settings.gray))


def _new_sketch(settings: FitSettings) -> Sketch:
    if settings.block != (1, 1):
        most = sample_size(settings.colors, settings.block, settings.space)
        return BlockSample(settings.block, settings.space, settings.seed, most, settings.colors)
    return LevelHistogram() if settings.gray else ColorHistogram()


def _fitted(sketch: Sketch, settings: FitSettings, jobs: int) -> Codebook:
    if sketch.distinct() == 0:
        raise MediaError("the input has no visible pixel to learn from")
    if isinstance(sketch, BlockSample):
        codes = fit_blocks(sketch, settings.colors, settings.seed, jobs)
    else:
        codes = fit_colors(sketch, settings.colors, settings.seed)
    provenance = {
        "colors_asked": settings.colors,
        "seed": settings.seed,
        **({"low_rank": vars(settings.low_rank)} if settings.low_rank else {}),
        "streamvq": _version("streamvq"),
        "scikit-learn": _version("scikit-learn"),
        "numpy": np.__version__,
    }
    return Codebook(codes, settings.space, settings.block, provenance)


def fewer_colors(codebook: Codebook, settings: FitSettings) -> list[str]:
    """A remark where a learned codebook has fewer codes than were asked for."""
    if len(codebook) == settings.colors:
        return []
    kind = codes_name(codebook.block)
    exact = (
        "half-resolution color; --space rgb keeps them exactly" if codebook.space == "ycbcr420" else "each is a code"
    )
    return [f"{len(codebook)} {kind} instead of {settings.colors}: the input has no more; {exact}"]


def codes_name(block: tuple[int, int]) -> str:
    """What codes are called for people."""
    return "colors" if block == (1, 1) else f"blocks of {block[1]}x{block[0]}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
