"""Groups of frames, each decodable alone: a table of sizes, times and names, alpha, and coded indices or factors.

FORMAT.md, section 5, gives the bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import PureWindowsPath

import numpy as np

from streamvq.container.factors.groups import decode_factors, encode_factors
from streamvq.container.header import EXTENT_MOST, PIXELS_MOST, Header
from streamvq.container.indices.coding import decode_frames, encode_frames
from streamvq.container.leb128 import Leb128Reader, leb128, signed_leb128
from streamvq.errors import OutputError
from streamvq.frames import CodedFrame, FrameMeta, IndexFrame, LowRankFrame
from streamvq.lowrank.codec import LowRankCodec
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.decoder import FrameDecoder

SIZE, TIME, DURATION, NAME, ALPHA, NO_TIME = 1, 2, 4, 8, 16, 32  # the flags of a frame
FRAMES_MOST = 65535
_INDEX_MOST = 1 << 62
_TICKS_MOST = 1 << 60
_NAME_MOST = 4096  # bytes
_LEVELS = np.arange(256, dtype=np.uint8)[:, None]  # alpha is coded like a gray picture of all levels


@dataclass(frozen=True)
class GroupBytes:
    """A group's payload behind the index of its first frame, and how many bytes of it hold what."""

    payload: bytes
    frames: int
    alpha_bytes: int
    picture_bytes: int


@dataclass(frozen=True)
class GroupParts:
    """How much a group holds."""

    frames: int
    pixels: int
    alpha_bytes: int
    picture_bytes: int


@dataclass(frozen=True)
class _Entry:
    """What the table says of one frame."""

    width: int
    height: int
    time: int | None  # ticks
    duration: int  # ticks, 0 = unknown
    name: str | None
    alpha: bool


def encode_group(frames: Sequence[CodedFrame], header: Header, decoder: FrameDecoder) -> GroupBytes:
    """Consecutive frames as a group. Raises OutputError for a frame that the format cannot hold."""
    before = _before(header)
    table = [leb128(len(frames))]
    for frame in frames:
        entry = _entry_of(frame, header)
        table.append(_entry_bytes(entry, before))
        before = entry
    if sum(frame.width * frame.height for frame in frames) > PIXELS_MOST or len(frames) > FRAMES_MOST:
        raise OutputError(f"{len(frames)} frames from {frames[0].index} are too large for a group; make it smaller")
    planes = [frame.alpha for frame in frames if frame.alpha is not None]
    alpha = encode_frames(planes, _LEVELS) if planes else b""
    pictures = _encode_pictures(frames, decoder)
    head = b"".join([*table, leb128(len(alpha))] if planes else table)
    return GroupBytes(head + alpha + pictures, len(frames), len(alpha), len(pictures))


def _encode_pictures(frames: Sequence[CodedFrame], decoder: FrameDecoder) -> bytes:
    if isinstance(decoder, Codebook):
        indexed = [frame for frame in frames if isinstance(frame, IndexFrame)]
        for frame in indexed:
            _check_codes(frame, decoder)
        return encode_frames([frame.codes for frame in indexed], decoder.codes)
    return encode_factors([frame for frame in frames if isinstance(frame, LowRankFrame)])


def decode_group(payload: bytes, header: Header, decoder: FrameDecoder) -> list[CodedFrame]:
    """The frames of a group. Raises ValueError with what is wrong."""
    data = Leb128Reader(payload)
    first, entries = _read_table(data, header)
    with_alpha = [(entry.height, entry.width) for entry in entries if entry.alpha]
    planes = iter(decode_frames(data.take(data.number()), with_alpha, _LEVELS) if with_alpha else [])
    sizes = [(entry.height, entry.width) for entry in entries]
    base = header.info.time_base
    metas = [
        FrameMeta(
            entry.height,
            entry.width,
            first + i,
            entry.time * base if base and entry.time is not None else None,
            entry.duration * base if base and entry.duration else None,
            entry.name,
            next(planes) if entry.alpha else None,
        )
        for i, entry in enumerate(entries)
    ]
    if isinstance(decoder, Codebook):
        rows, columns = decoder.block
        shapes = [(-(-height // rows), -(-width // columns)) for height, width in sizes]
        pictures = decode_frames(data.rest(), shapes, decoder.codes)
        return [IndexFrame(codes, meta) for codes, meta in zip(pictures, metas, strict=True)]
    assert isinstance(decoder, LowRankCodec)
    factors = decode_factors(data.rest(), sizes, decoder)
    return [LowRankFrame(planes, step, meta) for (planes, step), meta in zip(factors, metas, strict=True)]


def group_parts(payload: bytes, header: Header) -> GroupParts:
    """What a group holds, from its table alone. Raises ValueError."""
    data = Leb128Reader(payload)
    entries = _read_table(data, header)[1]
    alpha = data.number() if any(entry.alpha for entry in entries) else 0
    data.take(alpha)
    pixels = sum(entry.width * entry.height for entry in entries)
    return GroupParts(len(entries), pixels, alpha, len(data.rest()))


def group_span(payload: bytes) -> tuple[int, int]:
    """The index of a group's first frame, and its number of frames. Raises ValueError."""
    return _read_span(Leb128Reader(payload))


def _before(header: Header) -> _Entry:
    """What a group's first frame is compared with."""
    start = 0 if header.info.time_base else None
    return _Entry(header.info.width or 0, header.info.height or 0, start, 0, None, False)


def _entry_of(frame: CodedFrame, header: Header) -> _Entry:
    where = frame.name or f"frame {frame.index}"
    if max(frame.width, frame.height) > EXTENT_MOST or frame.width * frame.height > PIXELS_MOST:
        raise OutputError(f"{where}: {frame.width}x{frame.height} is larger than .svq holds; write images instead")
    if frame.name is not None and not is_safe(frame.name):
        raise OutputError(
            f"{where!a}: .svq holds relative names without '..', backslashes and control characters only; rename it"
        )
    return _Entry(
        frame.width,
        frame.height,
        _ticks(frame.time, header.info.time_base, where),
        _ticks(frame.duration, header.info.time_base, where) or 0,
        frame.name,
        frame.alpha is not None,
    )


def _check_codes(frame: IndexFrame, codebook: Codebook) -> None:
    high, wide = codebook.block
    shape = (-(-frame.height // high), -(-frame.width // wide))
    if frame.codes.shape != shape or int(frame.codes.max()) >= len(codebook):
        raise OutputError(
            f"{frame.name or f'frame {frame.index}'}: {frame.codes.shape} codes up to {frame.codes.max()} do not fit "
            f"{frame.width}x{frame.height} pixels and {len(codebook)} codes"
        )


def _ticks(seconds: Fraction | None, base: Fraction | None, where: str) -> int | None:
    if seconds is None:
        return None
    if base is None:
        raise OutputError(f"{where}: has a time, and the stream no time base; give StreamInfo one")
    ticks = seconds / base
    if abs(ticks) > _TICKS_MOST:
        raise OutputError(f"{where}: its time {float(seconds):g} s is beyond what .svq holds")
    if ticks.denominator != 1:
        raise OutputError(f"{where}: its time {seconds} s is no multiple of the stream's time base, {base} s")
    return ticks.numerator


def _entry_bytes(entry: _Entry, before: _Entry) -> bytes:
    """What differs from the frame before, which `_read_entry` reads."""
    flags, parts = 0, []
    if (entry.width, entry.height) != (before.width, before.height):
        flags |= SIZE
        parts += [leb128(entry.width), leb128(entry.height)]
    if entry.time is None:
        flags |= NO_TIME
    elif entry.time != _expected(before):
        flags |= TIME
        parts.append(signed_leb128(entry.time - _expected(before)))
    if entry.duration != before.duration:
        flags |= DURATION
        parts.append(leb128(entry.duration))
    if entry.name is not None:
        flags |= NAME
        name = entry.name.encode()
        parts += [leb128(len(name)), name]
    return b"".join([bytes([flags | (ALPHA if entry.alpha else 0)]), *parts])


def _read_table(data: Leb128Reader, header: Header) -> tuple[int, list[_Entry]]:
    first, count = _read_span(data)
    before, entries, pixels = _before(header), [], 0
    for _ in range(count):
        before = _read_entry(data, before)
        pixels += before.width * before.height
        if pixels > PIXELS_MOST:
            raise ValueError(f"it claims more than {PIXELS_MOST} pixels")
        entries.append(before)
    return first, entries


def _read_span(data: Leb128Reader) -> tuple[int, int]:
    first, count = data.number(), data.number()
    if not 1 <= count <= FRAMES_MOST or first > _INDEX_MOST:
        raise ValueError(f"it claims {count} frames from {first}")
    return first, count


def _read_entry(data: Leb128Reader, before: _Entry) -> _Entry:
    (flags,) = data.take(1)
    if flags > 63 or (flags & TIME and flags & NO_TIME):
        raise ValueError(f"a frame has the flags {flags}")
    width, height = before.width, before.height
    if flags & SIZE:
        width, height = data.number(), data.number()
    if not (1 <= width <= EXTENT_MOST and 1 <= height <= EXTENT_MOST):
        raise ValueError(f"it claims a frame of {width}x{height}")
    time = None if flags & NO_TIME else _expected(before) + (data.signed() if flags & TIME else 0)
    duration = data.number() if flags & DURATION else before.duration
    if abs(time or 0) > _TICKS_MOST or duration > _TICKS_MOST:
        raise ValueError("it claims a time beyond all clocks")
    name = _read_name(data) if flags & NAME else None
    return _Entry(width, height, time, duration, name, bool(flags & ALPHA))


def _read_name(data: Leb128Reader) -> str:
    length = data.number()
    if not 1 <= length <= _NAME_MOST:
        raise ValueError(f"a name of {length} bytes")
    name = data.take(length).decode()
    if not is_safe(name):
        raise ValueError(f"the name {name!r} leads out of the output folder")
    return name


def _expected(before: _Entry) -> int:
    return (before.time or 0) + before.duration


def is_safe(name: str) -> bool:
    """Whether a name stays inside the folder that it is put into, on every system, and names a file there."""
    windows = PureWindowsPath(name)
    return (
        all(part not in ("", ".", "..") for part in name.split("/"))
        and not (windows.drive or windows.root or "\\" in name)
        and not any(character < " " or "\ud800" <= character <= "\udfff" for character in name)
        and len(name.encode()) <= _NAME_MOST
    )
