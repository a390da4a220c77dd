"""Aseprite's files: palettes read from any sprite, and indexed pictures written with their palette in place.

Aseprite File Format Specifications (docs/ase-file-specs.md of Aseprite's repository); all numbers little-endian.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from streamvq.media.palette_files.palette import Palette, palette_of

MAGIC, MAGIC_AT = struct.pack("<H", 0xA5E0), 4
_HEADER_BYTES, _FRAME_HEADER_BYTES = 128, 16
_FRAME_MAGIC = 0xF1FA
_OLD_PALETTE, _LAYER, _CEL, _PALETTE = 0x0004, 0x2004, 0x2005, 0x2019
_INDEXED_BITS = 8
_HAS_NAME = 1
_VISIBLE, _EDITABLE, _BACKGROUND = 1, 2, 8
_COMPRESSED_CEL = 2


def read_aseprite(data: bytes) -> Palette:
    """The palette of a sprite's first frame; the transparent color of an indexed one has alpha 0."""
    if len(data) < _HEADER_BYTES + _FRAME_HEADER_BYTES or data[MAGIC_AT : MAGIC_AT + 2] != MAGIC:
        raise ValueError("it is no Aseprite file")
    bits, transparent = struct.unpack_from("<H", data, 12)[0], data[28]
    entries: dict[int, tuple[list[int], str]] = {}
    for kind, body in _chunks(data):
        if kind == _PALETTE:
            entries |= _entries(body)
        elif kind == _OLD_PALETTE and not entries:
            entries = dict(enumerate(_old_entries(body)))
    if sorted(entries) != list(range(len(entries))):
        raise ValueError("its palette has gaps")
    colors = [entries[index][0] for index in range(len(entries))]
    if bits == _INDEXED_BITS and transparent < len(colors) and not _has_background(data):
        colors[transparent] = [*colors[transparent][:3], 0]
    return palette_of(colors, [entries[index][1] for index in range(len(entries))])


def _chunks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and content of each chunk of the first frame."""
    size, magic, old_count = struct.unpack_from("<IHH", data, _HEADER_BYTES)
    if magic != _FRAME_MAGIC:
        raise ValueError("its first frame is damaged")
    count = struct.unpack_from("<I", data, _HEADER_BYTES + 12)[0] or old_count
    position, end = _HEADER_BYTES + _FRAME_HEADER_BYTES, min(len(data), _HEADER_BYTES + size)
    for _ in range(count):
        if position + 6 > end:
            raise ValueError("it ends within its first frame")
        length, kind = struct.unpack_from("<IH", data, position)
        if length < 6 or position + length > end:
            raise ValueError("it ends within a chunk")
        yield kind, data[position + 6 : position + length]
        position += length


def _has_background(data: bytes) -> bool:
    return any(kind == _LAYER and struct.unpack_from("<H", body)[0] & _BACKGROUND for kind, body in _chunks(data))


def _entries(body: bytes) -> dict[int, tuple[list[int], str]]:
    first, last = struct.unpack_from("<II", body, 4)
    entries, position = {}, 20
    for index in range(first, last + 1):
        flags, *color = struct.unpack_from("<H4B", body, position)
        position += 6
        name = ""
        if flags & _HAS_NAME:
            length = struct.unpack_from("<H", body, position)[0]
            name = body[position + 2 : position + 2 + length].decode("utf-8", "replace")
            position += 2 + length
        entries[index] = (color, name)
    return entries


def _old_entries(body: bytes) -> Iterator[tuple[list[int], str]]:
    """The colors of packets, which this reads where they skip none."""
    position = 2
    for _ in range(struct.unpack_from("<H", body)[0]):
        skipped, count = body[position], body[position + 1] or 256
        if skipped:
            raise ValueError("its palette has gaps")
        position += 2
        for _ in range(count):
            yield [*struct.unpack_from("<3B", body, position), 255], ""
            position += 3


def write_aseprite(palette: Palette, title: str) -> bytes:
    """A sprite that shows each color once, 16 a row, with the palette as its own. Raises ValueError above 256."""
    columns = min(16, len(palette))
    rows = -(-len(palette) // columns)
    picture = np.zeros(rows * columns, np.uint8)
    if len(palette) <= 256:
        picture[: len(palette)] = np.arange(len(palette))
    return aseprite_bytes(picture.reshape(rows, columns), palette)


def aseprite_bytes(indices: NDArray[np.uint8], palette: Palette) -> bytes:
    """An indexed sprite of one frame and layer: `indices` uint8 [height, width]. Raises ValueError above 256 colors.

    Aseprite shows one index of a layer as transparent. Where the palette has no such entry, the layer is a
    background, which has none.
    """
    if len(palette) > 256:
        raise ValueError(f"{len(palette)} colors: an indexed sprite holds 256")
    height, width = indices.shape
    opaque = palette.transparent is None
    layer = struct.pack("<HHHHHHB3x", _VISIBLE | _EDITABLE | _BACKGROUND * opaque, 0, 0, 0, 0, 0, 255)
    cel = struct.pack("<HhhBHh5xHH", 0, 0, 0, 255, _COMPRESSED_CEL, 0, width, height)
    chunks = [
        (_PALETTE, _palette_chunk(palette)),
        (_LAYER, layer + _string("Background" if opaque else "Layer 1")),
        (_CEL, cel + zlib.compress(np.ascontiguousarray(indices).tobytes(), 9)),
    ]
    body = b"".join(struct.pack("<IH", len(content) + 6, kind) + content for kind, content in chunks)
    frame = struct.pack("<IHHH2xI", len(body) + _FRAME_HEADER_BYTES, _FRAME_MAGIC, len(chunks), 100, len(chunks))
    size = _HEADER_BYTES + len(frame) + len(body)
    start = struct.pack("<I2sHHHHIH8x", size, MAGIC, 1, width, height, _INDEXED_BITS, 1, 100)
    header = start + struct.pack("<B3xH", palette.transparent or 0, len(palette) % 256)
    return header.ljust(_HEADER_BYTES, b"\0") + frame + body


def _palette_chunk(palette: Palette) -> bytes:
    entries = [struct.pack("<III8x", len(palette), 0, len(palette) - 1)]
    for index, color in enumerate(palette.colors):
        name = palette.name(index)
        entries.append(struct.pack("<H", _HAS_NAME if name else 0) + bytes(color) + (_string(name) if name else b""))
    return b"".join(entries)


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<H", len(data)) + data
