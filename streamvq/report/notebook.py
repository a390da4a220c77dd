"""How codebooks and results show themselves in notebooks: swatches, and the first frame before and after.

Importing this module gives both classes their `_repr_html_`; the package does so where IPython runs.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from streamvq.errors import StreamVQError
from streamvq.media.inputs import PIPE
from streamvq.media.opening import open_source
from streamvq.pipeline.result import Result
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.similarity import composite

_REPORTED = ("frames", "colors", "rank", "bytes_in", "bytes_out", "bits_per_pixel", "psnr_db", "lossless")
SWATCHES_MOST = 1024
_COLUMNS = 32
_PICTURE_SIDE = 480  # pixels, at most
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
    image = Image.fromarray(pixels)
    if most:
        image.thumbnail((most, most))
    file = io.BytesIO()
    image.save(file, "PNG")
    code = base64.b64encode(file.getvalue()).decode("ascii")
    return f'<img alt="{html.escape(text)}" title="{html.escape(text)}" src="data:image/png;base64,{code}">'


def result_html(result: Result) -> str:
    """The first frame before and after, and the figures."""
    figures = [] if result.error is None else [result.error]
    for name, value in result.as_dict().items():
        if name in _REPORTED and value is not None:
            figures.append(f"{name}: {value:.5g}" if isinstance(value, float) else f"{name}: {value}")
    return before_after_html(result.input, result.output, result.codebook, figures)


def before_after_html(before: str, after: str, codebook: str | None, figures: Sequence[str]) -> str:
    """Both pictures over what is known of them; a line of text for what cannot be read (again)."""
    cells = "".join(
        f'<td style="text-align:left">{_first_frame(name, codebook)}<br><small>{html.escape(name)}</small></td>'
        for name in (before, after)
    )
    return f"<table><tr>{cells}</tr></table><div>{'<br>'.join(map(html.escape, figures))}</div>"


def _first_frame(name: str, codebook: str | None) -> str:
    if name == PIPE:
        return "<i>a pipe is read once</i>"
    try:
        book = Codebook.load(codebook) if codebook and Path(name).suffix.lower() == ".svq" else None
        with open_source(name, codebook=book) as source:
            frame = next(iter(source), None)
    except (StreamVQError, OSError) as error:
        return f"<i>{html.escape(str(error))}</i>"
    return "<i>no frame</i>" if frame is None else picture_html(composite(frame.pixels)[0], name, _PICTURE_SIDE)


Codebook._repr_html_ = swatches_html  # type: ignore[attr-defined]
Result._repr_html_ = result_html  # type: ignore[attr-defined]
