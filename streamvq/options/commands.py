"""The options of each command and library function: those of the other files put together, and its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from streamvq.errors import UsageError
from streamvq.keywords import Options, option
from streamvq.options.codes import CodeOptions, FixedOptions, SpaceOption
from streamvq.options.pictures import AlphaOptions, LowRankOptions
from streamvq.options.reading import LimitOption, ReadOptions, SelectOptions, check_stretch, seconds_range
from streamvq.options.shares import ClusterOption, ResumeOption, ShardOption
from streamvq.options.values import (
    CODEBOOK,
    CODEBOOKS,
    GRID,
    LOW_RANK,
    MAX_PAGE_FRAMES,
    METHODS,
    PER,
    READ,
    REPORT,
    WRITE,
    AnyCodebook,
    Block,
    Source,
)
from streamvq.options.writing import EncodeOptions, OutputOption, OverwriteOption, RunOptions, WriteOptions

# A table: an option is one line, or two where its help is long.
# fmt: off


class FitOptions(ClusterOption, RunOptions, SelectOptions, ReadOptions, LowRankOptions, AlphaOptions, FixedOptions):
    """The keywords of `fit`."""

    transparent_index: int | None = option(CODEBOOK, "--transparent-index",
        "Where the transparent color stands, which is one of -k (0). Given, there is always one.",
        0, default=None, changes="codes")

    def check(self) -> None:
        index = self.transparent_index
        if index is None:
            return
        if self.codebook is not None and not self.extend:
            raise UsageError("`transparent_index`: the codebook given fixes its codes; drop it, or the codebook")
        if self.is_gray or self.sides != (1, 1):
            raise UsageError("`transparent_index`: gray levels and blocks have no transparent code; drop it")
        if self.alpha_asked == "flatten":
            raise UsageError("`transparent_index`: nothing is transparent on a background; drop one of them")
        if index >= self.code_count and not self.extend:
            raise UsageError(f"`transparent_index={index}`: {self.code_count} colors end at {self.code_count - 1}")


class SketchOptions(
    ShardOption, RunOptions, SelectOptions, ReadOptions, LowRankOptions, AlphaOptions, CodeOptions, OverwriteOption
):
    """The keywords of `sketch`."""

    def check(self) -> None:
        late = {"weight": self.weight != "count"}
        if self.sides == (1, 1):  # all colors are counted, whatever becomes of them
            late |= {"n_codes": self.n_codes is not None, "bits": self.bits is not None, "seed": self.seed != 0}
            late |= {"space": self.matching != "rgb"}
        if found := [name for name, is_given in late.items() if is_given]:
            raise UsageError(f"`{found[0]}`: a sketch of colors serves for any; give it to fit")


class ApplyOptions(
    ResumeOption, ClusterOption, ShardOption, RunOptions, EncodeOptions, SelectOptions, ReadOptions, LowRankOptions,
    SpaceOption, OutputOption
):
    """The keywords of `apply`."""


class CompressOptions(ResumeOption, ShardOption, EncodeOptions, FitOptions, OutputOption):
    """The keywords of `compress`."""

    codebook: AnyCodebook | Source | None = option(CODEBOOK, "-c --codebook",
        f"Use this and learn nothing: {CODEBOOKS}.", default=None, changes="codes")
    save_codebook: Source | None = option(CODEBOOK, "--save-codebook",
        "Write the codebook here (next to the output, as STEM.codebook.npz).", default=None, changes="file")
    per: str = option(CODEBOOK, "--per",
        "Learn one codebook for all inputs, or a palette for each image, which its file holds: all, image.",
        choices=PER, default="all", changes="codes")
    warmup: int = option(CODEBOOK, "--warmup", "Frames to learn from when the input is a pipe.",
        1, default=32, changes="input")
    method: str = option(LOW_RANK, "--method",
        "vq: codes; svd-vq: codes of frames of low rank (as --rank with vq); svd: factors, without a codebook.",
        choices=METHODS, default="vq", changes="output")

    def check(self) -> None:
        self.check_own_palettes()
        self.check_shard()
        if self.strict and self.truncates:
            raise UsageError("`strict` and low rank contradict each other: truncation changes colors")
        if self.codebook is None and self.pack_bits and self.code_count > (most := 2**self.pack_bits):
            raise UsageError(f"`pack_bits={self.pack_bits}` holds {most} codes: give `n_codes={most}`, or more bits")
        if self.method != "vq" and not self.truncates:
            raise UsageError(f"method {self.method} needs a rank or an energy, such as `rank=32` or `energy=0.99`")
        if not self.stores_factors:
            return
        if self.n_codes is not None or self.bits is not None or self.sides != (1, 1):
            raise UsageError("method svd has no codes; drop `n_codes`, `bits` and `block`, or use `method=svd-vq`")
        if self.matching != "rgb":
            raise UsageError(f"`space={self.space}`: method svd stores factors: choose ycbcr420 or rgb")
        if self.transparent_index is not None:
            raise UsageError("method svd has no codes; drop `transparent_index`, or use `method=svd-vq`")
        if self.codebook is not None or self.save_codebook or self.lossy or self.external_codebook:
            raise UsageError("method svd has no codebook and no codes; drop `codebook`, `save_codebook`, `lossy`")
        if self.stability:
            raise UsageError("`stability` keeps codes, and method svd has none; drop it, or use `method=svd-vq`")
        for name in ("reserve", "palette", "emit_palette", "order", "fit_gamut", "transparent_index"):
            if getattr(self, name) not in ((), None, "luma") and getattr(self, name) is not False:
                raise UsageError(f"method svd has no codes; drop `{name}`")

    def check_codes(self) -> None:
        if not self.stores_factors:
            super().check_codes()

    def check_codebook(self) -> None:
        if self.codebook is not None and self.order != "luma" and not self.extend:
            raise UsageError(f"`order={self.order}`: the codebook given has its order; drop it")
        if self.codebook is not None and self.reserve and not self.extend:
            raise UsageError(f"`reserve={self.reserve[0]}`: nothing is learned beside the codebook given; "
                "add `extend=1`, or give it as `palette`")

    def check_own_palettes(self) -> None:
        """Raise UsageError for what `per="image"` cannot be combined with."""
        if not self.own_palettes:
            return
        found = [name for name in ("lossy", "stability", "emit_palette", "save_codebook", "external_codebook")
            if getattr(self, name)]
        found += ["codebook"] * (self.codebook is not None and not self.extend)
        found += ["order"] * (self.order == "palette")
        found += ["block"] * (self.sides != (1, 1)) + ["rank"] * (self.truncates or self.method != "vq")
        if found:
            raise UsageError(f"`per=image` and `{found[0]}` contradict each other: every image has a palette of its "
                "own, learned from it alone; drop one")
        if self.code_count > 256:
            raise UsageError(f"`per=image`: the palette of an image has at most 256 colors, not {self.code_count}")

    def check_shard(self) -> None:
        """Raise UsageError for what a share of the work cannot do."""
        if self.shard is None:
            return
        if (self.codebook is None or self.extend) and not (self.own_palettes or self.stores_factors):
            raise UsageError("`shard`: a codebook is learned from all shares: sketch each, fit them, and give it as "
                "`codebook`")
        if found := self.judged_by:
            raise UsageError(f"`shard` and `{found[0]}` contradict each other: it is of the whole output; drop one")

    @property
    def own_palettes(self) -> bool:
        """Whether every image has a codebook of its own."""
        return self.per == "image"

    @property
    def stores_factors(self) -> bool:
        """Whether frames are stored as factors, and nothing is learned."""
        return self.method == "svd"


class PlanOptions(CompressOptions):
    """The keywords of `plan`."""

    workers: int = option(REPORT, "--workers", "How many threads the workers have together.", 1, 100_000, default=10)
    network: float = option(REPORT, "--network", "Gigabits a second of the network.", 0.001, 10_000, default=1.0)


class PaletteOptions(OverwriteOption, OutputOption):
    """What `streamvq palette` does."""

    show: bool = option(REPORT, "--show", "Show the colors: index, swatch, hex, name.", default=False)
    list: bool = option(REPORT, "--list", "List the presets, with the sources of their colors.", default=False)


class DecompressOptions(RunOptions, WriteOptions, LimitOption):
    """The keywords of `decompress`. `frames` is a range of frame indices, and `time` one of seconds from the first
    frame, or a single one; the groups of the rest are not decoded."""

    codebook: AnyCodebook | Source | None = option(READ, "-c --codebook",
        "For files without their codebook inside.", default=None, changes="input")
    frames: range | None = option(READ, "--frames",
        "Frames A:B only (A to B - 1, from 0); also A:, :B, A, and A:B:STEP.", default=None, changes="output")
    time: str | None = option(READ, "--time",
        "The seconds A:B only, such as 2:5.5; also A:, :B, and A, the frame that is shown then.",
        default=None, changes="output")
    keep_going: bool = option(READ, "--keep-going", "Keep all but the damaged groups of a file.",
        default=False, changes="input")

    def check(self) -> None:
        if self.frames is not None and not (self.frames.step >= 1 and 0 <= self.frames.start < self.frames.stop):
            raise UsageError(f"`frames={self.frames}`: give a range of frame indices that is not empty")
        if self.frames is not None and self.time is not None:
            raise UsageError("`frames` and `time` contradict each other; drop one")
        if self.time is not None:
            check_stretch("time", self.time, self.stretch if self.moment is None else (self.moment, None))

    @property
    def moment(self) -> Fraction | None:
        """The second that `time` is; None where it is a range, or not given."""
        try:
            return None if self.time is None or ":" in self.time else Fraction(self.time)
        except (ValueError, ZeroDivisionError):
            raise UsageError(f"`time={self.time}`: give seconds, such as 2.5, or A:B, A: or :B") from None

    @property
    def stretch(self) -> tuple[Fraction, Fraction | None]:
        """The seconds where `time` starts and ends; None is the end of the file."""
        found = seconds_range(self.time or ":")
        if found is None:
            raise UsageError(f"`time={self.time}`: give seconds, such as 2.5, or A:B, A: or :B")
        return found


class PairOptions(RunOptions, ReadOptions, OverwriteOption):
    """How an original and its results are read and paired."""

    codebook: AnyCodebook | Source | None = option(READ, "-c --codebook",
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

    max_frames: int = option(WRITE, "--max-frames", "Pictures in the page, at most.", 1, default=MAX_PAGE_FRAMES)
    command: str | None = None


class ReportOptions(PairOptions, PageOptions):
    """The keywords of `write_report`."""

    output: Source | None = option(WRITE, "-o --output",
        "The page (.html). Without it: TEST's name with .html.", default=None, kw_only=False)


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


class SweepOptions(RunOptions, PageOptions, LimitOption):
    """The keywords of `sweep`."""

    n_codes: Sequence[int] = option(GRID, "-k --colors", "Numbers of colors or blocks to learn.",
        default=(16, 64, 256), kw_only=False)
    block: Sequence[Block] = option(GRID, "--block", "What codes stand for: 1 pixel, 2, 4, 8 or WxH.",
        default=(1,), kw_only=False)
    rank: Sequence[int] = option(GRID, "--rank", "Ranks to truncate frames to; 0: not at all.",
        default=(0,), kw_only=False)
