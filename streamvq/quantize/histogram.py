"""Mergeable sketches of the colors seen: exact integers, so order, workers and machines do not matter."""

from __future__ import annotations

from collections import Counter
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.quantize.pixels import split, stripes

_COLORS = 1 << 24
_WORD = 1 << 32  # counts are words of 32 bits


class ColorSketch(Protocol):
    """What a fit needs: absorb frames, merge with another sketch of its type, and give weighted points."""

    def empty(self) -> ColorSketch: ...
    def absorb(self, pixels: NDArray, key: int = 0) -> None: ...
    def merge(self, other: ColorSketch) -> None: ...
    def points(self, shift: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]: ...
    def distinct(self) -> int: ...
    def exact_colors(self) -> NDArray[np.uint8]: ...


class ColorHistogram:
    """How often each of the 2^24 RGB colors occurred, exactly.

    64 MB of address space, of which only the pages of colors that occur are touched. Counts are 32-bit words;
    those that could wrap are moved to a table of large counts in time: films may be of any length.
    Fully transparent pixels have no color and are not counted.
    """

    def __init__(self) -> None:
        self.counts = np.zeros(_COLORS, np.uint32)
        self.large: Counter[int] = Counter()  # color: pixels beyond those in `counts`
        self._room = _WORD - 1  # pixels that can still be counted before any count could wrap

    def empty(self) -> ColorHistogram:
        """A new histogram, which has seen nothing."""
        return ColorHistogram()

    def __getstate__(self) -> dict[str, Any]:
        """The colors seen and their counts, so that pickles and copies are small."""
        seen = np.flatnonzero(self.counts)
        return {"seen": seen, "counts": self.counts[seen], "large": self.large, "room": self._room}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.counts = np.zeros(_COLORS, np.uint32)
        self.counts[state["seen"]] = state["counts"]
        self.large, self._room = state["large"], state["room"]

    def absorb(self, pixels: NDArray, key: int = 0) -> None:
        """Count the pixels of one frame: uint8 or uint16 [height, width, 1, 3 or 4]. `key` does not matter."""
        for part in stripes(pixels.shape):
            samples, alpha = split(pixels[part], "rgb")
            visible = samples[alpha > 0] if alpha is not None else samples.reshape(-1, 3)
            if len(visible) > self._room:
                self._make_room()
            _count(visible, self.counts)
            self._room -= len(visible)

    def merge(self, other: ColorSketch) -> None:
        """Add what `other` has seen."""
        if not isinstance(other, ColorHistogram):
            raise TypeError("merge takes a ColorHistogram")
        self.counts += other.counts
        self.large.update(other.large)
        self.large.update({int(color): _WORD for color in np.flatnonzero(self.counts < other.counts)})
        self._make_room()

    def _make_room(self) -> None:
        for color in np.flatnonzero(self.counts >= _WORD // 2):
            self.large[int(color)] += _WORD // 2
            self.counts[color] -= _WORD // 2
        self._room = _WORD // 2

    def points(self, shift: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Mean color of each cell of 2^shift colors along each channel that was hit, and its pixel count.

        float64 [n, 3] and int64 [n], in the order of the cells. Beyond these, memory is that of the cells, not of the
        colors, of which there may be millions.
        """
        if not shift:
            colors = self.exact_colors()
            counts = self.counts[_rgb24_key(colors)].astype(np.int64)
            for color, more in self.large.items():
                counts[np.searchsorted(_rgb24_key(colors), color)] += more
            return colors.astype(np.float64), counts
        totals = np.zeros((1 << 3 * (8 - shift), 4), np.int64)
        _sum_cells(self.counts, shift, totals)
        for color, more in self.large.items():
            rgb = np.array([[color >> 16, color >> 8 & 255, color & 255]])
            totals[_rgb24_key(rgb >> shift, 8 - shift)] += more * np.append(rgb[0], 1)
        totals = totals[totals[:, 3] > 0]
        return totals[:, :3] / totals[:, 3:], totals[:, 3].copy()

    def distinct(self) -> int:
        """How many distinct colors were seen."""
        return int(np.count_nonzero(self.counts)) + sum(not self.counts[color] for color in self.large)

    def exact_colors(self) -> NDArray[np.uint8]:
        """Every distinct color seen, uint8 [distinct, 3], sorted by RGB."""
        seen = self._seen()
        return np.stack([seen >> 16, seen >> 8 & 255, seen & 255], axis=1).astype(np.uint8)

    def _seen(self) -> NDArray[np.int64]:
        seen = np.flatnonzero(self.counts)
        return np.union1d(seen, np.array([*self.large], np.int64)) if self.large else seen


def _rgb24_key(colors: NDArray[Any], bits: int = 8) -> NDArray[np.int64]:
    """One integer for each color [n, 3] of `bits` bits for each channel, in RGB order: RGB24 keys for 8 bits."""
    red, green, blue = colors.astype(np.int64).T
    keys: NDArray[np.int64] = red << 2 * bits | green << bits | blue
    return keys


class LevelHistogram:
    """Counts of the 256 gray levels; color is counted by its luma. Fully transparent pixels are left out."""

    def __init__(self) -> None:
        self.counts = np.zeros(256, np.int64)

    def empty(self) -> LevelHistogram:
        """A new histogram, which has seen nothing."""
        return LevelHistogram()

    def absorb(self, pixels: NDArray, key: int = 0) -> None:
        """Count the pixels of one frame: uint8 or uint16 [height, width, 1, 3 or 4]. `key` does not matter."""
        for part in stripes(pixels.shape):
            samples, alpha = split(pixels[part], "gray")
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
def _count(pixels, counts):  # type: ignore[no-untyped-def]
    """Count uint8 pixels [n, 3] into one count for each RGB24 key."""
    for i in range(pixels.shape[0]):
        key = np.uint32(pixels[i, 0]) << np.uint32(16) | np.uint32(pixels[i, 1]) << np.uint32(8)
        counts[key | np.uint32(pixels[i, 2])] += np.uint32(1)


@njit(nogil=True, cache=True)
def _sum_cells(counts, shift, totals):  # type: ignore[no-untyped-def]
    """Add the red, green and blue of all pixels of each cell of 2^shift colors along each channel, and their number,
    to `totals`, int64 [cells, 4]."""
    bits = 8 - shift
    for key in range(counts.size):
        count = np.int64(counts[key])
        if count:
            red, green, blue = key >> 16, (key >> 8) & 255, key & 255
            cell = totals[((red >> shift) << 2 * bits) | ((green >> shift) << bits) | (blue >> shift)]
            cell[0] += count * red
            cell[1] += count * green
            cell[2] += count * blue
            cell[3] += count
