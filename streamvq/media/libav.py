"""Paths and errors of PyAV, for every module that uses it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streamvq.errors import OutputError, StreamVQError


def url(path: Path) -> str:
    """A path as FFmpeg takes it: marked as a file, or a colon in the name would name a protocol."""
    return f"file:{path}"


def reason(error: Exception) -> str:
    """What an error says, on one line, without our temporary file's name."""
    text: str = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.splitlines()[0]


@contextmanager
def writing(label: str) -> Iterator[None]:
    """What FFmpeg's writers refuse as OutputError with the real file's name: numbers that are too large for them, for
    example. Errors of the disk, and our own, pass through."""
    import av.error

    try:
        yield
    except (av.error.FFmpegError, ArithmeticError, ValueError) as error:
        if isinstance(error, (OSError, StreamVQError)):
            raise
        raise OutputError(f"{label}: cannot be written: {reason(error)}; try another format") from error
