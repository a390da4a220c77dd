"""Some of a source's frames, and scaled: a stretch of time, each N-th, no more than so many a second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.errors import MediaError
from streamvq.frames import Frame, StreamInfo
from streamvq.media.sources.source import FrameSource, Window, WrappedSource
from streamvq.options import SelectOptions

Item = tuple[int, Any]  # number among the selected, and the source's own item


def selected(source: FrameSource, options: SelectOptions) -> FrameSource:
    """The source itself where the options ask for all of its frames as they are."""
    return source if options.takes_all(source.info.fps) else SelectedSource(source, options)


class SelectedSource(WrappedSource):
    """The frames of `source` that `options` select, numbered anew, at their own times; a stretch starts at 0.

    Of frames without times, each is taken to be shown for 1 / `frame_rate` seconds. A stretch has no audio: that of
    the input would not fit. Raises MediaError where nothing is selected.
    """

    def __init__(self, source: FrameSource, options: SelectOptions) -> None:
        super().__init__(source)
        self._options = options
        if options.trim:
            self.audio_from = None
        self._thins = options.fps is not None and source.info.fps is not None
        self._selects = self._thins or options.trim is not None or options.every > 1  # besides scaling
        self._start, self._end = options.stretch
        self._begin: Fraction | None = None  # when the first selected frame is shown
        self.info = self._info(source.info)

    def _info(self, info: StreamInfo) -> StreamInfo:
        if self._options.width and info.width and info.height:
            height, width = _scaled_size(info.height, info.width, self._options.width)
            info = replace(info, width=width, height=height)
        elif self._options.width:
            info = replace(info, width=None, height=None)
        if info.fps is not None:
            fps = info.fps / self._options.every
            info = replace(info, fps=min(fps, self._options.frame_rate) if self._thins else fps)
        if self._options.trim or self._thins:
            info = replace(info, frame_count=None)
        if info.frame_count is not None:
            info = replace(info, frame_count=-(-info.frame_count // self._options.every))
        return replace(info, chapters=()) if self._options.trim else info

    def items(self) -> Iterator[Item]:
        first: Fraction | None = None
        elapsed = Fraction(0)  # since the first frame
        slot = -1
        taken = passed = 0
        for position, item in enumerate(self._source.items()):
            time = self._source.time_of(item)
            time = position / self._options.frame_rate if time is None else time
            first = time if first is None else first
            elapsed = time - first
            if elapsed < self._start:
                continue
            if self._end is not None and elapsed >= self._end:
                break
            passed += 1
            if (passed - 1) % self._options.every:
                continue
            self._begin = time if self._begin is None else self._begin
            if self._thins:
                due = int((time - self._begin) * self._options.frame_rate)
                if due == slot:
                    continue
                slot = due
            yield taken, item
            taken += 1
        if not taken:
            trim, last = self._options.trim, float(elapsed)
            raise MediaError(f"{self.label}: no frame is in `trim={trim}`: its last is shown at {last:.2f} s")

    def items_from(self, window: Window) -> Iterator[Item]:
        if self._selects:
            return islice(self.items(), window.start, window.stop)
        return enumerate(self._source.items_from(window), window.start)

    def count_frames(self) -> int:
        if self._selects:
            return self.info.frame_count or sum(1 for _ in self.items())
        return self._source.count_frames()

    def load(self, item: Item) -> Frame:
        number, own = item
        frame = replace(self._source.load(own), index=number)
        if self._options.trim and frame.time is not None and self._begin is not None:
            frame = replace(frame, time=frame.time - self._begin)
        if self._thins or self._options.every > 1:
            frame = replace(frame, duration=None)
        return replace(frame, pixels=scaled(frame.pixels, self._options.width)) if self._options.width else frame

    def time_of(self, item: Item) -> Fraction | None:
        return self._source.time_of(item[1])

    def item_bytes(self, item: Item) -> int | None:
        return self._source.item_bytes(item[1])


def scaled(pixels: NDArray, width: int) -> NDArray:
    """A picture, uint8 or uint16 [height, width, channels], with another width and the same proportions.

    By area where it gets smaller, by Lanczos' filter where it grows. Hidden pixels do not shine through.
    """
    height, old = pixels.shape[:2]
    if old == width:
        return pixels
    import cv2

    new_height, _ = _scaled_size(height, old, width)
    interpolation = cv2.INTER_AREA if width < old else cv2.INTER_LANCZOS4
    top, n_channels = np.iinfo(pixels.dtype).max, pixels.shape[2]
    wide = pixels.astype(np.float32)
    if n_channels == 4:
        wide[..., :3] *= wide[..., 3:] / np.float32(top)
    resized = cv2.resize(wide, (width, new_height), interpolation=interpolation)
    result: NDArray[np.float32] = np.asarray(resized, np.float32).reshape(new_height, width, n_channels)
    if n_channels == 4:
        result[..., :3] *= top / np.maximum(result[..., 3:], 1)
    return np.clip(np.rint(result), 0, top).astype(pixels.dtype)


def _scaled_size(height: int, width: int, wanted: int) -> tuple[int, int]:
    return max(1, round(height * wanted / width)), wanted
