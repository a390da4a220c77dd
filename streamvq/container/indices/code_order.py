"""An order of the codes of large codebooks, in which numbers that begin with the same bits are of similar codes.

The rows are halved again and again by the sample of largest variance, as a k-d tree does (FORMAT.md, section 8.1).
Then the first bits of a number are easy to predict from its neighbors'.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit

EXACT_ORDER_CODES = 256  # the largest codebook that keeps its order


class CodeOrder(NamedTuple):
    """The number of each row, and the row of each number: uint16 [k]."""

    numbers: NDArray[np.uint16]
    rows: NDArray[np.uint16]


def code_order(codes: NDArray[np.uint8]) -> CodeOrder:
    """The order of codes, uint8 [k, d]."""
    return _cached_order(codes.tobytes(), codes.shape)


@lru_cache(maxsize=4)
def _cached_order(codes: bytes, shape: tuple[int, int]) -> CodeOrder:
    rows = _bisect(np.frombuffer(codes, np.uint8).reshape(shape))
    return CodeOrder(np.argsort(rows).astype(np.uint16), rows.astype(np.uint16))


@njit(nogil=True, cache=True)
def _bisect(codes: Any) -> Any:
    """The rows of codes, uint8 [k, d], sorted and halved again and again: int64 [k]."""
    k = len(codes)
    rows = np.arange(k)
    moved = np.empty(k, np.int64)
    size = 1
    while size < k:
        size *= 2
    while size > 1:
        for start in range(0, k, size):
            part = rows[start : start + size]
            sample = _most_varied_sample(codes, part)
            first = np.zeros(257, np.int64)  # counting sort: where each level begins in the sorted part
            for row in part:
                first[codes[row, sample] + 1] += 1
            for level in range(256):
                first[level + 1] += first[level]
            for row in part:
                moved[start + first[codes[row, sample]]] = row
                first[codes[row, sample]] += 1
        rows[:] = moved
        size //= 2
    return rows


@njit(nogil=True)
def _most_varied_sample(codes: Any, rows: Any) -> Any:
    """The sample of largest variance in some rows, the first of several."""
    best = 0
    largest = np.int64(-1)
    for sample in range(codes.shape[1]):
        total = np.int64(0)
        squares = np.int64(0)
        for row in rows:
            level = np.int64(codes[row, sample])
            total += level
            squares += level * level
        spread = len(rows) * squares - total * total
        if spread > largest:
            best, largest = sample, spread
    return best
