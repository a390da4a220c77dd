"""What a damaged `.svq` file still holds: its whole groups, and the gaps between them."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from streamvq.container import chunks
from streamvq.container.chunks import CHUNK_BYTES, Chunk, ChunkReader, Truncated
from streamvq.container.index import count_frames
from streamvq.errors import MediaDamaged

if TYPE_CHECKING:
    from streamvq.container.groups import Group
    from streamvq.container.reader import SvqReader

MAX_GAP = 1 << 24  # frames; a group that claims to start further on is damaged itself
_TYPES = re.compile(b"GRUP|AUDI|INDX|FEND")
_WINDOW_BYTES = 1 << 20
_MAX_CHECKED_BYTES = 1 << 30  # of all that may be chunks: a search ends in time, whatever the file holds


@dataclass(frozen=True)
class Gap:
    """Frames that a damaged file lacks: `count` from `first` on (None: all from there on), and why."""

    first: int
    count: int | None
    reason: str

    def __str__(self) -> str:
        if self.count is None:
            return f"{self.reason}; the frames from {self.first} on are missing"
        if self.count == 1:
            return f"{self.reason}; 1 frame is missing, {self.first}"
        if self.count:
            return f"{self.reason}; {self.count} frames are missing, {self.first} to {self.first + self.count - 1}"
        return f"{self.reason}; no frame is missing"

    def within(self, wanted: range | None) -> Gap | None:
        """Its part among the `wanted` frames; None where it has none."""
        if wanted is None:
            return self
        first = max(self.first, wanted.start)
        if self.count is None:
            return Gap(first, None, self.reason) if first < wanted.stop else None
        count = min(self.first + self.count, wanted.stop) - first
        return Gap(first, count, self.reason) if count > 0 else None


def salvaged(reader: SvqReader) -> Iterator[Group | Gap]:
    """The whole groups of a seekable file from front to back, and gaps where frames are missing.

    Sets the reader's `truncation` where the file ends early. Raises MediaError where it needs a newer streamvq.
    """
    expected = whole = total = 0
    reason: str | None = None
    reader.chunk_reader.seek(reader.first_chunk)
    while True:
        chunk, wrong = next_whole(reader.chunk_reader)
        reason = reason or wrong
        if chunk is None:
            if wrong is None:
                reader.set_truncation(whole)
            break
        if chunk.chunk_type == chunks.END:
            break
        if chunk.chunk_type == chunks.INDEX:
            total = count_frames(chunk.payload)
        if chunk.chunk_type != chunks.GROUP:
            continue
        try:
            group = reader.group(chunk, range(expected, expected + MAX_GAP + 1))
            _ = group.entries
        except MediaDamaged as error:
            reason = reason or str(error)
            continue
        if reason or group.first > expected:
            reason = reason or f"{reader.label}: is damaged: no group before byte {chunk.offset} has them"
            yield Gap(expected, group.first - expected, reason)
            reason = None
        yield group
        whole += group.n_frames
        expected = group.first + group.n_frames
    if reason or total > expected:
        reason = reason or f"{reader.label}: is damaged: it ends before all groups that its index lists"
        yield Gap(expected, total - expected if total > expected else 0 if total else None, reason)


def next_whole(reader: ChunkReader) -> tuple[Chunk | None, str | None]:
    """The next whole chunk of a seekable file, None at its end, and what is wrong with the bytes before it.

    The end without a word is where the file is cut off.
    """
    start = reader.offset
    try:
        return reader.read_known(), None
    except MediaDamaged as error:
        wrong, cut = str(error), False
    except Truncated:
        wrong, cut = f"{reader.label}: is damaged at byte {start}: no whole chunk starts there", True
    if _find_chunk(reader, start + 1):
        return reader.read_known(), wrong
    return None, None if cut else wrong


def _find_chunk(reader: ChunkReader, start: int) -> bool:
    """Go to the first whole chunk that starts at the byte `start` or later. Returns whether there is one."""
    size = reader.seek_end()
    checked = 0
    while start < size:
        window = reader.bytes_at(start, _WINDOW_BYTES)
        for match in _TYPES.finditer(window, 4):
            at = match.start() - 4
            (length,) = struct.unpack_from("<I", window, at)
            if start + at + CHUNK_BYTES + length > size:
                continue
            checked += CHUNK_BYTES + length
            if checked > _MAX_CHECKED_BYTES:
                return False
            reader.seek(start + at)
            try:
                reader.read()
            except (MediaDamaged, Truncated):
                continue
            reader.seek(start + at)
            return True
        start += max(1, len(window) - 7)  # a head that the window cuts is in the next one
    return False
