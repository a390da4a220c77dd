"""Arrays as frames: pictures that are in memory, or come from an iterable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.errors import UsageError
from streamvq.frames import Frame, StreamInfo
from streamvq.media.sources.source import FrameSource

Arrays = NDArray[Any] | Iterable[NDArray[Any]]


class ArraySource(FrameSource):
    """The frames of one array, uint8 or uint16 [height, width], [height, width, 1, 3 or 4] or [n, height, width, 1, 3
    or 4], or of an iterable of such pictures, whose sizes may differ. Raises UsageError for other arrays."""

    def __init__(self, arrays: Arrays) -> None:
        super().__init__("arrays")
        if isinstance(arrays, np.ndarray):
            arrays = arrays if arrays.ndim == 4 else [arrays]
            self.info = StreamInfo(frame_count=len(arrays))
        self._arrays: Iterable[NDArray[Any]] = arrays

    def items(self) -> Iterator[tuple[int, NDArray[Any]]]:
        return enumerate(self._arrays)

    def load(self, item: tuple[int, NDArray[Any]]) -> Frame:
        index, pixels = item[0], np.asarray(item[1])
        if pixels.ndim == 2:
            pixels = pixels[..., None]
        if pixels.dtype not in (np.uint8, np.uint16):
            raise UsageError(f"array {index} is {pixels.dtype}: give uint8 or uint16")
        if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4) or not pixels.size:
            shape = np.shape(item[1])
            raise UsageError(f"array {index} has shape {shape}: give [height, width] or [height, width, 1, 3 or 4]")
        return Frame(pixels, index)
