"""What codes are: how many, of how many pixels, in which space, and which of them are fixed."""

from __future__ import annotations

import operator
from collections.abc import Sequence

from streamvq.errors import UsageError
from streamvq.keywords import Options, option
from streamvq.options.values import (
    CODEBOOK,
    MATCHINGS,
    MAX_BLOCK_SIDE,
    MAX_CODES,
    MAX_GRAY_LEVELS,
    MAX_SAMPLES,
    ORDERS,
    SPACES,
    WEIGHTS,
    AnyCodebook,
    Block,
    Source,
)

# A table: an option is one line, or two where its help is long.
# fmt: off


class SpaceOption(Options):
    """Where pixels are compared with codes."""

    space: str | None = option(CODEBOOK, "--space",
        "Where colors are compared: rgb (the default), linear (light), oklab (as seen); blocks and factors: ycbcr420 "
        "(the default; blocks of even sides) or rgb.", choices=SPACES, default=None, changes="codes factors")

    @property
    def matching_asked(self) -> str | None:
        """Where pixels are to be compared with codes of single pixels; None where it is not said."""
        return self.space if self.space in MATCHINGS else None


class CodeOptions(SpaceOption):
    """What codes are learned: `n_codes` of `block` pixels (a side, or height and width) in `space`, from a seed."""

    n_codes: int | None = option(CODEBOOK, "-k --colors",
        "Colors or blocks to learn, 2 to 65536 (256; blocks: 4096).", default=None, kw_only=False, changes="codes")
    bits: int | None = option(CODEBOOK, "--bits", "The same as -k 2^BITS, 1 to 16.", default=None, changes="codes")
    gray: bool = option(CODEBOOK, "--gray", "Gray levels instead of colors (--bits 1 to 8).",
        default=False, changes="codes factors")
    block: Block = option(CODEBOOK, "--block",
        "Codes of 2, 4, 8 or WxH pixels instead of one; -k is their number.", default=1, changes="codes")
    weight: str = option(CODEBOOK, "--weight",
        "What a color weighs in learning: its pixels (count), their root (sqrt), or as much as all (uniform); the "
        "last two keep rare colors.", choices=WEIGHTS, default="count", changes="codes")
    seed: int = option(CODEBOOK, "--seed",
        "Where learning starts; the same seed, the same bytes.", 0, 2**32 - 1, default=0, changes="codes")

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


class FixedOptions(CodeOptions):
    """What codes a codebook has before any is learned; they stay as they are, and count among `n_codes`.

    `reserve` has colors, each at the index after its @, or else at the lowest free one. A `palette`, or a codebook,
    comes first, in its order. `extend` learns so many codes more than the `codebook` has.
    """

    reserve: Sequence[str] = option(CODEBOOK, "--reserve",
        "Keep a color: '#f0f', tomato, or '#f0f@0' (at index 0; else the lowest free). Repeatable.",
        default=(), changes="codes")
    palette: AnyCodebook | Source | None = option(CODEBOOK, "--palette",
        "Keep all colors of this palette, first and in its order, and learn the rest of -k.",
        default=None, changes="codes")
    extend: int = option(CODEBOOK, "--extend",
        "Learn this many codes more than -c has, behind its own, which stay.",
        0, MAX_CODES, default=0, changes="codes")
    order: str = option(CODEBOOK, "--order",
        "How learned colors stand: by luma, by count (most used first), or as in the palette of indexed images: "
        "luma, count, palette.", choices=ORDERS, default="luma", changes="codes")
    codebook: AnyCodebook | Source | None = option(CODEBOOK, "-c --codebook",
        "What --extend adds to: a codebook, a palette, preset:NAME, or colors.", default=None, changes="codes")

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
