"""The first frame of an input and of its output, side by side, for notebooks."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

from streamvq.errors import StreamVQError
from streamvq.media.inputs import PIPE
from streamvq.media.opening import open_source
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.similarity import seen
from streamvq.quantize.swatch_picture import picture_html

_SIDE = 480  # pixels, at most


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
    return "<i>no frame</i>" if frame is None else picture_html(seen(frame.pixels)[0], name, _SIDE)
