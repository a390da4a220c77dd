"""Pictures of 8-bit samples as the data of a PNG: lines filtered and deflated; the smallest of what is tried."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

_LEVEL, _QUICK_LEVEL = 9, 3
_SMALL = 1 << 15  # bytes that are deflated in every way at the highest level
_NONE, _SUB, _UP, _AVERAGE, _PAETH = range(5)

Samples = NDArray[np.uint8]  # [height, width] palette indices, or [height, width, channels]


def smallest_data(pictures: Iterable[Samples]) -> tuple[bytes, int]:
    """The shortest data for one of several pictures that serve, and the number of that picture.

    Filters are tried for whole pictures (none, sub, up), and of true color the best for each line by the least sum of
    absolute differences (PNG, 12.8). Large pictures are compared at a lower level of deflate.
    """
    ways = [(number, lines) for number, picture in enumerate(pictures) for lines in _filtered(picture)]
    small = len(ways[0][1]) <= _SMALL
    if len(ways) > 1 and not small:
        ways = [min(ways, key=lambda way: len(zlib.compress(way[1], _QUICK_LEVEL)))]
    return min(((zlib.compress(lines, _LEVEL), number) for number, lines in ways), key=lambda found: len(found[0]))


def _filtered(picture: Samples) -> list[bytes]:
    """The lines of a picture with their filter bytes, filtered in several ways."""
    rows = picture.reshape(len(picture), -1)
    step = picture.shape[2] if picture.ndim == 3 else 1
    filters: list[Callable[[], NDArray[np.uint8]]] = [lambda: rows, lambda: _sub(rows, step), lambda: _up(rows)]
    names = [_NONE, _SUB, _UP]
    if picture.ndim == 2:  # indices have no sums
        return [_with_types(apply(), np.uint8(name)) for name, apply in zip(names, filters, strict=True)]
    all_lines = np.stack([apply() for apply in filters] + [_average(rows, step), _paeth(rows, step)])
    sums = np.abs(all_lines.view(np.int8).astype(np.int16)).sum(axis=2, dtype=np.int64)
    best = sums.argmin(axis=0)
    chosen = all_lines[best, np.arange(len(rows))]
    return [_with_types(chosen, best.astype(np.uint8)), _with_types(rows, np.uint8(_NONE))]


def _with_types(lines: NDArray[np.uint8], types: NDArray[np.uint8] | np.uint8) -> bytes:
    out = np.empty((len(lines), lines.shape[1] + 1), np.uint8)
    out[:, 0] = types
    out[:, 1:] = lines
    return out.tobytes()


def _left(rows: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    left = np.zeros_like(rows)
    left[:, step:] = rows[:, :-step]
    return left


def _above(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    above = np.zeros_like(rows)
    above[1:] = rows[:-1]
    return above


def _sub(rows: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    return rows - _left(rows, step)


def _up(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return rows - _above(rows)


def _average(rows: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    total = _left(rows, step).astype(np.uint16) + _above(rows)
    return rows - (total >> 1).astype(np.uint8)


def _paeth(rows: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    left, above = _left(rows, step), _above(rows)
    corner = _left(above, step)
    a, b, c = (each.astype(np.int16) for each in (left, above, corner))
    to_left, to_above, to_corner = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    nearest = np.where(to_above <= to_corner, above, corner)
    return rows - np.where((to_left <= to_above) & (to_left <= to_corner), left, nearest)
