"""Items of a source as work items for `ordered_map`: groups of consecutive ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from streamvq.frames import Frame
from streamvq.media.sources.source import FrameSource

_TOGETHER_MOST = 1024  # images of a group
_VIDEO_TOGETHER_MOST = 64  # frames: so much at the most is lost where a file is cut off, and waits in a pipe


def grouped(items: Iterable[Any], source: FrameSource, pixels_most: int, run: int = 1) -> Iterator[list[Any]]:
    """Consecutive items with at most so many pixels together, in whole runs of `run` items, but at least one run;
    single runs where `pixels_most` is 0.

    What reading raises is raised behind the last group.
    """
    most = _VIDEO_TOGETHER_MOST if source.info.fps else _TOGETHER_MOST

    def pixels_of(item: Any) -> int:
        return item.pixels.shape[0] * item.pixels.shape[1] if isinstance(item, Frame) else source.pixels_of(item)

    group: list[Any] = []
    pixels, broken = 0, None
    reading = iter(items)
    while True:
        try:
            item = next(reading)
        except StopIteration:
            break
        except Exception as error:  # noqa: BLE001  raised below
            broken = error
            break
        more = pixels_of(item) if pixels_most else 1
        if group and len(group) % run == 0 and (pixels + run * more > pixels_most or len(group) + run > most):
            yield group
            group, pixels = [], 0
        group.append(item)
        pixels += more
        del item
    if group:
        yield group
    if broken is not None:
        raise broken
