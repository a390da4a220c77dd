"""The table of a group: what its frames carry besides their pictures, each entry relative to the previous one.

FORMAT.md, section 5, gives the bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import PureWindowsPath

import numpy as np
from numpy.typing import NDArray

from streamvq.container.header import MAX_SIDE, Header
from streamvq.container.leb128 import Leb128Reader, leb128, signed_leb128
from streamvq.errors import OutputError, shortened
from streamvq.frames import CodedFrame, FrameMeta

SIZE, TIME, DURATION, NAME, ALPHA, NO_TIME = 1, 2, 4, 8, 16, 32  # the flags of an entry
MAX_FRAMES = 65535  # of a group
MAX_PIXELS = 1 << 27  # of all frames of a group together
_MAX_INDEX = 1 << 62
_MAX_TICKS = 1 << 60
_MAX_NAME_BYTES = 4096


@dataclass(frozen=True)
class Entry:
    """What the table declares of one frame. Times are in ticks of the stream's time base."""

    height: int
    width: int
    time: int | None
    duration: int  # 0 for unknown
    name: str | None
    has_alpha: bool

    @property
    def pixels(self) -> int:
        """How many pixels the frame has."""
        return self.height * self.width

    @property
    def end(self) -> int:
        """The expected time of the next frame."""
        return (self.time or 0) + self.duration

    def meta(self, index: int, time_base: Fraction | None, alpha: NDArray[np.uint8] | None) -> FrameMeta:
        """The same as exact seconds, with the frame's number and alpha (uint8 [height, width])."""
        time = self.time * time_base if time_base and self.time is not None else None
        duration = self.duration * time_base if time_base and self.duration else None
        return FrameMeta(self.height, self.width, index, time, duration, self.name, alpha)


def encode_table(frames: Sequence[CodedFrame], header: Header) -> bytes:
    """The number of frames and an entry for each. Raises OutputError for a frame that the format cannot hold."""
    previous, parts = _initial_entry(header), [leb128(len(frames))]
    for frame in frames:
        entry = _entry_of(frame, header)
        parts.append(_entry_bytes(entry, previous))
        previous = entry
    if sum(frame.width * frame.height for frame in frames) > MAX_PIXELS or len(frames) > MAX_FRAMES:
        raise OutputError(f"{len(frames)} frames from {frames[0].index} are too large for a group; make it smaller")
    return b"".join(parts)


def read_table(data: Leb128Reader, header: Header) -> list[Entry]:
    """The entries of a group, from the number of its first frame on. Raises ValueError with what is wrong."""
    _, count = read_first_and_count(data)
    previous, entries, pixels = _initial_entry(header), [], 0
    for _ in range(count):
        previous = _read_entry(data, previous)
        pixels += previous.pixels
        if pixels > MAX_PIXELS:
            raise ValueError(f"it claims more than {MAX_PIXELS} pixels")
        entries.append(previous)
    return entries


def read_first_and_count(data: Leb128Reader) -> tuple[int, int]:
    """The number of a group's first frame, and how many frames it has. Raises ValueError."""
    first, count = data.number(), data.number()
    if not 1 <= count <= MAX_FRAMES or first > _MAX_INDEX:
        raise ValueError(f"it claims {count} frames from {first}")
    return first, count


def _initial_entry(header: Header) -> Entry:
    """What a group's first frame is relative to."""
    start = 0 if header.info.time_base else None
    return Entry(header.info.height or 0, header.info.width or 0, start, 0, None, False)


def _entry_of(frame: CodedFrame, header: Header) -> Entry:
    label = frame.meta.label
    if max(frame.width, frame.height) > MAX_SIDE or frame.width * frame.height > MAX_PIXELS:
        raise OutputError(f"{label}: {frame.width}x{frame.height} is larger than .svq holds; write images instead")
    if frame.name is not None and not is_safe(frame.name):
        raise OutputError(
            f"{shortened(ascii(label))}: .svq holds relative names without '..', backslashes and control characters "
            "only; rename it"
        )
    time = _ticks(frame.time, header.info.time_base, label)
    duration = _ticks(frame.duration, header.info.time_base, label) or 0
    return Entry(frame.height, frame.width, time, duration, frame.name, frame.alpha is not None)


def _ticks(seconds: Fraction | None, time_base: Fraction | None, label: str) -> int | None:
    if seconds is None:
        return None
    if time_base is None:
        raise OutputError(f"{label}: has a time, and the stream no time base; give StreamInfo one")
    ticks = seconds / time_base
    if abs(ticks) > _MAX_TICKS:
        raise OutputError(f"{label}: its time {float(seconds):g} s is beyond what .svq holds")
    if ticks.denominator != 1:
        raise OutputError(f"{label}: its time {seconds} s is not a multiple of the stream's time base, {time_base} s")
    return ticks.numerator


def _entry_bytes(entry: Entry, previous: Entry) -> bytes:
    """What differs from the previous frame; `_read_entry` is the inverse."""
    flags, parts = 0, []
    if (entry.width, entry.height) != (previous.width, previous.height):
        flags |= SIZE
        parts += [leb128(entry.width), leb128(entry.height)]
    if entry.time is None:
        flags |= NO_TIME
    elif entry.time != previous.end:
        flags |= TIME
        parts.append(signed_leb128(entry.time - previous.end))
    if entry.duration != previous.duration:
        flags |= DURATION
        parts.append(leb128(entry.duration))
    if entry.name is not None:
        flags |= NAME
        name = entry.name.encode()
        parts += [leb128(len(name)), name]
    return b"".join([bytes([flags | (ALPHA if entry.has_alpha else 0)]), *parts])


def _read_entry(data: Leb128Reader, previous: Entry) -> Entry:
    (flags,) = data.take(1)
    if flags > 63 or (flags & TIME and flags & NO_TIME):
        raise ValueError(f"a frame has the flags {flags}")
    height, width = previous.height, previous.width
    if flags & SIZE:
        width, height = data.number(), data.number()
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise ValueError(f"it claims a frame of {width}x{height}")
    time = None if flags & NO_TIME else previous.end + (data.signed() if flags & TIME else 0)
    duration = data.number() if flags & DURATION else previous.duration
    if abs(time or 0) > _MAX_TICKS or duration > _MAX_TICKS:
        raise ValueError("it claims a time that is out of range")
    name = _read_name(data) if flags & NAME else None
    return Entry(height, width, time, duration, name, bool(flags & ALPHA))


def _read_name(data: Leb128Reader) -> str:
    length = data.number()
    if not 1 <= length <= _MAX_NAME_BYTES:
        raise ValueError(f"a name of {length} bytes")
    name = data.take(length).decode()
    if not is_safe(name):
        raise ValueError(f"the name {shortened(repr(name))} leads out of the output folder")
    return name


def is_safe(name: str) -> bool:
    """Whether a name stays inside the folder that it is put into, on every system, and names a file there."""
    windows = PureWindowsPath(name)
    return (
        all(part not in ("", ".", "..") for part in name.split("/"))
        and not (windows.drive or windows.root or "\\" in name)
        and not any(character < " " or "\ud800" <= character <= "\udfff" for character in name)
        and len(name.encode()) <= _MAX_NAME_BYTES
    )
