"""`python -m streamvq`, and the `streamvq` command: its first moment and its last."""

import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line. Whatever ends it, from the first moment on, is at most one line and an exit code."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:  # nohup has it ignored
            signal.signal(number, _terminate)
    try:
        _open_standard_streams()
        from streamvq.cli.app import app

        app(prog_name="streamvq")
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else 1 if ending.code else 0
    except KeyboardInterrupt:
        code = _said("interrupted; nothing unfinished was kept", 130)
    except (OSError, ImportError, MemoryError) as error:
        code = _said(f"error: {_reason(error)}", 1)
    sys.exit(_flushed(code))


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    """Clean up like Ctrl-C."""
    sys.exit(128 + number)


def _open_standard_streams() -> None:
    """Closed streams become the null device, or the next file that is opened would get their numbers."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: PTH123, SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    if sys.stdout is not None:
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a name's letters, maybe not its


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"standard output cannot be written: {error.strerror or error}"
    return f"too little memory, or a broken installation: {' '.join(str(error).split()) or type(error).__name__}"


def _said(text: str, code: int) -> int:
    with suppress(OSError):  # the terminal may be gone
        print(f"streamvq: {text}", file=sys.stderr)
    return code


def _flushed(code: int) -> int:
    """The exit code when all is written. What cannot be is told, once: Python would do so again."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return _said(f"error: {_reason(error)}", 1) if code == 0 else code
    return code


if __name__ == "__main__":
    main()
