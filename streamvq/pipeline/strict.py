"""`strict`: every pixel is one of the colors, or the run fails and says where one is not."""

from __future__ import annotations

import numpy as np

from streamvq.errors import MediaError
from streamvq.frames import Frame, IndexFrame
from streamvq.quantize.codebook import Codebook


def check_exact(label: str, frame: Frame, coded: IndexFrame, book: Codebook) -> None:
    """Raise MediaError for the first visible pixel of a frame, in reading order, that its code does not have exactly.

    16-bit samples are 257 times those of 8 bits; color is never exact with gray levels. `label` names the input.
    """
    pixels, picture = frame.pixels, book.render(coded)
    scale = 257 if pixels.dtype == np.uint16 else 1
    channels = 1 if pixels.shape[2] < 3 else 3
    differs = (pixels[..., :channels] != picture.astype(pixels.dtype) * scale).any(axis=2)
    alpha = book.alpha_of(coded)
    if alpha is not None and channels == 3 and pixels.shape[2] == 4:
        differs |= pixels[..., 3] != alpha.astype(pixels.dtype) * scale
        differs &= (pixels[..., 3] > 0) | (alpha > 0)
    if not differs.any():
        return
    y, x = np.unravel_index(int(differs.argmax()), differs.shape)
    where = label if label.endswith(coded.meta.label) else f"{label}: {coded.meta.label}"
    color, nearest = _hex(pixels[y, x, :channels]), _hex(picture[y, x])
    if alpha is not None and pixels.shape[2] == 4:
        color, nearest = f"{color} with alpha {pixels[y, x, 3]}", f"{nearest} with {alpha[y, x]}"
    raise MediaError(
        f"{where}: {color} at x={x}, y={y} is not among the {len(book)} colors; the nearest is {nearest}. "
        "Drop `strict`, or add the color"
    )


def _hex(samples: np.ndarray) -> str:
    """A pixel as "#ff8000"; with 4 digits a sample for 16 bits."""
    digits = 2 * samples.dtype.itemsize
    return "#" + "".join(
        f"{int(sample):0{digits}x}" for sample in (samples if len(samples) == 3 else [samples[0]] * 3)
    )
