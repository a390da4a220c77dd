"""Motion estimation by voting, for the encoder alone: the format does not say how vectors are found.

Runs of 8 codes that begin with a change, at positions sampled by their hash, vote for the distance to the last run
equal to them in the previous frame. The vectors with most votes are candidates; each tile takes the one that predicts
most of its codes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.container.entropy.range_coder import U
from streamvq.container.indices.motion import (
    MAX_VECTORS,
    TILE_SIZE,
    VECTOR_BIAS,
    Grid,
    position_of,
    tile_source,
)

N_RUN_SLOTS = 1 << 16  # of the table of runs, by hash: larger than the runs sampled of a 720p frame
_RUN = 8
_SAMPLED = np.uint32(1 << 29)  # hashes below this: one run of eight, and only those that begin with a change
_CHANGE_BIT = np.uint32(31)
_SLOT_SHIFT = np.uint32(12)  # the slot must not hang on the lowest bits, which depend on few codes
_HASH = np.uint32(0x9E3779B1)  # 2^32 divided by the golden ratio, a prime
_VOTE_HASH = 0x9E3779B1
_N_VOTE_SLOTS = 4096
_MIN_VOTES = 8  # fewer may be coincidence
_MIN_GAIN = 12  # codes that a vector other than (0, 0) must predict better in a tile, to pay for its number,
_GAIN_SHIFT = 3  # and an eighth of those that (0, 0) predicts wrong


@njit(nogil=True)
def _equal_runs(frame: Any, position: Any, previous: Any, previous_position: Any) -> Any:
    """Whether two runs are equal. Without a branch a code, so that the compiler compares all of them at once."""
    differing = 0
    for i in range(_RUN):
        differing += frame[U(position + i)] != previous[U(previous_position + i)]
    return differing == 0


@njit(nogil=True)
def _hash_runs(row: Any, pairs: Any, hashes: Any) -> Any:
    """The hashes of a row's runs, uint32 [width]; the top bit is set where a run begins without a change."""
    width = row.size
    for x in range(width - 1):
        pairs[x] = np.uint32(np.uint32(row[x]) * _HASH + np.uint32(row[x + 1])) * _HASH
    for x in range(width - _RUN + 1):
        run = pairs[x] + np.uint32(5) * pairs[x + 2] + np.uint32(25) * pairs[x + 4] + np.uint32(125) * pairs[x + 6]
        hashes[x] = np.uint32(run) * _HASH | np.uint32(row[x] == row[x + 1]) << _CHANGE_BIT


@njit(nogil=True)
def _vote(vote_table: Any, vector: Any) -> Any:
    """Count a vote, by the majority vote algorithm (Boyer and Moore 1981) in each slot."""
    slot = (vector * _VOTE_HASH >> 16) % _N_VOTE_SLOTS
    if vote_table[slot, 0] == vector:
        vote_table[slot, 1] += 1
    elif vote_table[slot, 1] > 0:
        vote_table[slot, 1] -= 1
    else:
        vote_table[slot, 0], vote_table[slot, 1] = vector, 1


def estimate_motion(
    frame: NDArray[np.uint16],
    previous: NDArray[np.uint16],
    grid: Grid,
    previous_runs: NDArray[np.int32],
    runs: NDArray[np.int32],
) -> NDArray[np.int64]:
    """The vectors that predict most: int64 [1 to MAX_VECTORS, 2], (0, 0) first.

    `previous_runs` has the positions of runs in the previous frame, by hash: int32 [N_RUN_SLOTS], 0 for none; `runs`
    gets those of this frame.
    """
    vote_table = np.zeros((_N_VOTE_SLOTS, 2), np.int64)  # a vector, and its votes less those of others in its slot
    pairs, hashes = np.empty((2, grid.width), np.uint32)
    _count_votes(frame, previous, grid, previous_runs, runs, pairs, hashes, vote_table)
    return _top_candidates(vote_table)


@njit(nogil=True, cache=True)
def _count_votes(
    frame: Any, previous: Any, grid: Any, previous_runs: Any, runs: Any, pairs: Any, hashes: Any, vote_table: Any
) -> None:
    """Let the runs of a frame vote."""
    height, width, stride = grid
    first = position_of(grid, 0, 0)
    for y in range(height):
        start = position_of(grid, y, 0)
        _hash_runs(frame[start : start + width], pairs, hashes)
        for x in range(width - _RUN + 1):
            if hashes[x] >= _SAMPLED:
                continue
            slot = (hashes[x] >> _SLOT_SHIFT) % N_RUN_SLOTS
            position, match = start + x, np.int64(previous_runs[slot])
            runs[slot] = position
            if match == 0 or _equal_runs(frame, position, previous, position):
                continue
            if _equal_runs(frame, position, previous, match):
                dy, dx = (match - first) // stride - y, (match - first) % stride - x
                _vote(vote_table, (dy + VECTOR_BIAS) << 16 | (dx + VECTOR_BIAS))


def _top_candidates(vote_table: NDArray[np.int64]) -> NDArray[np.int64]:
    """(0, 0) and the vectors with most votes, of several the first."""
    vectors, votes = vote_table[vote_table[:, 1] >= _MIN_VOTES].T
    vectors = vectors[np.argsort(-votes, kind="stable")]
    parts = np.stack([vectors >> 16, vectors & 0xFFFF], axis=1) - VECTOR_BIAS
    parts = parts[(np.abs(parts) < VECTOR_BIAS).all(axis=1)]
    return np.concatenate([np.zeros((1, 2), np.int64), parts[: MAX_VECTORS - 1]])


@njit(nogil=True)
def _count_errors(frame: Any, previous: Any, grid: Any, y: Any, x: Any, dy: Any, dx: Any) -> Any:
    """How many codes of the tile at (y, x) a vector predicts wrong."""
    height, width, inside = tile_source(grid, y, x, dy, dx)
    count = np.int64(0)
    for row in range(y, y + height):
        position = position_of(grid, row, x)
        wrong = np.uint16(0)  # the type of the codes, so that the compiler compares many at once
        if inside:
            source = position_of(grid, row + dy, x + dx)
            for i in range(width):
                wrong += np.uint16(frame[U(position + i)] != previous[U(source + i)])
        else:
            source = position_of(grid, min(max(row + dy, 0), grid.height - 1), 0)
            for i in range(width):
                column = min(max(x + i + dx, 0), grid.width - 1)
                wrong += np.uint16(frame[U(position + i)] != previous[U(source + column)])
        count += np.int64(wrong)
    return count


@njit(nogil=True, cache=True)
def choose_vectors(frame: Any, previous: Any, grid: Any, vectors: Any, tiles: Any) -> Any:
    """Fill in each tile's best vector, and its skip flag."""
    rows, columns = tiles.vectors.shape
    for row in range(rows):
        for column in range(columns):
            y, x = row * TILE_SIZE, column * TILE_SIZE
            best = 0
            errors = _count_errors(frame, previous, grid, y, x, 0, 0)
            limit = errors - _MIN_GAIN - (errors >> _GAIN_SHIFT)
            for number in range(1, len(vectors)):
                if limit < 0:
                    break
                wrong = _count_errors(frame, previous, grid, y, x, vectors[number, 0], vectors[number, 1])
                if wrong <= limit:
                    best, errors, limit = number, wrong, wrong - 1
            tiles.vectors[row, column] = best
            tiles.skips[row, column] = errors == 0
