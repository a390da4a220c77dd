"""The audio of a `.svq` file, whose AUDI chunks are the consecutive pieces of a file in FFmpeg's NUT format."""

from __future__ import annotations

from pathlib import Path

from streamvq.container import chunks
from streamvq.container.chunks import ChunkReader, CutOff
from streamvq.errors import MediaDamaged


class AudioFile:
    """The audio pieces of a `.svq` file as one file that can be read; it ends where the `.svq` file is damaged.

    PyAV prints and forgets what `read` raises (Ctrl-C, say): it is kept, and `check` raises it.
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
                chunk = self._chunks.known()
                if chunk.kind == chunks.END:
                    return b""
                if chunk.kind == chunks.AUDIO:
                    self._data = chunk.payload
        except (CutOff, MediaDamaged):
            return b""
        except BaseException as error:  # noqa: BLE001  kept for check()
            self._failure = error
            return b""
        data, self._data = self._data[:count], self._data[count:]
        return data

    def check(self) -> None:
        """Raise what reading raised, if it did."""
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
