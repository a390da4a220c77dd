"""Frames that each have a codebook of their own, and the decoder that finds it with each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamvq.frames import IndexFrame
from streamvq.quantize.codebook import Codebook


@dataclass(frozen=True, eq=False)
class OwnIndexFrame(IndexFrame):
    """One picture as row numbers of a `codebook` of its own."""

    codebook: Codebook


@dataclass(frozen=True)
class OwnPalettes:
    """Renders frames with their own codebooks, each of up to `n_codes` colors (see `FrameDecoder`)."""

    n_codes: int
    space: str
    matching: str
    block = (1, 1)
    fingerprint = palette = indexed_palette = alpha = None  # each frame has another

    @property
    def channels(self) -> int:
        """Samples a pixel: 1 (gray) or 3 (RGB)."""
        return 1 if self.space == "gray" else 3

    def alpha_of(self, frame: OwnIndexFrame) -> NDArray[np.uint8] | None:
        """The alpha of a frame: uint8 [height, width], or None."""
        return frame.codebook.alpha_of(frame)

    def palette_rows(self, frame: OwnIndexFrame) -> NDArray:
        """The row of its palette that each pixel of a frame has: unsigned [height, width]."""
        return frame.codebook.palette_rows(frame)

    def render(self, frame: OwnIndexFrame) -> NDArray[np.uint8]:
        """The pixels of a frame, without its alpha: uint8 [height, width, 1 or 3]."""
        return frame.codebook.render(frame)

    def rgb(self, frame: OwnIndexFrame) -> NDArray[np.uint8]:
        """The same as RGB: uint8 [height, width, 3]."""
        return frame.codebook.rgb(frame)
