"""`njit` for the kernels: Numba is imported when the first of them is called, and their machine code is kept.

Importing Numba takes longer than all that many commands do. Compiled code is kept in the first folder that can be
written: Numba itself looks in two places, beside the source and in the user's cache, and raises an error where
neither can be written, as in cron jobs, read-only images and containers without a home.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, update_wrapper
from importlib import import_module
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np

_LOG = logging.getLogger("streamvq")
_LOCK = RLock()
_PARTS: list[tuple[Callable[..., Any], dict[str, Any]]] = []  # that Numba is still to be told of


def njit(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`numba.njit`, later; with `cache=True` the code is kept where a folder for it was found.

    What is not cached is a part of other kernels: it gets no way in from Python, which takes a third of the time of
    compiling it, and runs as Python where it is called from there.
    """

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        if "cache" in options or "inline" in options:
            return Kernel(function, options)
        _PARTS.append((function, options))
        return function

    return mark


class Kernel:
    """A function that Numba compiles for the types of its arguments when it is first called with them.

    One without a cache is to be inlined in others, and called from Python runs as Python.
    """

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        update_wrapper(self, function)
        self._function = function
        self._options = options
        self._dispatcher: Any = None
        self._was_interpreted = False

    def __call__(self, *arguments: Any) -> Any:
        if "cache" not in self._options:
            return self._function(*arguments)
        return (self._dispatcher or self._compiled())(*arguments)

    def interpreted_once(self, *arguments: Any) -> Any:
        """The same for little work, which importing Numba would take far longer than: by Python the first time."""
        if self._dispatcher is not None or self._was_interpreted:
            return self(*arguments)
        self._was_interpreted = True
        with np.errstate(over="ignore"):  # numbers of kernels wrap around
            return self._function(*arguments)

    def __getattr__(self, name: str) -> Any:
        """What Numba wants to know of a kernel in a kernel."""
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._compiled(), name)

    def __reduce__(self) -> tuple[Any, ...]:
        """For the key of a kernel that has this one in its closure: the same in every process."""
        code = self._function.__code__
        cells = [cell.cell_contents for cell in self._function.__closure__ or ()]
        return tuple, ((code.co_qualname, code.co_code, code.co_consts, cells),)

    def _compiled(self) -> Any:
        if self._dispatcher is None:
            with _LOCK:
                numba = _numba()
                while _PARTS:
                    part, options = _PARTS.pop()
                    numba.extending.register_jitable(**options)(part)
                if self._dispatcher is None:
                    self._dispatcher = numba.njit(**self._options_here())(self._function)
        return self._dispatcher

    def _options_here(self) -> dict[str, Any]:
        """Without a cache where none is; without what is for function pointers only, which nothing takes."""
        kept = {name: value for name, value in self._options.items() if name != "cache" or _can_cache()}
        return kept | {"no_cfunc_wrapper": True}


@cache
def _numba() -> Any:
    import numba
    import numba.extending
    from numba.core import event

    _import_arrays_without_scipy()

    class Told(event.Listener):
        """Tells of the first kernel that is compiled in this process."""

        def on_start(self, event: Any) -> None:
            if not self.told:
                self.told = True
                _LOG.info("compiling for this machine, which only the first run waits for (up to half a minute) ...")

        def on_end(self, event: Any) -> None:
            pass

        told = False

    event.register("numba:compile", Told())  # type: ignore[no-untyped-call]
    return numba


def _import_arrays_without_scipy() -> None:
    """Numba imports SciPy's linear algebra to see whether it is installed.

    It is, since streamvq needs it. A function that uses it makes Numba import it then.
    """
    from numba.np import linalg

    look: Any = linalg.ensure_blas
    linalg.ensure_blas = lambda: None
    try:
        import_module("numba.np.arraymath")
    finally:
        linalg.ensure_blas = look


@cache
def _can_cache() -> bool:
    """Point Numba to a folder of the user's own; False where there is none.

    What is read from a cache is run, so a shared temporary folder serves only if nobody else can write into ours.
    """
    config: Any = _numba().config
    if config.CACHE_DIR:
        return _can_keep(Path(config.CACHE_DIR))
    if _can_keep(Path(__file__).parent / "__pycache__"):
        return True  # Numba's own first choice
    for folder in _folders_of_user():
        if _can_keep(folder):
            config.CACHE_DIR = str(folder)
            return True
    if sys.platform != "win32":
        folder = Path(tempfile.gettempdir(), f"streamvq-{os.getuid()}")
        if _can_keep(folder) and _is_private(folder):
            _LOG.warning("no cache folder of yours can be written; compiled kernels are kept in %s", folder)
            config.CACHE_DIR = str(folder)
            return True
    _LOG.warning("no folder can be written for compiled kernels, so each run compiles them; set NUMBA_CACHE_DIR")
    return False


def _folders_of_user() -> Iterator[Path]:
    """The user's cache folder by the habits of the system; none without a home."""
    variable, fallback = {"win32": ("LOCALAPPDATA", "~/AppData/Local"), "darwin": ("", "~/Library/Caches")}.get(
        sys.platform, ("XDG_CACHE_HOME", "~/.cache")
    )
    for folder in (os.environ.get(variable, ""), os.path.expanduser(fallback)):  # noqa: PTH111 - may have no home
        if os.path.isabs(folder):  # noqa: PTH117 - "~" stays "~" without a home
            yield Path(folder, "streamvq")


def _can_keep(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _is_private(folder: Path) -> bool:
    state = folder.lstat()
    return folder.is_dir() and not folder.is_symlink() and state.st_uid == os.getuid() and not state.st_mode & 0o022
