"""The machine that measures, and what two of its threads are worth."""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

import streamvq


def describe_machine() -> dict[str, Any]:
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].partition(":")[2].strip() if names else cpu
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "two threads": round(two_threads(), 2),
        "system": platform.system(),
        "python": platform.python_version(),
        "streamvq": streamvq.__version__,
    }


def two_threads() -> float:
    """What two threads of pure computation do in the time of one: 2 where two cores are free, and nothing shared."""

    @njit(nogil=True)
    def spin(rounds):
        state = np.uint64(1)
        for _ in range(rounds):
            state ^= state << np.uint64(13)
            state ^= state >> np.uint64(7)
            state ^= state << np.uint64(17)
        return state

    rounds = 100_000_000
    spin(1)
    one = min(_wall(lambda: spin(rounds)) for _ in range(3))

    def both() -> None:
        threads = [threading.Thread(target=spin, args=(rounds,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return 2 * one / min(_wall(both) for _ in range(3))


def _wall(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
