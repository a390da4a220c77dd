"""The frame of a `.svq` file: signature, version, and chunks with lengths and checksums (FORMAT.md, section 2)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import IO

from streamvq.errors import MediaDamaged, MediaError

SIGNATURE = b"\x89SVQ\r\n\x1a\n"
VERSION = 1
HEAD_BYTES = len(SIGNATURE) + 4
CHUNK_BYTES = 12  # length, type and checksum of a chunk
PAYLOAD_MOST = 1 << 30  # bytes
_PIECE = 1 << 20  # a length is believed only as far as data arrives

HEADER, CODEBOOK, GROUP, AUDIO, INDEX, END = b"HEAD", b"BOOK", b"GRUP", b"AUDI", b"INDX", b"FEND"
END_PAYLOAD = struct.Struct("<Q")  # where the index chunk starts
END_BYTES = CHUNK_BYTES + END_PAYLOAD.size


@dataclass(frozen=True)
class Chunk:
    """One chunk: its type (4 letters), its payload, and the byte of the file where it starts."""

    kind: bytes
    payload: bytes
    offset: int

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.offset + CHUNK_BYTES + len(self.payload)


class CutOff(Exception):
    """The file ends where more must come."""


def file_head() -> bytes:
    """What a file starts with."""
    return SIGNATURE + struct.pack("<I", VERSION)


def chunk_bytes(kind: bytes, payload: bytes) -> bytes:
    """A chunk as bytes: length, type, payload, CRC-32 of all three."""
    head = struct.pack("<I4s", len(payload), kind)
    return b"".join((head, payload, struct.pack("<I", zlib.crc32(payload, zlib.crc32(head)))))


class ChunkReader:
    """Reads chunks one after the other from a file or pipe, in memory bounded by what is really there.

    Raises MediaError where the stream is no `.svq` file of a version that is known.
    """

    def __init__(self, stream: IO[bytes], label: str) -> None:
        self._stream = stream
        self.label = label
        self.offset = 0
        head = self._read(len(SIGNATURE), partly=True)
        if head != SIGNATURE:
            cut = bool(head) and SIGNATURE.startswith(head)
            raise MediaError(
                f"{label}: {'is cut off in its first bytes' if cut else 'not an .svq file'}; is it whole?"
            )
        try:
            (version,) = struct.unpack("<I", self._read(4))
        except CutOff:
            raise MediaError(f"{label}: is cut off in its first bytes; is it whole?") from None
        if version != VERSION:
            raise MediaError(f"{label}: .svq version {version}; this streamvq reads {VERSION}: upgrade it")

    def known(self) -> Chunk:
        """The next chunk of a known type, past optional others. Raises CutOff, MediaDamaged, MediaError."""
        while True:
            chunk = self.read()
            if chunk.kind in (HEADER, CODEBOOK, GROUP, AUDIO, INDEX, END):
                return chunk
            if not 97 <= chunk.kind[0] <= 122:
                raise MediaError(
                    f"{self.label}: byte {chunk.offset} needs '{_name(chunk.kind)}', unknown here; upgrade streamvq"
                )

    def read(self) -> Chunk:
        """The next chunk, of any type. Raises CutOff where the file ends in it, MediaDamaged where it is wrong."""
        offset = self.offset
        head = self._read(8)
        length, kind = struct.unpack("<I4s", head)
        if length > PAYLOAD_MOST or not kind.isalpha():
            raise MediaDamaged(f"{self.label}: is damaged at byte {offset}: no chunk starts there")
        payload = self._read(length)
        (checksum,) = struct.unpack("<I", self._read(4))
        if checksum != zlib.crc32(payload, zlib.crc32(head)):
            raise MediaDamaged(
                f"{self.label}: is damaged: the '{_name(kind)}' chunk at byte {offset} fails its checksum"
            )
        return Chunk(kind, payload, offset)

    def seek(self, offset: int) -> None:
        """Go to a byte of a seekable file."""
        self._stream.seek(offset)
        self.offset = offset

    def _read(self, count: int, partly: bool = False) -> bytes:
        pieces: list[bytes] = []
        missing = count
        while missing:
            piece = self._stream.read(min(missing, _PIECE))
            if not piece:
                break
            pieces.append(piece)
            missing -= len(piece)
        self.offset += count - missing
        if missing and not partly:
            raise CutOff
        return b"".join(pieces)


def _name(kind: bytes) -> str:
    return kind.decode("ascii", "replace")
