"""The index of a `.svq` file: where each group starts, and how many frames it has (FORMAT.md, section 11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streamvq.container import chunks
from streamvq.container.chunks import END_BYTES, END_PAYLOAD, HEAD_BYTES, ChunkReader, Truncated, chunk_bytes
from streamvq.container.frame_table import MAX_FRAMES
from streamvq.container.leb128 import Leb128Reader, leb128
from streamvq.errors import MediaDamaged


@dataclass(frozen=True)
class IndexEntry:
    """Where a group is: its frames are `first` to `first + n_frames - 1`, its chunk starts at the byte `offset`."""

    first: int
    n_frames: int
    offset: int


def index_chunks(entries: Sequence[IndexEntry], start: int) -> bytes:
    """The chunks that end a file: the index, which starts at the byte `start`, and the end, which says so."""
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
