"""`BlockSample`: a mergeable sketch of the blocks seen, of bounded size, the same for any order and any workers.

Of all blocks it keeps the `most` whose hash of (seed, frame, position) is smallest, a bottom-k sample (Cohen and
Kaplan 2007): every block is as likely as any other, and what is kept depends on the whole set alone. Beside it,
the distinct blocks are counted exactly for as long as they are few: screens and tile maps have few.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from streamvq.quantize.blocks import code_length, image_to_blocks, visible_blocks

_LAST = np.uint64(2**64 - 1)
_GAMMA = 0x9E3779B97F4A7C15  # splitmix64 (Steele, Lea, Flood 2014)
_SLACK = 1 << 16  # blocks held beyond `most` before the largest hashes are let go
_PER_CODE = 512  # blocks; with fewer, codes fit the sample rather than what it was drawn from
_MOST, _BYTES_MOST = 1 << 20, 1 << 26  # of a sample


def sample_size(codes: int, block: tuple[int, int], space: str) -> int:
    """How many blocks to sample for so many codes: enough for each code, in bounded memory."""
    wanted = max(1 << 17, min(_PER_CODE * codes, _MOST))
    return max(min(wanted, _BYTES_MOST // code_length(block, space)), codes)


class BlockSample:
    """A sample of at most `most` blocks, and the set of distinct blocks while there are at most `limit`.

    The memory is about (most + 65,536 + limit) x (d + 8) bytes, touched as it fills. Wholly transparent blocks
    are not learned from; in others hidden pixels take the mean of the visible ones (see `blocks.cut`).
    """

    def __init__(self, block: tuple[int, int], space: str, seed: int, most: int, limit: int = 1 << 16) -> None:
        self.block, self.space, self.seed, self.most, self.limit = block, space, seed, most, limit
        length = code_length(block, space)
        self._hashes = np.empty(most + _SLACK, np.uint64)
        self._vectors = np.empty((most + _SLACK, length), np.uint8)
        self._held = 0
        self._threshold = _LAST  # no hash above it is in the sample
        self._set: BlockSet | None = BlockSet(length, limit)

    def empty(self) -> BlockSample:
        """A new sample of the same settings, which has seen nothing."""
        return BlockSample(self.block, self.space, self.seed, self.most, self.limit)

    def __getstate__(self) -> dict[str, Any]:
        """What is held, without the room for more."""
        self._shrink()
        held = {"_hashes": self._hashes[: self._held], "_vectors": self._vectors[: self._held]}
        return {**self.__dict__, **held}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._hashes = np.empty(self.most + _SLACK, np.uint64)
        self._vectors = np.empty((self.most + _SLACK, state["_vectors"].shape[1]), np.uint8)
        self._hashes[: self._held], self._vectors[: self._held] = state["_hashes"], state["_vectors"]

    def absorb(self, pixels: NDArray, key: int) -> None:
        """Take the blocks of one frame: uint8 or uint16 [height, width, 1, 3 or 4], and a 64-bit key of its own."""
        high, wide = self.block
        rows, columns = -(-pixels.shape[0] // high), -(-pixels.shape[1] // wide)
        start = np.uint64(_mixed(self.seed ^ _mixed(key + _GAMMA)))
        places, hashes = _passing(start, rows * columns, self._threshold)
        if len(places):
            raw = np.empty((len(places) * high, wide, pixels.shape[2]), pixels.dtype)
            _gather(np.ascontiguousarray(pixels), places, high, wide, raw)
            vectors, visible = self._cut(raw)
            self._keep(hashes[visible], vectors)
        if self._set is not None:
            vectors, _ = self._cut(pixels)
            self._count(vectors, np.ones(len(vectors), np.int64))

    def merge(self, other: BlockSample) -> None:
        """Add what `other`, a sample of the same settings, has seen."""
        mine, theirs = ((x.block, x.space, x.seed, x.most, x.limit) for x in (self, other))
        if mine != theirs:
            raise ValueError(f"merge takes a sample of the same settings, {mine}, not {theirs}")
        small = other._hashes[: other._held] <= self._threshold
        self._keep(other._hashes[: other._held][small], other._vectors[: other._held][small])
        if other._set is None:
            self._set = None
        elif self._set is not None:
            self._count(other._set.vectors, other._set.counts)

    def distinct(self) -> int | None:
        """How many distinct blocks were seen, or None where they were more than `limit`."""
        return None if self._set is None else len(self._set.counts)

    def points(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Distinct blocks, uint8 [n, d] in lexicographic order, and the count of each, int64 [n].

        They are all that were seen where `distinct` knows them, and otherwise those of the sample.
        """
        if self._set is not None:
            return _merged(self._set.vectors, self._set.counts)
        self._shrink()
        return _merged(self._vectors[: self._held], np.ones(self._held, np.int64))

    def _cut(self, pixels: NDArray) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """The visible blocks, [n, d], and which of all are."""
        vectors, alpha = image_to_blocks(pixels, self.block, self.space)
        vectors = vectors.reshape(-1, vectors.shape[2])
        if alpha is None:
            return vectors, np.ones(len(vectors), np.bool_)
        visible = visible_blocks(alpha, self.block).reshape(-1)
        return vectors[visible], visible

    def _count(self, vectors: NDArray[np.uint8], counts: NDArray[np.int64]) -> None:
        if self._set is not None and not self._set.add(vectors, counts):
            self._set = None

    def _keep(self, hashes: NDArray[np.uint64], vectors: NDArray[np.uint8]) -> None:
        """Hold more blocks, and let go of the largest hashes whenever there is no more room."""
        done = 0
        while done < len(hashes):
            size = min(len(hashes) - done, len(self._hashes) - self._held)
            self._hashes[self._held : self._held + size] = hashes[done : done + size]
            self._vectors[self._held : self._held + size] = vectors[done : done + size]
            self._held += size
            done += size
            if self._held == len(self._hashes):
                self._shrink()

    def _shrink(self) -> None:
        """Let go of all but the `most` smallest hashes; among equal ones the smallest vectors stay."""
        if self._held <= self.most:
            return
        hashes, vectors = self._hashes[: self._held], self._vectors[: self._held]
        self._threshold = np.partition(hashes, self.most - 1)[self.most - 1]
        stay = hashes < self._threshold
        equal = np.flatnonzero(hashes == self._threshold)
        stay[equal[np.lexsort(vectors[equal].T[::-1])][: self.most - int(stay.sum())]] = True
        self._held = self.most
        self._hashes[: self.most], self._vectors[: self.most] = hashes[stay], vectors[stay]


class BlockSet:
    """Distinct vectors and how often each was added, in a hash table with open addressing."""

    def __init__(self, length: int, limit: int) -> None:
        self._limit = limit
        self._table = np.full(1 << (2 * limit).bit_length(), -1, np.int32)
        self._factors = np.random.default_rng(0).integers(1, 2**63, length, np.uint64)
        self.vectors = np.empty((0, length), np.uint8)
        self.counts = np.empty(0, np.int64)

    def add(self, vectors: NDArray[np.uint8], counts: NDArray[np.int64]) -> bool:
        """Count vectors [n, d] so many times [n] each; False where there are more than `limit` distinct ones."""
        room = min(len(self.counts) + len(vectors), self._limit)
        grown = np.zeros((room, self.vectors.shape[1]), np.uint8)
        grown[: len(self.counts)] = self.vectors
        totals = np.zeros(room, np.int64)
        totals[: len(self.counts)] = self.counts
        held = _add(vectors, counts, self._factors, self._table, grown, totals, len(self.counts))
        self.vectors, self.counts = grown[: max(held, 0)], totals[: max(held, 0)]
        return held >= 0


def _merged(vectors: NDArray[np.uint8], counts: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Equal vectors as one, in lexicographic order."""
    vectors = np.ascontiguousarray(vectors)
    order = np.argsort(vectors.view(f"V{vectors.shape[1]}")[:, 0], kind="stable")
    vectors, counts = vectors[order], counts[order]
    first = np.ones(len(vectors), np.bool_)
    first[1:] = (vectors[1:] != vectors[:-1]).any(axis=1)
    return vectors[first], np.add.reduceat(counts, np.flatnonzero(first)) if len(counts) else counts


def _mixed(value: int) -> int:
    """The output function of splitmix64."""
    value &= 2**64 - 1
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & 2**64 - 1
    value = (value ^ value >> 27) * 0x94D049BB133111EB & 2**64 - 1
    return value ^ value >> 31


@njit(nogil=True, cache=True)
def _passing(start, count, threshold):  # type: ignore[no-untyped-def]
    """Places 0..count-1 of a frame whose hash is at most `threshold`, and their hashes."""
    places, hashes = np.empty(count, np.int64), np.empty(count, np.uint64)
    found = 0
    value = start
    for place in range(count):
        value += np.uint64(0x9E3779B97F4A7C15)
        mixed = (value ^ value >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ mixed >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
        places[found], hashes[found] = place, mixed
        found += mixed <= threshold
    return places[:found], hashes[:found]


@njit(nogil=True, cache=True)
def _gather(pixels, places, high, wide, raw):  # type: ignore[no-untyped-def]
    """The blocks at `places`, one below the other; edges are replicated."""
    height, width, channels = pixels.shape
    columns = (width + wide - 1) // wide
    for i in range(len(places)):
        top, left = places[i] // columns * high, places[i] % columns * wide
        for y in range(high):
            for x in range(wide):
                for c in range(channels):
                    raw[i * high + y, x, c] = pixels[min(top + y, height - 1), min(left + x, width - 1), c]


@njit(nogil=True, cache=True)
def _add(vectors, counts, factors, table, known, totals, held):  # type: ignore[no-untyped-def]
    """Count `vectors` into `known` and `totals`; how many are known then, or -1 where there is no room."""
    mask = np.uint64(len(table) - 1)
    for i in range(len(vectors)):
        mixed = np.uint64(0)
        for c in range(vectors.shape[1]):
            mixed += np.uint64(vectors[i, c]) * factors[c]
        slot = (mixed ^ mixed >> np.uint64(32)) & mask
        while table[slot] >= 0 and not np.array_equal(known[table[slot]], vectors[i]):
            slot = (slot + np.uint64(1)) & mask
        if table[slot] < 0:
            if held == len(known):
                return -1
            known[held] = vectors[i]
            table[slot] = held
            held += 1
        totals[table[slot]] += counts[i]
    return held
