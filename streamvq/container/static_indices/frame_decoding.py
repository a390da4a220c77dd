"""Decoding of a frame's codes: all its bands at once, a row of each by turns (FORMAT.md, section 13)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from streamvq.compiling import njit
from streamvq.container.entropy.range_coder import U
from streamvq.container.indices.motion import MARGIN, TILE_SIZE, position_of
from streamvq.container.static_indices.model import SCALE_BITS
from streamvq.container.static_indices.rans import LOW, WORD_BITS
from streamvq.container.static_indices.rows import N_LANES, N_LEFT_BITS, N_ROWS, begin_row
from streamvq.container.static_indices.symbols import N_TOKENS, RECALLED, narrow_slot, wide_slot

MAX_WORDS_PER_TILE = 3 * TILE_SIZE  # of a row of it: a token, and the upper and lower bits of an escape
_SCALE_BITS = np.uint64(SCALE_BITS)
_SLOT_MASK = np.uint64((1 << SCALE_BITS) - 1)
_FREQUENCY_SHIFT = np.uint64(16)
_START_MASK = np.uint64(0xFFFF)
_CODE_BITS = np.uint64(8)
_HISTORY_SHIFT = np.uint64(N_LEFT_BITS - 2)


class Tables(NamedTuple):
    """What decodes the symbols of a model."""

    clusters: Any  # by context: uint8
    symbols: Any  # by cluster and the lowest bits of the state: uint8 [clusters << SCALE_BITS]
    frequencies: Any  # by cluster and symbol: uint32, the frequency in 65536ths, plus the sum of those before it


@njit(nogil=True, forceinline=True)
def _decode(state: Any, frequency: Any, next_word: Any) -> Any:
    """The state without a symbol, of which `frequency` is the entry in `Tables`, and whether it takes a word."""
    state = (
        (frequency >> _FREQUENCY_SHIFT) * (state >> _SCALE_BITS) + (state & _SLOT_MASK) - (frequency & _START_MASK)
    )
    empty = state < LOW
    return (state << WORD_BITS | U(next_word)) if empty else state, empty


@njit(nogil=True, cache=True)
def decode_frame(
    frame: Any, previous: Any, grid: Any, vectors: Any, tiles: Any, band: Any, lanes: Any, tables: Any, escapes: Any
) -> Any:
    """Decode a frame, its margins excepted. Returns whether no lane went beyond its end.

    `lanes` are their words, uint16, with MAX_WORDS_PER_TILE more at the end; their states, uint64; where they are and
    where they end in the words, int64 [N_LANES]. `tables` are those of tokens and of the upper and lower bits of
    escapes; `escapes` their memories, uint16 [N_LANES, 1 << MEMORY_BITS], whether these are wide, which neighbor
    escapes go by, how many lower bits they have, and the largest code.
    """
    words, states, positions, ends = lanes
    memories, wide, neighbor, low_bits, max_code = escapes
    token_tables, high_tables, low_tables = tables
    token_clusters, token_symbols, token_frequencies = token_tables
    high_clusters, high_symbols, high_frequencies = high_tables
    low_clusters, low_symbols, low_frequencies = low_tables
    stride, width = grid.stride, grid.width
    rows = np.zeros(N_LANES * N_ROWS * stride, np.uint16)
    offsets = np.zeros(N_TOKENS, np.int64)  # of the candidates, by token
    offsets[0], offsets[1], offsets[2], offsets[3] = -2 * stride, -1, -stride, 1 - stride
    neighbor_offset = -1 if neighbor == 0 else -neighbor * stride
    lane_rows = np.empty(N_LANES, np.int64)
    for lane in range(N_LANES):
        lane_rows[lane] = MARGIN + (lane * N_ROWS + 3) * stride
    histories = np.zeros(N_LANES, np.uint64)
    active = np.zeros(N_LANES, np.int64)
    shift = U(low_bits)
    for y in range(min(band, grid.height)):
        for lane in range(N_LANES):
            histories[lane] = 0
            if lane * band + y < grid.height:
                begin_row(rows, lane, previous, grid, vectors, tiles.vectors, lane * band + y, band)
        for column in range(tiles.skips.shape[1]):
            start = column * TILE_SIZE
            end = min(start + TILE_SIZE, width)
            n_active = 0
            for lane in range(N_LANES):
                if lane * band + y >= grid.height:
                    continue
                if tiles.skips[(lane * band + y) // TILE_SIZE, column]:
                    row = lane_rows[lane]
                    for i in range(start, end):
                        rows[U(row + i)] = rows[U(row + i - 2 * stride)]
                    histories[lane] = 3
                elif positions[lane] > ends[lane]:
                    return False
                else:
                    active[n_active] = lane
                    n_active += 1
            for i in range(start, end):
                for n in range(n_active):
                    lane = active[U(n)]
                    at = lane_rows[U(lane)] + i
                    left, predicted = rows[U(at - 1)], rows[U(at - 2 * stride)]
                    above, right = rows[U(at - stride)], rows[U(at - stride + 1)]
                    context = U(rows[U(at + stride)]) | U(above == left) | U(predicted == left) << U(1)
                    context |= U(right == left) << U(2) | histories[lane] << _HISTORY_SHIFT
                    cluster = U(token_clusters[context])
                    state, position = states[lane], positions[lane]
                    token = U(token_symbols[cluster << _SCALE_BITS | state & _SLOT_MASK])
                    frequency = U(token_frequencies[cluster * U(N_TOKENS) + token])
                    state, empty = _decode(state, frequency, words[U(position)])
                    position += np.int64(empty)
                    code = rows[U(at + offsets[token])]
                    if token >= U(RECALLED):
                        if wide:
                            slot = wide_slot(left, above, right, rows[U(at - stride - 1)], rows[U(at - 2)])
                        else:
                            slot = narrow_slot(left, above, predicted)
                        code = memories[lane, slot]
                        if token != U(RECALLED):
                            cluster = U(high_clusters[U(rows[U(at + neighbor_offset)]) >> shift])
                            value = U(high_symbols[cluster << _SCALE_BITS | state & _SLOT_MASK])
                            frequency = U(high_frequencies[cluster << _CODE_BITS | value])
                            state, empty = _decode(state, frequency, words[U(position)])
                            position += np.int64(empty)
                            if low_bits:
                                cluster = U(low_clusters[value])
                                symbol = U(low_symbols[cluster << _SCALE_BITS | state & _SLOT_MASK])
                                frequency = U(low_frequencies[cluster << _CODE_BITS | symbol])
                                state, empty = _decode(state, frequency, words[U(position)])
                                position += np.int64(empty)
                                value = value << shift | symbol
                            code = np.uint16(min(value, U(max_code)))
                            memories[lane, slot] = code
                    rows[U(at)] = code
                    histories[lane] = (histories[lane] << U(1) | U(code == predicted)) & U(3)
                    states[lane], positions[lane] = state, position
        for lane in range(N_LANES):
            if lane * band + y < grid.height:
                source, target = lane_rows[lane], position_of(grid, lane * band + y, 0)
                for i in range(width):
                    frame[U(target + i)] = rows[U(source + i)]
    return True
