"""What an encoder codes of a frame: a token per code, and what tokens cannot say (FORMAT.md, section 13.3)."""

from __future__ import annotations

from typing import Any

import numpy as np

from streamvq.compiling import njit
from streamvq.container.entropy.range_coder import U
from streamvq.container.indices.motion import MARGIN, TILE_SIZE, position_of
from streamvq.container.static_indices.rows import N_ROWS, begin_row

RECALLED, ESCAPE = 4, 5  # tokens of codes that are none of the candidates
N_TOKENS = 8  # 6, rounded up to a power of two
MEMORY_BITS = 15  # of the slots that remember escapes
_MEMORY_SHIFT = np.uint64(64 - MEMORY_BITS)
_HASH = np.uint64(0x9E3779B97F4A7C15)  # 2^64 divided by the golden ratio, odd
# Until it is known which memory a group uses, a code that no candidate hits has this much plus 1 if the narrow memory
# has it, 2 if the wide one has it
_UNDECIDED = 4
DECIDED = np.arange(N_TOKENS, dtype=np.uint8), np.arange(N_TOKENS, dtype=np.uint8)  # tokens, for narrow and wide
DECIDED[0][_UNDECIDED:] = ESCAPE, RECALLED, ESCAPE, RECALLED
DECIDED[1][_UNDECIDED:] = ESCAPE, ESCAPE, RECALLED, RECALLED


@njit(nogil=True, forceinline=True)
def narrow_slot(left: Any, above: Any, predicted: Any) -> Any:
    """The slot of the narrow memory for a code with such neighbors."""
    return (((U(left) * _HASH + U(above)) * _HASH + U(predicted)) * _HASH) >> _MEMORY_SHIFT


@njit(nogil=True, forceinline=True)
def wide_slot(left: Any, above: Any, right: Any, corner: Any, second: Any) -> Any:
    """The slot of the wide memory; `second` is the second code to the left."""
    hashed = (U(left) * _HASH + U(above)) * _HASH + U(right)
    return (((hashed * _HASH + U(corner)) * _HASH + U(second)) * _HASH) >> _MEMORY_SHIFT


@njit(nogil=True)
def _tokens_of_row(rows: Any, first: Any, grid: Any, contexts: Any, tokens: Any) -> Any:
    """The whole contexts of a row's codes, uint16 [width], and their tokens, uint8 [width]."""
    stride = grid.stride
    predicted, above, row, known = first + stride, first + 2 * stride, first + 3 * stride, first + 4 * stride
    for i in range(grid.width):
        code, left = rows[U(row + i)], rows[U(row + i - 1)]
        here, up, right = rows[U(predicted + i)], rows[U(above + i)], rows[U(above + i + 1)]
        context = np.uint16(up == left) | np.uint16(here == left) << 1 | np.uint16(right == left) << 2
        context |= np.uint16(left == rows[U(predicted + i - 1)]) << 3
        context |= np.uint16(rows[U(row + i - 2)] == rows[U(predicted + i - 2)]) << 4
        contexts[U(i)] = np.uint16(rows[U(known + i)] | context)
        token = np.uint8(code != right) + np.uint8(1)
        token = np.uint8(code != up) * token + np.uint8(1)
        token = np.uint8(code != left) * token + np.uint8(1)
        tokens[U(i)] = np.uint8(code != here) * token
    contexts[0] &= np.uint16(0xFFFF ^ 0x18)  # nothing left of the row was predicted
    if grid.width > 1:
        contexts[1] &= np.uint16(0xFFFF ^ 0x10)


@njit(nogil=True, cache=True)
def collect_symbols(frame: Any, previous: Any, grid: Any, vectors: Any, tiles: Any, band: Any, found: Any) -> None:
    """Append the symbols of a frame to the lists of its lanes.

    `found` are the lists, how long they are, counts of tokens, and memories. The lists are, each [N_LANES, n], the
    contexts and tokens of codes, uint16 and uint8, and the codes that no candidate hits: uint16 [N_LANES, n, 5], a
    code, its left, above and predicted one, and its token. Lengths are int64 [N_LANES, 2], counts int32 [N_CONTEXTS *
    N_TOKENS], memories uint16 [N_LANES, 2, 1 << MEMORY_BITS].
    """
    lists, ends, counts, memories = found
    all_contexts, all_tokens, all_escapes = lists
    stride, width = grid.stride, grid.width
    rows = np.zeros(N_ROWS * stride, np.uint16)
    contexts, tokens = np.empty(width, np.uint16), np.empty(width, np.uint8)
    predicted, above, row = MARGIN + stride, MARGIN + 2 * stride, MARGIN + 3 * stride
    for y in range(grid.height):
        lane = y // band
        begin_row(rows, 0, previous, grid, vectors, tiles.vectors, y, band)
        source = position_of(grid, y, 0)
        for i in range(width):
            rows[U(row + i)] = frame[U(source + i)]
        _tokens_of_row(rows, MARGIN, grid, contexts, tokens)
        n, n_escapes = ends[lane, 0], ends[lane, 1]
        lane_contexts, lane_tokens, lane_escapes = all_contexts[lane], all_tokens[lane], all_escapes[lane]
        narrow, wide = memories[lane, 0], memories[lane, 1]
        for column in range(tiles.skips.shape[1]):
            if tiles.skips[y // TILE_SIZE, column]:
                continue
            start = column * TILE_SIZE
            for i in range(start, min(start + TILE_SIZE, width)):
                context, token = contexts[U(i)], tokens[U(i)]
                if token == _UNDECIDED:
                    code, left, up = rows[U(row + i)], rows[U(row + i - 1)], rows[U(above + i)]
                    right, corner, second = rows[U(above + i + 1)], rows[U(above + i - 1)], rows[U(row + i - 2)]
                    here = rows[U(predicted + i)]
                    slot = narrow_slot(left, up, here)
                    if narrow[slot] == code:
                        token += np.uint8(1)
                    narrow[slot] = code
                    slot = wide_slot(left, up, right, corner, second)
                    if wide[slot] == code:
                        token += np.uint8(2)
                    wide[slot] = code
                    lane_escapes[U(n_escapes), 0], lane_escapes[U(n_escapes), 1] = code, left
                    lane_escapes[U(n_escapes), 2], lane_escapes[U(n_escapes), 3] = up, here
                    lane_escapes[U(n_escapes), 4] = token
                    n_escapes += 1
                lane_contexts[U(n)], lane_tokens[U(n)] = context, token
                n += 1
                counts[U(context) * U(N_TOKENS) + U(token)] += 1
        ends[lane, 0], ends[lane, 1] = n, n_escapes


@njit(nogil=True, cache=True)
def count_escapes(escapes: Any, ends: Any, decided: Any, low_bits: Any) -> Any:
    """How often each upper part of an escape follows that of its left, above and predicted code: int64 [3, 256, 256].

    And how often each lower part has each upper one: int64 [256, 256].
    """
    high = np.zeros((3, 256, 256), np.int64)
    low = np.zeros((256, 256), np.int64)
    for lane in range(len(ends)):
        for n in range(ends[lane, 1]):
            if decided[escapes[lane, n, 4]] != ESCAPE:
                continue
            code = np.int64(escapes[lane, n, 0])
            for neighbor in range(3):
                high[neighbor, np.int64(escapes[lane, n, neighbor + 1]) >> low_bits, code >> low_bits] += 1
            low[code >> low_bits, code & ((1 << low_bits) - 1)] += 1
    return high, low
