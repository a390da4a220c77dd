"""Indices as a NumPy array: `numpy.load` gives [frames, rows, columns]."""

from __future__ import annotations

import struct

import numpy as np

from streamvq.frames import IndexFrame
from streamvq.media.index_formats.index_format import IndexFileContext, IndexFormat

_MAGIC = b"\x93NUMPY\x01\x00"  # of format version 1.0 (numpy.lib.format)
_HEADER_BYTES = 128  # all told: there is room for any number of frames


class NumpyIndices(IndexFormat):
    """uint8, or little-endian uint16 for more than 256 codes; the number of frames is written last."""

    def __init__(self, context: IndexFileContext) -> None:
        super().__init__(context)
        self._type = "|u1" if len(context.codebook) <= 256 else "<u2"
        self._shape = 0, 0
        self._frames = 0

    def encode(self, frame: IndexFrame) -> bytes:
        return frame.codes.astype(np.dtype(self._type), copy=False).tobytes()

    def append(self, frame: IndexFrame, data: bytes) -> bytes:
        self._shape = frame.codes.shape
        self._frames += 1
        return self._header() + data if self._frames == 1 else data

    def end(self) -> tuple[bytes, dict[int, bytes]]:
        return b"", {0: self._header()}

    def _header(self) -> bytes:
        shape = (self._frames, *map(int, self._shape))
        text = str({"descr": self._type, "fortran_order": False, "shape": shape}).encode()
        length = _HEADER_BYTES - len(_MAGIC) - 2
        return _MAGIC + struct.pack("<H", length) + text.ljust(length - 1) + b"\n"
