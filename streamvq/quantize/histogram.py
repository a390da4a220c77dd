"""Mergeable sketches of the colors seen: exact integers, so order, workers and machines do not matter."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

from streamvq.quantize.pixels import split

_BITS = 7  # a color's cell keeps this many of each channel's 8 bits


class ColorSketch(Protocol):
    """What a fit needs: absorb frames, merge with another of its kind, and hand out weighted points."""

    def absorb(self, pixels: NDArray) -> None: ...
    def merge(self, other: ColorSketch) -> None: ...
    def points(self, shift: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]: ...
    def distinct(self) -> int: ...
    def exact_colors(self) -> NDArray[np.uint8]: ...


class ColorHistogram:
    """RGB colors in fixed cells, each with a pixel count and channel sums (int64), and which colors occurred.

    A cell is 2x2x2 colors: 2 million cells in 64 MB of address space, of which only the pages of colors that
    occur are touched. A set of one bit for each of the 2^24 colors (2 MB) keeps the distinct colors exactly.
    Fully transparent pixels have no color and are not counted.
    """

    def __init__(self) -> None:
        self.cells = np.zeros((1 << 3 * _BITS, 4), np.int64)
        self.seen = np.zeros(1 << 21, np.uint8)

    def absorb(self, pixels: NDArray) -> None:
        """Count the pixels of one frame: uint8 or uint16 [height, width, 1, 3 or 4]."""
        samples, alpha = split(pixels, "rgb")
        visible = samples[alpha > 0] if alpha is not None else samples.reshape(-1, 3)
        _count(visible, self.cells, self.seen)

    def merge(self, other: ColorSketch) -> None:
        """Add what `other` has seen."""
        if not isinstance(other, ColorHistogram):
            raise TypeError("merge takes a ColorHistogram")
        self.cells += other.cells
        self.seen |= other.seen

    def points(self, shift: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Mean color of each cell that was hit, float64 [n, 3], and its pixel count, int64 [n].

        `shift` merges cells first: 2^shift of them along each channel.
        """
        cell = np.flatnonzero(self.cells[:, 0])
        used = self.cells[cell]
        if shift:
            mask = (1 << _BITS) - 1
            r, g, b = (cell >> 2 * _BITS) >> shift, (cell >> _BITS & mask) >> shift, (cell & mask) >> shift
            coarse, row = np.unique(r << 2 * _BITS | g << _BITS | b, return_inverse=True)
            merged = np.zeros((len(coarse), 4), np.int64)
            np.add.at(merged, row, used)
            used = merged
        return used[:, 1:] / used[:, :1], used[:, 0]

    def distinct(self) -> int:
        """How many distinct colors were seen."""
        return int(np.bitwise_count(self.seen.view(np.uint64)).sum())

    def exact_colors(self) -> NDArray[np.uint8]:
        """Every distinct color seen, uint8 [distinct, 3]."""
        packed = np.flatnonzero(np.unpackbits(self.seen, bitorder="little"))
        return np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=1).astype(np.uint8)


class LevelHistogram:
    """Counts of the 256 gray levels; color is counted by its luma. Fully transparent pixels are left out."""

    def __init__(self) -> None:
        self.counts = np.zeros(256, np.int64)

    def absorb(self, pixels: NDArray) -> None:
        """Count the pixels of one frame: uint8 or uint16 [height, width, 1, 3 or 4]."""
        samples, alpha = split(pixels, "gray")
        visible = samples[alpha > 0] if alpha is not None else samples.ravel()
        self.counts += np.bincount(visible, minlength=256)

    def merge(self, other: ColorSketch) -> None:
        """Add what `other` has seen."""
        if not isinstance(other, LevelHistogram):
            raise TypeError("merge takes a LevelHistogram")
        self.counts += other.counts

    def points(self, shift: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The levels seen, float64 [n, 1], and their pixel counts, int64 [n]; levels are few: never merged."""
        levels = self.exact_colors()
        return levels.astype(np.float64), self.counts[levels[:, 0]]

    def distinct(self) -> int:
        """How many distinct levels were seen."""
        return int(np.count_nonzero(self.counts))

    def exact_colors(self) -> NDArray[np.uint8]:
        """Every level seen, uint8 [distinct, 1]."""
        return np.flatnonzero(self.counts).astype(np.uint8)[:, None]


@njit(nogil=True, cache=True)
def _count(pixels, cells, seen):  # type: ignore[no-untyped-def]
    """Count uint8 pixels [n, 3] into their cells, and mark their colors as seen."""
    drop = 8 - _BITS
    for i in range(pixels.shape[0]):
        r, g, b = np.int64(pixels[i, 0]), np.int64(pixels[i, 1]), np.int64(pixels[i, 2])
        cell = (r >> drop) << 2 * _BITS | (g >> drop) << _BITS | b >> drop
        cells[cell, 0] += 1
        cells[cell, 1] += r
        cells[cell, 2] += g
        cells[cell, 3] += b
        color = r << 16 | g << 8 | b
        bit = np.uint8(1 << (color & 7))
        if not seen[color >> 3] & bit:
            seen[color >> 3] |= bit
