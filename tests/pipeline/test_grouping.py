"""Encoded frames in groups: whole batches, none too large, nothing lost or held too long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvq import FrameMeta, IndexFrame
from streamvq.container.group_size import GroupSize
from streamvq.frames import Failed
from streamvq.pipeline.encoders import EncodedFrame, FrameStats, Outcome
from streamvq.pipeline.grouping import grouped

MANY = 10**9


def encoded(pixels: int, index: int = 0) -> EncodedFrame:
    """A frame of one row of so many pixels."""
    return EncodedFrame(
        IndexFrame(np.zeros((1, pixels), np.uint8), FrameMeta(1, pixels, index)), FrameStats((1, pixels))
    )


def batches(sizes: Iterable[int], length: int) -> Iterator[list[Outcome]]:
    frames = (encoded(pixels, index) for index, pixels in enumerate(sizes))
    while batch := list(islice(frames, length)):
        yield list(batch)


def widths(group: list[Outcome]) -> list[int]:
    return [outcome.coded.width for outcome in group if isinstance(outcome, EncodedFrame)]


def groups(sizes: Iterable[int], pixels: int, length: int = 1, frames: int = MANY) -> Iterator[list[int]]:
    return map(widths, grouped(batches(sizes, length), GroupSize(frames, pixels), length))


@given(st.lists(st.integers(1, 9), max_size=40), st.integers(0, 30), st.integers(1, 5))
def test_nothing_is_lost_and_groups_are_whole_batches(sizes: list[int], limit: int, length: int) -> None:
    found = list(groups(sizes, limit, length))
    assert [size for group in found for size in group] == sizes
    assert all(found)
    assert all(len(group) % length == 0 for group in found[:-1])
    for group in found:
        for start in range(length, len(group), length):
            assert sum(group[:start]) + length * group[start] <= limit  # a batch counts by its first frame


@given(st.integers(1, 60), st.integers(1, 9), st.integers(0, 100), st.integers(1, 5))
def test_of_one_size_they_are_as_large_as_may_be(count: int, pixels: int, limit: int, length: int) -> None:
    together = max(1, limit // (length * pixels)) * length
    expected = [min(together, count - start) for start in range(0, count, together)]
    assert [len(group) for group in groups([pixels] * count, limit, length)] == expected


@pytest.mark.parametrize("length", [1, 8, 3])
@pytest.mark.parametrize("limit", [64, 1024])
def test_small_frames_end_a_group_too(limit: int, length: int) -> None:
    together = limit // length * length
    sizes = [len(group) for group in groups([1] * 1500, MANY, length, limit)]
    assert sizes[:-1] == [together] * (1500 // together)


def test_what_failed_stays_in_its_place_and_takes_no_room() -> None:
    failed: list[Any] = [[encoded(3), Failed("bad")], [Failed("worse"), encoded(3)], [encoded(3), encoded(3)]]
    found = list(grouped(failed, GroupSize(MANY, 11), 2))
    assert found == [failed[0] + failed[1], failed[2]]


def test_without_a_size_each_batch_is_a_group() -> None:
    given_batches = list(batches([1, 2, 3, 4, 5], 2))
    assert list(grouped(iter(given_batches), None, 2)) == given_batches


@pytest.mark.parametrize("length", [1, 2, 4])
def test_what_breaks_is_raised_after_the_last_group(length: int) -> None:
    def broken() -> Iterator[list[Outcome]]:
        yield from batches([1, 2, 3], length)
        raise OSError("the disk is gone")

    found: list[int] = []
    with pytest.raises(OSError, match="gone"):
        found.extend(size for group in grouped(broken(), GroupSize(MANY, 0), length) for size in widths(group))
    assert found == [1, 2, 3]


def test_a_group_is_given_as_soon_as_the_next_batch_shows_that_it_is_whole() -> None:
    read = []

    def source() -> Iterator[list[Outcome]]:
        for batch in batches(range(1, 20), 4):
            read.append(widths(batch))
            yield batch

    reading = grouped(source(), GroupSize(MANY, 0), 4)
    assert widths(next(reading)) == [1, 2, 3, 4]
    assert read == [[1, 2, 3, 4], [5, 6, 7, 8]]


def test_nothing_at_all() -> None:
    assert list(groups([], 10, 3)) == []
