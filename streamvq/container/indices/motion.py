"""Motion compensation of tiles of codes, and the coding of vectors and tiles (FORMAT.md, section 8.3).

Frames are flat uint16 with margins: two rows above, one below, two codes at either side. `Grid` says where the codes
are in them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.container.entropy.probabilities import code_adaptive_bit
from streamvq.container.entropy.range_coder import U, load_coder, store_coder

TILE_SIZE = 16
_WORDS_PER_TILE, _WORDS_OF_VECTORS = 3, 128  # no tile, nor all vectors, take more: 8 + 1 bits of at most 10 bits each
MAX_VECTORS = 8  # of a frame, (0, 0) included
ROWS_ABOVE, ROWS_BELOW, MARGIN = 2, 1, 2  # MARGIN is at the left and at the right
VECTOR_BIAS = 1 << 15  # makes the parts of a vector 16-bit unsigned numbers
_PART_BITS = 16
_VECTOR_BITS = 2 * _PART_BITS

# Where the adaptive probabilities of each binarization node begin
_MORE_VECTORS = 0  # is there another? By the number of vectors so far, less 1
_BITS_OF_VECTORS = 8
_NUMBERS_OF_TILES = _BITS_OF_VECTORS + _VECTOR_BITS  # is it j? By j, and whether the tiles above and left have j
_SKIPS = _NUMBERS_OF_TILES + 4 * (MAX_VECTORS - 1)  # by whether the vector is not 0, and the skips above and left
N_MOTION_PROBABILITIES = _SKIPS + 8


class Grid(NamedTuple):
    """The size of a frame in codes, and the distance between its rows in a flat array with margins."""

    height: Any
    width: Any
    stride: Any


class Tiles(NamedTuple):
    """Per tile the number of its vector, int64 [rows, columns], and its skip flag, bool: the prediction is exact."""

    vectors: Any
    skips: Any


def new_grid(height: int, width: int) -> Grid:
    """The grid of a frame of this size."""
    return Grid(height, width, width + 2 * MARGIN)


def new_frame(grid: Grid) -> NDArray[np.uint16]:
    """An empty frame with margins, flat."""
    return np.zeros((ROWS_ABOVE + grid.height + ROWS_BELOW) * grid.stride, np.uint16)


def view_codes(frame: NDArray[np.uint16], grid: Grid) -> NDArray[np.uint16]:
    """The codes of a flat frame, without its margins: [height, width]."""
    rows = frame.reshape(-1, grid.stride)
    return rows[ROWS_ABOVE : ROWS_ABOVE + grid.height, MARGIN : MARGIN + grid.width]


@njit(nogil=True, forceinline=True)
def position_of(grid: Any, y: Any, x: Any) -> Any:
    """Where the code at (y, x) is in a flat frame."""
    return (ROWS_ABOVE + y) * grid.stride + MARGIN + x


def new_tiles(grid: Grid) -> Tiles:
    """Tiles of vector 0, no skips."""
    rows, columns = (grid.height + TILE_SIZE - 1) // TILE_SIZE, (grid.width + TILE_SIZE - 1) // TILE_SIZE
    return Tiles(np.zeros((rows, columns), np.int64), np.zeros((rows, columns), np.bool_))


@njit(nogil=True)
def tile_source(grid: Any, y: Any, x: Any, dy: Any, dx: Any) -> Any:
    """The height and width of the tile at (y, x), and whether its vector stays inside the frame."""
    height, width = min(TILE_SIZE, grid.height - y), min(TILE_SIZE, grid.width - x)
    inside = y + dy >= 0 and x + dx >= 0 and y + dy + height <= grid.height and x + dx + width <= grid.width
    return height, width, inside


@njit(nogil=True)
def _compensate_tile(previous: Any, prediction: Any, grid: Any, y: Any, x: Any, dy: Any, dx: Any) -> Any:
    """Predict the tile at (y, x) by a vector."""
    height, width, inside = tile_source(grid, y, x, dy, dx)
    for row in range(y, y + height):
        position = position_of(grid, row, x)
        if inside:
            source = position_of(grid, row + dy, x + dx)
            for i in range(width):
                prediction[U(position + i)] = previous[U(source + i)]
        else:
            source = position_of(grid, min(max(row + dy, 0), grid.height - 1), 0)
            for i in range(width):
                column = min(max(x + i + dx, 0), grid.width - 1)
                prediction[U(position + i)] = previous[U(source + column)]


@njit(nogil=True, cache=True)
def motion_compensate(previous: Any, prediction: Any, grid: Any, vectors: Any, tiles: Any) -> Any:
    """Fill `prediction` from the previous frame, tile by tile, and its margins with the nearest codes inside."""
    height, width, stride = grid
    rows, columns = tiles.vectors.shape
    for row in range(rows):
        for column in range(columns):
            dy, dx = vectors[tiles.vectors[row, column]]
            _compensate_tile(previous, prediction, grid, row * TILE_SIZE, column * TILE_SIZE, dy, dx)
    for y in range(height):
        left, right = position_of(grid, y, 0), position_of(grid, y, width)
        for margin in range(MARGIN):
            prediction[left - MARGIN + margin] = prediction[left]
            prediction[right + margin] = prediction[right - 1]
    for y in (0, 1, ROWS_ABOVE + height):
        inside = min(max(y, ROWS_ABOVE), ROWS_ABOVE + height - 1)
        for x in range(stride):
            prediction[y * stride + x] = prediction[inside * stride + x]


@njit(nogil=True, cache=True)
def code_vectors(words: Any, state: Any, probabilities: Any, vectors: Any, coded: Any, decoding: Any) -> Any:
    """Code the vectors, int64 [1 to MAX_VECTORS, 2], of which the first is (0, 0), into `coded`, [MAX_VECTORS, 2].

    Returns how many they are.
    """
    coder = load_coder(state)
    coded[0, 0] = coded[0, 1] = 0
    count = 1
    while count < MAX_VECTORS:
        more = count < len(vectors)
        coder, more = code_adaptive_bit(words, coder, probabilities, _MORE_VECTORS + count - 1, more, decoding)
        if not more:
            break
        joined = np.int64(0)
        if not decoding:
            joined = (vectors[count, 0] + VECTOR_BIAS) << _PART_BITS | (vectors[count, 1] + VECTOR_BIAS)
        value = np.int64(0)
        for bit_index in range(_VECTOR_BITS - 1, -1, -1):
            bit = (joined >> bit_index) & 1 != 0
            coder, bit = code_adaptive_bit(words, coder, probabilities, _BITS_OF_VECTORS + bit_index, bit, decoding)
            value = value << 1 | np.int64(bit)
        coded[count, 0] = (value >> _PART_BITS) - VECTOR_BIAS
        coded[count, 1] = (value & ((1 << _PART_BITS) - 1)) - VECTOR_BIAS
        count += 1
    store_coder(state, coder)
    return count


@njit(nogil=True, cache=True)
def code_tiles(words: Any, state: Any, probabilities: Any, n_vectors: Any, tiles: Any, decoding: Any) -> None:
    """Code which of the vectors each tile has, and its skip flag."""
    coder = load_coder(state)
    numbers, skips = tiles
    rows, columns = numbers.shape
    for row in range(rows):
        for column in range(columns):
            above = numbers[row - 1, column] if row else 0
            left = numbers[row, column - 1] if column else 0
            number = 0
            while number < n_vectors - 1:
                node = _NUMBERS_OF_TILES + 4 * number + 2 * (above == number) + (left == number)
                bit = numbers[row, column] == number
                coder, bit = code_adaptive_bit(words, coder, probabilities, node, bit, decoding)
                if bit:
                    break
                number += 1
            skip_above = skips[row - 1, column] if row else False
            skip_left = skips[row, column - 1] if column else False
            node = _SKIPS + 4 * (number > 0) + 2 * skip_above + skip_left
            coder, bit = code_adaptive_bit(words, coder, probabilities, node, skips[row, column], decoding)
            numbers[row, column], skips[row, column] = number, bit
    store_coder(state, coder)


def code_motion(
    words: NDArray[np.uint32],
    state: NDArray[np.uint64],
    probabilities: NDArray[np.int32],
    vectors: NDArray[np.int64],
    tiles: Tiles,
    decoding: bool,
) -> NDArray[np.int64]:
    """Code the vectors and tiles of a frame. Returns the vectors."""
    coded = np.zeros((MAX_VECTORS, 2), np.int64)
    count = code_vectors(words, state, probabilities, vectors, coded, decoding)
    code_tiles(words, state, probabilities, count, tiles, decoding)
    return coded[:count]


def words_of_motion(tiles: Tiles) -> int:
    """No motion of a frame takes more."""
    return int(_WORDS_PER_TILE * tiles.skips.size + _WORDS_OF_VECTORS)
