"""Which items of which inputs belong to a share of the work.

All inputs, in their order, are a line as long as their bytes on disk. A share is a stretch of it: its borders depend
on the inputs and the number of shares alone, and lie between images, or between units of a video's frames.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from streamvq.errors import UsageError
from streamvq.media.inputs import MediaInput
from streamvq.media.sources.source import WHOLE, Window


@dataclass(frozen=True)
class Units:
    """How an input may be cut: into about `count` units of `length` items each; images at `places` only, if given."""

    count: int
    length: int = 1
    places: Sequence[int] | None = None

    @classmethod
    def of_frames(cls, count: int, interval: int, most: int) -> Units:
        """About `count` frames, in units of whole intervals: at most `most` frames each, or one interval."""
        length = interval * max(1, most // interval)
        return cls(max(1, -(-count // length)), length)


def windows(
    inputs: Sequence[MediaInput], share: tuple[int, int], units_of: Callable[[MediaInput], Units | None]
) -> list[Window | None]:
    """What a share, (number, of), has of each input; None: nothing.

    `units_of` says how an input may be cut, None: not at all. It is asked only of inputs that lie on a border.
    """
    number, of = share
    sizes = [_sizes(each) for each in inputs]
    total = sum(map(sum, sizes))
    found: list[Window | None] = []
    start = 0
    for each, own in zip(inputs, sizes, strict=True):
        end = start + sum(own)
        units = units_of(each) if each.source_type == "images" else None
        if units is not None:
            middles = [2 * (start + before) + size for before, size in zip(accumulate(own, initial=0), own)]  # noqa: B905
            cuts = [
                bisect_left(middles, 2 * total * border, key=lambda place: place * of)
                for border in (number - 1, number)
            ]
            if units.places is not None:
                cuts = [units.places[bisect_right(units.places, cut) - 1] for cut in cuts]
            first, last = cuts
            found.append(Window(first, last if last < len(own) else None) if first < last else None)
        else:
            found.append(_of_one(each, (start, end), total, share, units_of))
        start = end
    return found


def digest_of(inputs: Sequence[MediaInput]) -> str:
    """16 hexadecimal digits for the names and sizes of all files: shares of the same inputs have the same."""
    names = [(name, size) for each in inputs for name, size in zip(_names(each), _sizes(each), strict=True)]
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()[:16]


def check_files(inputs: Sequence[MediaInput]) -> None:
    """Raise UsageError for inputs that no share can be told of."""
    if any(each.source_type == "pipe" for each in inputs):
        raise UsageError("-: a pipe is read once, by one process; drop `shard`, or name a file")


def _of_one(
    source: MediaInput,
    place: tuple[int, int],
    total: int,
    share: tuple[int, int],
    units_of: Callable[[MediaInput], Units | None],
) -> Window | None:
    """What a share has of an input in one file, at a place of the line."""
    (start, end), (number, of) = place, share
    if start * of // total == (end * of - 1) // total:  # no border inside
        return WHOLE if start * of // total == number - 1 else None
    units = units_of(source) or Units(1)

    def share_of(unit: int) -> int:
        return (2 * units.count * start + (end - start) * (2 * unit + 1)) * of // (2 * units.count * total)

    first, last = (bisect_left(range(units.count), border, key=share_of) for border in (number - 1, number))
    if first == last:
        return None
    return Window(first * units.length, None if last == units.count else last * units.length)


def _sizes(source: MediaInput) -> list[int]:
    return [max(1, path.stat().st_size) for path in source.paths]


def _names(source: MediaInput) -> list[str]:
    return source.names() if source.source_type == "images" else [path.name for path in source.paths]
