"""Measures of loss."""

from __future__ import annotations

import math


def psnr_db(squared_error: int, samples: int) -> float | None:
    """Peak signal-to-noise ratio of 8-bit samples in dB: 10 log10(255^2 / mean squared error).

    None where it is infinite (no error at all) or undefined (no samples).
    """
    if squared_error == 0 or samples == 0:
        return None
    return 10 * math.log10(255**2 * samples / squared_error)
