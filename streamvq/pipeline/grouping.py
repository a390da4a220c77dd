"""Frames in groups, which sinks code together: batches joined up to a size, and larger ones cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from streamvq.container.group_size import GroupSize
from streamvq.container.salvage import Gap
from streamvq.frames import CodedFrame
from streamvq.pipeline.encoders import EncodedFrame, Outcome

Item = TypeVar("Item")


def pixels_of(outcome: Outcome) -> int:
    """How many pixels a frame has; 0 for what has none."""
    return _area(outcome.coded) if isinstance(outcome, EncodedFrame) else 0


def grouped(
    batches: Iterable[list[Item]],
    size: GroupSize | None,
    length: int = 1,
    pixels_of: Callable[[Item], int] = pixels_of,  # type: ignore[assignment]
) -> Iterator[list[Item]]:
    """Batches of up to `length` frames joined into groups of at most `size`, at least one batch each; each alone
    where the sink writes frame by frame. What reading raises is raised after the last group."""
    if size is None:
        yield from batches
    else:  # a batch takes the room of a whole one, so that groups begin at the same frames wherever it ends
        yield from _joined(batches, size, pixels_of, lambda batch: (length, length * pixels_of(batch[0])))


def regrouped(parts: Iterable[list[CodedFrame] | Gap], size: GroupSize) -> Iterator[list[CodedFrame] | Gap]:
    """Consecutive groups joined up to `size`, and those beyond it cut; one frame may have more. Gaps are passed on.

    The groups of a file that was written with this `size` stay as they are.
    """
    gaps: list[Gap] = []

    def pieces() -> Iterator[list[CodedFrame]]:
        for part in parts:
            if isinstance(part, Gap):
                gaps.append(part)
            else:
                yield from _joined(([frame] for frame in part), size, _area, _room)

    for group in _joined(pieces(), size, _area, _room):
        yield from gaps
        gaps.clear()
        yield group
    yield from gaps


def _joined(
    batches: Iterable[list[Item]],
    size: GroupSize,
    pixels_of: Callable[[Item], int],
    room_of: Callable[[list[Item]], tuple[int, int]],
) -> Iterator[list[Item]]:
    """Batches joined while there is room for the frames and pixels of the next one."""
    group: list[Item] = []
    pixels = 0
    try:
        for batch in batches:
            more_frames, more_pixels = room_of(batch)
            if group and (pixels + more_pixels > size.pixels or len(group) + more_frames > size.frames):
                yield group
                group, pixels = [], 0
            group += batch
            pixels += sum(map(pixels_of, batch))
    except Exception:
        if group:
            yield group
        raise
    if group:
        yield group


def _area(frame: CodedFrame) -> int:
    return frame.height * frame.width


def _room(frames: list[CodedFrame]) -> tuple[int, int]:
    return len(frames), sum(map(_area, frames))
