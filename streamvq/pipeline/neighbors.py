"""Groups of frames with the frames on both sides of them, for sinks that code a frame by its neighbors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from streamvq.frames import CodedFrame

Group = TypeVar("Group")


def with_neighbors(
    groups: Iterable[Group], frames_of: Callable[[Group], Sequence[CodedFrame]]
) -> Iterator[tuple[Group, CodedFrame | None, CodedFrame | None]]:
    """Each group, the frame before its first and the one after its last; None at the ends of the stream.

    A group waits for the next one that has frames; one without goes ahead of it. What `groups` raises comes last.
    """
    waiting: tuple[Group, CodedFrame] | None = None  # and its last frame
    before: CodedFrame | None = None
    broken: Exception | None = None
    source = iter(groups)
    while True:
        try:
            group = next(source)
        except StopIteration:
            break
        except Exception as error:  # noqa: BLE001  raised below
            broken = error
            break
        frames = frames_of(group)
        if not frames:
            yield group, None, None
            continue
        if waiting is not None:
            yield waiting[0], before, frames[0]
            before = waiting[1]
        waiting = group, frames[-1]
    if waiting is not None:
        yield waiting[0], before, None
    if broken is not None:
        raise broken
