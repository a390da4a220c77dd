"""The audio of a `.svq` file, whose AUDI chunks are the consecutive pieces of a file in FFmpeg's NUT format."""

from __future__ import annotations

from pathlib import Path

from streamvq.container import chunks
from streamvq.container.chunks import ChunkReader, Truncated
from streamvq.container.salvage import next_whole
from streamvq.errors import MediaDamaged


class AudioFile:
    """The audio pieces of a `.svq` file as one readable file, without those that are damaged.

    PyAV prints and drops exceptions of `read` (Ctrl-C, for example): they are kept, and `check` raises them.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._chunks = ChunkReader(self._file, str(path))
        self._data = b""
        self._failure: BaseException | None = None

    def read(self, count: int) -> bytes:
        """At most `count` bytes; none at the end."""
        try:
            while not self._data:
                chunk, _ = next_whole(self._chunks)
                if chunk is None or chunk.chunk_type == chunks.END:
                    return b""
                if chunk.chunk_type == chunks.AUDIO:
                    self._data = chunk.payload
        except (Truncated, MediaDamaged):
            return b""
        except BaseException as error:  # noqa: BLE001  kept for check()
            self._failure = error
            return b""
        data, self._data = self._data[:count], self._data[count:]
        return data

    def check(self) -> None:
        """Raise the exception of an earlier `read`, if there was one."""
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Close the file."""
        self._file.close()
