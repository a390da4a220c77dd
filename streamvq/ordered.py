"""`ordered_map`: a parallel map in input order and bounded memory. The only file that knows joblib.

A pipeline is maps of shared `workers` with plain generators between them: what has to see the frame before (a *scan*)
is such a generator, and runs in order on the caller's thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, TypeVar

from joblib import Parallel, cpu_count, delayed

from streamvq.one_thread import one_thread

Item = TypeVar("Item")
Result = TypeVar("Result")
Task = tuple[Callable[[Any], Any], Future, Any]
_IDLE_SECONDS = 0.001  # between two looks at items that are not there yet


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


class Workers:
    """Threads that any number of maps share, so that the stages of a pipeline fill the cores together."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()

    def map(
        self,
        fn: Callable[[Item], Result],
        items: Iterable[Item],
        ahead: int,
        idle: Callable[[], bool] = lambda: False,
    ) -> Generator[Result, None, None]:
        """Yield `fn(item)` for every item, in input order.

        At most `ahead` items are alive at any time, counting those read, being worked on, and finished but not yet
        taken by the caller. `items` is read on the caller's thread; it may be the output of another map of these
        workers. The first error in input order, of `fn` or of `items` itself, is raised after every good result
        before it. Where `idle` says that the next item is not there yet, results are taken first: so none waits for
        a later item.
        """
        waiting: deque[Future] = deque()
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
                self._tasks.put((fn, waiting[-1], item))
                del item
                while waiting:
                    if len(waiting) >= ahead or waiting[0].done():
                        yield waiting.popleft().result()
                    elif idle():
                        wait([waiting[0]], _IDLE_SECONDS)
                    else:
                        break
            while waiting:
                yield waiting.popleft().result()
            if broken is not None:
                raise broken
        finally:
            for future in waiting:
                future.cancel()  # what nobody will take need not be done

    def work(self) -> None:
        """Do tasks until there is a None; every thread runs this."""
        while (task := self._tasks.get()) is not None:
            fn, future, item = task
            del task
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(fn(item))
                except BaseException as error:  # noqa: BLE001  raised where the result is taken
                    future.set_exception(error)
            del fn, future, item  # nothing is kept alive while waiting

    def dismiss(self, count: int) -> None:
        """Tell `count` threads that there is no more work."""
        for _ in range(count):
            self._tasks.put(None)


@contextmanager
def workers(jobs: int) -> Iterator[Workers]:
    """`jobs` threads (0 = all cores); none outlives the block.

    joblib's own generators have no backpressure, so it is given `jobs` long tasks, each of which works on what the
    maps hand out. BLAS runs one thread meanwhile, since the workers already fill the cores.
    """
    count = worker_count(jobs)
    shared = Workers()
    # one thread more than there are workers, since joblib runs a single job on the caller's thread
    pool = Parallel(n_jobs=count + 1, require="sharedmem", return_as="generator", batch_size=1)
    with one_thread(), pool:
        running = pool(delayed(shared.work)() for _ in range(count))
        try:
            yield shared
        finally:
            shared.dismiss(count)
            list(running)


def ordered_map(
    fn: Callable[[Item], Result], items: Iterable[Item], jobs: int, ahead: int
) -> Generator[Result, None, None]:
    """`Workers.map` with workers of its own: `jobs` threads (0 = all cores), none of which outlives the map."""
    with workers(jobs) as shared:
        yield from shared.map(fn, items, ahead)
