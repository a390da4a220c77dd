"""Aseprite's files as palettes: read from any sprite, written as one that shows each color."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from streamvq.media.aseprite.chunks import (
    BACKGROUND,
    HAS_NAME,
    HEADER_BYTES,
    INDEXED_BITS,
    LAYER,
    OLD_PALETTE,
    PALETTE,
    Chunk,
    cel_chunk,
    check_magic,
    frame_bytes,
    header_bytes,
    layer_chunk,
    palette_chunk,
    read_frame,
    read_string,
)
from streamvq.media.palette_files.palette import Palette, palette_of


def read_aseprite(data: bytes) -> Palette:
    """The palette of a sprite's first frame; the transparent color of an indexed one has alpha 0."""
    check_magic(data)
    bits, transparent = struct.unpack_from("<H", data, 12)[0], data[28]
    chunks, _, _ = read_frame(data, HEADER_BYTES)
    return palette_of_chunks(chunks, transparent if bits == INDEXED_BITS else None)


def palette_of_chunks(chunks: Sequence[Chunk], transparent: int | None) -> Palette:
    """The palette that a frame's chunks set; the index `transparent` has alpha 0 where there is no background."""
    entries: dict[int, tuple[list[int], str]] = {}
    for kind, body in chunks:
        if kind == PALETTE:
            entries |= _entries(body)
        elif kind == OLD_PALETTE and not entries:
            entries = dict(enumerate(_old_entries(body)))
    if sorted(entries) != list(range(len(entries))):
        raise ValueError("its palette has gaps")
    colors = [entries[index][0] for index in range(len(entries))]
    if transparent is not None and transparent < len(colors) and not _has_background(chunks):
        colors[transparent] = [*colors[transparent][:3], 0]
    return palette_of(colors, [entries[index][1] for index in range(len(entries))])


def _has_background(chunks: Sequence[Chunk]) -> bool:
    return any(kind == LAYER and struct.unpack_from("<H", body)[0] & BACKGROUND for kind, body in chunks)


def _entries(body: bytes) -> dict[int, tuple[list[int], str]]:
    first, last = struct.unpack_from("<II", body, 4)
    entries, position = {}, 20
    for index in range(first, last + 1):
        flags, *color = struct.unpack_from("<H4B", body, position)
        position += 6
        name = ""
        if flags & HAS_NAME:
            name, position = read_string(body, position)
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
    opaque = palette.transparent is None
    layer = layer_chunk("Background" if opaque else "Layer 1", opaque)
    body = frame_bytes([palette_chunk(palette.colors, palette.names), layer, cel_chunk(indices)], 100)
    size, (height, width) = HEADER_BYTES + len(body), indices.shape
    return header_bytes(size, 1, height, width, len(palette), palette.transparent or 0) + body
