"""Every option of the library once: name, type, range, default and help text.

The command line and the library's keywords are made from these classes (keywords.py, and cli/parameters.py): a new
option is one field here, and its use.

A field without `option` is a keyword of the library alone. Messages name an option in backticks, `overwrite=True`,
which the command line turns into its own flags.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Protocol

from streamvq.colors import Color, parse_color
from streamvq.errors import UsageError
from streamvq.keywords import Options, option
from streamvq.progress import Progress

MAX_CODES = 65536
MAX_GRAY_LEVELS = 256
MAX_BLOCK_SIDE = 32
MAX_SAMPLES = 1 << 25  # of all codes together
MAX_RANK = 65535
MAX_PATCH = 64
MAX_PAGE_FRAMES = 24
DEFAULT_MAX_PIXELS = 100_000_000
DEFAULT_FPS = Fraction(25)
IMAGE_FORMATS = ("png", "webp", "tiff", "bmp", "jpg")
ANIMATION_FORMATS = ("gif", "apng")  # besides WebP, which is an image too
VIDEO_FORMATS = ("svq", "mkv", "avi", "mp4", "mov", "webm", *ANIMATION_FORMATS)
INDEX_FORMATS = ("raw", "npy", "c", "aseprite")
FORMATS = VIDEO_FORMATS + IMAGE_FORMATS + INDEX_FORMATS
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

# A table: an option is one line, or two where its help is long.
# fmt: off


class LowRankOptions(Options):
    """How far frames are truncated to low rank: to `rank`, or to the smallest rank that keeps the share `energy` of
    the squared singular values, of each frame and channel. `patch` 0 takes a channel as one matrix; P takes the
    matrix whose rows are its P x P patches."""

    rank: int | None = option(LOW_RANK, "--rank",
        "Truncate each frame's channels to this rank (SVD).", 1, MAX_RANK, default=None)
    energy: float | None = option(LOW_RANK, "--energy",
        "To the smallest rank that keeps this share of the squared singular values, such as 0.99.", default=None)
    patch: int = option(LOW_RANK, "--patch",
        "Truncate the matrix of PxP patches instead of whole frames.", 0, MAX_PATCH, default=0)

    def check(self) -> None:
        if self.rank is not None and self.energy is not None:
            raise UsageError("give either a rank or an energy, such as `rank=32` or `energy=0.99`")
        if self.energy is not None and not 0 < self.energy <= 1:  # also not a number
            raise UsageError(f"`energy={self.energy}`: choose more than 0 and at most 1, such as 0.99")
        if self.patch == 1:
            raise UsageError(f"`patch=1`: choose a side of 2 to {MAX_PATCH}")
        if self.patch and not self.truncates:
            raise UsageError(f"`patch={self.patch}`: patches belong to low rank: give `rank` or `energy` too")

    @property
    def truncates(self) -> bool:
        """Whether frames are truncated at all."""
        return self.rank is not None or self.energy is not None

    @property
    def low_rank(self) -> LowRankOptions | None:
        """These options alone; None where frames are not truncated."""
        return LowRankOptions(rank=self.rank, energy=self.energy, patch=self.patch) if self.truncates else None


class SpaceOption(Options):
    """Where pixels are compared with codes."""

    space: str | None = option(CODEBOOK, "--space",
        "Where colors are compared: rgb (the default), linear (light), oklab (as seen); blocks and factors: ycbcr420 "
        "(the default; blocks of even sides) or rgb.", choices=SPACES, default=None)

    @property
    def matching_asked(self) -> str | None:
        """Where pixels are to be compared with codes of single pixels; None where it is not said."""
        return self.space if self.space in MATCHINGS else None


class CodeOptions(SpaceOption):
    """What codes are learned: `n_codes` of `block` pixels (a side, or height and width) in `space`, from a seed."""

    n_codes: int | None = option(CODEBOOK, "-k --colors",
        "Colors or blocks to learn, 2 to 65536 (256; blocks: 4096).", default=None, kw_only=False)
    bits: int | None = option(CODEBOOK, "--bits", "The same as -k 2^BITS, 1 to 16.", default=None)
    gray: bool = option(CODEBOOK, "--gray", "Gray levels instead of colors (--bits 1 to 8).", default=False)
    block: Block = option(CODEBOOK, "--block",
        "Codes of 2, 4, 8 or WxH pixels instead of one; -k is their number.", default=1)
    weight: str = option(CODEBOOK, "--weight",
        "What a color weighs in learning: its pixels (count), their root (sqrt), or as much as all (uniform); the "
        "last two keep rare colors.", choices=WEIGHTS, default="count")
    seed: int = option(CODEBOOK, "--seed",
        "Where learning starts; the same seed, the same bytes.", 0, 2**32 - 1, default=0)

    def check(self) -> None:
        if self.gray and self.space not in (None, "gray", *MATCHINGS[1:]):
            raise UsageError(f"`gray` and `space={self.space}` contradict each other: choose one")
        if self.n_codes is not None and self.bits is not None:
            raise UsageError("`n_codes` and `bits` say the same thing; give one of them")
        self.check_codes()

    def check_codes(self) -> None:
        """Raise UsageError where there are no such codes."""
        high, wide = self.sides
        if not (1 <= high <= MAX_BLOCK_SIDE and 1 <= wide <= MAX_BLOCK_SIDE):
            raise UsageError(f"blocks of {wide}x{high}: choose sides of 1 to {MAX_BLOCK_SIDE}")
        if self.matching != "rgb" and self.sides != (1, 1):
            raise UsageError(f"`space={self.space}` compares single pixels; drop `block`, or choose `space=rgb`")
        if self.weight != "count" and self.sides != (1, 1):
            raise UsageError(f"`weight={self.weight}` is of colors, and codes are blocks of {wide}x{high}; drop one")
        if self.code_space == "ycbcr420" and not self._can_subsample_chroma:
            raise UsageError(f"space ycbcr420 takes blocks with even sides, not {wide}x{high}; choose `space=rgb`")
        levels = self.is_gray and self.sides == (1, 1)
        if self.bits is not None and not 1 <= self.bits <= (8 if levels else 16):
            raise UsageError(f"`bits={self.bits}`: choose 1 to " + ("8 with `gray`" if levels else "16"))
        limit = MAX_GRAY_LEVELS if levels else MAX_CODES
        if not 2 <= self.code_count <= limit:
            kind = "gray levels" if levels else "colors" if high == wide == 1 else f"codes of {wide}x{high}"
            raise UsageError(f"{self.code_count} {kind}: choose 2 to {limit}")
        if self.code_count * high * wide * (1 if self.is_gray else 3) > MAX_SAMPLES:
            raise UsageError(f"{self.code_count} codes of {wide}x{high} are too many for one codebook; choose fewer")

    @property
    def sides(self) -> tuple[int, int]:
        """A block's height and width."""
        height, width = self.block if isinstance(self.block, tuple) else (self.block, self.block)
        return operator.index(height), operator.index(width)

    @property
    def code_count(self) -> int:
        """How many codes to learn."""
        if self.bits is not None:
            return int(2**self.bits)
        return self.n_codes if self.n_codes is not None else 256 if self.sides == (1, 1) else 4096

    @property
    def code_space(self) -> str:
        """What codes are made of: "gray", "rgb" or "ycbcr420"."""
        if self.gray:
            return "gray"
        if self.space in MATCHINGS:
            return "rgb"
        return self.space or ("ycbcr420" if self._can_subsample_chroma else "rgb")

    @property
    def matching(self) -> str:
        """Where codes of single pixels are learned and compared: one of MATCHINGS."""
        return self.matching_asked or "rgb"

    @property
    def is_gray(self) -> bool:
        """Whether frames are gray."""
        return self.code_space == "gray"

    @property
    def _can_subsample_chroma(self) -> bool:
        high, wide = self.sides
        return self.sides != (1, 1) and high % 2 == wide % 2 == 0


CODEBOOKS = (
    "a codebook, a palette (.gpl .hex .act .pal .ase .aseprite .txt .png), preset:NAME (see streamvq palette "
    "--list), or colors such as '#000,#fff,tomato'"
)


class FixedOptions(CodeOptions):
    """What codes a codebook has before any is learned; they stay as they are, and count among `n_codes`.

    `reserve` has colors, each at the index after its @, or else at the lowest free one. A `palette`, or a codebook,
    comes first, in its order. `extend` learns so many codes more than the `codebook` has.
    """

    reserve: Sequence[str] = option(CODEBOOK, "--reserve",
        "Keep a color: '#f0f', tomato, or '#f0f@0' (at index 0; else the lowest free). Repeatable.", default=())
    palette: AnyCodebook | Source | None = option(CODEBOOK, "--palette",
        "Keep all colors of this palette, first and in its order, and learn the rest of -k.", default=None)
    extend: int = option(CODEBOOK, "--extend",
        "Learn this many codes more than -c has, behind its own, which stay.", 0, MAX_CODES, default=0)
    order: str = option(CODEBOOK, "--order",
        "How learned colors stand: by luma, by count (most used first), or as in the palette of indexed images: "
        "luma, count, palette.", choices=ORDERS, default="luma")
    codebook: AnyCodebook | Source | None = option(CODEBOOK, "-c --codebook",
        "What --extend adds to: a codebook, a palette, preset:NAME, or colors.", default=None)

    def check(self) -> None:
        object.__setattr__(self, "reserve", (self.reserve,) if isinstance(self.reserve, str) else tuple(self.reserve))
        if self.extend and self.codebook is None:
            raise UsageError(f"`extend={self.extend}`: give the `codebook=PATH` to extend, or `n_codes`")
        if self.palette is not None and self.codebook is not None:
            raise UsageError("`palette` and `codebook` contradict each other: one is kept and learned beside, the "
                "other used alone; drop one")
        if self.reserve and self.sides != (1, 1):
            high, wide = self.sides
            raise UsageError(f"`reserve={self.reserve[0]}`: is a color, and codes are blocks of {wide}x{high}; "
                "drop it, or `block`")
        if self.order != "luma" and self.sides != (1, 1):
            raise UsageError(f"`order={self.order}`: blocks stand by luma; drop it, or `block`")
        given = [name for name in ("n_codes", "bits", "gray") if getattr(self, name)]
        given += ["block"] * (self.sides != (1, 1)) + ["space"] * (self.space != self.matching_asked)
        if self.codebook is not None and given:
            raise UsageError(f"`{given[0]}`: the codebook given fixes its codes; drop it, or the codebook")
        self.check_codebook()

    def check_codebook(self) -> None:
        """Raise UsageError where a codebook is given and nothing is to be learned."""
        if self.codebook is not None and not self.extend:
            raise UsageError("`codebook`: fit learns; give `extend=N` to learn more codes, or use apply")


class BackgroundOption(Options):
    """What transparency is flattened on."""

    background: str | Color | None = option(CODEBOOK, "--background",
        "Flatten transparency on this color, such as white or '#ff8000' (black, where the output has none).",
        default=None)

    def check(self) -> None:
        _ = self.backdrop

    @property
    def backdrop(self) -> Color:
        """`background` as R, G and B, black where there is none. Raises UsageError."""
        if isinstance(self.background, str):
            return parse_color(self.background)
        color = tuple(self.background or (0, 0, 0))
        if len(color) != 3 or not all(0 <= level <= 255 for level in color):
            raise UsageError(f"`background={self.background}`: give three levels of 0 to 255, or a color's name")
        return color


class AlphaOptions(BackgroundOption):
    """What becomes of transparency before colors are learned and matched."""

    alpha: str | None = option(CODEBOOK, "--alpha",
        "Transparency: keep (colors with alpha), binary (one clear color) or flatten (what the output can hold).",
        choices=ALPHAS, default=None)

    def check(self) -> None:
        if self.background is not None and self.alpha not in (None, "flatten"):
            raise UsageError(
                f"`alpha={self.alpha}` and `background` contradict each other: on a background nothing is transparent"
            )

    @property
    def alpha_asked(self) -> str | None:
        """`alpha`, where it or a background is given."""
        return "flatten" if self.background is not None else self.alpha


class RecursiveOption(Options):
    """How inputs are found."""

    recursive: bool = option(READ, "-r --recursive",
        "Folders with their subfolders; outputs mirror them.", default=False)


class LimitOption(Options):
    """How large a picture may be that is read."""

    max_pixels: int = option(READ, "--max-pixels",
        "Refuse larger pictures before they take memory.", 1, default=DEFAULT_MAX_PIXELS)


class ReadOptions(LimitOption, RecursiveOption):
    """How inputs are found and read."""

    keep_going: bool = option(READ, "--keep-going",
        "Keep a damaged video's frames up to the damage; of a .svq, all but damaged groups.", default=False)


class RateOption(Options):
    """How many frames a second has."""

    fps: Fraction | float | str | None = option(READ, "--fps",
        "Frames per second of images that become a video (25); of video, at most so many.", default=None)

    def check(self) -> None:
        if not self.frame_rate > 0:
            raise UsageError(f"`fps={self.fps}`: choose more than 0")

    @property
    def frame_rate(self) -> Fraction:
        """`fps` as a fraction: 29.97 is 2997/100. Raises UsageError."""
        try:
            if self.fps is None:
                return DEFAULT_FPS
            return self.fps if isinstance(self.fps, Fraction) else Fraction(str(self.fps))
        except (ValueError, ZeroDivisionError):
            raise UsageError(f"`fps={self.fps}`: give a number or a fraction, such as 25 or 30000/1001") from None


class SelectOptions(RateOption):
    """Which frames of an input are taken, and at which size. `trim` counts seconds from the first frame."""

    every: int = option(READ, "--every", "Take each N-th frame only.", 1, default=1)
    trim: str | None = option(READ, "--trim",
        "Take the seconds A:B only, such as 2:5.5; also A: and :B.", default=None)
    width: int | None = option(READ, "--width",
        "Scale pictures to this width before anything else.", 1, 65535, default=None)

    def check(self) -> None:
        start, end = self.stretch
        if self.trim is not None and not (start >= 0 and (end is None or end > start)):
            raise UsageError(f"`trim={self.trim}`: the end comes after the start, and both are 0 or more")

    @property
    def stretch(self) -> tuple[Fraction, Fraction | None]:
        """The seconds where `trim` starts and ends; None is the end of the input."""
        if self.trim is None:
            return Fraction(0), None
        start, colon, end = self.trim.partition(":")
        try:
            if not colon:
                raise ValueError
            return Fraction(start or 0), Fraction(end) if end else None
        except (ValueError, ZeroDivisionError):
            raise UsageError(f"`trim={self.trim}`: give A:B in seconds, such as 2:5.5, or A: or :B") from None

    def takes_all(self, rate: Fraction | None) -> bool:
        """Whether all frames of an input with this frame rate are taken as they are."""
        thins = self.fps is not None and rate is not None and rate > self.frame_rate
        return self.every == 1 and self.trim is None and self.width is None and not thins


class RunOptions(Options):
    """How the work is done; nothing here changes a byte of the result. `progress` is told of each stage."""

    jobs: int = option(REPORT, "-j --jobs", "Worker threads; 0 = all cores.", 0, default=0)
    progress: Progress | None = None


class OverwriteOption(Options):
    """Whether outputs may replace files."""

    overwrite: bool = option(WRITE, "-f --overwrite", "Replace existing outputs.", default=False)


class ExistingOptions(OverwriteOption):
    """What becomes of outputs that are there already."""

    skip_existing: bool = option(WRITE, "--skip-existing",
        "Leave out what is there, made with the same settings; reuse its codebook. With -f: make the rest anew.",
        default=False)


class WriteOptions(ExistingOptions, RateOption, BackgroundOption):
    """How outputs are written, whatever they hold."""

    format: str | None = option(WRITE, "--format",
        f"File format inside an output folder: {' '.join(FORMATS)}; of -: svq raw.", choices=FORMATS, default=None)
    animate: bool = option(WRITE, "--animate", "Write an animation into a .png.", default=False)
    loop: int = option(WRITE, "--loop", "How often an animation plays; 0 = for ever.", 0, 65535, default=0)
    pack_bits: int | None = option(WRITE, "--pack-bits",
        "Bits an index in .raw and .h: 1 2 4 8 16 (the fewest that hold all codes).", default=None)
    bit_order: str = option(WRITE, "--bit-order",
        "A byte's first index is in its highest bits (msb) or lowest (lsb).", choices=("msb", "lsb"), default="msb")
    unpadded: bool = option(WRITE, "--unpadded",
        "Rows of packed indices follow each other bit by bit, not beginning with a byte.", default=False)
    crf: int = option(WRITE, "--crf", "Quality of preview videos; smaller is better.", 0, 63, default=18)

    def check(self) -> None:
        if self.pack_bits not in (None, *PACK_BITS):
            raise UsageError(f"`pack_bits={self.pack_bits}`: choose one of {', '.join(map(str, PACK_BITS))}")


class EncodeOptions(WriteOptions, AlphaOptions):
    """How outputs of `compress` and `apply` are written."""

    lossy: float = option(WRITE, "--lossy",
        "Keep the code of a neighbor or of the previous frame where it costs little: 0 (off) to 100.",
        0, 100, default=0)
    stability: float = option(WRITE, "--stability",
        "Keep a code until its source has moved by so many levels since it was chosen: 0 (off) to 255. Three times "
        "the noise stops all flicker of still areas, dithered ones too.", 0, 255, default=0.0)
    dither: str = option(CODEBOOK, "--dither",
        f"How pixels between the colors are drawn: {' '.join(DITHERS)}.", choices=DITHERS, default="none")
    dither_strength: float = option(CODEBOOK, "--dither-strength", "0 (none) to 1 (all).", 0, 1, default=1)
    fit_gamut: bool = option(CODEBOOK, "--fit-gamut",
        "Move black, white and strong colors to what the colors can show, for e-paper and other dull palettes.",
        default=False)
    emit_palette: Source | None = option(CODEBOOK, "--emit-palette",
        "Write this palette's colors at the same indices; PSNR is still that of the colors matched.", default=None)
    strict: bool = option(CODEBOOK, "--strict",
        "Fail at the first pixel that is not exactly one of the colors.", default=False)
    external_codebook: bool = option(WRITE, "--external-codebook",
        ".svq without the codebook inside; decompress needs -c.", default=False)
    skip_if_larger: bool = option(WRITE, "--skip-if-larger",
        "Keep no output that is larger than its input (exit 98).", default=False)
    min_psnr: float | None = option(WRITE, "--min-psnr",
        "Keep no output with a PSNR below this, in dB (exit 99).", default=None)

    def check(self) -> None:
        if self.dither != "none" and self.lossy:
            raise UsageError("`dither` and `lossy` contradict each other: lossy smooths what dither draws")
        changes = [name for name in ("lossy", "stability", "fit_gamut") if getattr(self, name)]
        if self.strict and changes:
            raise UsageError(f"`strict` and `{changes[0]}` contradict each other: it chooses other colors")


OUTPUT_KINDS = (
    "Compressed (.svq), exact video (.mkv .avi), animation (.gif .apng .webp), preview video (.mp4 .mov .webm), "
    "image (.png .webp .tiff .bmp .jpg), indices (.raw .npy .h .aseprite), folder of images (no suffix), or - (y4m)."
)


class OutputOption(Options):
    """Where `compress` and `apply` write."""

    output: Source | None = option(WRITE, "-o --output",
        f"{OUTPUT_KINDS} Without it: INPUT's name with .svq, beside it.", default=None, kw_only=False)


class FitOptions(RunOptions, SelectOptions, ReadOptions, LowRankOptions, AlphaOptions, FixedOptions):
    """The keywords of `fit`."""

    transparent_index: int | None = option(CODEBOOK, "--transparent-index",
        "Where the transparent color stands, which is one of -k (0). Given, there is always one.", 0, default=None)

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


class ApplyOptions(RunOptions, EncodeOptions, SelectOptions, ReadOptions, LowRankOptions, SpaceOption, OutputOption):
    """The keywords of `apply`."""


class CompressOptions(EncodeOptions, FitOptions, OutputOption):
    """The keywords of `compress`."""

    codebook: AnyCodebook | Source | None = option(CODEBOOK, "-c --codebook",
        f"Use this and learn nothing: {CODEBOOKS}.", default=None)
    save_codebook: Source | None = option(CODEBOOK, "--save-codebook",
        "Write the codebook here (next to the output, as STEM.codebook.npz).", default=None)
    per: str = option(CODEBOOK, "--per",
        "Learn one codebook for all inputs, or a palette for each image, which its file holds: all, image.",
        choices=PER, default="all")
    warmup: int = option(CODEBOOK, "--warmup", "Frames to learn from when the input is a pipe.", 1, default=32)
    method: str = option(LOW_RANK, "--method",
        "vq: codes; svd-vq: codes of frames of low rank (as --rank with vq); svd: factors, without a codebook.",
        choices=METHODS, default="vq")

    def check(self) -> None:
        self.check_own_palettes()
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

    @property
    def own_palettes(self) -> bool:
        """Whether every image has a codebook of its own."""
        return self.per == "image"

    @property
    def stores_factors(self) -> bool:
        """Whether frames are stored as factors, and nothing is learned."""
        return self.method == "svd"


class PaletteOptions(OverwriteOption, OutputOption):
    """What `streamvq palette` does."""

    show: bool = option(REPORT, "--show", "Show the colors: index, swatch, hex, name.", default=False)
    list: bool = option(REPORT, "--list", "List the presets, with the sources of their colors.", default=False)


class DecompressOptions(RunOptions, WriteOptions, LimitOption):
    """The keywords of `decompress`. `frames` is a range of frame indices; the groups of the rest are not decoded."""

    codebook: AnyCodebook | Source | None = option(READ, "-c --codebook",
        "For files without their codebook inside.", default=None)
    frames: range | None = option(READ, "--frames",
        "Frames A:B only (A to B - 1, from 0); also A:, :B, A, and A:B:STEP.", default=None)
    keep_going: bool = option(READ, "--keep-going", "Keep all but the damaged groups of a file.", default=False)

    def check(self) -> None:
        if self.frames is not None and not (self.frames.step >= 1 and 0 <= self.frames.start < self.frames.stop):
            raise UsageError(f"`frames={self.frames}`: give a range of frame indices that is not empty")


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
