"""What the frame before foretells: its tiles, some of them moved, and which tiles are nothing but copies.

FORMAT.md, section 8.3, says what is coded. How vectors are found is up to the encoder: runs of 8 codes that begin
with a change, at places chosen by their hash, vote for the distance to the last run like them in the frame before; a
tile takes the vector that foretells most of its codes.

Frames are kept as flat uint16 with margins: two rows above, one below, two codes at either side. A `grid` is their
height and width without margins, and their stride; the code at (0, 0) is at 2 * stride + 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from streamvq.container.entropy.range_coder import U, code_bit, learn

TILE = 16
COUNTERS = 76
PLACES = 1 << 16  # of runs that are remembered, by hash
_MOST = 7
_VOTES_LEAST = 8
_GAIN_LEAST = 12  # codes that a vector must foretell better in a tile, and an eighth of the wrong ones
_BALLOTS = 4096
_HASH = np.uint32(0x9E3779B1)
_CHOSEN = np.uint32(1 << 29)  # one place of eight


@njit(nogil=True)
def _equal(frame: Any, place: Any, before: Any, like: Any) -> Any:
    """Whether two runs of 8 codes are the same."""
    differing = 0
    for i in range(8):
        differing += frame[U(place + i)] != before[U(like + i)]
    return differing == 0


@njit(nogil=True, cache=True)
def estimate_motion(frame: Any, before: Any, grid: Any, old: Any, new: Any) -> Any:
    """Vectors that foretell most: int64 [1 to 8, 2], (0, 0) first.

    `old` has the places of runs in the frame before, int32 [PLACES]; `new` gets those of this frame.
    """
    height, width, stride = grid
    first = 2 * stride + 2
    ballots = np.zeros((_BALLOTS, 2), np.int64)  # a vector, and how many votes more than others of its hash it has
    pairs = np.empty(width, np.uint32)
    hashes = np.empty(width, np.uint32)
    for y in range(height):
        row = frame[first + y * stride : first + y * stride + width]
        for x in range(width - 1):
            pairs[x] = np.uint32(np.uint32(row[x]) * _HASH + np.uint32(row[x + 1])) * _HASH
        for x in range(width - 7):
            run = (
                pairs[x] + np.uint32(5) * pairs[x + 2] + np.uint32(25) * pairs[x + 4] + np.uint32(125) * pairs[x + 6]
            )
            hashes[x] = np.uint32(run) * _HASH | np.uint32(row[x] == row[x + 1]) << np.uint32(31)
        for x in range(width - 7):
            if hashes[x] >= _CHOSEN:
                continue
            slot = (hashes[x] >> np.uint32(12)) % PLACES
            place = first + y * stride + x
            like = np.int64(old[slot])
            new[slot] = place
            if like == 0 or _equal(frame, place, before, place) or not _equal(frame, place, before, like):
                continue
            vector = ((like - first) // stride - y + 32768) << 16 | ((like - first) % stride - x + 32768)
            ballot = (vector * 0x9E3779B1 >> 16) % _BALLOTS
            if ballots[ballot, 0] == vector:
                ballots[ballot, 1] += 1
            elif ballots[ballot, 1] > 0:
                ballots[ballot, 1] -= 1
            else:
                ballots[ballot] = vector, 1
    return _elected(ballots)


@njit(nogil=True)
def _elected(ballots: Any) -> Any:
    """(0, 0) and the vectors of most votes."""
    vectors = np.zeros((_MOST + 1, 2), np.int64)
    count = 1
    while count <= _MOST:
        best = np.argmax(ballots[:, 1])
        if ballots[best, 1] < _VOTES_LEAST:
            break
        dy = (ballots[best, 0] >> 16) - 32768
        dx = (ballots[best, 0] & 65535) - 32768
        if abs(dy) < 32768 and abs(dx) < 32768:
            vectors[count] = dy, dx
            count += 1
        ballots[best, 1] = 0
    return vectors[:count]


@njit(nogil=True)
def _source(grid: Any, y: Any, x: Any, dy: Any, dx: Any) -> Any:
    """The tile's height and width, and whether its vector leads inside."""
    height, width, _ = grid
    high = min(TILE, height - y)
    wide = min(TILE, width - x)
    return high, wide, y + dy >= 0 and x + dx >= 0 and y + dy + high <= height and x + dx + wide <= width


@njit(nogil=True)
def _wrong(frame: Any, before: Any, grid: Any, y: Any, x: Any, dy: Any, dx: Any) -> Any:
    """How many codes of the tile at (y, x) a vector does not foretell."""
    height, width, stride = grid
    high, wide, inside = _source(grid, y, x, dy, dx)
    count = np.int64(0)
    for row in range(y, y + high):
        place = 2 * stride + 2 + row * stride + x
        wrong = np.uint16(0)
        if inside:
            source = place + dy * stride + dx
            for i in range(wide):
                wrong += np.uint16(frame[U(place + i)] != before[U(source + i)])
        else:
            source = 2 * stride + 2 + min(max(row + dy, 0), height - 1) * stride
            for i in range(wide):
                wrong += np.uint16(frame[U(place + i)] != before[U(source + min(max(x + i + dx, 0), width - 1))])
        count += np.int64(wrong)
    return count


@njit(nogil=True, cache=True)
def choose_vectors(frame: Any, before: Any, grid: Any, vectors: Any, tiles: Any) -> Any:
    """For each tile 2 * the number of its best vector + whether it is a copy, into `tiles`."""
    for row in range(tiles.shape[0]):
        for column in range(tiles.shape[1]):
            y, x = row * TILE, column * TILE
            chosen = 0
            least = _wrong(frame, before, grid, y, x, 0, 0)
            bar = least - _GAIN_LEAST - least // 8
            for number in range(1, len(vectors)):
                if bar < 0:
                    break
                wrong = _wrong(frame, before, grid, y, x, vectors[number, 0], vectors[number, 1])
                if wrong <= bar:
                    chosen, least, bar = number, wrong, wrong - 1
            tiles[row, column] = 2 * chosen + (least == 0)


@njit(nogil=True)
def _move_tile(before: Any, prior: Any, grid: Any, y: Any, x: Any, dy: Any, dx: Any) -> Any:
    """Foretell the tile at (y, x) by a vector."""
    height, width, stride = grid
    high, wide, inside = _source(grid, y, x, dy, dx)
    for row in range(y, y + high):
        place = 2 * stride + 2 + row * stride + x
        if inside:
            source = place + dy * stride + dx
            for i in range(wide):
                prior[U(place + i)] = before[U(source + i)]
        else:
            source = 2 * stride + 2 + min(max(row + dy, 0), height - 1) * stride
            for i in range(wide):
                prior[U(place + i)] = before[U(source + min(max(x + i + dx, 0), width - 1))]


@njit(nogil=True, cache=True)
def foretell(before: Any, prior: Any, grid: Any, vectors: Any, tiles: Any) -> Any:
    """Fill `prior` from the frame before, tile by tile, and its margins with the nearest codes inside."""
    height, width, stride = grid
    for row in range(tiles.shape[0]):
        for column in range(tiles.shape[1]):
            number = tiles[row, column] >> 1
            _move_tile(before, prior, grid, row * TILE, column * TILE, vectors[number, 0], vectors[number, 1])
    for y in range(2, height + 2):
        place = y * stride + 2
        prior[place - 2 : place] = prior[place]
        prior[place + width : place + width + 2] = prior[place + width - 1]
    for y in (0, 1, height + 2):
        inside = min(max(y, 2), height + 1)
        prior[y * stride : (y + 1) * stride] = prior[inside * stride : (inside + 1) * stride]


@njit(nogil=True)
def _code(words: Any, coder: Any, counters: Any, number: Any, bit: Any, decoding: Any) -> Any:
    """Write or read one bit by a counter alone."""
    chance = min(max((int(counters[number] >> 10) + 2097152) >> 6, 64), 65472)
    at, low, span, bit = code_bit(words, coder[0], coder[1], coder[2], U(chance), bit, decoding)
    counters[number] = learn(counters[number], bit)
    coder[0], coder[1], coder[2] = at, low, span
    return bit


@njit(nogil=True, cache=True)
def code_vectors(words: Any, coder: Any, counters: Any, vectors: Any, decoding: Any) -> Any:
    """Write or read the vectors, of which the first is (0, 0): int64 [1 to 8, 2]."""
    coded = np.zeros((_MOST + 1, 2), np.int64)
    count = 1
    while count <= _MOST and _code(words, coder, counters, count - 1, count < len(vectors), decoding):
        joined = np.int64(0)
        if not decoding:
            joined = (vectors[count, 0] + 32768) << 16 | (vectors[count, 1] + 32768)
        for bit in range(31, -1, -1):
            given = _code(words, coder, counters, 8 + bit, (joined >> bit) & 1 != 0, decoding)
            joined = (joined & ~(1 << bit)) | np.int64(given) << bit
        coded[count] = (joined >> 16) - 32768, (joined & 65535) - 32768
        count += 1
    return coded[:count]


@njit(nogil=True, cache=True)
def code_tiles(words: Any, coder: Any, counters: Any, count: Any, tiles: Any, decoding: Any) -> Any:
    """Write or read which of `count` vectors each tile has, and whether it is a copy."""
    for row in range(tiles.shape[0]):
        for column in range(tiles.shape[1]):
            above = tiles[row - 1, column] if row else 0
            left = tiles[row, column - 1] if column else 0
            tile = tiles[row, column]
            number = 0
            while number < count - 1:
                counter = 40 + 4 * number + 2 * (above >> 1 == number) + (left >> 1 == number)
                if _code(words, coder, counters, counter, tile >> 1 == number, decoding):
                    break
                number += 1
            counter = 68 + 4 * (number > 0) + 2 * (above & 1) + (left & 1)
            copied = _code(words, coder, counters, counter, tile & 1 != 0, decoding)
            tiles[row, column] = 2 * number + np.int64(copied)
