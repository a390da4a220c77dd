"""The outer structure of a `.svq` file: signature, version, and chunks with checksums (FORMAT.md, section 2)."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from streamvq.errors import MediaDamaged, MediaError, shortened

SIGNATURE = b"\x89SVQ\r\n\x1a\n"
VERSION, CODER_VERSION = 2, 3  # the latter is that of files whose HEAD names a coder
VERSIONS = (1, VERSION, CODER_VERSION)  # that are read
HEAD_BYTES = len(SIGNATURE) + 4
CHUNK_BYTES = 12  # length, type and checksum of a chunk
MAX_PAYLOAD_BYTES = 1 << 30
_READ_BYTES = 1 << 20  # a declared length is believed only as far as data arrives

HEADER, CODEBOOK, GROUP, AUDIO, INDEX, END = b"HEAD", b"BOOK", b"GRUP", b"AUDI", b"INDX", b"FEND"
END_PAYLOAD = struct.Struct("<Q")  # where the index chunk starts
END_BYTES = CHUNK_BYTES + END_PAYLOAD.size


@dataclass(frozen=True)
class Chunk:
    """One chunk: its type (4 letters), its payload, and the byte of the file where it starts."""

    chunk_type: bytes
    payload: bytes
    offset: int

    @property
    def size(self) -> int:
        """How many bytes of the file it takes."""
        return CHUNK_BYTES + len(self.payload)

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.offset + self.size


class ByteStream(Protocol):
    """What chunks are read from: a file, or a pipe that cannot seek."""

    def read(self, count: int, /) -> bytes: ...
    def seek(self, offset: int, whence: int = ..., /) -> int: ...
    def seekable(self) -> bool: ...
    def close(self) -> None: ...


class Truncated(Exception):
    """The file ends where more data must follow."""


def file_head(version: int = VERSION) -> bytes:
    """The first bytes of a file."""
    return SIGNATURE + struct.pack("<I", version)


def chunk_bytes(chunk_type: bytes, payload: bytes) -> bytes:
    """A chunk as bytes: length, type, payload, CRC-32 of all three."""
    head = struct.pack("<I4s", len(payload), chunk_type)
    return b"".join((head, payload, struct.pack("<I", zlib.crc32(payload, zlib.crc32(head)))))


def damage(label: str, chunk: Chunk, reason: object) -> MediaDamaged:
    """The error of a file whose chunk is invalid, with the place in the file."""
    return MediaDamaged(
        f"{label}: is damaged: in the '{_text(chunk.chunk_type)}' chunk at byte {chunk.offset}, "
        f"{shortened(reason, 300)}"
    )


@contextmanager
def parsing(label: str, chunk: Chunk) -> Iterator[None]:
    """Turn every ValueError of what parses `chunk` into MediaDamaged with the place in the file."""
    try:
        yield
    except ValueError as error:
        raise damage(label, chunk, error) from error


@dataclass(frozen=True)
class FileKind:
    """A kind of files made of chunks: how they begin, the versions that are read, and what messages call one."""

    signature: bytes
    versions: tuple[int, ...]
    name: str


SVQ = FileKind(SIGNATURE, VERSIONS, "an .svq file")


class ChunkReader:
    """Reads chunks one after the other from a file or pipe, in memory bounded by the data that really arrives.

    Raises MediaError where the stream cannot be read, or is no file of this `kind` of a known version.
    """

    def __init__(self, stream: ByteStream, label: str, kind: FileKind = SVQ) -> None:
        self._stream = stream
        self.seekable = stream.seekable()
        self.label = label
        self.offset = 0
        head = self._read(len(kind.signature), partly=True)
        if head != kind.signature:
            cut = bool(head) and kind.signature.startswith(head)
            raise MediaError(
                f"{label}: {'is cut off in its first bytes' if cut else f'not {kind.name}'}; is it whole?"
            )
        try:
            (version,) = struct.unpack("<I", self._read(4))
        except Truncated:
            raise MediaError(f"{label}: is cut off in its first bytes; is it whole?") from None
        if version not in kind.versions:
            name, newest = kind.name.partition(" ")[2].removesuffix(" file"), max(kind.versions)
            raise MediaError(f"{label}: {name} version {version}; this streamvq reads up to {newest}: upgrade it")

    def read_known(self) -> Chunk:
        """The next chunk of a known type; unknown optional ones are skipped.

        Raises Truncated, MediaDamaged, or MediaError where a chunk of an unknown type is not optional.
        """
        while True:
            chunk = self.read()
            if chunk.chunk_type in (HEADER, CODEBOOK, GROUP, AUDIO, INDEX, END):
                return chunk
            if not 97 <= chunk.chunk_type[0] <= 122:
                raise MediaError(
                    f"{self.label}: byte {chunk.offset} needs '{_text(chunk.chunk_type)}', unknown here; "
                    "upgrade streamvq"
                )

    def read(self) -> Chunk:
        """The next chunk, of any type. Raises Truncated where the file ends in it, MediaDamaged where it is wrong."""
        offset = self.offset
        head = self._read(8)
        length, chunk_type = struct.unpack("<I4s", head)
        if length > MAX_PAYLOAD_BYTES or not chunk_type.isalpha():
            raise MediaDamaged(f"{self.label}: is damaged at byte {offset}: no chunk starts there")
        payload = self._read(length)
        (checksum,) = struct.unpack("<I", self._read(4))
        if checksum != zlib.crc32(payload, zlib.crc32(head)):
            raise MediaDamaged(
                f"{self.label}: is damaged: the '{_text(chunk_type)}' chunk at byte {offset} fails its checksum"
            )
        return Chunk(chunk_type, payload, offset)

    def seek(self, offset: int) -> None:
        """Go to a byte of a seekable file."""
        self._stream.seek(offset)
        self.offset = offset

    def seek_end(self) -> int:
        """Go to the end of a seekable file: its size in bytes."""
        self.offset = self._stream.seek(0, io.SEEK_END)
        return self.offset

    def bytes_at(self, offset: int, count: int) -> bytes:
        """At most `count` bytes of a seekable file from the byte `offset` on, fewer at its end."""
        self.seek(offset)
        return self._read(count, partly=True)

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()

    def _read(self, count: int, partly: bool = False) -> bytes:
        pieces: list[bytes] = []
        remaining = count
        try:
            while remaining:
                piece = self._stream.read(min(remaining, _READ_BYTES))
                if not piece:
                    break
                pieces.append(piece)
                remaining -= len(piece)
        except OSError as error:
            raise unreadable(self.label, error) from error
        self.offset += count - remaining
        if remaining and not partly:
            raise Truncated
        return b"".join(pieces)


def unreadable(label: str, error: OSError) -> MediaError:
    """The error of a file that the system does not let us read."""
    return MediaError(f"{label}: cannot be read: {error.strerror or error}")


def _text(chunk_type: bytes) -> str:
    return chunk_type.decode("ascii", "replace")
