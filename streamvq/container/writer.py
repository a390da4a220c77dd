"""Writing a `.svq` file as a stream: nothing is ever changed behind its end, so it can go into a pipe."""

from __future__ import annotations

from typing import IO

from streamvq.container import chunks
from streamvq.container.chunks import END_PAYLOAD, chunk_bytes, file_head
from streamvq.container.codebook_coding import encode_codes
from streamvq.container.groups import GroupBytes
from streamvq.container.header import Header
from streamvq.container.leb128 import leb128
from streamvq.quantize.codebook import Codebook

PARTS = ("header", "codebook", "frame tables", "alpha", "indices", "factors", "audio", "index")


def no_bytes(header: Header) -> dict[str, int]:
    """0 for each of `PARTS` that a file can have: either indices or factors."""
    absent = {"indices", "factors"} - {header.pictures}
    return {part: 0 for part in PARTS if part not in absent}


class SvqWriter:
    """Writes header, codebook, groups and audio to `stream`, which need not be seekable; then the index.

    A file of factors has no `codebook`; `embed=False` leaves it out of others, which name it by its fingerprint.
    `parts` counts the bytes of each of `PARTS`.
    """

    def __init__(self, stream: IO[bytes], header: Header, codebook: Codebook | None, embed: bool = True) -> None:
        self._stream = stream
        self._entries: list[tuple[int, int]] = []  # offset and frames of each group
        self._pictures = header.pictures
        self.parts = no_bytes(header)
        self.size = self.frames = 0
        self._write("header", file_head() + chunk_bytes(chunks.HEADER, header.to_json()))
        if embed and codebook is not None:
            self._write("codebook", chunk_bytes(chunks.CODEBOOK, encode_codes(codebook)))

    def group(self, group: GroupBytes) -> None:
        """Write the next group."""
        data = chunk_bytes(chunks.GROUP, leb128(self.frames) + group.payload)
        self._entries.append((self.size, group.frames))
        self.frames += group.frames
        self._write("frame tables", data)
        for part, count in (("alpha", group.alpha_bytes), (self._pictures, group.picture_bytes)):
            self.parts[part] += count
            self.parts["frame tables"] -= count

    def audio(self, data: bytes) -> None:
        """Write the next piece of the audio file (see FORMAT.md, section 6)."""
        self._write("audio", chunk_bytes(chunks.AUDIO, data))

    def finish(self) -> None:
        """Write the index and the end."""
        numbers, before = [leb128(len(self._entries))], 0
        for offset, frames in self._entries:
            numbers += [leb128(offset - before), leb128(frames)]
            before = offset
        start = self.size
        self._write("index", chunk_bytes(chunks.INDEX, b"".join(numbers)))
        self._write("index", chunk_bytes(chunks.END, END_PAYLOAD.pack(start)))

    def _write(self, part: str, data: bytes) -> None:
        self._stream.write(data)
        self.parts[part] += len(data)
        self.size += len(data)
