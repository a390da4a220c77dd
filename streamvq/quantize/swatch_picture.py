"""Pictures inside HTML, and a codebook's swatches, for notebooks; Pillow is imported when one is made."""

from __future__ import annotations

import base64
import html
import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from streamvq.quantize.codebook import Codebook

SWATCHES_MOST = 1024
_COLUMNS = 32
_SIDE = 16  # of a swatch, at least; in pixels


def swatches_html(codebook: Codebook) -> str:
    """The codes in their order, the first 1,024 at most, and below what the codebook is."""
    pictures = codebook.pictures[:SWATCHES_MOST]
    count, high, wide = pictures.shape[:3]
    zoom = -(-_SIDE // max(high, wide))
    columns = min(_COLUMNS, count)
    rows = -(-count // columns)
    grid = np.zeros((rows * columns, zoom * high + 1, zoom * wide + 1, 4), np.uint8)  # the gap is transparent
    enlarged = pictures.repeat(zoom, axis=1).repeat(zoom, axis=2)
    grid[:count, :-1, :-1, :3] = enlarged
    grid[:count, :-1, :-1, 3] = 255
    sheet = grid.reshape(rows, columns, *grid.shape[1:]).swapaxes(1, 2)
    sheet = sheet.reshape(rows * grid.shape[1], columns * grid.shape[2], 4)
    text = repr(codebook).strip("<>")
    if len(codebook) > count:
        text += f"; the first {count}"
    return f"<div>{picture_html(sheet, text)}<br><small>{html.escape(text)}</small></div>"


def picture_html(pixels: NDArray[np.uint8], text: str, most: int = 0) -> str:
    """An `<img>` with its PNG inside: uint8 [height, width, 3 or 4], no side beyond `most`, if given."""
    from PIL import Image

    image = Image.fromarray(pixels)
    if most:
        image.thumbnail((most, most))
    file = io.BytesIO()
    image.save(file, "PNG")
    code = base64.b64encode(file.getvalue()).decode("ascii")
    return f'<img alt="{html.escape(text)}" title="{html.escape(text)}" src="data:image/png;base64,{code}">'
