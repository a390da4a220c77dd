"""Numbers, names and types that options are made of, and the panels of help."""

from __future__ import annotations

import os
import re
from fractions import Fraction
from typing import Protocol

from streamvq.errors import UsageError

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
CODERS = ("mixed", "static", "deep")  # of the indices of a .svq; the first goes without saying
EFFORTS = {"fast": CODERS[1], "default": CODERS[0], "max": CODERS[2]}  # and the coder of each
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

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}


def parse_size(name: str, value: int | str) -> int:
    """A number of bytes, or a text such as "500kB", "2 MB" (10^6) or "1.5MiB" (2^20), as bytes. Raises UsageError."""
    found = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+) *(|[kmg]i?)b?", str(value).strip().lower())
    size = int(Fraction(found[1]) * _UNITS[found[2]]) if found else 0
    if size < 1:
        raise UsageError(f"`{name}={value}`: give bytes, such as 500kB, 2MB (10^6 bytes) or 2MiB (2^20)")
    return size
