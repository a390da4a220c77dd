"""`KeptFrames`: the frames of small inputs in memory, so that they are decoded once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.frames import Failed, Frame
from streamvq.media.sources.source import FrameSource

MAX_KEPT_BYTES = 256 << 20  # of the pixels of all inputs of a run
_ENOUGH = 8  # frames, from which the size of the others is guessed
_RGBA = 4  # channels


@dataclass(frozen=True, eq=False)
class _Rows:
    """A frame whose pixels are the rows of it from `top` on; the others are those of the frame before."""

    frame: Frame
    top: int

    def after(self, last: NDArray) -> Frame:
        """The whole frame; `last` are the pixels of the one before."""
        rows = self.frame.pixels
        whole = np.concatenate([last[: self.top], rows, last[self.top + len(rows) :]]) if len(rows) else last
        return replace(self.frame, pixels=whole)


class KeptFrames:
    """What was read of some inputs, by their labels, while all that is kept fits `max_bytes`.

    Inputs with alpha, which may be flattened already, are not kept: what becomes of it may be known only when codes
    are, and the one who writes it out tells.
    """

    def __init__(self, max_bytes: int = MAX_KEPT_BYTES) -> None:
        self._left = max_bytes
        self._inputs: dict[str, KeptInput] = {}

    def begin(self, source: FrameSource) -> KeptInput:
        """What the frames of a source are to be added to as they are read."""
        return KeptInput(source, self._left)

    def finish(self, kept: KeptInput) -> None:
        """All frames of an input were read."""
        if kept.fits and not kept.lost_alpha():
            self._left -= kept.n_bytes
            self._inputs[kept.label] = kept

    def take(self, label: str) -> FrameSource | None:
        """The frames of an input, which are let go of as they are read; None where they are not there."""
        return self._inputs.pop(label, None)


class KeptInput(FrameSource):
    """The frames of one source, to be read once more, from memory, while they fit `max_bytes`.

    Of each the smallest is kept: its pixels, the rows that changed, or its item, such as a picture of a video with
    half as many samples.
    """

    def __init__(self, source: FrameSource, max_bytes: int) -> None:
        super().__init__(source.label)
        self.info, self.codec, self.audio_from = source.info, source.codec, source.audio_from
        self.skips_bad_items, self.notes = source.skips_bad_items, source.notes
        self.fits, self.n_bytes = True, 0
        self._source, self._max_bytes = source, max_bytes
        self._kept: list[Any] = []  # items, frames, _Rows, and Failed
        self._last: NDArray | None = None

    def add(self, item: Any, frame: Frame | Failed) -> None:
        """Keep the next frame, of an item, or why there is none; once that is too much, nothing any more."""
        if not self.fits:
            return
        if isinstance(frame, Failed):
            self._kept.append(frame)
            return
        kept = _changed(frame, self._last)
        size = (kept.frame if isinstance(kept, _Rows) else kept).pixels.nbytes
        of_item = self._source.item_bytes(item)
        self._kept.append(item if of_item is not None and of_item < size else kept)
        self.n_bytes += size if of_item is None else min(size, of_item)
        self._last = frame.pixels
        expected = self.n_bytes * max(1.0, (self.info.frame_count or 0) / len(self._kept))
        too_many = self.n_bytes > self._max_bytes or (len(self._kept) >= _ENOUGH and expected > self._max_bytes)
        if too_many or frame.pixels.shape[2] == _RGBA:
            self.fits, self._last = False, None
            self._kept.clear()

    def items(self) -> Iterator[Any]:
        last: Any = None
        self._kept.reverse()
        while self._kept:
            item = self._kept.pop()
            if isinstance(item, _Rows):
                item = item.after(self.load(last).pixels)
            if not isinstance(item, Failed):
                last = item
            yield item

    def lost_alpha(self) -> bool:
        return self._source.lost_alpha()

    def load(self, item: Any) -> Frame:
        return item if isinstance(item, Frame) else self._source.load(item)

    def try_load(self, item: Any) -> Frame | Failed:
        return item if isinstance(item, Failed) else self.load(item)


def _changed(frame: Frame, last: NDArray | None) -> Frame | _Rows:
    """What a frame changes of the picture before; itself where nearly all of it is new."""
    pixels = frame.pixels
    if last is None or last.shape != pixels.shape or last.dtype != pixels.dtype:
        return frame
    if not np.array_equal(last[0], pixels[0]) and not np.array_equal(last[-1], pixels[-1]):
        return frame  # most films: found out at once
    flat = len(pixels), -1
    changed = np.flatnonzero((last.reshape(flat) != pixels.reshape(flat)).any(axis=1))
    top, stop = (int(changed[0]), int(changed[-1]) + 1) if len(changed) else (0, 0)
    return _Rows(replace(frame, pixels=pixels[top:stop].copy()), top)  # a copy, which holds on to no other rows
