"""Threshold masks of ordered dither, fixed in screen space: Bayer's and blue noise."""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray


def bayer(side: int) -> NDArray[np.int64]:
    """Ranks 0 to side^2 - 1 of a power of two: [side, side].

    B. E. Bayer, "An optimum method for two-level rendition of continuous-tone pictures", 1973.

    >>> bayer(2).tolist()
    [[0, 2], [3, 1]]
    """
    ranks = np.zeros((1, 1), np.int64)
    while len(ranks) < side:
        ranks = np.block([[4 * ranks, 4 * ranks + 2], [4 * ranks + 3, 4 * ranks + 1]])
    return ranks


@cache
def blue_noise() -> NDArray[np.int64]:
    """Ranks 0 to 4095 of the void-and-cluster mask of scripts/make_blue_noise.py: [64, 64]."""
    with (resources.files("streamvq.quantize.dither") / "blue_noise.npy").open("rb") as file:
        ranks: NDArray[np.int64] = np.load(file, allow_pickle=False).astype(np.int64)
    return ranks


def mask_of(name: str) -> NDArray[np.int64]:
    """The ranks of a mask by its name: bayer2, bayer4, bayer8 or blue-noise."""
    return blue_noise() if name == "blue-noise" else bayer(int(name.removeprefix("bayer")))
