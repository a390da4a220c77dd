"""Mergeable sketches of the colors seen: exact integers, so order, workers and machines do not matter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.options import MATCHINGS
from streamvq.quantize.color_spaces import point_of, points_of
from streamvq.quantize.pixels import split, stripes
from streamvq.quantize.translucent import TranslucentColors

_COLORS = 1 << 24
_WORD = 1 << 32  # counts are words of 32 bits
_RUN = 1 << 8  # neighboring colors, all of one red and green, that are marked together when one of them is seen
_RUNS_AT_ONCE = 1 << 12  # 4 MB of counts


class ColorSketch(Protocol):
    """What a fit needs: absorb frames, merge with another sketch of its type, and give weighted points."""

    def empty(self) -> ColorSketch: ...
    def absorb(self, pixels: NDArray, key: int = 0) -> None: ...
    def merge(self, other: ColorSketch) -> None: ...
    def points(self, shift: int = 0, matching: str = "rgb") -> tuple[NDArray[np.float64], NDArray[np.int64]]: ...
    def distinct(self) -> int: ...
    def exact_colors(self) -> NDArray[np.uint8]: ...


class ColorHistogram:
    """How often each of the 2^24 RGB colors occurred, exactly.

    64 MB of address space, of which only the pages of colors that occur are touched, in counting and in reading.
    Counts are 32-bit words; those that could wrap are moved to a table of large counts in time: films may be of any
    length.
    Those are the opaque ones; the others are counted apart, with their alpha, in `translucent`.
    """

    def __init__(self) -> None:
        self._counts = np.zeros((_COLORS // _RUN, _RUN), np.uint32)
        self._seen = np.zeros(_COLORS // _RUN, np.bool_)  # the runs in which a count may be more than 0
        self.translucent = TranslucentColors()
        self.large: Counter[int] = Counter()  # color: pixels beyond those in the counts
        self._room = _WORD - 1  # pixels that can still be counted before any count could wrap

    def empty(self) -> ColorHistogram:
        """A new histogram, which has seen nothing."""
        return ColorHistogram()

    def __getstate__(self) -> dict[str, Any]:
        """The colors seen and their counts, so that pickles and copies are small."""
        keys = self._keys()
        return {
            "keys": keys,
            "counts": self._counts.ravel()[keys],
            "large": self.large,
            "room": self._room,
            "translucent": self.translucent,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        ColorHistogram.__init__(self)
        self.set_counts(state["keys"], state["counts"])
        self.large, self._room, self.translucent = state["large"], state["room"], state["translucent"]

    def set_counts(self, keys: NDArray[np.int64], counts: NDArray[Any]) -> None:
        """Set the counts [n], each below 2^32, of the colors with the RGB24 keys [n]."""
        self._counts.ravel()[keys] = counts
        self._seen[keys // _RUN] = True

    def totals(self, keys: range = range(_COLORS)) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The RGB24 keys among `keys` that were seen, int64 [n], ascending, and their pixels, int64 [n]."""
        if not self._seen[keys.start // _RUN : -(-keys.stop // _RUN)].any() and not self.large:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        counts = self._counts.ravel()[keys.start : keys.stop].astype(np.int64)
        for color, more in self.large.items():
            if color in keys:
                counts[color - keys.start] += more
        found = np.flatnonzero(counts)
        return found + keys.start, counts[found]

    def add_totals(self, keys: NDArray[np.int64], totals: NDArray[np.int64]) -> None:
        """Count colors `totals` [n] times more; `keys` are their RGB24 keys, int64 [n], all different."""
        most = int(totals.max(initial=0))
        if most >= _WORD // 2:
            rest = totals % (_WORD // 2)
            for i in np.flatnonzero(totals != rest).tolist():
                self.large[int(keys[i])] += int(totals[i] - rest[i])
            totals, most = rest, int(rest.max())
        if most > self._room:
            self._make_room()
        _add_totals(keys, totals, self._counts, self._seen)
        self._room -= most

    def absorb(self, pixels: NDArray, key: int = 0) -> None:
        """Count the pixels of one frame: uint8 or uint16 [height, width, 1, 3 or 4]. `key` does not matter."""
        for part in stripes(pixels.shape):
            samples, alpha = split(pixels[part], "rgb")
            visible = samples[alpha == 255] if alpha is not None else samples.reshape(-1, 3)
            if alpha is not None and len(visible) < alpha.size:
                self.translucent.absorb(samples, alpha)
            if len(visible) > self._room:
                self._make_room()
            _count(visible, self._counts, self._seen)
            self._room -= len(visible)

    def merge(self, other: ColorSketch) -> None:
        """Add what `other` has seen."""
        if not isinstance(other, ColorHistogram):
            raise TypeError("merge takes a ColorHistogram")
        self.translucent.merge(other.translucent)
        for runs, counts in other._seen_runs():
            sums = self._counts[runs] + counts
            self.large.update({int(key): _WORD for key in _keys_where(sums < counts, runs)})
            self._counts[runs] = sums
            self._seen[runs] = True
        self.large.update(other.large)
        self._make_room()

    def _make_room(self) -> None:
        counts = self._counts.ravel()
        for key in self._keys(_WORD // 2).tolist():
            self.large[key] += _WORD // 2
            counts[key] -= _WORD // 2
        self._room = _WORD // 2

    def _seen_runs(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint32]]]:
        """The runs of colors seen, some [n] at once, and copies of their counts [n, _RUN]."""
        seen = np.flatnonzero(self._seen)
        for start in range(0, len(seen), _RUNS_AT_ONCE):
            runs = seen[start : start + _RUNS_AT_ONCE]
            yield runs, self._counts[runs]

    def _keys(self, least: int = 1) -> NDArray[np.int64]:
        """The RGB24 keys, sorted, of the colors with counts of at least `least`."""
        keys = [_keys_where(counts >= least, runs) for runs, counts in self._seen_runs()]
        return np.concatenate(keys) if keys else np.empty(0, np.int64)

    def points(self, shift: int = 0, matching: str = "rgb") -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Mean point of each cell of 2^shift colors along each channel that was hit, and its pixel count.

        float64 [n, 3] and int64 [n], in the order of the cells. Points are those of a space of `color_spaces`: of
        "rgb", colors. Beyond these, memory is that of the cells, not of the
        colors, of which there may be millions.
        """
        if not shift:
            colors = self.exact_colors()
            counts = self._counts.ravel()[_rgb24_key(colors)].astype(np.int64)
            for color, more in self.large.items():
                counts[np.searchsorted(_rgb24_key(colors), color)] += more
            return points_of(colors, matching).astype(np.float64), counts
        totals = np.zeros((1 << 3 * (8 - shift), 4), np.int64)
        hits = np.empty(len(totals), np.int64)
        found = _sum_cells(self._counts, self._seen, shift, MATCHINGS.index(matching), totals, hits)
        for color, more in self.large.items():
            rgb = np.array([[color >> 16, color >> 8 & 255, color & 255]], np.uint8)
            cells = _rgb24_key(rgb >> shift, 8 - shift)
            if not totals[cells, 3]:
                hits[found], found = cells[0], found + 1
            totals[cells] += more * np.append(points_of(rgb, matching)[0], 1)
        totals = totals[np.sort(hits[:found])]  # the others' pages stay untouched
        return totals[:, :3] / totals[:, 3:], totals[:, 3].copy()

    def distinct(self) -> int:
        """How many distinct colors were seen."""
        counted = sum(int(np.count_nonzero(counts)) for _, counts in self._seen_runs())
        return counted + sum(not self._counts.ravel()[color] for color in self.large)

    def exact_colors(self) -> NDArray[np.uint8]:
        """Every distinct color seen, uint8 [distinct, 3], sorted by RGB."""
        keys = self._keys()
        if self.large:
            keys = np.union1d(keys, np.array([*self.large], np.int64))
        return np.stack([keys >> 16, keys >> 8 & 255, keys & 255], axis=1).astype(np.uint8)


def _keys_where(chosen: NDArray[np.bool_], runs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The RGB24 keys of the chosen colors of some runs: bool [n, _RUN] and the numbers of the runs, [n]."""
    places = np.flatnonzero(chosen)
    keys: NDArray[np.int64] = runs[places // _RUN] * _RUN + places % _RUN
    return keys


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

    def set_counts(self, keys: NDArray[np.int64], counts: NDArray[Any]) -> None:
        """Set the counts [n] of the levels [n]."""
        self.counts[keys] = counts

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

    def points(self, shift: int = 0, matching: str = "rgb") -> tuple[NDArray[np.float64], NDArray[np.int64]]:
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
def _count(pixels, counts, seen):  # type: ignore[no-untyped-def]
    """Count uint8 pixels [n, 3] into one count for each color, uint32 [256 * 256, 256], and mark the runs seen."""
    for i in range(pixels.shape[0]):
        run = np.uint32(pixels[i, 0]) << np.uint32(8) | np.uint32(pixels[i, 1])
        counts[run, pixels[i, 2]] += np.uint32(1)
        seen[run] = True


@njit(nogil=True, cache=True)
def _add_totals(keys, totals, counts, seen):  # type: ignore[no-untyped-def]
    """Add totals [n] to counts, uint32 [256 * 256, 256], of the colors with RGB24 keys [n]; mark the runs seen."""
    for i in range(len(keys)):
        run = keys[i] // _RUN
        counts[run, keys[i] % _RUN] += np.uint32(totals[i])
        seen[run] = True


@njit(nogil=True, cache=True)
def _sum_cells(counts, seen, shift, space, totals, hits):  # type: ignore[no-untyped-def]
    """Add the points of all pixels of each cell of 2^shift colors along each channel, and their number, to `totals`,
    int64 [cells, 4], all 0 before.

    Returns how many cells were hit; they stand in `hits` [cells], in no order.
    """
    bits, found = 8 - shift, 0
    for run in range(len(counts)):
        if not seen[run]:
            continue
        red, green = run >> 8, run & 255
        start = ((red >> shift) << 2 * bits) | ((green >> shift) << bits)
        for blue in range(counts.shape[1]):
            count = np.int64(counts[run, blue])
            if count:
                index = start | (blue >> shift)
                cell = totals[index]
                if not cell[3]:
                    hits[found] = index
                    found += 1
                first, second, third = point_of(space, red, green, blue)
                cell[0] += count * first
                cell[1] += count * second
                cell[2] += count * third
                cell[3] += count
    return found
