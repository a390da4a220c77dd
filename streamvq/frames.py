"""What flows through the pipeline: `Frame` in, `IndexFrame` or `LowRankFrame` out, and what is known of a stream."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of an input.

    `pixels` is uint8 or uint16 of shape [height, width, channels]; 1 channel is gray, 3 RGB, 4 RGBA.
    `time` and `duration` are exact seconds, None where the source has none (images).
    `name` is the path inside the folder that the picture came from, with forward slashes, or None.
    """

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    index: int = 0
    time: Fraction | None = None
    duration: Fraction | None = None
    name: str | None = None


@dataclass(frozen=True)
class StreamInfo:
    """What is known of a source before it is read; None means unknown.

    `frame_count` is a hint from the file's header (progress bars use it, nothing else relies on it).
    `time_base` is the clock tick in seconds that every frame time is a multiple of. `pixel_aspect` is the width
    of a pixel divided by its height, None for square.
    """

    width: int | None = None
    height: int | None = None
    fps: Fraction | None = None
    frame_count: int | None = None
    time_base: Fraction | None = None
    pixel_aspect: Fraction | None = None
    audio_streams: int = 0

    @property
    def pixels(self) -> int | None:
        """Pixels a frame."""
        return self.width * self.height if self.width and self.height else None


@dataclass(frozen=True, eq=False)
class IndexFrame:
    """One picture as codebook row numbers.

    `codes` is uint8 (up to 256 codes) or uint16 of shape [rows, columns]: one entry a block.
    `alpha` is uint8 [height, width], or None for an opaque picture.
    """

    codes: NDArray[np.uint8] | NDArray[np.uint16]
    height: int
    width: int
    index: int = 0
    time: Fraction | None = None
    duration: Fraction | None = None
    name: str | None = None
    alpha: NDArray[np.uint8] | None = None


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
class LowRankFrame:
    """One picture as the quantized factors of its channels.

    `step` is what 1 of a left factor stands for, in 256ths of a level. `alpha` is uint8 [height, width], or None
    for an opaque picture.
    """

    planes: tuple[PlaneFactors, ...]
    step: int
    height: int
    width: int
    index: int = 0
    time: Fraction | None = None
    duration: Fraction | None = None
    name: str | None = None
    alpha: NDArray[np.uint8] | None = None


CodedFrame = IndexFrame | LowRankFrame
