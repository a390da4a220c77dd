"""`ordered_map`: a parallel map in input order and bounded memory. The only file that knows joblib."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from joblib import Parallel, cpu_count, delayed
from threadpoolctl import threadpool_limits

Item = TypeVar("Item")
Result = TypeVar("Result")
Outcome = tuple[Any, Exception | None]  # a result, or the error in its place


def worker_count(jobs: int) -> int:
    """The number of workers that `jobs` asks for: itself, or one for each core where it is 0."""
    return jobs or cpu_count()


def frames_ahead(jobs: int) -> int:
    """How many items may be alive at once for `jobs` workers, so that none of them waits for a window's end."""
    return 4 * worker_count(jobs) + 8


def ordered_map(fn: Callable[[Item], Result], items: Iterable[Item], jobs: int, ahead: int) -> Iterator[Result]:
    """Yield `fn(item)` for every item, in input order, computed by `jobs` threads (0 = all cores).

    At most `ahead` items are alive at any time, counting those read, being worked on, and finished but not
    yet taken by the caller. `items` is read on the caller's thread. The first error in input order, of `fn`
    or of `items` itself, is raised after every good result before it.

    joblib's own generators have no backpressure, so windows of `ahead // 2` items go to one reused
    `Parallel`: while its threads work on one window, the caller takes the last one's results and reads the
    next. BLAS runs one thread meanwhile, since the workers already fill the cores.
    """
    source = iter(items)
    size = max(1, ahead // 2)
    with (
        threadpool_limits(limits=1),
        Parallel(n_jobs=worker_count(jobs), require="sharedmem", return_as="generator", batch_size=1) as pool,
    ):
        finished: list[Outcome] = []
        window, broken = _read(source, size)
        while window:
            running = pool(delayed(_attempt)(fn, item) for item in window)
            try:
                yield from _results(finished)
                finished = []  # let go before reading on: one window runs, one is read
                window, broken = ([], broken) if broken else _read(source, size)
            finally:
                finished = list(running)  # also when the caller leaves early: no thread outlives the map
        yield from _results(finished)
        if broken is not None:
            raise broken


def _attempt(fn: Callable[[Item], Result], item: Item) -> Outcome:
    """The result or the error: joblib would drop the good results of a window that holds an error."""
    try:
        return fn(item), None
    except Exception as error:  # noqa: BLE001  handed on and raised in its turn
        return None, error


def _read(source: Iterator[Item], size: int) -> tuple[list[Item], Exception | None]:
    """Up to `size` items, and the error that ended the source, if one did."""
    window: list[Item] = []
    try:
        window.extend(islice(source, size))
    except Exception as error:  # noqa: BLE001  raised after the items before it
        return window, error
    return window, None


def _results(finished: list[Outcome]) -> Iterator[Any]:
    finished.reverse()
    while finished:
        result, error = finished.pop()  # popped, so that a taken result can be freed
        if error is not None:
            raise error
        yield result
