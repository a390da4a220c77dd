"""Settings: frozen, checked when made, and the one place for defaults."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from streamvq.errors import UsageError

MAX_COLORS = 65536
IMAGE_FORMATS = ("png", "webp", "tiff", "bmp", "jpg")
VIDEO_FORMATS = ("svq", "mkv", "avi", "mp4", "mov", "webm")
BLOCK_SIDE_MOST = 32
SAMPLES_MOST = 1 << 25  # of all codes together
LOSSY_MOST = 100
SPACES = ("gray", "rgb", "ycbcr420")
METHODS = ("vq", "svd", "svd-vq")
RANK_MOST = 65535
PATCH_MOST = 64


@dataclass(frozen=True)
class LowRankSettings:
    """How far frames are truncated to low rank: to `rank`, or to the smallest rank that keeps the share `energy` of
    the squared singular values, of each frame and channel.

    `patch` 0 takes a channel as one matrix; P takes the matrix whose rows are its P x P patches. `space` is where
    factors are stored (filters work on the frame's own channels); empty: ycbcr420, for gray gray.
    """

    rank: int | None = None
    energy: float | None = None
    patch: int = 0
    space: str = ""

    @classmethod
    def of(
        cls, rank: int | None = None, energy: float | None = None, patch: int = 0, space: str = ""
    ) -> LowRankSettings | None:
        """Settings from what users give; None for neither rank nor energy. Raises UsageError."""
        if rank is energy is None:
            if patch:
                raise UsageError(f"patches of {patch}x{patch} belong to low rank: give --rank or --energy too")
            return None
        return cls(rank, energy, patch, space)

    def __post_init__(self) -> None:
        if (self.rank is None) == (self.energy is None):
            raise UsageError("give either a rank or an energy, such as --rank 32 or --energy 0.99")
        if self.rank is not None and not 1 <= self.rank <= RANK_MOST:
            raise UsageError(f"rank {self.rank}: choose 1 to {RANK_MOST}")
        if self.energy is not None and not 0 < self.energy <= 1:  # also not a number
            raise UsageError(f"energy {self.energy}: choose more than 0 and at most 1, such as 0.99")
        if self.patch and not 2 <= self.patch <= PATCH_MOST:
            raise UsageError(f"patches of {self.patch}x{self.patch}: choose a side of 2 to {PATCH_MOST}")
        if self.space and self.space not in SPACES:
            raise UsageError(f"space {self.space!r}: choose one of {', '.join(SPACES)}")


@dataclass(frozen=True)
class FitSettings:
    """How a codebook is learned: `colors` codes from a seed.

    A code stands for `block` pixels (height, width). `space` is "rgb", or for blocks with even sides "ycbcr420"
    (luma with half-resolution chroma, the default there), or "gray"; `gray` is short for the last. With `low_rank` it
    is learned from frames that are truncated so.
    """

    colors: int = 256
    gray: bool = False
    seed: int = 0
    block: tuple[int, int] = (1, 1)
    space: str = ""  # empty: the best for the block
    low_rank: LowRankSettings | None = None

    @classmethod
    def of(
        cls,
        colors: int | None = None,
        gray: bool = False,
        seed: int = 0,
        block: int | tuple[int, int] = 1,
        space: str = "",
        low_rank: LowRankSettings | None = None,
    ) -> FitSettings:
        """Settings from what users give: a side for a block, and no number of codes (256, of blocks 4096)."""
        high, wide = (block, block) if isinstance(block, int) else block
        if colors is None:
            colors = 256 if high == wide == 1 else 4096
        return cls(colors, gray, seed, (high, wide), space, low_rank)

    def __post_init__(self) -> None:
        high, wide = self.block
        if not (1 <= high <= BLOCK_SIDE_MOST and 1 <= wide <= BLOCK_SIDE_MOST):
            raise UsageError(f"blocks of {wide}x{high}: choose sides of 1 to {BLOCK_SIDE_MOST}")
        halves = self.block != (1, 1) and high % 2 == wide % 2 == 0
        space = self.space or ("ycbcr420" if halves else "rgb")
        if self.gray:
            if self.space not in ("", "gray"):
                raise UsageError(f"--gray and --space {self.space} contradict each other: choose one")
            space = "gray"
        if space not in SPACES:
            raise UsageError(f"space {space!r}: choose one of {', '.join(SPACES)}")
        if space == "ycbcr420" and not halves:
            raise UsageError(f"space ycbcr420 takes blocks with even sides, not {wide}x{high}; choose --space rgb")
        object.__setattr__(self, "gray", space == "gray")
        object.__setattr__(self, "space", space)
        most = 256 if self.gray and self.block == (1, 1) else MAX_COLORS
        if not 2 <= self.colors <= most:
            kind = f"codes of {wide}x{high}" if self.block != (1, 1) else "gray levels" if self.gray else "colors"
            raise UsageError(f"{self.colors} {kind}: choose 2 to {most}")
        if self.colors * high * wide * (1 if self.gray else 3) > SAMPLES_MOST:
            raise UsageError(f"{self.colors} codes of {wide}x{high} are too many for one codebook; choose fewer")
        if not isinstance(self.seed, int) or not 0 <= self.seed < 2**32:
            raise UsageError(f"seed {self.seed}: choose 0 to {2**32 - 1}")


@dataclass(frozen=True)
class DrawingSettings:
    """What frames are redrawn with: a codebook learned as `fit` says, or where `factors` is set, factors."""

    fit: FitSettings
    factors: LowRankSettings | None = None

    @classmethod
    def of(
        cls,
        colors: int | None = None,
        gray: bool = False,
        seed: int = 0,
        block: int | tuple[int, int] = 1,
        space: str = "",
        method: str = "vq",
        rank: int | None = None,
        energy: float | None = None,
        patch: int = 0,
    ) -> DrawingSettings:
        """Settings from what users give. Raises UsageError for what does not go together."""
        if method not in METHODS:
            raise UsageError(f"method {method!r}: choose one of {', '.join(METHODS)}")
        if method != "vq" and rank is energy is None:
            raise UsageError(f"method {method} needs a rank or an energy, such as --rank 32 or --energy 0.99")
        if method != "svd":
            return cls(FitSettings.of(colors, gray, seed, block, space, LowRankSettings.of(rank, energy, patch)))
        if colors is not None or block not in (1, (1, 1)):
            raise UsageError("method svd has no codes; drop --colors, --bits and --block, or use --method svd-vq")
        if gray and space not in ("", "gray"):
            raise UsageError(f"--gray and --space {space} contradict each other: choose one")
        return cls(FitSettings(), LowRankSettings.of(rank, energy, patch, "gray" if gray else space))


@dataclass(frozen=True)
class RunSettings:
    """How the work is done; nothing here changes a decoded pixel's code.

    `jobs` worker threads (0 = one for each core). `warmup` frames are held in memory and fitted when the
    input is a pipe, which cannot be read twice. `keep_going` keeps a damaged video's frames up to the damage.
    """

    jobs: int = 0
    warmup: int = 32
    keep_going: bool = False

    def __post_init__(self) -> None:
        if self.jobs < 0:
            raise UsageError(f"{self.jobs} jobs: choose 0 (all cores) or more")
        if self.warmup < 1:
            raise UsageError(f"a warm-up of {self.warmup} frames: choose 1 or more")


@dataclass(frozen=True)
class OutputSettings:
    """How outputs are written.

    `format` is one of `IMAGE_FORMATS` or `VIDEO_FORMATS`, or None to go by the output's suffix. `crf` is the
    constant rate factor of lossy previews (.mp4, .mov, .webm; smaller is better). `fps` times image folders
    that become a video. `lossy` keeps the code of a neighbor or of the frame before where that saves more than it
    costs (0: every code is the nearest). With `embed` false a .svq file only names its codebook. An output larger
    than its input (`skip_if_larger`), or of less than `min_psnr` dB, is not kept.
    """

    format: str | None = None
    crf: int = 18
    fps: Fraction = Fraction(25)
    overwrite: bool = False
    skip_existing: bool = False
    lossy: float = 0
    embed: bool = True
    skip_if_larger: bool = False
    min_psnr: float | None = None

    def __post_init__(self) -> None:
        if self.format is not None and self.format not in IMAGE_FORMATS + VIDEO_FORMATS:
            raise UsageError(f"format {self.format!r}: choose one of {', '.join(IMAGE_FORMATS + VIDEO_FORMATS)}")
        if not 0 <= self.crf <= 63:
            raise UsageError(f"crf {self.crf}: choose 0 (best) to 51 (.mp4, .mov) or 63 (.webm)")
        if not 0 <= self.lossy <= LOSSY_MOST:
            raise UsageError(f"lossy {self.lossy}: choose 0 (off) to {LOSSY_MOST}")
        if self.fps <= 0:
            raise UsageError(f"{self.fps} frames per second: choose more than 0")
        if self.overwrite and self.skip_existing:
            raise UsageError("--overwrite and --skip-existing contradict each other: choose one")
