"""The colors that the chunks of one frame set."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from streamvq.media.aseprite.chunks import HAS_NAME, OLD_PALETTE, PALETTE, Chunk, read_string

Entry = tuple[list[int], str]  # R, G, B and alpha, and the name


def palette_entries(chunks: Sequence[Chunk]) -> dict[int, Entry]:
    """Colors by index; old chunks count only where there is no new one."""
    entries: dict[int, Entry] = {}
    has_new = any(kind == PALETTE for kind, _ in chunks)
    for kind, body in chunks:
        if kind == PALETTE:
            entries |= _entries(body)
        elif kind == OLD_PALETTE and not has_new:
            entries |= _old_entries(body)
    return entries


def _entries(body: bytes) -> dict[int, Entry]:
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


def _old_entries(body: bytes) -> Iterator[tuple[int, Entry]]:
    position, index = 2, 0
    for _ in range(struct.unpack_from("<H", body)[0]):
        skipped, count = body[position], body[position + 1] or 256
        position, index = position + 2, index + skipped
        for _ in range(count):
            yield index, ([*struct.unpack_from("<3B", body, position), 255], "")
            position, index = position + 3, index + 1
