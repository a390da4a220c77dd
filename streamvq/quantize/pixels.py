"""From the pixels of a frame to the samples that codes are made of: depth, gray, luma and alpha."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvq.quantize.color import LUMA_B, LUMA_G, LUMA_R, LUMA_UNIT


def eight_bit(pixels: NDArray) -> NDArray[np.uint8]:
    """`pixels` as uint8: uint16 is scaled by 255/65535 and rounded to nearest."""
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.uint16:
        return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    raise TypeError(f"pixels are {pixels.dtype}: give uint8 or uint16")


def luma(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """ITU-R BT.601 luma of uint8 [..., 3], rounded to nearest: uint8 [...]. Gray (R=G=B) keeps its value."""
    r, g, b = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    weighted = r * np.uint32(LUMA_R) + g * np.uint32(LUMA_G) + b * np.uint32(LUMA_B)
    scaled: NDArray[np.uint8] = ((weighted + np.uint32(LUMA_UNIT // 2)) // np.uint32(LUMA_UNIT)).astype(np.uint8)
    return scaled


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


def with_alpha(pixels: NDArray[np.uint8], alpha: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """Pixels [height, width, 1 or 3] with an alpha plane [height, width], where there is one, as RGBA."""
    if alpha is None:
        return pixels
    return np.dstack([np.repeat(pixels, 3 // pixels.shape[2], axis=2), alpha])
