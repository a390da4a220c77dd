"""A mergeable sketch of colors that are not opaque; exact integers, as those of `histogram`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvq.quantize.alpha_points import alpha_points

_MAX_CELLS = 1 << 18
_TOP = 255


class TranslucentColors:
    """How often each color with an alpha of 1 to 254 occurred, and how many pixels were fully transparent.

    Colors are counted one by one while there are at most `max_cells`; beyond these, in cells of 2^shift values
    along each of R, G, B and alpha, the smallest that are few enough. So the memory is bounded, and what is kept
    does not depend on the order.
    """

    def __init__(self, max_cells: int = _MAX_CELLS) -> None:
        self._max_cells = max_cells
        self.shift = 0
        self.transparent = 0  # pixels
        self._keys = np.empty(0, np.uint32)  # of cells, ascending: R, G, B and alpha from the top byte down
        self._sums = np.empty((0, 5), np.int64)  # of each cell's pixels: R, G and B times alpha, alpha, and 1

    def absorb(self, rgb: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> None:
        """Count pixels: uint8 [height, width, 3] and [height, width]."""
        self.transparent += int(np.count_nonzero(alpha == 0))
        soft = (alpha > 0) & (alpha < _TOP)
        if not soft.any():
            return
        r, g, b = rgb[soft].astype(np.uint32).T
        keys, counts = np.unique(r << 24 | g << 16 | b << 8 | alpha[soft], return_counts=True)
        colors = _rgba(keys).astype(np.int64)
        ones = np.ones((len(keys), 1), np.int64)
        sums = np.concatenate([colors[:, :3] * colors[:, 3:], colors[:, 3:], ones], axis=1)
        self._add(keys, sums * counts[:, None])

    def merge(self, other: TranslucentColors) -> None:
        """Add what `other` has seen."""
        self.add_cells(other._keys, other._sums, other.shift, other.transparent)

    def cells(self) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """The cells that were hit: keys, uint32 [n], ascending, R, G, B and alpha from the top byte down; and the
        sums of their pixels, int64 [n, 5]: R, G and B times alpha, alpha, and 1."""
        return self._keys, self._sums

    def add_cells(self, keys: NDArray[np.uint32], sums: NDArray[np.int64], shift: int, transparent: int) -> None:
        """Add the `cells` of other colors, of 2^shift values along each channel, and so many transparent pixels."""
        self.transparent += transparent
        self.shift = max(self.shift, shift)
        self._add(keys, sums)

    def _add(self, keys: NDArray[np.uint32], sums: NDArray[np.int64]) -> None:
        keys, sums = np.concatenate([self._keys, keys]), np.concatenate([self._sums, sums])
        self._keys, self._sums = _in_cells(keys, sums, self.shift)
        while len(self._keys) > self._max_cells:
            self.shift += 1
            self._keys, self._sums = _in_cells(self._keys, self._sums, self.shift)

    @property
    def has_any(self) -> bool:
        """Whether any pixel was not opaque."""
        return self.transparent > 0 or len(self._keys) > 0

    def distinct(self) -> int:
        """How many cells were hit: the distinct colors, while `shift` is 0."""
        return len(self._keys)

    def exact_colors(self) -> NDArray[np.uint8] | None:
        """Every color seen, uint8 [distinct, 4], or None where they are too many."""
        return None if self.shift else _rgba(self._keys)

    def points(self, shift: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The mean of each cell of 2^shift values along each channel as a point (see `alpha_points`), float64 [n, 4],
        and its pixels, int64 [n]."""
        _, sums = _in_cells(self._keys, self._sums, max(shift, self.shift))
        counts = sums[:, 4]
        means = sums[:, :4] / counts[:, None]
        return alpha_points(means[:, :3] / _TOP, means[:, 3]), counts


def _rgba(keys: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Colors [n, 4] of keys [n]."""
    return keys.astype(">u4").view(np.uint8).reshape(-1, 4)


def _in_cells(
    keys: NDArray[np.uint32], sums: NDArray[np.int64], shift: int
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Cells of 2^shift values along each channel, ascending, and their sums."""
    if not len(keys):
        return keys, sums
    keys = keys & np.uint32((_TOP << shift & _TOP) * 0x01010101)
    order = np.argsort(keys, kind="stable")
    keys, sums = keys[order], sums[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return keys[starts], np.add.reduceat(sums, starts, axis=0)
