"""What sinks and readers need to know of a codebook, or of what stands in its place for factors."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class FrameDecoder(Protocol):
    """Draws coded frames: a `Codebook` those that are indices, a `LowRankCodec` those that are factors."""

    @property
    def space(self) -> str:
        """ "gray", "rgb" or "ycbcr420"."""

    @property
    def channels(self) -> int:
        """Samples a pixel of its pictures: 1 (gray) or 3 (RGB)."""

    def render(self, frame: Any) -> NDArray[np.uint8]:
        """The pixels of a coded frame, without its alpha: uint8 [height, width, 1 or 3]."""

    def rgb(self, frame: Any) -> NDArray[np.uint8]:
        """The same as RGB: uint8 [height, width, 3]."""
