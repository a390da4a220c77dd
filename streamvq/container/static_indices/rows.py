"""Rows of codes with what predicts them, and their equality contexts (FORMAT.md, section 13.2).

A frame is cut into bands, a lane each, which know nothing of each other. A lane has five rows of its own, flat, with
two codes of margin at either side: the prediction of the row above, that of the row, the row above, the row, and the
bits of each code's context that do not depend on the code to its left.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from streamvq.compiling import njit
from streamvq.container.entropy.range_coder import U
from streamvq.container.indices.motion import MARGIN, TILE_SIZE, position_of

N_LANES = 4
_MIN_BAND_ROWS = 32  # lower frames are one band: a band's first row is predicted badly
N_CONTEXTS = 1 << 16
N_LEFT_BITS = 5  # of a context, the lowest: those that depend on the code to the left
N_ROWS = 5  # of a lane


def band_rows(height: int) -> int:
    """The rows of a band of a frame of `height`, of which the last one may have fewer."""
    return -(-height // N_LANES) if height >= N_LANES * _MIN_BAND_ROWS else height


@njit(nogil=True)
def predict_row(rows: Any, start: Any, previous: Any, grid: Any, vectors: Any, tile_vectors: Any, y: Any) -> Any:
    """Motion compensation of row y, into rows[start:] with its margins."""
    for column in range(tile_vectors.shape[1]):
        number = tile_vectors[y // TILE_SIZE, column]
        dy, dx = vectors[number, 0], vectors[number, 1]
        x = column * TILE_SIZE
        width = min(TILE_SIZE, grid.width - x)
        source = position_of(grid, min(max(y + dy, 0), grid.height - 1), 0)
        if x + dx >= 0 and x + dx + width <= grid.width:
            for i in range(width):
                rows[U(start + x + i)] = previous[U(source + x + dx + i)]
        else:
            for i in range(width):
                rows[U(start + x + i)] = previous[U(source + min(max(x + dx + i, 0), grid.width - 1))]
    for i in range(MARGIN):
        rows[start - 1 - i] = rows[start]
        rows[start + grid.width + i] = rows[start + grid.width - 1]


@njit(nogil=True, cache=True)
def begin_row(
    rows: Any, lane: Any, previous: Any, grid: Any, vectors: Any, tile_vectors: Any, y: Any, band: Any
) -> Any:
    """Make ready the five rows of a lane for row y of a frame whose bands have `band` rows.

    `rows` is uint16 [N_LANES * N_ROWS * grid.stride]; without a prediction, `previous` is empty.
    """
    stride, width = grid.stride, grid.width
    first = lane * N_ROWS * stride + MARGIN
    inter = previous.size > 0
    predicted_above, predicted, above = first, first + stride, first + 2 * stride
    row, contexts = first + 3 * stride, first + 4 * stride
    if y % band > 0:
        for i in range(-MARGIN, width + MARGIN):
            rows[U(predicted_above + i)] = rows[U(predicted + i)]
        for i in range(width):
            rows[U(above + i)] = rows[U(row + i)]
        for i in range(MARGIN):
            rows[above - 1 - i] = rows[above]
            rows[above + width + i] = rows[above + width - 1]
    elif inter:
        predict_row(rows, predicted_above, previous, grid, vectors, tile_vectors, max(y - 1, 0))
        for i in range(-MARGIN, width + MARGIN):
            rows[U(above + i)] = rows[U(predicted_above + i)]
    else:
        for i in range(-MARGIN, width + MARGIN):
            rows[U(predicted_above + i)] = rows[U(above + i)] = 0
    if inter:
        predict_row(rows, predicted, previous, grid, vectors, tile_vectors, y)
    else:
        for i in range(width + MARGIN):
            rows[U(predicted + i)] = rows[U(above + i - 1)]
        for i in range(MARGIN):
            rows[predicted - 1 - i] = rows[above - MARGIN]
    rows[row - 1] = rows[row - 2] = rows[above]

    # A pass without branches, which the compiler runs on many codes at once
    without = np.uint16(not inter) << 15
    for i in range(width):
        up, right, corner = rows[U(above + i)], rows[U(above + i + 1)], rows[U(above + i - 1)]
        here, over = rows[U(predicted + i)], rows[U(predicted_above + i)]
        context = np.uint16(here == up) << 5 | np.uint16(right == up) << 6 | np.uint16(right == here) << 7
        context |= np.uint16(up == over) << 8 | np.uint16(here == over) << 10
        context |= np.uint16(right == rows[U(predicted_above + i + 1)]) << 9
        context |= np.uint16(rows[U(above + i + 2)] == rows[U(predicted_above + i + 2)]) << 11
        context |= np.uint16(corner == up) << 12 | np.uint16(here == rows[U(predicted + i + 1)]) << 13
        context |= np.uint16(corner == rows[U(predicted_above + i - 1)]) << 14
        rows[U(contexts + i)] = np.uint16(context | without)
