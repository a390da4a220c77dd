"""Distinct blocks and their counts, exactly."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit

Vector = TypeVar("Vector", np.uint8, np.float64)
Weight = TypeVar("Weight", np.int64, np.float64)


class BlockSet:
    """Distinct vectors and how often each was added, in a hash table with open addressing."""

    def __init__(self, length: int, limit: int) -> None:
        self._limit = limit
        self._table = np.full(1 << (2 * limit).bit_length(), -1, np.int32)  # rows of `vectors`, -1 where free
        self._multipliers = np.random.default_rng(0).integers(1, 2**63, length, np.uint64)
        self.vectors = np.empty((0, length), np.uint8)
        self.counts = np.empty(0, np.int64)

    def add(self, vectors: NDArray[np.uint8], counts: NDArray[np.int64]) -> bool:
        """Count each vector [n, d] `counts` [n] times; False where there are more than `limit` distinct ones."""
        room = min(len(self.counts) + len(vectors), self._limit)
        grown = np.zeros((room, self.vectors.shape[1]), np.uint8)
        grown[: len(self.counts)] = self.vectors
        totals = np.zeros(room, np.int64)
        totals[: len(self.counts)] = self.counts
        held = _add(vectors, counts, self._multipliers, self._table, grown, totals, len(self.counts))
        self.vectors, self.counts = grown[: max(held, 0)], totals[: max(held, 0)]
        result: bool = held >= 0
        return result


def merge_equal(
    vectors: NDArray[Vector], weights: NDArray[Weight], keys: NDArray[np.uint8] | None = None
) -> tuple[NDArray[Vector], NDArray[Weight]]:
    """Vectors [n, d] and weights [n] with equal vectors merged into one, in lexicographic order.

    `keys`, [n, any], are bytes that have the order of vectors which are no bytes themselves. Counts are exact below
    2^53.
    """
    rows = np.ascontiguousarray(vectors if keys is None else keys)
    order = np.argsort(rows.view(f"V{rows.shape[1]}")[:, 0], kind="stable")
    vectors, weights = vectors[order], weights[order]
    first = np.ones(len(vectors), np.bool_)
    first[1:] = (vectors[1:] != vectors[:-1]).any(axis=1)
    return vectors[first], np.bincount(np.cumsum(first) - 1, weights).astype(weights.dtype)


@njit(nogil=True, cache=True)
def _add(vectors, counts, multipliers, table, distinct, totals, held):  # type: ignore[no-untyped-def]
    """Count `vectors` into `distinct` and `totals`; how many there are then, or -1 where there is no room."""
    mask = np.uint64(len(table) - 1)
    for i in range(len(vectors)):
        vector_hash = np.uint64(0)
        for c in range(vectors.shape[1]):
            vector_hash += np.uint64(vectors[i, c]) * multipliers[c]
        slot = (vector_hash ^ vector_hash >> np.uint64(32)) & mask
        while table[slot] >= 0 and not np.array_equal(distinct[table[slot]], vectors[i]):
            slot = (slot + np.uint64(1)) & mask
        if table[slot] < 0:
            if held == len(distinct):
                return -1
            distinct[held] = vectors[i]
            table[slot] = held
            held += 1
        totals[table[slot]] += counts[i]
    return held
