"""Standard output as a file of bytes: refused where it is a terminal, its errors told as OutputError."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from streamvq.errors import OutputError


def check_no_terminal(example: str) -> None:
    """Raise OutputError where standard output is a terminal; `example` is what follows "streamvq ... -o -"."""
    if sys.stdout is None:
        raise OutputError("-: standard output is closed; give it a pipe or a file")
    if sys.stdout.isatty():
        raise OutputError(f"-: standard output is a terminal; pipe it: streamvq ... -o - {example}")


@contextmanager
def writing_stdout() -> Iterator[None]:
    """What keeps standard output from being written, as OutputError."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        # Point standard output at nothing, or Python complains again when it flushes at exit.
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)
        closed = "the reader closed the pipe before the last frame"
        raise OutputError(f"-: {closed if isinstance(error, BrokenPipeError) else error.strerror}") from error
