"""Coded frames as one file of indices: raw, a NumPy array, a C header, or an Aseprite sprite."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from typing import IO

from streamvq.errors import OutputError
from streamvq.frames import CodedFrame, IndexFrame, StreamInfo
from streamvq.media.index_formats.aseprite import AsepriteSprite
from streamvq.media.index_formats.c_header import CHeader
from streamvq.media.index_formats.index_format import IndexFileContext, IndexFormat
from streamvq.media.index_formats.npy import NumpyIndices
from streamvq.media.index_formats.raw import RawIndices
from streamvq.media.sinks.sink import FrameSink
from streamvq.media.targets import Target
from streamvq.media.writing.stdout import check_no_terminal, writing_stdout
from streamvq.options import WriteOptions
from streamvq.quantize.decoder import FrameDecoder
from streamvq.staging import staged_file

INDEX_FILES: dict[str, type[IndexFormat]] = {  # of the family INDICES
    "raw": RawIndices,
    "npy": NumpyIndices,
    "c": CHeader,
    "aseprite": AsepriteSprite,
}

Packet = tuple[IndexFrame, bytes]  # the frame, and its data in the format


class IndexFileSink(FrameSink):
    """All frames in one file, or, where the format is raw, on standard output, frame by frame."""

    def __init__(self, target: Target, decoder: FrameDecoder, info: StreamInfo, settings: WriteOptions) -> None:
        super().__init__(str(target.path))
        context = IndexFileContext.from_options(self.label, target.path.stem, decoder, info, settings)
        self._format = INDEX_FILES[target.format](context)
        self._to_pipe = target.kind == "pipe"
        self._guard = writing_stdout if self._to_pipe else nullcontext
        self._size: tuple[int, int] | None = None  # width and height of the first frame
        with self._undone_on_error():
            self._stream = self._opened(target, settings.overwrite)

    def _opened(self, target: Target, overwrite: bool) -> IO[bytes]:
        if self._to_pipe:
            check_no_terminal("> frames.raw")
            return sys.stdout.buffer
        part = self._stack.enter_context(staged_file(target.path, overwrite))
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        return self._stack.enter_context(os.fdopen(descriptor, "wb"))  # a signal right after creation finds no file

    def encode(self, frame: CodedFrame) -> Packet:
        assert isinstance(frame, IndexFrame)
        return frame, self._format.encode(frame)

    def write(self, packet: Packet) -> None:
        frame, data = packet
        self._size = self._size or (frame.width, frame.height)
        self.check_size(frame, *self._size)
        self._add(self._format.append(frame, data))
        if self._format.loses_alpha(frame):
            self.note_once(f"{self.label}: holds no transparency, which is lost")

    def _add(self, data: bytes) -> None:
        with self._guard():
            self._stream.write(data)
            if self._to_pipe:
                self._stream.flush()  # whoever reads may show frames as they come
        self.size_bytes += len(data)

    def _write_rest(self) -> None:
        if self._size is None:
            raise OutputError(f"{self.label}: no frame was written")
        rest, replaced = self._format.end()
        self._add(rest)
        for position, data in replaced.items():
            self._stream.seek(position)
            self._stream.write(data)
        self.notes += self._format.notes()
        if not self._to_pipe:
            self._stream.close()
