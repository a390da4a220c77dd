"""`LowRankCodec`: frames as quantized factors, and back; what a codebook is for indices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamvq.frames import Frame, LowRankFrame
from streamvq.lowrank.factors import quantize_factors, render_factors, render_planes
from streamvq.lowrank.low_rank import LowRank, factorized
from streamvq.lowrank.planes import planes_of
from streamvq.options import LowRankOptions
from streamvq.quantize.metrics import visible_error
from streamvq.quantize.pixels import eight_bit


@dataclass(frozen=True, eq=False)
class FactorFrame:
    """A frame as quantized factors, `coded`; `factors`, those before that, from which the next frame can start;
    and sums of squared errors of its visible samples, as 8 bits: all in all, and of the truncation alone."""

    coded: LowRankFrame
    factors: LowRank
    squared_error: int
    truncation_error: int


@dataclass(frozen=True)
class LowRankCodec:
    """How frames and factors become each other. `space` is "gray", "rgb" or "ycbcr420"; `patch` 0 for whole frames.
    With `coarse` factors are as coarse as truncation allows, to be stored; else as fine as pixels need.

    Pictures from factors are exact on every machine. The factors themselves depend, in their last places, on the
    order in which its BLAS kernels add up, which for OpenBLAS `OPENBLAS_CORETYPE` in the environment chooses.
    """

    space: str
    patch: int = 0
    coarse: bool = True

    @property
    def channels(self) -> int:
        """Samples a pixel of the pictures: 1 (gray) or 3 (RGB)."""
        return 1 if self.space == "gray" else 3

    @property
    def fingerprint(self) -> None:
        """There is no codebook."""

    @property
    def matching(self) -> None:
        """There are no codes."""

    @property
    def n_codes(self) -> None:
        """There are no codes."""

    @property
    def block(self) -> None:
        """There are no codes."""

    @property
    def palette(self) -> None:
        """Pixels are computed."""

    @property
    def indexed_palette(self) -> None:
        """Pixels are computed."""

    @property
    def alpha(self) -> None:
        """There is no palette."""

    def alpha_of(self, frame: LowRankFrame) -> NDArray[np.uint8] | None:
        """The alpha of a frame: uint8 [height, width], or None."""
        return frame.alpha

    def palette_rows(self, frame: LowRankFrame) -> NDArray:
        """Raises TypeError: pixels are computed."""
        raise TypeError("frames of factors have no palette")

    def render(self, frame: LowRankFrame) -> NDArray[np.uint8]:
        """The pixels of a frame, without its alpha: uint8 [height, width, 1 (gray) or 3 (RGB)]."""
        return render_factors(frame, self.space, self.patch)

    def rgb(self, frame: LowRankFrame) -> NDArray[np.uint8]:
        """The pixels of a frame as RGB, without its alpha: uint8 [height, width, 3]."""
        pixels = self.render(frame)
        return pixels if self.channels == 3 else np.repeat(pixels, 3, axis=2)

    def factor_frame(self, frame: Frame, settings: LowRankOptions, previous: LowRank | None = None) -> FactorFrame:
        """`frame` as quantized factors of low rank. `previous` is what `factors` was for the previous frame.

        Raises UsageError where a patch is larger than the frame.
        """
        pixels = eight_bit(frame.pixels)
        planes = planes_of(pixels, self.space)
        factors = factorized(pixels, settings, self.space, previous, planes)
        quantized, step = quantize_factors(factors, planes, self.space, self.coarse)
        coded = LowRankFrame(quantized, step, frame.meta(factors.alpha))
        truncated = render_planes([np.rint(256 * plane).astype(np.int32) for plane in factors.planes()], self.space)
        error, of_truncation = (visible_error(pixels, picture) for picture in (self.render(coded), truncated))
        return FactorFrame(coded, factors, error, of_truncation)
