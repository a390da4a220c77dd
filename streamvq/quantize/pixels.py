"""From the pixels of a frame to the samples that codes are made of: depth, gray, luma and alpha."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from streamvq.quantize.bt601 import LUMA_B, LUMA_G, LUMA_R, LUMA_UNIT

_STRIPE_ITEMS = 1 << 20


def eight_bit(pixels: NDArray) -> NDArray[np.uint8]:
    """`pixels` as uint8: uint16 is scaled by 255/65535 and rounded to nearest."""
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.uint16:
        rounded = np.empty(pixels.shape, np.uint8)
        for part in stripes(pixels.shape):
            rounded[part] = (pixels[part].astype(np.uint32) + 128) // 257
        return rounded
    raise TypeError(f"pixels are {pixels.dtype}: give uint8 or uint16")


def stripes(shape: tuple[int, ...]) -> Iterator[slice]:
    """Parts of an array along its first axis of about a million items each: intermediate results in them take several
    times the memory of bytes, which large pictures should not."""
    rows = max(1, _STRIPE_ITEMS // max(1, math.prod(shape[1:])))
    return (slice(start, start + rows) for start in range(0, shape[0], rows))


def luma(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """ITU-R BT.601 luma of uint8 [..., 3], rounded to nearest: uint8 [...]. Gray (R=G=B) keeps its value."""
    levels = np.empty(rgb.shape[:-1], np.uint8)
    for part in stripes(rgb.shape) if rgb.ndim > 1 else [...]:
        r, g, b = np.moveaxis(rgb[part], -1, 0)
        weighted = r * np.uint32(LUMA_R) + g * np.uint32(LUMA_G) + b * np.uint32(LUMA_B)
        levels[part] = (weighted + np.uint32(LUMA_UNIT // 2)) // np.uint32(LUMA_UNIT)
    return levels


def look_up(table: NDArray[np.uint8], rows: NDArray) -> NDArray[np.uint8]:
    """`table[rows]`, stripe by stripe, since NumPy makes words of 8 bytes of indices: uint8 [*rows.shape, ...]."""
    found = np.empty((*rows.shape, *table.shape[1:]), np.uint8)
    for part in stripes(rows.shape):
        found[part] = table.take(rows[part], axis=0)
    return found


def split(pixels: NDArray, space: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """The samples and the alpha of a frame.

    `pixels` is uint8 or uint16 [height, width, channels] with 1, 3 or 4 channels. Returns uint8
    [height, width] for space "gray" (color becomes luma) or [height, width, 3] for "rgb" (gray becomes
    R=G=B), contiguous; and the alpha as uint8 [height, width], or None where there is none.
    """
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4):
        raise ValueError(f"pixels of shape {pixels.shape}: give [height, width, 1, 3 or 4]")
    pixels = eight_bit(pixels)
    channels = pixels.shape[2]
    alpha = np.ascontiguousarray(pixels[..., 3]) if channels == 4 else None
    if space == "gray":
        samples = pixels[..., 0] if channels == 1 else luma(pixels[..., :3])
    else:
        samples = np.repeat(pixels, 3, axis=2) if channels == 1 else pixels[..., :3]
    return np.ascontiguousarray(samples), alpha


def with_alpha(pixels: NDArray, alpha: NDArray | None) -> NDArray:
    """Pixels uint8 or uint16 [height, width, 1 or 3] with an alpha plane [height, width], where there is one, as RGBA
    of the same type."""
    if alpha is None:
        return pixels
    rgba = np.empty((*alpha.shape, 4), pixels.dtype)
    rgba[..., :3] = pixels
    rgba[..., 3] = alpha
    return rgba
