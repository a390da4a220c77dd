"""How much of frames is left at low rank: singular values, and PSNR and bytes by rank."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from streamvq.container.factors.groups import encode_factors
from streamvq.frames import Frame, FrameMeta, LowRankFrame
from streamvq.lowrank.factors import picture, quantized
from streamvq.lowrank.low_rank import LowRank, factorized
from streamvq.lowrank.planes import patches_of, planes_of
from streamvq.lowrank.svd import singular_values
from streamvq.media.sources.source import FrameSource
from streamvq.options import LowRankOptions, RunSettings
from streamvq.ordered import frames_ahead, ordered_map
from streamvq.progress import Progress
from streamvq.quantize.metrics import psnr_db, visible_error
from streamvq.quantize.pixels import eight_bit

SHARES = (0.9, 0.95, 0.99, 0.999)  # of the energy, the sum of squared singular values


@dataclass(frozen=True)
class RankFigures:
    """One frame, or several together, at one rank.

    `energy` is the share of the squared singular values that is kept, `psnr_db` the PSNR of the truncation (None: no
    error). `stored_bytes` are those of the factors as method "svd" stores a frame alone, with `stored_psnr_db`.
    `float_bytes` is what float32 factors of the channels would take, `raw_bytes` their 8-bit samples.
    """

    rank: int
    energy: float
    psnr_db: float | None
    stored_psnr_db: float | None
    stored_bytes: int
    float_bytes: int
    raw_bytes: int


@dataclass(frozen=True, eq=False)
class FrameSpectrum:
    """One frame: all singular values of each channel, float64 falling; and by rank what `RankFigures` follow from."""

    singular_values: tuple[NDArray[np.float64], ...]
    counts: dict[int, NDArray[np.float64]]

    @property
    def ranks(self) -> tuple[int, ...]:
        """The least ranks, the greatest of the channels, that keep each of `SHARES` of the energy."""
        found = []
        for share in SHARES:
            least = 0
            for values in self.singular_values:
                kept = np.cumsum(values**2)
                if kept[-1]:
                    least = max(least, int(np.argmax(kept >= share * kept[-1])) + 1)
            found.append(least)
        return tuple(found)

    @property
    def figures(self) -> list[RankFigures]:
        """By rank."""
        return [_figures(rank, counts) for rank, counts in self.counts.items()]


class Spectrum:
    """The frames of an input together: `add` one after the other. Ranks that a frame does not have are its full rank.

    `ranks` are the least, the mean and the greatest rank for each of `SHARES` of the energy; `singular_values` the
    means of the first channel's.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.singular_values = np.zeros(0)
        self._ranks: list[tuple[int, ...]] = []
        self._counts: dict[int, NDArray[np.float64]] = {}

    def add(self, frame: FrameSpectrum) -> None:
        """Count one frame."""
        self.frames += 1
        ranks = frame.ranks
        least, total, most = self._ranks or (ranks, (0,) * len(ranks), ranks)
        self._ranks = [
            tuple(map(min, least, ranks)),
            tuple(a + b for a, b in zip(total, ranks, strict=True)),
            tuple(map(max, most, ranks)),
        ]
        values = frame.singular_values[0]
        mean = np.zeros(max(len(values), len(self.singular_values)))
        mean[: len(self.singular_values)] = self.singular_values * ((self.frames - 1) / self.frames)
        mean[: len(values)] += values / self.frames
        self.singular_values = mean
        self._counts = {
            rank: _at(self._counts, rank) + _at(frame.counts, rank)
            for rank in sorted(self._counts.keys() | frame.counts.keys())
        }

    @property
    def ranks(self) -> list[tuple[int, float, int]]:
        """Least, mean and greatest rank for each share."""
        least, total, most = self._ranks
        return [(a, b / self.frames, c) for a, b, c in zip(least, total, most, strict=True)]

    @property
    def figures(self) -> list[RankFigures]:
        """By rank, of all frames."""
        return [_figures(rank, counts) for rank, counts in self._counts.items()]


def spectra(
    source: FrameSource,
    ranks: Sequence[int],
    patch: int,
    gray: bool,
    every: int,
    run: RunSettings,
    progress: Progress,
) -> Iterator[tuple[Frame, FrameSpectrum]]:
    """Every `every`-th frame and its spectrum, computed in parallel. Images that cannot be read raise MediaError.

    `ranks` are those to give figures for (1, 2, 4, ... without any). With `patch` the matrices are those of patches.
    """

    def look(item: object) -> tuple[Frame, FrameSpectrum]:
        frame = source.load(item)
        return frame, spectrum_of(frame, ranks, patch, gray)

    items = (item for number, item in enumerate(source.items()) if number % every == 0)
    ahead = frames_ahead(run.jobs, source.info.pixels and 8 * source.info.pixels)
    with (
        progress.of(f"spectrum {source.label}", source.info.frame_count and -(-source.info.frame_count // every)),
        closing(ordered_map(look, items, run.jobs, ahead)) as found,
    ):
        for frame in found:
            yield frame
            progress.advance()


def spectrum_of(frame: Frame, ranks: Sequence[int] = (), patch: int = 0, gray: bool = False) -> FrameSpectrum:
    """The spectrum of one frame, as 8 bits: of its channels, with `gray` of its luma."""
    pixels = eight_bit(frame.pixels)
    space = "gray" if gray or pixels.shape[2] == 1 else "rgb"
    planes = planes_of(pixels, space)
    values = tuple(singular_values(patches_of(plane, patch) if patch else plane) for plane in planes)
    full = len(values[0])
    chosen = sorted({min(rank, full) for rank in ranks or (2**i for i in range(full.bit_length()))})
    stored_in = "gray" if space == "gray" else "ycbcr420"
    near = factorized(pixels, LowRankOptions(rank=full, patch=patch), stored_in, None)
    rows, columns = (patches_of(planes[0], patch) if patch else planes[0]).shape
    squares = [v**2 for v in values]
    counts = {}
    for rank in chosen:
        kept, cut_off = (sum(float(part.sum()) for part in parts) for parts in _split(squares, rank))
        floats = 4 * rank * (rows + columns) * len(planes)
        counts[rank] = np.array([kept, cut_off, len(planes) * planes[0].size, *_stored(pixels, near, rank), floats])
    return FrameSpectrum(values, counts)


def _split(squares: list[NDArray[np.float64]], rank: int) -> tuple[list[NDArray], list[NDArray]]:
    return [values[:rank] for values in squares], [values[rank:] for values in squares]


def _stored(pixels: NDArray[np.uint8], near: LowRank, rank: int) -> tuple[int, int, int]:
    """The bytes of the factors at a lower rank, their squared error, and its number of samples."""
    space = "gray" if len(near.channels) == 1 else "ycbcr420"
    channels = [
        replace(
            channel,
            left=channel.left[:, :most],
            right=channel.right[:most],
            singular_values=channel.singular_values[:most],
        )
        for channel, most in zip(near.channels, [rank] + 2 * [max(1, rank // 2)], strict=False)
    ]
    planes, step = quantized(replace(near, channels=tuple(channels)), planes_of(pixels, space), space)
    frame = LowRankFrame(planes, step, FrameMeta(*pixels.shape[:2]))
    drawn = picture(frame, space, near.patch)
    return len(encode_factors([frame])), visible_error(pixels, drawn), drawn.size


def _at(counts: dict[int, NDArray[np.float64]], rank: int) -> NDArray[np.float64]:
    """The counts at a rank, or at the greatest that there is; 0 where there are none."""
    return counts.get(rank, counts[max(counts)]) if counts else np.zeros(7)


def _figures(rank: int, counts: NDArray[np.float64]) -> RankFigures:
    kept, cut_off, samples, stored_bytes, stored_error, stored_samples, floats = counts.tolist()
    total = kept + cut_off
    return RankFigures(
        rank,
        kept / total if total else 1.0,
        psnr_db(cut_off, int(samples)) if cut_off > 1e-12 * total else None,
        psnr_db(stored_error, int(stored_samples)),
        int(stored_bytes),
        int(floats),
        int(samples),
    )
