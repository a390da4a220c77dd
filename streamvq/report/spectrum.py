"""`spectrum`: what frames keep at low rank, before compressing with `rank`."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamvq.container.factors.factor_table import encode_factors
from streamvq.errors import MediaError
from streamvq.frames import Frame, FrameMeta, LowRankFrame
from streamvq.keywords import keywords
from streamvq.lowrank.factors import quantize_factors, render_factors
from streamvq.lowrank.low_rank import LowRank, factorized
from streamvq.lowrank.planes import patches_of, planes_of
from streamvq.lowrank.svd import singular_values
from streamvq.media.opening import open_with_codebook
from streamvq.media.sources.source import FrameSource
from streamvq.options import LowRankOptions, Source, SpectrumOptions
from streamvq.ordered import frames_ahead, ordered_map
from streamvq.progress import NoProgress
from streamvq.quantize.metrics import visible_error
from streamvq.quantize.pixels import eight_bit
from streamvq.report.plotting import check_plot_path
from streamvq.report.spectrum_plot import plot_spectrum
from streamvq.report.spectrum_stats import FrameSpectrum, RankSums, Spectrum, SpectrumAccumulator
from streamvq.staging import check_free


@keywords(SpectrumOptions)
def spectrum(source: Source, options: SpectrumOptions) -> Spectrum:
    """Singular values, and PSNR and bytes by rank, of every `every`-th frame of an input.

    `ranks` are those to report (1, 2, 4, ... without any). With `patch` P the matrices are those whose rows are P x P
    patches; with `gray` they are of the luma. `on_frame` is called with each frame's spectrum, in order. `plot` is a
    .png, .svg or .pdf to write. Raises UsageError for numbers out of range, InputMissing, MediaError, OutputExists,
    OutputError.

    >>> import streamvq
    >>> found = streamvq.spectrum("samples/photos/sprite.png", ranks=(1, 8))
    >>> found.frames, [stats.rank for stats in found.stats]
    (1, [1, 8])
    """
    target = None if options.plot is None else Path(options.plot)
    if target is not None:
        check_plot_path(target)
        check_free(target, options.overwrite)
    total = SpectrumAccumulator()
    first: Frame | None = None
    reading = {name: getattr(options, name) for name in ("recursive", "keep_going", "max_pixels")}
    with (
        open_with_codebook(source, None, **reading) as opened,
        closing(_spectra(opened, options)) as spectra,
    ):
        for frame, of_frame in spectra:
            first = first or frame
            total.add(of_frame)
            if options.on_frame is not None:
                options.on_frame(of_frame)
    if first is None:
        raise MediaError(f"{source}: has no frame")
    result = total.result()
    if target is not None:
        plot_spectrum(target, first, result, options.patch, options.gray, options.overwrite)
    return result


def _spectra(source: FrameSource, options: SpectrumOptions) -> Generator[tuple[Frame, FrameSpectrum], None, None]:
    """Every `every`-th frame and its spectrum, computed in parallel. Images that cannot be read raise MediaError."""

    def measure(item: object) -> tuple[Frame, FrameSpectrum]:
        frame = source.load(item)
        return frame, spectrum_of(frame, options.ranks, options.patch, options.gray)

    every, progress = options.every, options.progress or NoProgress()
    items = (item for number, item in enumerate(source.items()) if number % every == 0)
    ahead = frames_ahead(options.jobs, source.info.pixels and 8 * source.info.pixels)
    with (
        progress.of(f"spectrum {source.label}", source.info.frame_count and -(-source.info.frame_count // every)),
        closing(ordered_map(measure, items, options.jobs, ahead)) as measured,
    ):
        for frame_and_spectrum in measured:
            yield frame_and_spectrum
            progress.advance()


def spectrum_of(frame: Frame, ranks: Sequence[int] = (), patch: int = 0, gray: bool = False) -> FrameSpectrum:
    """The spectrum of one frame, as 8 bits: of its channels, or with `gray` of its luma."""
    pixels = eight_bit(frame.pixels)
    space = "gray" if gray or pixels.shape[2] == 1 else "rgb"
    planes = planes_of(pixels, space)
    values = tuple(singular_values(patches_of(plane, patch) if patch else plane) for plane in planes)
    full = len(values[0])
    chosen = sorted({min(rank, full) for rank in ranks or (2**i for i in range(full.bit_length()))})
    stored_space = "gray" if space == "gray" else "ycbcr420"
    stored_planes = planes if space == stored_space else planes_of(pixels, stored_space)
    whole = LowRankOptions(rank=full, patch=patch)
    shown = factorized(pixels, whole, space, None, planes)
    factors = shown if space == stored_space else factorized(pixels, whole, stored_space, None, stored_planes)
    rows, columns = (patches_of(planes[0], patch) if patch else planes[0]).shape
    squares = [channel**2 for channel in values]
    sums = {}
    for rank in chosen:
        stored_bytes, stored_error, stored_samples = _stored(pixels, stored_planes, factors, stored_space, rank)
        sums[rank] = RankSums(
            kept=sum(float(channel[:rank].sum()) for channel in squares),
            cut_off=sum(float(channel[rank:].sum()) for channel in squares),
            error=visible_error(pixels, _cut(shown, [rank] * len(planes)).pixels()[..., : len(planes)]),
            samples=len(planes) * planes[0].size,
            stored_bytes=stored_bytes,
            stored_error=stored_error,
            stored_samples=stored_samples,
            float_bytes=4 * rank * (rows + columns) * len(planes),
        )
    height, width = pixels.shape[:2]
    time = None if frame.time is None else float(frame.time)
    return FrameSpectrum(frame.index, frame.name, time, height, width, values, sums)


def _stored(
    pixels: NDArray[np.uint8], planes: list[NDArray[np.float32]], factors: LowRank, space: str, rank: int
) -> tuple[int, int, int]:
    """The bytes of the factors cut to a rank (chroma: half of it), their squared error, and its number of samples."""
    cut = _cut(factors, [rank] + 2 * [max(1, rank // 2)])
    coded, step = quantize_factors(cut, planes, space)
    frame = LowRankFrame(coded, step, FrameMeta(*pixels.shape[:2]))
    decoded = render_factors(frame, space, factors.patch)
    return len(encode_factors([frame])), visible_error(pixels, decoded), decoded.size


def _cut(factors: LowRank, ranks: Sequence[int]) -> LowRank:
    """Factors with at most these ranks, by channel."""
    channels = tuple(
        replace(
            channel,
            left=channel.left[:, :rank],
            right=channel.right[:rank],
            singular_values=channel.singular_values[:rank],
        )
        for channel, rank in zip(factors.channels, ranks, strict=False)
    )
    return replace(factors, channels=channels)
