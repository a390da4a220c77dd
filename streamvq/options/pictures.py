"""What becomes of pictures before they are coded: low rank, and alpha."""

from __future__ import annotations

from streamvq.color_names import Color, parse_color
from streamvq.errors import UsageError
from streamvq.keywords import Options, option
from streamvq.options.values import ALPHAS, CODEBOOK, LOW_RANK, MAX_PATCH, MAX_RANK

# A table: an option is one line, or two where its help is long.
# fmt: off


class LowRankOptions(Options):
    """How far frames are truncated to low rank: to `rank`, or to the smallest rank that keeps the share `energy` of
    the squared singular values, of each frame and channel. `patch` 0 takes a channel as one matrix; P takes the
    matrix whose rows are its P x P patches."""

    rank: int | None = option(LOW_RANK, "--rank",
        "Truncate each frame's channels to this rank (SVD).", 1, MAX_RANK, default=None, changes="output codes")
    energy: float | None = option(LOW_RANK, "--energy",
        "To the smallest rank that keeps this share of the squared singular values, such as 0.99.",
        default=None, changes="output codes")
    patch: int = option(LOW_RANK, "--patch",
        "Truncate the matrix of PxP patches instead of whole frames.",
        0, MAX_PATCH, default=0, changes="output codes")

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


class BackgroundOption(Options):
    """What transparency is flattened on."""

    background: str | Color | None = option(CODEBOOK, "--background",
        "Flatten transparency on this color, such as white or '#ff8000' (black, where the output has none).",
        default=None, changes="output codes")

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
        choices=ALPHAS, default=None, changes="output codes")

    def check(self) -> None:
        if self.background is not None and self.alpha not in (None, "flatten"):
            raise UsageError(
                f"`alpha={self.alpha}` and `background` contradict each other: on a background nothing is transparent"
            )

    @property
    def alpha_asked(self) -> str | None:
        """`alpha`, where it or a background is given."""
        return "flatten" if self.background is not None else self.alpha
