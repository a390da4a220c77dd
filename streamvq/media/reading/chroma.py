"""Subsampled YCbCr to RGB, with the color of every pixel interpolated between the samples around it.

libav's own conversion of such pictures repeats chroma samples, which is up to 143 levels off beside edges, or takes
six times as long. Here chroma is interpolated linearly in both directions, as JPEG decoders do ("fancy upsampling"),
in whole numbers, so that every machine gives the same pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit

# Weights of red and blue in luma, by libav's number of the color matrix
_MATRICES = {
    1: (0.2126, 0.0722),
    2: (0.299, 0.114),  # unknown
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
    10: (0.2627, 0.0593),
}
_BITS = 16  # binary places of the factors
_PARTS = 5  # of them are taken by the weights of chroma samples: 8ths in the vertical, 4ths in the horizontal

# Rows of weights, in 8ths, of the chroma row that a luma row belongs to; the rest is that of the next row away:
# for even and odd luma rows, of frames, and of the top and bottom fields of interlaced ones
_FRAME = np.array([[6, 6], [6, 6]], np.int32)
_FIELDS = np.array([[7, 5], [5, 7]], np.int32)


def can_convert(matrix: int) -> bool:
    """Whether `to_rgb` knows the color matrix of libav's number `matrix`."""
    return matrix in _MATRICES


def to_rgb(
    planes: tuple[NDArray, NDArray, NDArray],
    width: int,
    *,
    bits: int,
    matrix: int,
    full_range: bool,
    centered: bool = False,
    interlaced: bool = False,
) -> NDArray[np.uint8]:
    """uint8 [height, width, 3] of Y, Cb and Cr, uint8 or uint16 [height, at least width] each, in 4:2:0 or 4:2:2.

    Samples have 8 to 12 bits. Chroma lies between two columns of pixels where it is `centered` (JPEG, MPEG-1), else
    on the left one (MPEG-2 and later); and between two rows. In 4:2:0, each field of an `interlaced` picture has
    chroma of its own.
    """
    red, blue = _MATRICES[matrix]
    top = (1 << bits) - 1
    black, luma, chroma = (0, 1.0, 1.0)
    if not full_range:
        scale = 1 << (bits - 8)
        black, luma, chroma = 16 * scale, top / (219 * scale), top / (224 * scale)
    to_8_bits = (1 << _BITS) * 255 / top
    from_red, from_blue, green = 2 - 2 * red, 2 - 2 * blue, 1 - red - blue
    weights = np.array([from_red, -from_red * red / green, -from_blue * blue / green, from_blue])
    factors = np.rint(weights * chroma * to_8_bits / (1 << _PARTS)).astype(np.int32)
    y, cb, cr = planes
    rgb = np.empty((3, len(y), width), np.uint8)
    by_fields = interlaced and len(cb) < len(y) and len(cb) > 1
    _convert(
        y, cb, cr, 1 << (bits - 1), black, round(luma * to_8_bits), factors,
        centered, by_fields, _FIELDS if by_fields else _FRAME, rgb,
    )  # fmt: skip
    import cv2

    return np.asarray(cv2.merge(list(rgb)), np.uint8)


@njit(nogil=True, cache=True)
def _convert(
    y: Any, cb: Any, cr: Any, gray: Any, black: Any, luma: Any, factors: Any, centered: Any, by_fields: Any,
    weights: Any, rgb: Any,
) -> None:  # fmt: skip
    """Fill `rgb` [3, height, width]; `gray` is a chroma sample without color, factors have `_BITS` binary places."""
    height, width = rgb.shape[1], rgb.shape[2]
    columns = (width + 1) // 2
    halved = cb.shape[0] < height
    blue = np.empty(columns + 2, np.int32)  # a row of chroma in 8ths, with its ends repeated
    red = np.empty(columns + 2, np.int32)
    blues = np.empty(2 * columns, np.int32)  # and in 32nds, for every pixel
    reds = np.empty(2 * columns, np.int32)
    for row in range(height):
        near = far = row
        weight = np.int32(8)
        if halved and by_fields:
            field = row & 1
            line = row >> 1  # in the field
            last = (cb.shape[0] - 1 - field) >> 1
            weight = weights[field, line & 1]
            other = (line >> 1) + (1 if line & 1 else -1)
            near = 2 * min(line >> 1, last) + field
            far = 2 * min(max(other, 0), last) + field
        elif halved:
            weight = weights[0, row & 1]
            near = row >> 1
            far = min(max(near + (1 if row & 1 else -1), 0), cb.shape[0] - 1)
        rest = np.int32(8) - weight
        for x in range(columns):
            blue[x + 1] = weight * np.int32(cb[near, x]) + rest * np.int32(cb[far, x])
            red[x + 1] = weight * np.int32(cr[near, x]) + rest * np.int32(cr[far, x])
        blue[0], red[0] = blue[1], red[1]
        blue[columns + 1], red[columns + 1] = blue[columns], red[columns]
        _double(blue, columns, gray, centered, blues)
        _double(red, columns, gray, centered, reds)
        _to_rgb(y[row], blues, reds, width, black, luma, factors, rgb[0, row], rgb[1, row], rgb[2, row])


@njit(nogil=True, cache=True)
def _double(samples: Any, columns: Any, gray: Any, centered: Any, doubled: Any) -> None:
    """Two interpolated samples for each, times 4, less those of gray."""
    zero = np.int32(32 * gray)
    if centered:
        for x in range(columns):
            doubled[2 * x] = 3 * samples[x + 1] + samples[x] - zero
            doubled[2 * x + 1] = 3 * samples[x + 1] + samples[x + 2] - zero
    else:
        for x in range(columns):
            doubled[2 * x] = 4 * samples[x + 1] - zero
            doubled[2 * x + 1] = 2 * (samples[x + 1] + samples[x + 2]) - zero


@njit(nogil=True, cache=True)
def _to_rgb(
    y: Any, blues: Any, reds: Any, width: Any, black: Any, luma: Any, factors: Any, r_row: Any, g_row: Any, b_row: Any
) -> None:  # fmt: skip
    """One row of pixels."""
    half = np.int32(1 << 15)
    level, base = np.int32(luma), np.int32(black)
    red_red, green_red, green_blue, blue_blue = factors[0], factors[1], factors[2], factors[3]
    for x in range(width):  # every step as int32, or it would be worked out in 64 bits
        gray = np.int32(np.int32(np.int32(np.int32(y[x]) - base) * level) + half)
        r = np.int32(gray + np.int32(red_red * reds[x])) >> 16
        g = np.int32(gray + np.int32(np.int32(green_red * reds[x]) + np.int32(green_blue * blues[x]))) >> 16
        b = np.int32(gray + np.int32(blue_blue * blues[x])) >> 16
        r_row[x] = min(max(r, 0), 255)
        g_row[x] = min(max(g, 0), 255)
        b_row[x] = min(max(b, 0), 255)
