"""How inputs are found and read, and which of their frames are taken."""

from __future__ import annotations

from fractions import Fraction

from streamvq.errors import UsageError
from streamvq.keywords import Options, option
from streamvq.options.values import DEFAULT_FPS, DEFAULT_MAX_PIXELS, READ

# A table: an option is one line, or two where its help is long.
# fmt: off


class RecursiveOption(Options):
    """How inputs are found."""

    recursive: bool = option(READ, "-r --recursive",
        "Folders with their subfolders; outputs mirror them.", default=False, changes="input")


class LimitOption(Options):
    """How large a picture may be that is read."""

    max_pixels: int = option(READ, "--max-pixels",
        "Refuse larger pictures before they take memory.", 1, default=DEFAULT_MAX_PIXELS, changes="nothing")


class ReadOptions(LimitOption, RecursiveOption):
    """How inputs are found and read."""

    keep_going: bool = option(READ, "--keep-going",
        "Keep a damaged video's frames up to the damage; of a .svq, all but damaged groups.",
        default=False, changes="input")


class RateOption(Options):
    """How many frames a second has."""

    fps: Fraction | float | str | None = option(READ, "--fps",
        "Frames per second of images that become a video (25); of video, at most so many.",
        default=None, changes="output")

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


def seconds_range(text: str) -> tuple[Fraction, Fraction | None] | None:
    """A:B as seconds; without A from 0, without B to the end, which is None. None where it is no such text."""
    start, colon, end = text.partition(":")
    try:
        return (Fraction(start or 0), Fraction(end) if end else None) if colon else None
    except (ValueError, ZeroDivisionError):
        return None


def check_stretch(name: str, text: str, stretch: tuple[Fraction, Fraction | None]) -> None:
    """Raise UsageError for an option's seconds below 0, or an end that is not after the start."""
    start, end = stretch
    if start < 0 or (end is not None and end <= start):
        raise UsageError(f"`{name}={text}`: the end comes after the start, and both are 0 or more")


class SelectOptions(RateOption):
    """Which frames of an input are taken, and at which size. `trim` counts seconds from the first frame."""

    every: int = option(READ, "--every", "Take each N-th frame only.", 1, default=1, changes="output")
    trim: str | None = option(READ, "--trim",
        "Take the seconds A:B only, such as 2:5.5; also A: and :B.", default=None, changes="output")
    width: int | None = option(READ, "--width",
        "Scale pictures to this width before anything else.", 1, 65535, default=None, changes="output")

    def check(self) -> None:
        if self.trim is not None:
            check_stretch("trim", self.trim, self.stretch)

    @property
    def stretch(self) -> tuple[Fraction, Fraction | None]:
        """The seconds where `trim` starts and ends; None is the end of the input."""
        if self.trim is None:
            return Fraction(0), None
        found = seconds_range(self.trim)
        if found is None:
            raise UsageError(f"`trim={self.trim}`: give A:B in seconds, such as 2:5.5, or A: or :B")
        return found

    def takes_all(self, rate: Fraction | None) -> bool:
        """Whether all frames of an input with this frame rate are taken as they are."""
        thins = self.fps is not None and rate is not None and rate > self.frame_rate
        return self.every == 1 and self.trim is None and self.width is None and not thins
