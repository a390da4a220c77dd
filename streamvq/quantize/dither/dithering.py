"""The dithers by name."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from streamvq.errors import UsageError
from streamvq.options import DITHERS


class Dither(Protocol):
    """Chooses the codes of a frame; any thread may call it."""

    def find(self, rgb: NDArray[np.uint8], hidden: NDArray[np.bool_] | None) -> NDArray:
        """Rows for uint8 [height, width, 3]: uint8 or uint16 [height, width]; 0 where `hidden`."""


def dither_of(name: str, palette: NDArray[np.uint8], strength: float = 1, matching: str = "rgb") -> Dither | None:
    """A dither with the codes uint8 [k, 3], by its name in `DITHERS`; None for "none". Errors are those in a space of
    `color_spaces`. Raises UsageError."""
    if name not in DITHERS:
        raise UsageError(f"`dither={name}`: choose one of {', '.join(DITHERS)}")
    if name == "none" or not strength:
        return None
    from streamvq.quantize.dither.diffusion import KERNELS, DiffusionDither
    from streamvq.quantize.dither.positional import OrderedDither, PatternDither

    if name == "yliluoma":
        return PatternDither(palette, strength, matching)
    if name in KERNELS:
        return DiffusionDither(palette, name, strength, matching)
    return OrderedDither(palette, name, strength, matching)
