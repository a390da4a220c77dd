"""`njit` for the kernels: their machine code is kept in the first folder that can be written, and compiling is told.

Numba itself looks in two places, beside the source and in the user's cache, and raises an error where neither can
be written, as in cron jobs, read-only images and containers without a home.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba
from numba.core import event
from numba.extending import register_jitable

_LOG = logging.getLogger("streamvq")
_CONFIG: Any = numba.config


def njit(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`numba.njit`; with `cache=True` the code is kept where a folder for it was found.

    What is not cached is a part of other kernels: it gets no way in from Python, which takes a third of the time of
    compiling it, and runs as Python where it is called from there.
    """
    if "cache" not in options and "inline" not in options:
        part: Callable[[Callable[..., Any]], Callable[..., Any]] = register_jitable(**options)
        return part
    if options.get("cache") and not _CACHED:
        del options["cache"]
    options["no_cfunc_wrapper"] = True  # for function pointers, which nothing takes
    compiled: Callable[[Callable[..., Any]], Callable[..., Any]] = numba.njit(**options)
    return compiled


def _find_cache() -> bool:
    """Point Numba to a folder of the user's own; False where there is none.

    What is read from a cache is run, so a shared temporary folder serves only if nobody else can write into ours.
    """
    if _CONFIG.CACHE_DIR:
        return _can_keep(Path(_CONFIG.CACHE_DIR))
    if _can_keep(Path(__file__).parent / "__pycache__"):
        return True  # Numba's own first choice
    for folder in _folders_of_user():
        if _can_keep(folder):
            _CONFIG.CACHE_DIR = str(folder)
            return True
    if sys.platform != "win32":
        folder = Path(tempfile.gettempdir(), f"streamvq-{os.getuid()}")
        if _can_keep(folder) and _is_private(folder):
            _LOG.warning("no cache folder of yours can be written; compiled kernels are kept in %s", folder)
            _CONFIG.CACHE_DIR = str(folder)
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


class _Told(event.Listener):
    """Tells of the first kernel that is compiled in this process."""

    def on_start(self, event: Any) -> None:
        if not self.told:
            self.told = True
            _LOG.info("compiling for this machine, which only the first run waits for (up to half a minute) ...")

    def on_end(self, event: Any) -> None:
        pass

    told = False


_CACHED = _find_cache()
event.register("numba:compile", _Told())  # type: ignore[no-untyped-call]
