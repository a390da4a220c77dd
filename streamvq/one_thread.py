"""BLAS and OpenMP held to one thread, at little cost."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[Any]:
    """While it is entered, BLAS and OpenMP run one thread: sums in floating point get one order.

    `threadpool_limits` goes through all shared libraries each time, which takes 10 ms. They come with modules, so
    they are looked for again only where modules were imported since.
    """
    limits: AbstractContextManager[Any] = _controller(len(sys.modules)).limit(limits=1)
    return limits


@lru_cache(maxsize=1)
def _controller(modules: int) -> ThreadpoolController:
    return ThreadpoolController()
