"""Luma and YCbCr of ITU-R BT.601, the one set of constants that every module computes with.

Chroma is that of JPEG (JFIF 1.02): full range, Cb = (B - Y) / 1.772 and Cr = (R - Y) / 1.402.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from streamvq.compiling import njit

# Luma in thousandths: Y = 0.299 R + 0.587 G + 0.114 B
LUMA_R, LUMA_G, LUMA_B = 299, 587, 114
LUMA_UNIT = LUMA_R + LUMA_G + LUMA_B

# Fixed point with 16 fractional bits, as in libjpeg: each constant is round(c * 2^16).
FRACTION_BITS = 16
R_TO_CB, G_TO_CB, B_TO_CB = -11058, -21710, 32768  # their sum is 0: gray has no chroma
R_TO_CR, G_TO_CR, B_TO_CR = 32768, -27439, -5329
CR_TO_R = 91881  # 1.402
CB_TO_G = 22554  # 1.772 * 0.114 / 0.587
CR_TO_G = 46802  # 1.402 * 0.299 / 0.587
CB_TO_B = 116130  # 1.772


@njit(nogil=True, inline="always")
def luma_of(r: Any, g: Any, b: Any) -> Any:
    """Luma of one pixel, rounded to nearest, in 32 bits: see `pixels.luma`, which is that of arrays."""
    return np.uint32(LUMA_R * r + LUMA_G * g + LUMA_B * b + LUMA_UNIT // 2) // np.uint32(LUMA_UNIT)


@njit(nogil=True, inline="always")
def fixed_point_rgb(luma: Any, cb: Any, cr: Any) -> Any:
    """R, G and B with 16 more fractional bits than `luma`, `cb` and `cr`; chroma is around 0. None is clipped."""
    gray = luma << FRACTION_BITS
    return gray + CR_TO_R * cr, gray - CB_TO_G * cb - CR_TO_G * cr, gray + CB_TO_B * cb
