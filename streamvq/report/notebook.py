"""Codebooks and results in notebooks: swatches, and the first frame before and after.

Importing this module gives both classes their `_repr_html_`; the package does so where IPython runs.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from streamvq.container.reader import load_codebook
from streamvq.errors import StreamVQError
from streamvq.media.inputs import PIPE
from streamvq.media.opening import open_with_codebook
from streamvq.pipeline.result import Result
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.similarity import composite
from streamvq.report.pair_inputs import find_one
from streamvq.report.swatches import COLUMNS, MAX_SWATCHES, contact_sheet

_REPORTED = ("frames", "n_codes", "rank", "bytes_in", "bytes_out", "bits_per_pixel", "psnr_db", "lossless")
_MAX_PICTURE_SIDE = 480  # pixels
_MIN_SWATCH_SIDE = 16  # pixels


def swatches_html(codebook: Codebook) -> str:
    """The codes in their order, at most the first `MAX_SWATCHES`, and below them the codebook's one-line summary."""
    pictures = codebook.pictures[:MAX_SWATCHES]
    count, height, width = pictures.shape[:3]
    zoom = -(-_MIN_SWATCH_SIDE // max(height, width))
    tiles = np.zeros((count, zoom * height + 1, zoom * width + 1, 4), np.uint8)  # the gap is transparent
    tiles[:, :-1, :-1, :3] = pictures.repeat(zoom, axis=1).repeat(zoom, axis=2)
    tiles[:, :-1, :-1, 3] = 255
    text = repr(codebook).strip("<>")
    if len(codebook) > count:
        text += f"; the first {count}"
    sheet = contact_sheet(tiles, min(COLUMNS, count))
    return f"<div>{picture_html(sheet, text)}<br><small>{html.escape(text)}</small></div>"


def picture_html(pixels: NDArray[np.uint8], text: str, max_side: int = 0) -> str:
    """An `<img>` with its PNG inside: uint8 [height, width, 3 or 4], no side beyond `max_side`, if given."""
    image = Image.fromarray(pixels)
    if max_side:
        image.thumbnail((max_side, max_side))
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
    """Both pictures above the figures; a line of text in place of a picture that cannot be read (again)."""
    cells = "".join(
        f'<td style="text-align:left">{_first_frame(name, book)}<br><small>{html.escape(name)}</small></td>'
        for name, book in ((before, None), (after, codebook))
    )
    return f"<table><tr>{cells}</tr></table><div>{'<br>'.join(map(html.escape, figures))}</div>"


def _first_frame(name: str, codebook: str | None) -> str:
    if name == PIPE:
        return "<i>a pipe is read once</i>"
    try:
        book = load_codebook(codebook) if codebook else None
        with open_with_codebook(find_one(name, False), book) as source:
            frame = next(iter(source), None)
    except (StreamVQError, OSError) as error:
        return f"<i>{html.escape(str(error))}</i>"
    return "<i>no frame</i>" if frame is None else picture_html(composite(frame.pixels)[0], name, _MAX_PICTURE_SIDE)


Codebook._repr_html_ = swatches_html  # type: ignore[attr-defined]
Result._repr_html_ = result_html  # type: ignore[attr-defined]
