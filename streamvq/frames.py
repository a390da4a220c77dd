"""What flows through the pipeline: `Frame` in, `IndexFrame` or `LowRankFrame` out, and what is known of a stream."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from streamvq.errors import MediaError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_TEXT = 1000  # letters of a title
MAX_CHAPTERS = 10_000
MAX_MS = 2**53  # a time in milliseconds


@dataclass(frozen=True, eq=False)
class FrameMeta:
    """What every frame carries besides its picture: size in pixels, place in its stream, name, and alpha.

    `time` and `duration` are exact seconds, None where the source has none (images). `name` is the path inside the
    folder that the picture came from, with forward slashes, or None. `alpha` is uint8 [height, width], or None for an
    opaque picture.
    """

    height: int
    width: int
    index: int = 0
    time: Fraction | None = None
    duration: Fraction | None = None
    name: str | None = None
    alpha: NDArray[np.uint8] | None = None

    @property
    def label(self) -> str:
        """What messages call the frame: its name, or its number."""
        return self.name or f"frame {self.index}"


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of an input.

    `pixels` is uint8 or uint16 of shape [height, width, channels]; 1 channel is gray, 3 RGB, 4 RGBA. The rest is as
    in `FrameMeta`, whose size and alpha are in the pixels here.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    index: int = 0
    time: Fraction | None = None
    duration: Fraction | None = None
    name: str | None = None

    def meta(self, alpha: NDArray[np.uint8] | None = None) -> FrameMeta:
        """What coded frames made of this one carry; `alpha` is uint8 [height, width]."""
        height, width = self.pixels.shape[:2]
        return FrameMeta(height, width, self.index, self.time, self.duration, self.name, alpha)


@dataclass(frozen=True)
class Failed:
    """Why an item of a source has no frame: one line for the user."""

    reason: str


@dataclass(frozen=True)
class Chapter:
    """A part of a video with a title (None: it has none), from `start_ms` to `end_ms`, in milliseconds."""

    start_ms: int
    end_ms: int
    title: str | None = None


@dataclass(frozen=True)
class StreamInfo:
    """What is known of a source before it is read; None means unknown.

    `frame_count` is a hint from the file's header (progress bars use it, nothing else relies on it).
    `time_base` is the clock tick in seconds that every frame time is a multiple of. `pixel_aspect` is the width
    of a pixel divided by its height, None for square. `title` is that of the whole; `chapters` are in order.
    """

    width: int | None = None
    height: int | None = None
    fps: Fraction | None = None
    frame_count: int | None = None
    time_base: Fraction | None = None
    pixel_aspect: Fraction | None = None
    audio_streams: int = 0
    title: str | None = None
    chapters: tuple[Chapter, ...] = ()

    @property
    def pixels(self) -> int | None:
        """Pixels a frame."""
        return self.width * self.height if self.width and self.height else None


def check_pixels(label: str, height: int, width: int, max_pixels: int) -> None:
    """Raise MediaError where a picture that a file declares has more pixels than `max_pixels`."""
    if height * width > max_pixels:
        raise MediaError(
            f"{label}: {width}x{height} pixels are more than `max_pixels={max_pixels}` allows; raise it to take them"
        )


class _MetaProperties:
    """The facts of `meta` as attributes."""

    meta: FrameMeta

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.meta.height

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return self.meta.width

    @property
    def index(self) -> int:
        """Number in the stream, from 0."""
        return self.meta.index

    @property
    def time(self) -> Fraction | None:
        """When it is shown, in seconds."""
        return self.meta.time

    @property
    def duration(self) -> Fraction | None:
        """How long it is shown, in seconds."""
        return self.meta.duration

    @property
    def name(self) -> str | None:
        """Path inside its folder."""
        return self.meta.name

    @property
    def alpha(self) -> NDArray[np.uint8] | None:
        """Opacity, uint8 [height, width]."""
        return self.meta.alpha


@dataclass(frozen=True, eq=False)
class IndexFrame(_MetaProperties):
    """One picture as codebook row numbers.

    `codes` is uint8 (up to 256 codes) or uint16 of shape [rows, columns]: one entry a block.
    """

    codes: NDArray[np.uint8] | NDArray[np.uint16]
    meta: FrameMeta


@dataclass(frozen=True, eq=False)
class PlaneFactors:
    """One channel of rank r as whole numbers; see `streamvq.lowrank.factors` for what they stand for.

    `left` is int32 [r, rows, columns]: of whole frames [r, height, 1], of patches one coefficient a patch. `right` is
    int32 [r, ...]: of whole frames [r, 1, width], of patches [r, P, P], with `bits` [r] binary places each.
    """

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    bits: tuple[int, ...]

    @property
    def rank(self) -> int:
        """How many components there are."""
        return len(self.bits)


@dataclass(frozen=True, eq=False)
class LowRankFrame(_MetaProperties):
    """One picture as the quantized factors of its channels.

    `step` is what 1 of a left factor stands for, in 256ths of a level.
    """

    planes: tuple[PlaneFactors, ...]
    step: int
    meta: FrameMeta


CodedFrame = IndexFrame | LowRankFrame
