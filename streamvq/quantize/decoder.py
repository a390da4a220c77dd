"""`FrameDecoder`: what sinks and readers need to know of what a coded frame is made of."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class FrameDecoder(Protocol):
    """Turns coded frames into pixels: a `Codebook` those of indices, a `LowRankCodec` those of factors."""

    @property
    def space(self) -> str:
        """ "gray", "rgb" or "ycbcr420"."""

    @property
    def matching(self) -> str | None:
        """Where pixels were compared with codes (see `Codebook`); None where frames are not made of codes."""

    @property
    def fingerprint(self) -> str | None:
        """That of the codebook; None where frames are not made of codes."""

    @property
    def channels(self) -> int:
        """Samples a pixel of its pictures: 1 (gray) or 3 (RGB)."""

    @property
    def n_codes(self) -> int | None:
        """The number of codes; None where frames are not made of codes."""

    @property
    def block(self) -> tuple[int, int] | None:
        """Height and width in pixels of what one code stands for; None where frames are not made of codes."""

    @property
    def palette(self) -> NDArray[np.uint8] | None:
        """The colors that pixels are rows of (see `palette_rows`), uint8 [n, 3]; None where they are computed."""

    @property
    def indexed_palette(self) -> NDArray[np.uint8] | None:
        """`palette` where the frame's codes are its rows and fit a byte, so that indexed images can hold both."""

    @property
    def alpha(self) -> NDArray[np.uint8] | None:
        """The alpha of each row of `palette`, uint8 [n]; None where codes have none."""

    def alpha_of(self, frame: Any) -> NDArray[np.uint8] | None:
        """The alpha of a coded frame, that of its codes or else its own plane: uint8 [height, width], or None."""

    def palette_rows(self, frame: Any) -> NDArray:
        """The row of `palette` of each pixel of a frame: unsigned [height, width]."""

    def render(self, frame: Any) -> NDArray[np.uint8]:
        """The pixels of a coded frame, without its alpha: uint8 [height, width, 1 or 3]."""

    def rgb(self, frame: Any) -> NDArray[np.uint8]:
        """The same as RGB: uint8 [height, width, 3]."""
