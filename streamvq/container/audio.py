"""The audio of a `.svq` file, whose AUDI chunks are the consecutive pieces of a file in FFmpeg's NUT format."""

from __future__ import annotations

from pathlib import Path

from streamvq.container import chunks
from streamvq.container.chunks import ChunkReader, CutOff
from streamvq.errors import MediaDamaged


class AudioFile:
    """The audio pieces of a `.svq` file as one file that can be read; it ends where the `.svq` file is damaged."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._chunks = ChunkReader(self._file, str(path))
        self._data = b""

    def read(self, count: int) -> bytes:
        """At most `count` bytes; none at the end."""
        while not self._data:
            try:
                chunk = next(self._chunks)
            except (CutOff, MediaDamaged):
                return b""
            if chunk.kind == chunks.END:
                return b""
            if chunk.kind == chunks.AUDIO:
                self._data = chunk.payload
        data, self._data = self._data[:count], self._data[count:]
        return data

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
