# ruff: noqa: E402  (signals come first)
"""`python -m streamvq`, and the `streamvq` command: its first moment and its last."""

import _signal  # type: ignore[import-not-found]  # built in; `signal` makes enums, time enough for a Ctrl-C
import os


def _leave(number: int, frame: object) -> None:
    """Ctrl-C before there is anything to clean up."""
    os.write(2, b"streamvq: interrupted; nothing unfinished was kept\n")
    os._exit(130)


if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:  # not ignored, and not somebody's own
    _signal.signal(_signal.SIGINT, _leave)

import atexit
import gc
import signal
import sys
from _thread import interrupt_main
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

from streamvq import deferred

_SIGNALS: list[int] = []  # that came
_GC_THRESHOLDS = 10_000, 20, 10  # of Python's own 700, 10, 10, imports would spend an eighth of their time looking


def main() -> NoReturn:
    """Run the command line. Whatever ends it, from the first moment on, is at most one line and an exit code."""
    for number in _signals("SIGTERM", "SIGHUP"):
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup has it ignored
            signal.signal(number, _terminate)
    sys.unraisablehook = _lost
    gc.set_threshold(*_GC_THRESHOLDS)
    deferred.is_command = True
    try:
        if signal.getsignal(signal.SIGINT) is _leave:
            signal.signal(signal.SIGINT, _interrupt)
        _open_standard_streams()
        from streamvq.cli.app import app

        app(prog_name="streamvq")
    except (SystemExit, KeyboardInterrupt, OSError, ImportError, MemoryError) as error:
        code = _ended_by(error)
    except RuntimeError as error:
        if not isinstance(error.__cause__, (SystemExit, KeyboardInterrupt)):
            raise
        code = _ended_by(error.__cause__)  # before 3.12, Python wraps what a signal raises in __set_name__
    code = _flushed(code)
    for number in _signals("SIGINT", "SIGTERM", "SIGHUP"):  # all is done: Python's own end is not to be told of
        signal.signal(number, signal.SIG_IGN)
    sys.exit(code)


def run() -> NoReturn:
    """The same, and end at once: all is written, and taking the libraries down would take half a second more."""
    try:
        main()
    except SystemExit as ended:
        if sys.gettrace() or sys.getprofile():  # a debugger or profiler has the last word
            raise
        atexit._run_exitfuncs()
        os._exit(int(ended.code or 0))


def _ended_by(error: BaseException) -> int:
    """The exit code, when what there is to say is said."""
    if isinstance(error, KeyboardInterrupt) or getattr(error, "code", 0) in (129, 143):
        sys.unraisablehook = lambda _: None  # libraries' objects that were interrupted half-made complain as they go
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1 if error.code else 0
    if isinstance(error, KeyboardInterrupt):
        return _said("interrupted; nothing unfinished was kept", 130)
    return _said(f"error: {_reason(error)}", 1)


def _signals(*names: str) -> list[signal.Signals]:
    """Those that the system has."""
    return [signal.Signals[name] for name in names if hasattr(signal, name)]


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    """Clean up like Ctrl-C."""
    _SIGNALS.append(number)
    sys.exit(128 + number)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """What Python does at Ctrl-C."""
    _SIGNALS.append(number)
    raise KeyboardInterrupt


def _lost(lost: Any) -> None:
    """Send a signal again whose exception was lost in a callback of a library, which could not pass it on."""
    ending = lost.exc_value
    if isinstance(ending, (SystemExit, KeyboardInterrupt)):
        from threading import Timer

        number = signal.SIGINT if isinstance(ending, KeyboardInterrupt) else int(ending.code or 0) - 128
        Timer(0.02, interrupt_main, [number]).start()
    elif not _SIGNALS:  # what a signal interrupts half-made complains as it goes
        sys.__unraisablehook__(lost)


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


def _reason(error: BaseException) -> str:
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
    run()
