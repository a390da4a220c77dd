"""`ordered_map`: a parallel map in input order and bounded memory. The only file that knows joblib."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

from joblib import Parallel, cpu_count, delayed
from threadpoolctl import threadpool_limits

Item = TypeVar("Item")
Result = TypeVar("Result")
Task = tuple[Future, Any]


def worker_count(jobs: int) -> int:
    """The number of workers that `jobs` asks for: itself, or one for each core where it is 0."""
    return jobs or cpu_count()


def frames_ahead(jobs: int, pixels: int | None) -> int:
    """How many frames of so many `pixels` may be alive at once for `jobs` workers.

    Enough that no worker runs dry, but beyond one frame a worker and two in between no more than 256 MB, at 8
    bytes a pixel for what is decoded, coded and encoded.
    """
    workers = worker_count(jobs)
    fitting = (256 << 20) // (8 * pixels) if pixels else 16
    return min(4 * workers + 8, max(workers + 2, fitting))


def ordered_map(
    fn: Callable[[Item], Result], items: Iterable[Item], jobs: int, ahead: int
) -> Generator[Result, None, None]:
    """Yield `fn(item)` for every item, in input order, computed by `jobs` threads (0 = all cores).

    At most `ahead` items are alive at any time, counting those read, being worked on, and finished but not
    yet taken by the caller. `items` is read on the caller's thread. The first error in input order, of `fn`
    or of `items` itself, is raised after every good result before it. No thread outlives the map.

    joblib's own generators have no backpressure, so it is given `jobs` long tasks, each of which works on
    what the caller hands out. BLAS runs one thread meanwhile, since the workers already fill the cores.
    """
    workers = worker_count(jobs)
    tasks: SimpleQueue[Task | None] = SimpleQueue()
    waiting: deque[Future] = deque()
    # one thread more than there are workers, since joblib runs a single job on the caller's thread
    pool = Parallel(n_jobs=workers + 1, require="sharedmem", return_as="generator", batch_size=1)
    with threadpool_limits(limits=1), pool:
        running = pool(delayed(_work)(fn, tasks) for _ in range(workers))
        try:
            broken = None
            source = iter(items)
            while True:
                try:
                    item = next(source)
                except StopIteration:
                    break
                except Exception as error:  # noqa: BLE001  raised in its turn
                    broken = error
                    break
                waiting.append(Future())
                tasks.put((waiting[-1], item))
                del item
                while waiting and (len(waiting) >= ahead or waiting[0].done()):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
            if broken is not None:
                raise broken
        finally:
            for future in waiting:
                future.cancel()  # what nobody will take need not be done
            for _ in range(workers):
                tasks.put(None)
            list(running)


def _work(fn: Callable[[Any], Any], tasks: SimpleQueue[Task | None]) -> None:
    """Do tasks until there is a None."""
    while (task := tasks.get()) is not None:
        future, item = task
        del task
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(fn(item))
            except BaseException as error:  # noqa: BLE001  raised where the result is taken
                future.set_exception(error)
        del future, item  # nothing is kept alive while waiting
