"""Measures of loss and of plain code sizes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.quantize.pixels import split

_PEAK = 255


def psnr_db(squared_error: float, samples: int) -> float | None:
    """Peak signal-to-noise ratio of 8-bit samples in dB: 10 log10(255^2 / mean squared error).

    None where it is infinite (no error at all) or undefined (no samples).
    """
    if squared_error == 0 or samples == 0:
        return None
    return 10 * math.log10(_PEAK**2 * samples / squared_error)


def code_bits(n_codes: int) -> int:
    """Bits of a plain code number of a codebook with `n_codes` codes."""
    return max(1, math.ceil(math.log2(n_codes)))


def compression_rate(n_codes: int, channels: int, block: tuple[int, int]) -> float:
    """The share of bits saved by plain code numbers against the 8-bit samples that a code of `block` (height, width)
    stands for: (24 - bits) / 24 for RGB.
    """
    uncompressed_bits = 8 * channels * block[0] * block[1]
    return (uncompressed_bits - code_bits(n_codes)) / uncompressed_bits


def squared_error(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> int:
    """The sum of squared differences between two arrays of one shape."""
    return int(_squared_error(first.reshape(-1), second.reshape(-1)))


def visible_error(pixels: NDArray, picture: NDArray[np.uint8]) -> int:
    """The sum of squared differences between a frame's visible samples and a picture of it.

    `pixels` is uint8 or uint16 [height, width, 1, 3 or 4], `picture` uint8 [height, width, 1 (then luma is
    compared) or 3]. Fully transparent pixels do not count.
    """
    samples, alpha = split(pixels, "gray" if picture.shape[2] == 1 else "rgb")
    samples = samples.reshape(picture.shape)
    if alpha is None or alpha.all():
        return squared_error(samples, picture)
    return squared_error(samples[alpha > 0], picture[alpha > 0])


@njit(nogil=True, cache=True)
def _squared_error(first, second):  # type: ignore[no-untyped-def]
    error = np.int64(0)
    for i in range(len(first)):
        difference = np.int32(first[i]) - np.int32(second[i])
        error += difference * difference
    return error
