"""The order in which learned colors stand, where it is not that of their luma."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvq.quantize.codebook import Codebook
from streamvq.quantize.histogram import ColorSketch


def by_count(
    codes: NDArray[np.uint8], sketch: ColorSketch, matching: str, fixed: NDArray[np.uint8] | None
) -> NDArray[np.uint8]:
    """Codes [k, 1 or 3] by the number of pixels seen that take each, most first; `fixed` ones take theirs too."""
    if not len(codes):
        return codes
    space = "gray" if codes.shape[1] == 1 else "rgb"
    book = Codebook(codes if fixed is None else np.concatenate([codes, fixed]), space, matching=matching)
    points, counts = sketch.exact_colors(), sketch.points()[1]
    taken = np.bincount(book.quantize(points[None]).ravel(), weights=counts, minlength=len(book))[: len(codes)]
    return codes[np.argsort(-taken, kind="stable")]


def by_palette(codes: NDArray[np.uint8], palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Codes [k, 1, 3 or 4] in the order in which a palette uint8 [n, 3 or 4] has them; the others follow as they
    stand. The fourth value is alpha; what is fully transparent has no color."""
    row_of: dict[tuple[int, ...], int] = {}
    for row, color in enumerate(_with_alpha(palette).tolist()):
        row_of.setdefault(tuple(color), row)
    colors = _with_alpha(codes).tolist()
    return codes[np.argsort([row_of.get(tuple(color), len(palette)) for color in colors], kind="stable")]


def _with_alpha(colors: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Colors [n, 1, 3 or 4] as [n, 4]."""
    if colors.shape[1] == 4:
        return colors * (colors[:, 3:] > 0)
    return np.column_stack([np.broadcast_to(colors, (len(colors), 3)), np.full(len(colors), 255, np.uint8)])
