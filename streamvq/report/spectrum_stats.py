"""What `spectrum` returns: singular values, and PSNR and bytes by rank, of a frame and of all frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamvq.quantize.metrics import psnr_db

ENERGY_SHARES = (0.9, 0.95, 0.99, 0.999)  # energy: the sum of squared singular values


@dataclass(frozen=True)
class RankStats:
    """One frame, or several together, at one rank.

    `energy` is the share of the squared singular values that is kept, `psnr_db` the PSNR of the frame of that rank,
    rounded and clipped as `compress` with that `rank` has it before it quantizes (None: no error). `stored_bytes` are
    those of the factors as method "svd" stores a frame alone, with `stored_psnr_db`. `float_bytes` is what float32
    factors of the channels would take, `raw_bytes` their 8-bit samples.
    """

    rank: int
    energy: float
    psnr_db: float | None
    stored_psnr_db: float | None
    stored_bytes: int
    float_bytes: int
    raw_bytes: int


class RankSums(NamedTuple):
    """What `RankStats` are computed from: squared singular values kept and cut off; the frame's squared error, with
    its samples; bytes and squared error of the stored factors, with their samples; bytes of float32 factors."""

    kept: float = 0
    cut_off: float = 0
    error: int = 0
    samples: int = 0
    stored_bytes: int = 0
    stored_error: int = 0
    stored_samples: int = 0
    float_bytes: int = 0

    def plus(self, other: RankSums) -> RankSums:
        """Both together."""
        return RankSums(*(a + b for a, b in zip(self, other, strict=True)))  # type: ignore[arg-type]

    def stats(self, rank: int) -> RankStats:
        """The figures for people."""
        energy = self.kept + self.cut_off
        return RankStats(
            rank=rank,
            energy=self.kept / energy if energy else 1.0,
            psnr_db=psnr_db(self.error, self.samples),
            stored_psnr_db=psnr_db(self.stored_error, self.stored_samples),
            stored_bytes=self.stored_bytes,
            float_bytes=self.float_bytes,
            raw_bytes=self.samples,
        )


@dataclass(frozen=True, eq=False)
class FrameSpectrum:
    """One frame: all singular values of each channel, float64 [min(rows, columns)] falling, and `sums` by rank.

    `index` counts the input's frames from 0; `time` is in seconds.
    """

    index: int
    name: str | None
    time: float | None
    height: int
    width: int
    singular_values: tuple[NDArray[np.float64], ...]
    sums: Mapping[int, RankSums]

    @property
    def ranks(self) -> tuple[int, ...]:
        """The smallest rank with which every channel keeps each of `ENERGY_SHARES`."""
        return tuple(max(_rank_of(share, values) for values in self.singular_values) for share in ENERGY_SHARES)

    @property
    def stats(self) -> list[RankStats]:
        """By rank."""
        return [sums.stats(rank) for rank, sums in self.sums.items()]

    def as_dict(self) -> dict[str, Any]:
        """Everything for JSON, singular values to 6 digits."""
        return {
            "frame": self.index,
            "name": self.name,
            "time": self.time,
            "width": self.width,
            "height": self.height,
            "ranks": dict(zip(map(str, ENERGY_SHARES), self.ranks, strict=True)),
            "at": [vars(stats) for stats in self.stats],
            "singular_values": [[float(f"{value:.6g}") for value in values] for values in self.singular_values],
        }


def _rank_of(share: float, values: NDArray[np.float64]) -> int:
    """How many singular values keep a share of the energy; 0 where there is no energy."""
    kept = np.cumsum(values**2)
    return int(np.argmax(kept >= share * kept[-1])) + 1 if kept[-1] else 0


class RankRange(NamedTuple):
    """The ranks of several frames that keep the same share of the energy."""

    least: int
    mean: float
    greatest: int


class RankSum(NamedTuple):
    """The least and the greatest of the ranks so far, and their sum."""

    least: int
    total: int
    greatest: int

    def plus(self, rank: int) -> RankSum:
        """With one more."""
        return RankSum(min(self.least, rank), self.total + rank, max(self.greatest, rank))


@dataclass(frozen=True, eq=False)
class Spectrum:
    """All frames of an input together.

    `ranks` has an entry for each of `ENERGY_SHARES`, `stats` one for each rank. `singular_values` are the means of
    the first channel's, float64 falling. Frames that do not have a rank count with their full rank.
    """

    frames: int
    ranks: tuple[RankRange, ...]
    stats: tuple[RankStats, ...]
    singular_values: NDArray[np.float64]

    def as_dict(self) -> dict[str, Any]:
        """Everything but the singular values, for JSON."""
        shares = zip(ENERGY_SHARES, self.ranks, strict=True)
        return {
            "frames": self.frames,
            "ranks": {str(share): ranks._asdict() for share, ranks in shares},
            "at": [vars(stats) for stats in self.stats],
        }


class SpectrumAccumulator:
    """Adds up the spectra of frames."""

    def __init__(self) -> None:
        self._count = 0
        self._ranks: list[RankSum] = []  # for each of ENERGY_SHARES
        self._sums: dict[int, RankSums] = {}
        self._mean = np.zeros(0)

    def add(self, frame: FrameSpectrum) -> None:
        """Count one frame."""
        self._count += 1
        before = self._ranks or [RankSum(rank, 0, rank) for rank in frame.ranks]
        self._ranks = [ranks.plus(rank) for ranks, rank in zip(before, frame.ranks, strict=True)]
        count, values = self._count, frame.singular_values[0]
        mean = np.zeros(max(len(values), len(self._mean)))
        mean[: len(self._mean)] = self._mean * ((count - 1) / count)
        mean[: len(values)] += values / count
        self._mean = mean
        self._sums = {
            rank: _at(self._sums, rank).plus(_at(frame.sums, rank)) for rank in sorted({*self._sums, *frame.sums})
        }

    def result(self) -> Spectrum:
        """All frames so far, of which there must be one."""
        ranks = tuple(RankRange(ranks.least, ranks.total / self._count, ranks.greatest) for ranks in self._ranks)
        stats = tuple(sums.stats(rank) for rank, sums in self._sums.items())
        return Spectrum(self._count, ranks, stats, self._mean)


def _at(sums: Mapping[int, RankSums], rank: int) -> RankSums:
    """The sums at a rank, or at the largest that there is; zeros where there are none."""
    return sums.get(rank, sums[max(sums)]) if sums else RankSums()
