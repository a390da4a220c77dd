"""Aseprite's files as palettes: read from any sprite, written as one that shows each color."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streamvq.media.aseprite.chunks import (
    BACKGROUND,
    HEADER_BYTES,
    INDEXED_BITS,
    LAYER,
    Chunk,
    cel_chunk,
    check_magic,
    frame_bytes,
    header_bytes,
    layer_chunk,
    palette_chunk,
    read_frame,
)
from streamvq.media.aseprite.palette import palette_entries
from streamvq.media.palette_files.palette import Palette, palette_of


def read_aseprite(data: bytes) -> Palette:
    """The palette of a sprite's first frame; the transparent color of an indexed one has alpha 0."""
    check_magic(data)
    bits, transparent = struct.unpack_from("<H", data, 12)[0], data[28]
    chunks, _, _ = read_frame(data, HEADER_BYTES)
    return palette_of_chunks(chunks, transparent if bits == INDEXED_BITS else None)


def palette_of_chunks(chunks: Sequence[Chunk], transparent: int | None) -> Palette:
    """The palette that a frame's chunks set; the index `transparent` has alpha 0 where there is no background."""
    entries = palette_entries(chunks)
    if sorted(entries) != list(range(len(entries))):
        raise ValueError("its palette has gaps")
    colors = [entries[index][0] for index in range(len(entries))]
    if transparent is not None and transparent < len(colors) and not _has_background(chunks):
        colors[transparent] = [*colors[transparent][:3], 0]
    return palette_of(colors, [entries[index][1] for index in range(len(entries))])


def _has_background(chunks: Sequence[Chunk]) -> bool:
    return any(kind == LAYER and struct.unpack_from("<H", body)[0] & BACKGROUND for kind, body in chunks)


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
