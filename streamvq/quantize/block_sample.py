"""`BlockSample`: a mergeable sketch of the blocks seen, of bounded size, the same for any order and any workers.

Of all blocks it keeps the `capacity` whose hash of (seed, frame, position) is smallest, a bottom-k sample (Cohen and
Kaplan 2007): every block is equally likely to stay, and what is kept depends on the whole set alone. Beside it, the
distinct blocks are counted exactly for as long as they are few: screens and tile maps have few.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.quantize.block_set import BlockSet, merge_equal
from streamvq.quantize.blocks import code_length, image_to_blocks, visible_blocks

_MAX_HASH = 2**64 - 1
_GAMMA = 0x9E3779B97F4A7C15  # the increment of splitmix64 (Steele, Lea, Flood 2014)
_SLACK = 1 << 16  # blocks held beyond the capacity before the largest hashes are dropped
_BLOCKS_PER_CODE = 512  # with fewer, codes fit the sample rather than what it was drawn from
_MIN_BLOCKS = 1 << 17
_MAX_BLOCKS, _MAX_BYTES = 1 << 20, 1 << 26


def sample_size(n_codes: int, block: tuple[int, int], space: str) -> int:
    """How many blocks to sample for `n_codes` codes: enough for each code, in bounded memory."""
    wanted = max(_MIN_BLOCKS, min(_BLOCKS_PER_CODE * n_codes, _MAX_BLOCKS))
    return max(min(wanted, _MAX_BYTES // code_length(block, space)), n_codes)


class BlockSample:
    """A sample of at most `capacity` blocks, and the set of distinct blocks while there are at most `limit`.

    The memory is about (capacity + 65,536 + limit) x (d + 8) bytes, touched as it fills. Wholly transparent blocks
    are not learned from; in others hidden pixels take the mean of the visible ones (see `blocks.image_to_blocks`).
    """

    def __init__(self, block: tuple[int, int], space: str, seed: int, capacity: int, limit: int = 1 << 16) -> None:
        self.block, self.space, self.seed, self.capacity, self.limit = block, space, seed, capacity, limit
        self.length = length = code_length(block, space)
        self._hashes = np.empty(capacity + _SLACK, np.uint64)
        self._vectors = np.empty((capacity + _SLACK, length), np.uint8)
        self._held = 0
        self._threshold = np.uint64(_MAX_HASH)  # no hash above it is in the sample
        self._set: BlockSet | None = BlockSet(length, limit)

    def empty(self) -> BlockSample:
        """A new sample of the same settings, which has seen nothing."""
        return BlockSample(self.block, self.space, self.seed, self.capacity, self.limit)

    def __getstate__(self) -> dict[str, Any]:
        """What is held, without the room for more."""
        self._shrink()
        held = {"_hashes": self._hashes[: self._held], "_vectors": self._vectors[: self._held]}
        return {**self.__dict__, **held}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._hashes = np.empty(self.capacity + _SLACK, np.uint64)
        self._vectors = np.empty((self.capacity + _SLACK, state["_vectors"].shape[1]), np.uint8)
        self._hashes[: self._held], self._vectors[: self._held] = state["_hashes"], state["_vectors"]

    def absorb(self, pixels: NDArray, key: int) -> None:
        """Take the blocks of one frame: uint8 or uint16 [height, width, 1, 3 or 4], and a 64-bit key of its own."""
        block_height, block_width = self.block
        rows, columns = -(-pixels.shape[0] // block_height), -(-pixels.shape[1] // block_width)
        positions, hashes = _sampled(_frame_state(self.seed, key), rows * columns, self._threshold)
        if len(positions):
            raw = np.empty((len(positions) * block_height, block_width, pixels.shape[2]), pixels.dtype)
            _gather(np.ascontiguousarray(pixels), positions, block_height, block_width, raw)
            vectors, visible = self._visible(raw)
            self._keep(hashes[visible], vectors)
        if self._set is not None:
            vectors, _ = self._visible(pixels)
            self._count(vectors, np.ones(len(vectors), np.int64))

    def held(self) -> tuple[NDArray[np.uint64], NDArray[np.uint8]]:
        """The sample: hashes, uint64 [n], ascending, and their blocks, uint8 [n, d]."""
        self._shrink()
        hashes, vectors = self._hashes[: self._held], self._vectors[: self._held]
        order = np.argsort(np.ascontiguousarray(vectors).view(f"V{self.length}")[:, 0], kind="stable")
        order = order[np.argsort(hashes[order], kind="stable")]
        return hashes[order], vectors[order]

    def hold(self, hashes: NDArray[np.uint64], vectors: NDArray[np.uint8]) -> None:
        """Add to the sample what another of the same settings had `held`."""
        small = hashes <= self._threshold
        self._keep(hashes[small], vectors[small])

    def count(self, vectors: NDArray[np.uint8] | None, counts: NDArray[np.int64] | None = None) -> None:
        """Add distinct blocks [n, d] with their counts [n] to the set; None: there were more than `limit`."""
        if vectors is None or counts is None:
            self._set = None
        else:
            self._count(vectors, counts)

    def merge(self, other: BlockSample) -> None:
        """Add what `other`, a sample of the same settings, has seen."""
        mine, theirs = ((x.block, x.space, x.seed, x.capacity, x.limit) for x in (self, other))
        if mine != theirs:
            raise ValueError(f"merge takes a sample of the same settings, {mine}, not {theirs}")
        self.hold(other._hashes[: other._held], other._vectors[: other._held])
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
            return merge_equal(self._set.vectors, self._set.counts)
        self._shrink()
        return merge_equal(self._vectors[: self._held], np.ones(self._held, np.int64))

    def _visible(self, pixels: NDArray) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
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
        """Hold more blocks, and drop the largest hashes whenever there is no more room."""
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
        """Drop all but the `capacity` smallest hashes; among equal ones the smallest vectors stay."""
        if self._held <= self.capacity:
            return
        hashes, vectors = self._hashes[: self._held], self._vectors[: self._held]
        self._threshold = np.partition(hashes, self.capacity - 1)[self.capacity - 1]
        stay = hashes < self._threshold
        equal = np.flatnonzero(hashes == self._threshold)
        stay[equal[np.lexsort(vectors[equal].T[::-1])][: self.capacity - int(stay.sum())]] = True
        self._held = self.capacity
        self._hashes[: self.capacity], self._vectors[: self.capacity] = hashes[stay], vectors[stay]


@njit(nogil=True, cache=True)
def splitmix64(state):  # type: ignore[no-untyped-def]
    """The output function of splitmix64, of a state as uint64, or of an array of them."""
    state = (state ^ state >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ state >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return state ^ state >> np.uint64(31)


def _frame_state(seed: int, key: int) -> np.uint64:
    """The state of splitmix64 from which a frame's hashes follow, one for each block."""
    key_hash = int(splitmix64(np.uint64(key + _GAMMA & _MAX_HASH)))
    return np.uint64(splitmix64(np.uint64((seed ^ key_hash) & _MAX_HASH)))


@njit(nogil=True, cache=True)
def _sampled(state, count, threshold):  # type: ignore[no-untyped-def]
    """Positions 0..count-1 of a frame's blocks whose hash is at most `threshold`, and their hashes."""
    positions, hashes = np.empty(count, np.int64), np.empty(count, np.uint64)
    found = 0
    for position in range(count):
        state += np.uint64(_GAMMA)
        block_hash = splitmix64(state)
        positions[found], hashes[found] = position, block_hash
        found += block_hash <= threshold
    return positions[:found], hashes[:found]


@njit(nogil=True, cache=True)
def _gather(pixels, positions, block_height, block_width, raw):  # type: ignore[no-untyped-def]
    """The blocks at `positions`, one below the other; edges are replicated."""
    height, width, channels = pixels.shape
    columns = (width + block_width - 1) // block_width
    for i in range(len(positions)):
        top, left = positions[i] // columns * block_height, positions[i] % columns * block_width
        for y in range(block_height):
            for x in range(block_width):
                for c in range(channels):
                    raw[i * block_height + y, x, c] = pixels[min(top + y, height - 1), min(left + x, width - 1), c]
