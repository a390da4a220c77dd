"""A Dask cluster to work on: one that is there, or one of local processes."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

import streamvq
from streamvq.errors import MediaError, StreamVQError, UsageError
from streamvq.options import ClusterOption

_ANSWER_SECONDS = 20
_AHEAD = 2  # tasks for each thread of the cluster that are handed out at once


def versions() -> dict[str, str]:
    """What must be the same everywhere, for the same bytes."""
    return {"streamvq": str(streamvq.__version__), "numpy": np.__version__}


def check_worker(expected: dict[str, str]) -> None:
    """Raise UsageError on a worker that has other versions than the caller."""
    if wrong := [
        f"{name} {have}, not {expected[name]}" for name, have in versions().items() if have != expected[name]
    ]:
        raise UsageError(f"the worker on {host()} has {' and '.join(wrong)}; install the same versions everywhere")


def host() -> str:
    """This machine, for messages."""
    return socket.gethostname()


@contextmanager
def connected(options: ClusterOption) -> Iterator[Any]:
    """A client of the cluster that is asked for; None where none is. Raises UsageError where there is none."""
    if options.client is not None or options.cluster is None:
        yield options.client
        return
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise UsageError("`cluster`: needs Dask: pip install 'streamvq[cluster]'") from None
    name = str(options.cluster)
    if count := options.local_workers:
        quietly = {"dashboard_address": ":0", "silence_logs": logging.ERROR}  # any free port
        with LocalCluster(n_workers=count, threads_per_worker=1, **quietly) as cluster, Client(cluster) as client:
            yield client
        return
    if name.endswith(".json") and not Path(name).is_file():
        raise UsageError(f"`cluster={name}`: no such file; the scheduler writes it with --scheduler-file")
    try:
        where = {"scheduler_file": name} if name.endswith(".json") else {"address": name}
        client = Client(**where, timeout=_ANSWER_SECONDS)
    except (OSError, ValueError) as error:
        raise UsageError(f"`cluster={name}`: no Dask scheduler answers there ({type(error).__name__})") from error
    with client:
        yield client


def thread_count(client: Any) -> int:
    """How many tasks a cluster does at once. Raises UsageError where it has no worker."""
    if client is None:
        return 1
    try:
        client.wait_for_workers(1, timeout=_ANSWER_SECONDS)
    except TimeoutError:
        raise UsageError("`cluster`: its scheduler has no worker; start one: dask worker ADDRESS") from None
    return sum(client.nthreads().values())


def done_in_any_order(
    client: Any, task: Callable[..., Any], items: Iterable[Any], threads: int, told: tuple[Any, ...]
) -> Iterator[Any]:
    """What `task(item, *told)` gives for each item, as it comes; few more are handed out than are worked on.

    What is `told` is sent once, and workers hand it on. A task whose worker dies is done by another. Raises what a
    task raises, or MediaError where workers die of it. Without a client, all is done here.
    """
    if client is None:
        yield from (task(item, *told) for item in items)
        return
    from distributed import KilledWorker, as_completed

    left = iter(items)
    same = [
        client.submit(_told, each, pure=False) for each in told
    ]  # unlike what is scattered, found again when lost

    def hand_out(item: Any) -> Any:
        return client.submit(task, item, *same, pure=False)

    running = as_completed(map(hand_out, islice(left, _AHEAD * threads)))
    try:
        for future in running:
            try:
                result = future.result()
            except KilledWorker as error:
                raise MediaError(
                    f"`cluster`: workers die of this work ({error}); are they short of memory?"
                ) from error
            except StreamVQError:
                raise
            except OSError as error:
                raise MediaError(
                    f"`cluster`: the scheduler is lost ({error}); start it, and run this again"
                ) from error
            future.release()
            running.update(map(hand_out, islice(left, 1)))
            yield result
    finally:
        client.cancel(list(running.futures))


def absolute(names: Iterable[str | os.PathLike[str]]) -> tuple[str, ...]:
    """Names that mean the same in other folders."""
    return tuple(os.path.abspath(name) for name in names)  # noqa: PTH100  globs are no paths


def _told(value: Any) -> Any:
    return value
