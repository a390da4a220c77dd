"""`VectorSample`: the distinct vectors seen and their weights, in bounded memory.

While there are few, all are kept and their weights are exact, so that order, batches and repetition do not matter.
Beyond that they are a priority sample (Duffield, Lund and Thorup 2007): a vector of weight w has priority w / u for a
u in (0, 1] that hangs on the vector alone, and those of highest priority are kept. If t is the highest priority let
go, a kept vector stands for a weight of max(w, t), which makes the weight of any set of vectors right on average.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.quantize.block_sample import splitmix64
from streamvq.quantize.block_set import merge_equal

_MAX_VECTORS, _MAX_NUMBERS = 1 << 20, 1 << 24  # of a sample
_PER_CODE = 4  # vectors, at least
_SIGN, _ALL_BUT_SIGN = np.uint64(1 << 63), np.int64((1 << 63) - 1)  # of float64
_MIN_PENDING = 1 << 16  # vectors absorbed before they are merged with the others


class VectorSample:
    """Vectors [n, d] of float64 with weights, for a codebook of `n_codes`."""

    def __init__(self, d: int, n_codes: int) -> None:
        self.max_vectors = max(min(_MAX_VECTORS, _MAX_NUMBERS // d), _PER_CODE * n_codes)
        self._parts = [(np.empty((0, d)), np.empty(0))]  # the first is distinct and sorted
        self._threshold = 0.0  # the highest priority let go

    def absorb(self, vectors: NDArray[Any], weights: NDArray[np.float64]) -> None:
        """Add finite vectors [n, d] with weights [n] of 0 or more; those of weight 0 are as if not given."""
        weighty = weights > 0
        self._parts.append((np.array(vectors[weighty], np.float64) + 0.0, weights[weighty]))  # -0.0 becomes 0.0
        pending = sum(len(part) for part, _ in self._parts[1:])
        if pending >= max(_MIN_PENDING, len(self._parts[0][0])):
            self.points()

    def points(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The distinct vectors kept, [n, d] in lexicographic order, and the weight each stands for, [n]."""
        if len(self._parts) > 1:
            vectors, weights = (np.concatenate(arrays) for arrays in zip(*self._parts, strict=True))
            vectors, weights = merge_equal(vectors, weights, _keys(vectors))
            self._parts = [self._kept(vectors, weights)]
        vectors, weights = self._parts[0]
        return vectors, np.maximum(weights, self._threshold)

    def _kept(
        self, vectors: NDArray[np.float64], weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if not self._threshold and len(vectors) <= self.max_vectors:
            return vectors, weights
        priorities = weights / _uniform(vectors)
        if len(vectors) > self.max_vectors:
            last = len(vectors) - self.max_vectors - 1
            self._threshold = max(self._threshold, float(np.partition(priorities, last)[last]))
        keep = priorities > self._threshold
        return vectors[keep], weights[keep]


def _keys(vectors: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Bytes [n, 8 d] that have the order of vectors [n, d]."""
    bits = np.ascontiguousarray(vectors).view(np.int64)
    ordered = (bits ^ (bits >> 63 & _ALL_BUT_SIGN)).view(np.uint64) ^ _SIGN  # unsigned, in the order of the numbers
    return ordered.astype(">u8").view(np.uint8)


def _uniform(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """A number in (0, 1] for each vector [n, d], from its bits: [n]."""
    factors = np.random.default_rng(0).integers(1, 2**63, vectors.shape[1], np.uint64) | np.uint64(1)
    mixed = (np.ascontiguousarray(vectors).view(np.uint64) * factors).sum(axis=1, dtype=np.uint64)
    uniform: NDArray[np.float64] = ((splitmix64(mixed) >> np.uint64(11)) + np.uint64(1)) * 2.0**-53
    return uniform
