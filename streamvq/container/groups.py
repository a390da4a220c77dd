"""Groups of frames, each decodable alone: a table of sizes, times and names, alpha, and coded pictures.

FORMAT.md, section 5, gives the bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from streamvq.container.chunks import Chunk, parsing
from streamvq.container.frame_table import Entry, encode_table, read_first_and_count, read_table
from streamvq.container.header import Header
from streamvq.container.index_coders import index_coder
from streamvq.container.leb128 import Leb128Reader, leb128
from streamvq.container.pictures import PictureCoding, pictures_of
from streamvq.frames import CodedFrame
from streamvq.quantize.decoder import FrameDecoder

_LEVELS = np.arange(256, dtype=np.uint8)[:, None]  # alpha is coded like the indices of a gray picture of all levels


@dataclass(frozen=True)
class GroupBytes:
    """A group before the number of its first frame is known: the payload that follows it, and what its bytes hold."""

    rest: bytes
    n_frames: int
    alpha_bytes: int
    picture_bytes: int

    def to_payload(self, first: int) -> bytes:
        """The payload of a GRUP chunk whose first frame has this number; `Group` reads it."""
        return leb128(first) + self.rest


def encode_group(frames: Sequence[CodedFrame], header: Header, decoder: FrameDecoder) -> GroupBytes:
    """Consecutive frames as a group. Raises OutputError for a frame that the format cannot hold."""
    table = encode_table(frames, header)
    planes = [frame.alpha for frame in frames if frame.alpha is not None]
    coder = index_coder(header.coder)
    alpha = coder.encode(planes, _LEVELS) if planes else b""
    pictures = pictures_of(decoder).encode(frames, coder)
    length = leb128(len(alpha)) if planes else b""
    return GroupBytes(b"".join((table, length, alpha, pictures)), len(frames), len(alpha), len(pictures))


class Group:
    """A group of a file: its frames are `first` to `first + n_frames - 1`.

    These two are known at once; the rest of the table is parsed when it is first needed, once. Everything raises
    MediaDamaged where the chunk is invalid.
    """

    def __init__(self, chunk: Chunk, header: Header, label: str) -> None:
        self.chunk = chunk
        self.header = header
        self.label = label
        with parsing(label, chunk):
            self.first, self.n_frames = read_first_and_count(Leb128Reader(chunk.payload))

    @cached_property
    def _table(self) -> tuple[list[Entry], range, range]:
        """The entries, and which bytes of the payload are alpha and pictures."""
        payload = self.chunk.payload
        with parsing(self.label, self.chunk):
            data = Leb128Reader(payload)
            entries = read_table(data, self.header)
            alpha_bytes = data.number() if any(entry.has_alpha for entry in entries) else 0
            start = data.position
            data.skip(alpha_bytes)
        return entries, range(start, data.position), range(data.position, len(payload))

    @property
    def entries(self) -> Sequence[Entry]:
        """What the table declares of each frame."""
        return self._table[0]

    @property
    def pixels(self) -> int:
        """How many pixels its frames have together."""
        return sum(entry.pixels for entry in self.entries)

    @property
    def alpha(self) -> bytes:
        """The coded alpha planes."""
        return self._part(self._table[1])

    @property
    def alpha_bytes(self) -> int:
        """Their length."""
        return len(self._table[1])

    @property
    def pictures(self) -> bytes:
        """The coded indices or factors."""
        return self._part(self._table[2])

    @property
    def picture_bytes(self) -> int:
        """Their length."""
        return len(self._table[2])

    def _part(self, span: range) -> bytes:
        return self.chunk.payload[span.start : span.stop]


def decode_group(group: Group, pictures: PictureCoding) -> Sequence[CodedFrame]:
    """The frames of a group; any thread may call this. Raises MediaDamaged."""
    entries, time_base = group.entries, group.header.info.time_base
    with parsing(group.label, group.chunk):
        shapes = [(entry.height, entry.width) for entry in entries if entry.has_alpha]
        coder = index_coder(group.header.coder)
        planes = iter(coder.decode(group.alpha, shapes, _LEVELS) if shapes else [])
        metas = [
            entry.meta(group.first + i, time_base, next(planes) if entry.has_alpha else None)
            for i, entry in enumerate(entries)
        ]
        return pictures.decode(group.pictures, metas, coder)
