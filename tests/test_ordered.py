"""The four promises of `ordered_map`, for one worker and for several."""

from __future__ import annotations

import random
import threading
import time
import weakref
from collections.abc import Iterator
from typing import ClassVar

import pytest

from streamvq.ordered import frames_ahead, ordered_map, worker_count, workers

pytestmark = pytest.mark.parametrize("jobs", [1, 2, 4])


class Item:
    """Something that can be counted while it lives."""

    alive: ClassVar[weakref.WeakSet[Item]] = weakref.WeakSet()

    def __init__(self, number: int) -> None:
        self.number = number
        Item.alive.add(self)


def test_results_come_in_input_order(jobs: int) -> None:
    waits = random.Random(0)
    pauses = [waits.random() / 200 for _ in range(60)]

    def square(number: int) -> int:
        time.sleep(pauses[number])
        return number**2

    assert list(ordered_map(square, range(60), jobs, ahead=12)) == [number**2 for number in range(60)]


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_short_inputs(jobs: int, count: int) -> None:
    assert list(ordered_map(str, range(count), jobs, ahead=4)) == [str(number) for number in range(count)]


@pytest.mark.parametrize("ahead", [2, 8, 20])
def test_a_slow_sink_holds_back_the_source(jobs: int, ahead: int) -> None:
    """Alive are items read, worked on, and finished but not taken; an item and its result count once."""
    most, inputs = 0, 0
    Item.alive.clear()
    for result in ordered_map(lambda item: Item(-item.number - 1), map(Item, range(60)), jobs, ahead):
        time.sleep(0.004)  # long enough for the workers to run away, if they could
        numbers = [item.number for item in list(Item.alive) if item is not result]
        places = {number if number >= 0 else -number - 1 for number in numbers}
        most = max(most, len(places))
        inputs = max(inputs, sum(number >= 0 for number in numbers))
        del result
    assert 0 < most <= ahead
    assert inputs <= ahead // 2  # of the results' inputs, none is kept longer than its window


def test_work_goes_on_while_the_sink_is_slow(jobs: int) -> None:
    started: list[int] = []
    results = ordered_map(started.append, range(40), jobs, ahead=16)
    next(results)
    deadline = time.monotonic() + 5
    while len(started) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(started) >= 2
    results.close()  # type: ignore[attr-defined]


def test_the_source_is_read_on_the_callers_thread(jobs: int) -> None:
    readers = set()

    def source() -> Iterator[int]:
        for number in range(50):
            readers.add(threading.get_ident())
            yield number

    list(ordered_map(str, source(), jobs, ahead=8))
    assert readers == {threading.get_ident()}


@pytest.mark.parametrize("bad", [0, 1, 5, 19, 39])
def test_an_error_comes_after_the_good_results_before_it(jobs: int, bad: int) -> None:
    def fail_from(number: int) -> int:
        if number >= bad:
            raise ValueError(f"item {number}")
        time.sleep(0.002)  # so that the error is there long before its turn
        return number

    taken: list[int] = []
    with pytest.raises(ValueError, match=rf"^item {bad}$"):
        taken.extend(ordered_map(fail_from, range(40), jobs, ahead=10))
    assert taken == list(range(bad))


@pytest.mark.parametrize("bad", [0, 1, 5, 19, 39])
def test_an_error_of_the_source_comes_after_the_items_before_it(jobs: int, bad: int) -> None:
    def source() -> Iterator[int]:
        yield from range(bad)
        raise OSError("the disk is gone")

    taken: list[int] = []
    with pytest.raises(OSError, match="the disk is gone"):
        taken.extend(ordered_map(lambda number: number, source(), jobs, ahead=10))
    assert taken == list(range(bad))


def test_of_two_errors_the_first_in_order_is_raised(jobs: int) -> None:
    def source() -> Iterator[int]:
        yield from range(7)
        raise OSError("later")

    def fail_at_five(number: int) -> int:
        if number == 5:
            raise ValueError("earlier")
        return number

    with pytest.raises(ValueError, match="earlier"):
        list(ordered_map(fail_at_five, source(), jobs, ahead=20))


def test_leaving_early_leaves_no_thread_and_reads_no_further(jobs: int) -> None:
    """The autouse fixture would find the thread."""
    read: list[int] = []

    def source() -> Iterator[int]:
        for number in range(10_000):
            read.append(number)
            yield number

    results = ordered_map(lambda number: time.sleep(0.001), source(), jobs, ahead=8)
    for _ in range(3):
        next(results)
    results.close()  # type: ignore[attr-defined]
    assert len(read) <= 3 + 8


def test_an_error_of_the_sink_leaves_no_thread(jobs: int) -> None:
    def write_all() -> None:
        for result in ordered_map(str, range(100), jobs, ahead=8):
            if result == "9":
                raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_all()


def test_enough_is_read_ahead_to_keep_all_workers_busy(jobs: int) -> None:
    assert worker_count(jobs) == jobs
    for pixels in (None, 1920 * 1080, 7680 * 4320):
        assert frames_ahead(jobs, pixels) > jobs
    assert frames_ahead(64, 1920 * 1080) < 70  # not four a worker: a frame has its size


def test_zero_jobs_means_all_cores(jobs: int) -> None:
    assert worker_count(0) >= 1
    assert list(ordered_map(str, range(jobs), 0, 4)) == [str(number) for number in range(jobs)]


@pytest.mark.parametrize("ahead", [2, 8])
def test_two_maps_share_their_workers_with_a_scan_between(jobs: int, ahead: int) -> None:
    running, most = 0, 0
    lock = threading.Lock()

    def work(number: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.001)
        with lock:
            running -= 1
        return number + 1

    def sums(numbers: Iterator[int]) -> Iterator[int]:
        total = 0
        for number in numbers:
            total += number
            yield total

    with workers(jobs) as pool:
        found = list(pool.map(work, sums(pool.map(work, range(50), ahead)), ahead))
    assert found == [sum(range(1, number + 2)) + 1 for number in range(50)]
    assert most <= jobs


@pytest.mark.parametrize("stage", [0, 1])
def test_an_error_in_either_map_comes_after_what_was_good(jobs: int, stage: int) -> None:
    def fail(number: int) -> int:
        if number == 20:
            raise ValueError("twenty")
        return number

    fns = [fail, int] if stage == 0 else [int, fail]
    good = []
    with pytest.raises(ValueError, match="twenty"), workers(jobs) as pool:
        good.extend(pool.map(fns[1], pool.map(fns[0], range(50), 8), 8))
    assert good == list(range(20))


def test_two_maps_that_nobody_reads_to_the_end_stop(jobs: int) -> None:
    with workers(jobs) as pool:
        numbers = pool.map(int, pool.map(int, iter(int, 1), 8), 8)
        assert next(numbers) == 0
        numbers.close()
