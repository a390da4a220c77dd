"""Numbers, names and types that options are made of, and the panels of help."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import Protocol

MAX_CODES = 65536
MAX_GRAY_LEVELS = 256
MAX_BLOCK_SIDE = 32
MAX_SAMPLES = 1 << 25  # of all codes together
MAX_RANK = 65535
MAX_PATCH = 64
MAX_PAGE_FRAMES = 24

DEFAULT_MAX_PIXELS = 100_000_000
DEFAULT_FPS = Fraction(25)

PACK_BITS = (1, 2, 4, 8, 16)

ORDERED_DITHERS = ("bayer2", "bayer4", "bayer8", "blue-noise", "yliluoma")  # by a pixel's color and place alone
DITHERS = ("none", *ORDERED_DITHERS, "floyd-steinberg", "atkinson", "sierra-lite")
MATCHINGS = ("rgb", "linear", "oklab")  # where colors of single pixels are compared
CODE_SPACES = ("gray", "rgb", "ycbcr420")  # what codes and factors are made of
SPACES = (*CODE_SPACES, *MATCHINGS[1:])
WEIGHTS = ("count", "sqrt", "uniform")
METHODS = ("vq", "svd", "svd-vq")
ORDERS = ("luma", "count", "palette")  # of learned colors
PER = ("all", "image")  # what has a codebook
ALPHAS = ("keep", "binary", "flatten")

Source = str | os.PathLike[str]  # what a user names an input by
Block = int | tuple[int, int]  # a side, or height and width


class AnyCodebook(Protocol):
    """A `Codebook`, which stands above this file."""

    @property
    def fingerprint(self) -> str: ...


# The panels of help, in their order
WRITE, GRID, CODEBOOK, LOW_RANK, READ = "Output", "Grid", "Codebook", "Low rank", "Input"
REPORT = "Running and reporting"

CODEBOOKS = (
    "a codebook, a palette (.gpl .hex .act .pal .ase .aseprite .txt .png), preset:NAME (see streamvq palette "
    "--list), or colors such as '#000,#fff,tomato'"
)
