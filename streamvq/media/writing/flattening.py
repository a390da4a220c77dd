"""Pictures of coded frames for outputs that hold no transparency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvq.color_names import Color, color_name
from streamvq.frames import CodedFrame
from streamvq.quantize.decoder import FrameDecoder
from streamvq.quantize.pixels import with_alpha
from streamvq.quantize.transparency import flatten


class Flattening:
    """Frames as RGB over a color; `notes` tells it, once, of an output that is called `label` and its `format`."""

    def __init__(self, decoder: FrameDecoder, background: Color, label: str, format: str) -> None:
        self._decoder, self._background = decoder, background
        self._note: str | None = flattened_note(label, format, background)

    def rgb(self, frame: CodedFrame) -> NDArray[np.uint8]:
        """The pixels of a frame over the background: uint8 [height, width, 3]."""
        rgb, alpha = self._decoder.rgb(frame), self._decoder.alpha_of(frame)
        return rgb if alpha is None else flatten(with_alpha(rgb, alpha), self._background)

    def notes(self, frame: CodedFrame) -> list[str]:
        """What to tell of a frame: once, that there was transparency."""
        if self._note is None or (frame.alpha is None and self._decoder.alpha is None):
            return []
        alpha = self._decoder.alpha_of(frame)
        if alpha is None or (alpha.all() and alpha.min() == 255):
            return []
        note, self._note = self._note, None
        return [note]


def flattened_note(label: str, format: str, background: Color) -> str:
    """What users are told of an output without transparency."""
    return f"{label}: {format} has no transparency here: it is flattened on {color_name(background)} (`background`)"
