"""The options of `compare`, `report`, `spectrum` and `sweep`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from streamvq.errors import UsageError
from streamvq.keywords import Options, option
from streamvq.options.compress import (
    GRID,
    LOW_RANK,
    READ,
    WRITE,
    Block,
    LowRankOptions,
    OverwriteOption,
    ReadOptions,
    RunOptions,
    Source,
)  # fmt: skip

if TYPE_CHECKING:
    from streamvq.quantize.codebook import Codebook

MAX_FRAMES = 24  # in a page

# A table, as in compress.py.
# fmt: off

class PairOptions(RunOptions, ReadOptions, OverwriteOption):
    """How an original and its results are read and paired."""

    codebook: Codebook | Source | None = option(READ, "-c --codebook",
        "For a .svq without its codebook inside.", default=None)
    resize: bool = option(READ, "--resize", "Scale TEST to the size of REF.", default=False)


class CompareOptions(PairOptions):
    """The keywords of `compare`."""

    frames: range | None = option(READ, "--frames",
        "Frames A:B only (A to B - 1, from 0); also A:, :B, A, and A:B:STEP.", default=None)
    csv: Source | None = option(WRITE, "--csv", "Write a table with a row a frame.", default=None)
    plot: Source | None = option(WRITE, "--plot",
        "Draw original, quantized, and error x8 of the frames chosen, or of four (.png .svg .pdf).", default=None)


class PageOptions(Options):
    """What a page shows. `command` is the command line that it says it is made by."""

    max_frames: int = option(WRITE, "--max-frames", "Pictures in the page, at most.", 1, default=MAX_FRAMES)
    command: str | None = None


class ReportOptions(PairOptions, PageOptions):
    """The keywords of `write_report`."""

    output: Source | None = option(WRITE, "-o --output",
        "The page (.html). Without it: TEST's name with .html.", default=None)


class SpectrumOptions(RunOptions, ReadOptions, OverwriteOption):
    """The keywords of `spectrum`. `on_frame` is called with each frame's spectrum."""

    ranks: Sequence[int] = option(LOW_RANK, "--ranks", "The ranks to show, such as 5,20,50 (1,2,4,...).",
        default=(), kw_only=False)
    patch: int = option(LOW_RANK, "--patch", "Of the matrix of PxP patches, not of whole frames.", default=0)
    gray: bool = option(LOW_RANK, "--gray", "Of the luma.", default=False)
    every: int = option(READ, "--every", "Look at each N-th frame only.", 1, default=1)
    plot: Source | None = option(WRITE, "--plot",
        "Draw singular values, PSNR by rank, and the first frame at several ranks (.png .svg .pdf).", default=None)
    on_frame: Callable[[Any], None] | None = None

    def check(self) -> None:
        LowRankOptions(rank=1, patch=self.patch)  # checks it
        if min(self.ranks, default=1) < 1:
            raise UsageError(f"`ranks={','.join(map(str, self.ranks))}`: give ranks from 1, such as 5,20,50")


class SweepOptions(RunOptions, PageOptions):
    """The keywords of `sweep`."""

    n_codes: Sequence[int] = option(GRID, "-k --colors", "Numbers of colors or blocks to learn.",
        default=(16, 64, 256), kw_only=False)
    block: Sequence[Block] = option(GRID, "--block", "What codes stand for: 1 pixel, 2, 4, 8 or WxH.",
        default=(1,), kw_only=False)
    rank: Sequence[int] = option(GRID, "--rank", "Ranks to truncate frames to; 0: not at all.",
        default=(0,), kw_only=False)
