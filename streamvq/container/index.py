"""The index of a `.svq` file: where each group starts, and how many frames it has (FORMAT.md, section 11)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from streamvq.container import chunks
from streamvq.container.chunks import (
    CHUNK_BYTES,
    END_BYTES,
    END_PAYLOAD,
    HEAD_BYTES,
    MAX_PAYLOAD_BYTES,
    ChunkReader,
    Truncated,
    chunk_bytes,
)
from streamvq.container.frame_table import MAX_FRAMES, read_first_and_count
from streamvq.container.leb128 import Leb128Reader, leb128
from streamvq.errors import MediaDamaged

_HEAD_BYTES = 8 + 2 * 10  # length and type, and the two numbers that a group begins with


@dataclass(frozen=True)
class IndexEntry:
    """Where a group is: its frames are `first` to `first + n_frames - 1`, its chunk starts at the byte `offset`."""

    first: int
    n_frames: int
    offset: int


def index_chunks(entries: Sequence[IndexEntry], start: int) -> bytes:
    """The chunks that end a file: the index, which starts at the byte `start`, and the end, which says so.

    One group is found without an index.
    """
    if len(entries) <= 1:
        return chunk_bytes(chunks.END, b"")
    numbers, previous = [leb128(len(entries))], 0
    for entry in entries:
        numbers += [leb128(entry.offset - previous), leb128(entry.n_frames)]
        previous = entry.offset
    end = chunk_bytes(chunks.END, END_PAYLOAD.pack(start))
    return chunk_bytes(chunks.INDEX, b"".join(numbers)) + end


def read_index(reader: ChunkReader, first_chunk: int) -> list[IndexEntry]:
    """The index of a seekable file whose groups start at `first_chunk` or later; empty where none is valid."""
    size = reader.seek_end()
    try:
        reader.seek(max(HEAD_BYTES, size - END_BYTES))
        end = reader.read()
        if end.chunk_type != chunks.END or len(end.payload) != END_PAYLOAD.size:
            return []
        reader.seek(min(*END_PAYLOAD.unpack(end.payload), size))
        chunk = reader.read()
        return _parse(chunk.payload, range(first_chunk, size)) if chunk.chunk_type == chunks.INDEX else []
    except (Truncated, MediaDamaged, ValueError):
        return []


def count_frames(payload: bytes) -> int:
    """The number of frames that an index chunk lists; 0 where it is invalid."""
    try:
        entries = _parse(payload, range(1 << 62))
    except ValueError:
        return 0
    return entries[-1].first + entries[-1].n_frames if entries else 0


def read_heads(reader: ChunkReader, first_chunk: int) -> list[IndexEntry] | None:
    """The groups of a seekable file, found by going from one chunk's head to the next.

    None where that leads nowhere, as with damage, or where the groups are not numbered one after the other. A few
    bytes are read of each chunk, and no checksum is.
    """
    entries: list[IndexEntry] = []
    first, offset = 0, first_chunk
    while True:
        head = reader.bytes_at(offset, _HEAD_BYTES)
        if len(head) < CHUNK_BYTES:
            return None
        length, chunk_type = struct.unpack_from("<I4s", head)
        if length > MAX_PAYLOAD_BYTES or not chunk_type.isalpha():
            return None
        if chunk_type in (chunks.INDEX, chunks.END):
            return entries
        if chunk_type == chunks.GROUP:
            try:
                group_first, n_frames = read_first_and_count(Leb128Reader(head[8:]))
            except ValueError:
                return None
            if group_first != first:
                return None
            entries.append(IndexEntry(first, n_frames, offset))
            first += n_frames
        offset += CHUNK_BYTES + length


def _parse(payload: bytes, places: range) -> list[IndexEntry]:
    """The entries, whose groups must start at `places`. Raises ValueError."""
    numbers, entries = Leb128Reader(payload), []
    first = offset = 0
    for _ in range(numbers.number()):
        more, n_frames = numbers.number(), numbers.number()
        offset += more
        if not (more and 1 <= n_frames <= MAX_FRAMES and offset in places):
            raise ValueError(f"it claims {n_frames} frames at byte {offset}")
        entries.append(IndexEntry(first, n_frames, offset))
        first += n_frames
    return entries
