"""Frames of another source with their transparency treated as they are loaded."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Any

from streamvq.color_names import Color
from streamvq.frames import Frame
from streamvq.media.sources.source import FrameSource, WrappedSource
from streamvq.quantize.transparency import flatten, has_alpha, is_soft, threshold


@dataclass(frozen=True)
class AlphaTreatment:
    """What becomes of alpha: "keep", "binary", or "flatten" on a background; `note` tells it where it happens."""

    mode: str = "keep"
    background: Color = (0, 0, 0)
    note: str | None = None


class TreatedSource(WrappedSource):
    """The frames of `source` with their alpha treated; the rest is that of `source`, which is closed with it."""

    def __init__(self, source: FrameSource, treatment: AlphaTreatment) -> None:
        super().__init__(source)
        self._treatment = treatment
        self._lock, self._told = threading.Lock(), False

    def load(self, item: Any) -> Frame:
        frame = self._source.load(item)
        if frame.pixels.shape[2] < 4:
            return frame
        if self._treatment.mode == "flatten":
            if has_alpha(frame.pixels):
                self._tell()
            return replace(frame, pixels=flatten(frame.pixels, self._treatment.background))
        if not is_soft(frame.pixels):
            return frame
        self._tell()
        return replace(frame, pixels=threshold(frame.pixels))

    def _tell(self) -> None:
        with self._lock:
            if not self._told and self._treatment.note:
                self.notes.append(self._treatment.note)
            self._told = True

    def lost_alpha(self) -> bool:
        return self._told


def treated(source: FrameSource, treatment: AlphaTreatment) -> FrameSource:
    """`source` itself where alpha is kept, else its frames with their alpha treated."""
    return source if treatment.mode == "keep" else TreatedSource(source, treatment)
