"""The parts of Aseprite's files: header, frames, and the chunks in them. All numbers are little-endian."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC, MAGIC_AT = struct.pack("<H", 0xA5E0), 4
HEADER_BYTES, FRAME_HEADER_BYTES = 128, 16
FRAME_MAGIC = 0xF1FA
OLD_PALETTE, LAYER, CEL, PALETTE, USER_DATA = 0x0004, 0x2004, 0x2005, 0x2019, 0x2020
INDEXED_BITS = 8
HAS_NAME, HAS_TEXT = 1, 1
VISIBLE, EDITABLE, BACKGROUND = 1, 2, 8
COMPRESSED_CEL = 2
MAX_FRAMES = MAX_SIDE = MAX_MS = 0xFFFF

Chunk = tuple[int, bytes]  # its type and content


def header_bytes(size: int, n_frames: int, height: int, width: int, n_colors: int, transparent: int) -> bytes:
    """The header of an indexed file of `size` bytes whose layers show the index `transparent` as nothing."""
    start = struct.pack("<I2sHHHHIH8x", size, MAGIC, n_frames, width, height, INDEXED_BITS, 1, 100)
    return (start + struct.pack("<B3xH", transparent, n_colors % 256)).ljust(HEADER_BYTES, b"\0")


def frame_bytes(chunks: Sequence[Chunk], duration_ms: int) -> bytes:
    """A frame of chunks."""
    body = b"".join(struct.pack("<IH", len(content) + 6, kind) + content for kind, content in chunks)
    counts = len(chunks), duration_ms, len(chunks)
    return struct.pack("<IHHH2xI", len(body) + FRAME_HEADER_BYTES, FRAME_MAGIC, *counts) + body


def palette_chunk(colors: NDArray[np.uint8], names: Sequence[str] = ()) -> Chunk:
    """All colors, uint8 [k, 4], with their names."""
    entries = [struct.pack("<III8x", len(colors), 0, len(colors) - 1)]
    for index, color in enumerate(colors):
        name = names[index] if names else ""
        entries.append(struct.pack("<H", HAS_NAME if name else 0) + bytes(color) + (string(name) if name else b""))
    return PALETTE, b"".join(entries)


def layer_chunk(name: str, background: bool) -> Chunk:
    """An opaque layer of normal blending; a background has no transparent index."""
    flags = VISIBLE | EDITABLE | BACKGROUND * background
    return LAYER, struct.pack("<HHHHHHB3x", flags, 0, 0, 0, 0, 0, 255) + string(name)


def text_chunk(text: str) -> Chunk:
    """A remark of the user on what comes before it."""
    return USER_DATA, struct.pack("<I", HAS_TEXT) + string(text)


def cel_chunk(indices: NDArray[np.uint8]) -> Chunk:
    """The picture of the first layer in a frame: uint8 [height, width]."""
    height, width = indices.shape
    head = struct.pack("<HhhBHh5xHH", 0, 0, 0, 255, COMPRESSED_CEL, 0, width, height)
    return CEL, head + zlib.compress(np.ascontiguousarray(indices).tobytes(), 9)


def string(text: str) -> bytes:
    """A text as the format has it."""
    data = text.encode()
    return struct.pack("<H", len(data)) + data


def read_string(body: bytes, position: int) -> tuple[str, int]:
    """A text, and the position behind it."""
    length = struct.unpack_from("<H", body, position)[0]
    end = position + 2 + length
    return body[position + 2 : end].decode("utf-8", "replace"), end


def check_magic(data: bytes) -> None:
    """Raise ValueError where a file does not begin as one of these."""
    if len(data) < HEADER_BYTES + FRAME_HEADER_BYTES or data[MAGIC_AT : MAGIC_AT + 2] != MAGIC:
        raise ValueError("it is no Aseprite file")


def read_frame(data: bytes, start: int) -> tuple[list[Chunk], int, int]:
    """The chunks of the frame that begins at `start`, its duration in milliseconds, and where it ends.

    Raises ValueError where it is damaged.
    """
    if start + FRAME_HEADER_BYTES > len(data):
        raise ValueError("it ends between its frames")
    fields: tuple[Any, ...] = struct.unpack_from("<IHHH2xI", data, start)
    size, magic, old_count, duration, count = fields
    if magic != FRAME_MAGIC:
        raise ValueError("its first frame is damaged" if start == HEADER_BYTES else "one of its frames is damaged")
    return list(_chunks(data, start, start + size, count or old_count)), duration, start + size


def _chunks(data: bytes, start: int, end: int, count: int) -> Iterator[Chunk]:
    position, end = start + FRAME_HEADER_BYTES, min(len(data), end)
    for _ in range(count):
        if position + 6 > end:
            raise ValueError("it ends within a frame")
        length, kind = struct.unpack_from("<IH", data, position)
        if length < 6 or position + length > end:
            raise ValueError("it ends within a chunk")
        yield kind, data[position + 6 : position + length]
        position += length
