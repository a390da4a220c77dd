"""A limit on address space (`ulimit -v`) that is too small for a command is told of before the work begins.

Libraries do not report what goes wrong there: OpenBLAS asks again for ever while it is loaded, where no signal gets
through, and LLVM ends the process.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from streamvq.errors import StreamVQError

# Megabytes of address space without the shares of workers and cores, as measured with small frames, and a tenth more.
# Most of it is libraries, and is never touched.
_LIBRARIES = {
    "compress": 1150,
    "fit": 1150,
    "sweep": 1150,
    "compare": 1075,
    "report": 1075,
    "plan": 1075,
    "spectrum": 960,
    "sketch": 960,
    "apply": 850,
    "decompress": 800,
    "merge": 700,
    "info": 30,
    "palette": 30,
}
_WORKER = 72  # a stack, and a heap of the C library
_CORE = 80  # for each of two copies of OpenBLAS a stack and a buffer


class TooLittleMemory(StreamVQError, MemoryError):
    """The process may not have as much address space as the libraries take."""


def check_memory(command: str, parameters: Mapping[str, Any]) -> None:
    """Raise TooLittleMemory where a limit on address space is less than a command's libraries take."""
    limit = _limit()
    if limit is None or command not in _LIBRARIES:
        return
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = parameters["jobs"] or cores if "jobs" in parameters else 0
    needed = _LIBRARIES[command] + _WORKER * workers + _CORE * cores
    if limit < needed << 20:
        raise TooLittleMemory(
            f"too little memory: {command} needs {needed:,} MB of address space, more for large frames, and may "
            f"have {limit >> 20:,} MB; raise it with: ulimit -v {needed << 10}, or lift it: ulimit -v unlimited"
        )


def _limit() -> int | None:
    """Bytes of address space that the process may have; None where the system or the user sets no limit."""
    if sys.platform in ("win32", "darwin"):  # macOS has the call, and does not keep to it
        return None
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit
