"""Items in groups: whole runs, none too large, nothing lost or held too long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvq import Frame, StreamInfo
from streamvq.media.sources.source import FrameSource
from streamvq.pipeline.grouping import grouped


@dataclass
class Sizes:
    """Items that are their own numbers of pixels, of a film or not."""

    fps: Fraction | None = None
    info: StreamInfo = field(init=False)

    def __post_init__(self) -> None:
        self.info = StreamInfo(fps=self.fps)

    def pixels_of(self, item: int) -> int:
        return item


def groups(items: Any, most: int, run: int = 1, fps: Fraction | None = None) -> Iterator[list[Any]]:
    return grouped(items, cast(FrameSource, Sizes(fps)), most, run)


@given(st.lists(st.integers(1, 9), max_size=40), st.integers(0, 30), st.integers(1, 5))
def test_nothing_is_lost_and_groups_are_whole_runs(items: list[int], most: int, run: int) -> None:
    found = list(groups(items, most, run))
    assert [item for group in found for item in group] == items
    assert all(found)
    assert all(len(group) % run == 0 for group in found[:-1])
    for group in found:
        for start in range(run, len(group), run):
            assert sum(group[:start]) + run * group[start] <= most  # what a run takes is told by its first item


@given(st.integers(1, 60), st.integers(1, 9), st.integers(0, 100), st.integers(1, 5))
def test_of_one_size_they_are_as_large_as_may_be(count: int, pixels: int, most: int, run: int) -> None:
    together = max(1, most // (run * pixels)) * run
    expected = [min(together, count - start) for start in range(0, count, together)]
    assert [len(group) for group in groups([pixels] * count, most, run)] == expected


@pytest.mark.parametrize("run", [1, 8, 3])
@pytest.mark.parametrize(("fps", "most"), [(Fraction(25), 64), (None, 1024)])
def test_small_frames_end_a_group_too(fps: Fraction | None, most: int, run: int) -> None:
    together = most // run * run
    sizes = [len(group) for group in groups([1] * 1500, 10**9, run, fps)]
    assert sizes[:-1] == [together] * (1500 // together)


def test_frames_that_are_decoded_already_have_their_own_size() -> None:
    frames = [Frame(np.zeros((2, 3, 1), np.uint8), index) for index in range(7)]
    assert [len(group) for group in groups(frames, 18)] == [3, 3, 1]
    assert [len(group) for group in groups(frames, 18, 2)] == [2, 2, 2, 1]


@pytest.mark.parametrize("run", [1, 2, 4])
def test_what_breaks_is_raised_behind_the_last_group(run: int) -> None:
    def broken() -> Iterator[int]:
        yield from (1, 2, 3)
        raise OSError("the disk is gone")

    reading = groups(broken(), 0, run)
    found: list[int] = []
    with pytest.raises(OSError, match="gone"):
        found.extend(item for group in reading for item in group)
    assert found == [1, 2, 3]


def test_a_group_is_given_as_soon_as_the_next_item_shows_that_it_is_whole() -> None:
    read = []

    def source() -> Iterator[int]:
        for item in range(1, 20):
            read.append(item)
            yield item

    reading = groups(source(), 0, 4)
    assert next(reading) == [1, 2, 3, 4]
    assert read == [1, 2, 3, 4, 5]


def test_nothing_at_all() -> None:
    assert list(groups([], 10, 3)) == []
