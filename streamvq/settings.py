"""Settings: frozen, checked when made, and the one place for defaults."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from streamvq.errors import UsageError

MAX_COLORS = 65536
IMAGE_FORMATS = ("png", "webp", "tiff", "bmp", "jpg")
VIDEO_FORMATS = ("mkv", "avi", "mp4", "mov", "webm")


@dataclass(frozen=True)
class FitSettings:
    """How a codebook is learned: `colors` codes, scalar gray levels or RGB, from a seed."""

    colors: int = 256
    gray: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        most = 256 if self.gray else MAX_COLORS
        if not 2 <= self.colors <= most:
            kind = "gray levels" if self.gray else "colors"
            raise UsageError(f"{self.colors} {kind}: choose 2 to {most}")
        if not isinstance(self.seed, int) or not 0 <= self.seed < 2**32:
            raise UsageError(f"seed {self.seed}: choose 0 to {2**32 - 1}")


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
    that become a video.
    """

    format: str | None = None
    crf: int = 18
    fps: Fraction = Fraction(25)
    overwrite: bool = False
    skip_existing: bool = False

    def __post_init__(self) -> None:
        if self.format is not None and self.format not in IMAGE_FORMATS + VIDEO_FORMATS:
            raise UsageError(f"format {self.format!r}: choose one of {', '.join(IMAGE_FORMATS + VIDEO_FORMATS)}")
        if not 0 <= self.crf <= 63:
            raise UsageError(f"crf {self.crf}: choose 0 (best) to 51 (.mp4, .mov) or 63 (.webm)")
        if self.fps <= 0:
            raise UsageError(f"{self.fps} frames per second: choose more than 0")
        if self.overwrite and self.skip_existing:
            raise UsageError("--overwrite and --skip-existing contradict each other: choose one")
