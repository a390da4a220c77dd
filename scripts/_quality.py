"""How near pictures are, as they are and once they are blurred, which is what an eye does with dither."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from streamvq.quantize.pixels import luma
from streamvq.quantize.similarity import ssim

BLUR = 1.5  # pixels; about what an eye does at arm's length
Pictures = Sequence[np.ndarray]


def blurred(picture: np.ndarray) -> np.ndarray:
    """A picture by a Gaussian filter of `BLUR` pixels."""
    return cv2.GaussianBlur(picture, (0, 0), BLUR)


def psnr(pictures: Pictures, others: Pictures) -> float:
    """dB, of all errors together."""
    error = sum(float(np.square(a.astype(float) - b).sum()) for a, b in zip(pictures, others, strict=True))
    return float(10 * np.log10(255**2 * sum(picture.size for picture in pictures) / error))


def blurred_ssim(picture: np.ndarray, other: np.ndarray) -> float:
    """SSIM of the luma of two pictures, blurred."""
    return ssim(luma(blurred(picture)), luma(blurred(other)))
