"""Raw indices: packed frames behind each other, and nothing else."""

from __future__ import annotations

from streamvq.frames import IndexFrame
from streamvq.media.index_formats.index_format import IndexFileContext, IndexFormat
from streamvq.media.index_formats.packing import Packing


class RawIndices(IndexFormat):
    """Frames without headers, row by row (see `Packing`), as display drivers take them."""

    def __init__(self, context: IndexFileContext) -> None:
        super().__init__(context)
        self._packing = Packing.from_options(context.label, len(context.codebook), context.settings)
        self._shape = 0, 0

    def encode(self, frame: IndexFrame) -> bytes:
        return self._packing.pack(frame.codes)

    def append(self, frame: IndexFrame, data: bytes) -> bytes:
        self._shape = frame.codes.shape
        return data

    def notes(self) -> list[str]:
        return [f"{self._context.label}: {self._packing.text(*self._shape)}"]
