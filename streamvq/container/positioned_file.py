"""`PositionedFile`: a file for reading whose position is its own, also after a fork."""

from __future__ import annotations

import io
import os
import threading
from typing import IO


class PositionedFile:
    """A seekable file that is read at given positions, so that no thread or forked process moves another's place.

    The position of an open file belongs to all processes that inherited it; this one's belongs to the object.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._position = 0
        self._lock = threading.Lock()  # where the system has no reads at a position, and no forks either

    def read(self, count: int) -> bytes:
        """At most `count` bytes from the position on, which moves behind them."""
        if hasattr(os, "pread"):
            data = os.pread(self._file.fileno(), count, self._position)
        else:
            with self._lock:
                self._file.seek(self._position)
                data = self._file.read(count)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte, or with SEEK_END to one behind the end; returns the new position."""
        start = os.fstat(self._file.fileno()).st_size if whence == io.SEEK_END else 0
        self._position = start + offset
        return self._position

    def seekable(self) -> bool:
        """It is."""
        return True

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._file.close()
