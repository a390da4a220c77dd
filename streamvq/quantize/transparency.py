"""Alpha before frames are quantized: flattened on a color, or cut to all or nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvq.color_names import Color
from streamvq.quantize.pixels import stripes


def flatten(pixels: NDArray, background: Color) -> NDArray:
    """Pixels over a color of 8 bits: uint8 or uint16 [height, width, 4] as [height, width, 3] of the same type."""
    top = np.uint32(np.iinfo(pixels.dtype).max)
    below = np.array(background, np.uint32) * (top // np.uint32(255))
    flat = np.empty((*pixels.shape[:2], 3), pixels.dtype)
    for part in stripes(pixels.shape):
        rgba = pixels[part].astype(np.uint32)
        alpha = rgba[..., 3:]
        flat[part] = (rgba[..., :3] * alpha + below * (top - alpha) + top // np.uint32(2)) // top
    return flat


def threshold(pixels: NDArray) -> NDArray:
    """Pixels, uint8 or uint16 [height, width, 4], opaque from an alpha of 50 %, and else fully transparent."""
    top = np.iinfo(pixels.dtype).max
    cut = pixels.copy()
    cut[..., 3] = np.where(pixels[..., 3] > top // 2, top, 0)
    return cut


def is_soft(pixels: NDArray) -> bool:
    """Whether any alpha of pixels [height, width, 4] is neither 0 nor full."""
    alpha = pixels[..., 3]
    return bool(((alpha > 0) & (alpha < np.iinfo(pixels.dtype).max)).any())


def has_alpha(pixels: NDArray) -> bool:
    """Whether any alpha of pixels [height, width, 4] is less than full."""
    return bool(pixels[..., 3].min() < np.iinfo(pixels.dtype).max)
