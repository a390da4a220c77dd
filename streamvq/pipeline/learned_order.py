"""`order`: how learned codes stand in their codebook."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streamvq.errors import UsageError
from streamvq.media.inputs import MediaInput
from streamvq.media.palette_files.picture import palette_inside
from streamvq.options import FitOptions
from streamvq.quantize.code_order import by_count, by_palette
from streamvq.quantize.histogram import ColorSketch


def palette_of_inputs(inputs: Sequence[MediaInput], options: FitOptions) -> NDArray[np.uint8] | None:
    """The colors of the palettes of indexed images among the inputs, one after the other, uint8 [n, 4].

    None where `order` does not ask for it. Raises UsageError where no input is an indexed image.
    """
    if options.order != "palette":
        return None
    images = [path for each in inputs if each.source_type in ("image", "images") for path in each.paths]
    palettes = [found.colors for path in images if (found := palette_inside(path)) is not None]
    if not palettes:
        names = inputs[0].label if inputs else "arrays"
        raise UsageError(f"{names}: `order=palette` keeps the order of an indexed image's palette, and there is none")
    return np.concatenate(palettes)


def ordered(
    codes: NDArray[np.uint8],
    sketch: ColorSketch,
    order: str,
    matching: str,
    fixed: NDArray[np.uint8] | None,
    palette: NDArray[np.uint8] | None,
) -> NDArray[np.uint8]:
    """Learned codes [k, 1 or 3], which come sorted by luma, in the order that is asked for."""
    if order == "count":
        return by_count(codes, sketch, matching, fixed)
    return codes if palette is None else by_palette(codes, palette)
