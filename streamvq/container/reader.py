"""Reading a `.svq` file: from front to back, also from a pipe, or any group of a file by itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

from streamvq.container import chunks
from streamvq.container.chunks import CHUNK_BYTES, END_BYTES, END_PAYLOAD, HEAD_BYTES, Chunk, ChunkReader, CutOff
from streamvq.container.codebook_coding import decode_codes
from streamvq.container.groups import FRAMES_MOST, decode_group, group_span
from streamvq.container.header import Header
from streamvq.container.leb128 import Leb128Reader
from streamvq.errors import CodebookError, MediaDamaged
from streamvq.frames import CodedFrame
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.decoder import FrameDecoder

Parsed = TypeVar("Parsed")


@dataclass(frozen=True)
class Group:
    """A group of a file: its frames are `first` to `first + frames - 1`."""

    first: int
    frames: int
    offset: int


class SvqReader:
    """Reads one `.svq` stream. `header` and `codebook`, or for a file of factors `decoder`, are known at once.

    `codebook` is given where the file names its codebook only; where the file holds one, the given one must be the
    same. `missing` says what is gone where the file turned out to be cut off, complete after reading.
    Raises MediaError, MediaDamaged or CodebookError.
    """

    def __init__(self, stream: IO[bytes], label: str, codebook: Codebook | None = None) -> None:
        self.label = label
        self.missing: str | None = None
        self._chunks = ChunkReader(stream, label)
        self._waiting: Chunk | None = None  # read too far
        self.parts = {"header": HEAD_BYTES, "codebook": 0}
        try:
            self.header = self._read_header()
            self._stored = self._read_codebook()
        except CutOff:
            raise MediaDamaged(f"{label}: is cut off before its first frame; is it whole?") from None
        self.first_chunk = self._chunks.offset if self._waiting is None else self._waiting.offset
        self._given = codebook
        if self.header.low_rank and codebook is not None:
            raise CodebookError(f"{label}: holds singular vectors, which no codebook belongs to; drop -c")
        if codebook is not None and not self.header.matches(codebook):
            raise CodebookError(
                f"{label}: is written with codebook {self.header.fingerprint[:12]}, and {codebook.fingerprint[:12]} "
                "is given; name the right one with -c"
            )

    @property
    def codebook(self) -> Codebook:
        """The codebook of the frames. Raises CodebookError where there is none, inside or given."""
        if self.header.low_rank:
            raise CodebookError(f"{self.label}: holds singular vectors (--method svd) and no codebook")
        book = self._stored or self._given
        if book is None:
            raise CodebookError(
                f"{self.label}: has no codebook inside; name the one with fingerprint "
                f"{self.header.fingerprint[:12]} with -c"
            )
        return book

    @property
    def decoder(self) -> FrameDecoder:
        """What draws the frames: their codebook, or for factors their codec. Raises CodebookError as `codebook`."""
        return self.header.low_rank or self.codebook

    def chunks(self) -> Iterator[Chunk]:
        """All chunks behind the codebook from front to back; sets `missing` where the file ends early."""
        frames = 0
        try:
            while True:
                chunk = self._waiting or self._chunks.known()
                self._waiting = None
                if chunk.kind == chunks.GROUP:
                    frames += self.span(chunk, frames)[1]
                elif chunk.kind in (chunks.HEADER, chunks.CODEBOOK):
                    raise self._damaged(chunk, "it comes a second time")
                yield chunk
                if chunk.kind == chunks.END:
                    break
        except CutOff:
            self._is_cut(frames)

    def groups(self) -> Iterator[Chunk]:
        """The group chunks from front to back; sets `missing` where the file ends early."""
        return (chunk for chunk in self.chunks() if chunk.kind == chunks.GROUP)

    def span(self, chunk: Chunk, expected: int | None = None) -> tuple[int, int]:
        """The first frame's index and the number of frames of a group chunk. Raises MediaDamaged."""
        first, count = self.explained(chunk, lambda payload, _: group_span(payload))
        if expected is not None and first != expected:
            raise self._damaged(chunk, f"it starts at frame {first} where {expected} comes next")
        return first, count

    def decode(self, chunk: Chunk) -> list[CodedFrame]:
        """The frames of a group chunk; can be called on any thread. Raises MediaDamaged."""
        decoder = self.decoder
        return self.explained(chunk, lambda payload, header: decode_group(payload, header, decoder))

    def explained(self, chunk: Chunk, parse: Callable[[bytes, Header], Parsed]) -> Parsed:
        """What `parse` makes of a chunk's payload. Raises MediaDamaged with the place where it raises ValueError."""
        try:
            return parse(chunk.payload, self.header)
        except ValueError as error:
            raise self._damaged(chunk, error) from error

    def index(self, size: int) -> list[Group]:
        """The groups of a seekable file of `size` bytes: from its index, or by walking through where it has none."""
        return self._stored_index(size) or self._walked_index(size)

    def group_at(self, group: Group) -> Chunk:
        """The chunk of a group. Seeks. Raises MediaDamaged."""
        self._chunks.seek(group.offset)
        try:
            chunk = self._chunks.read()
        except CutOff:
            chunk = None
        if chunk is None or chunk.kind != chunks.GROUP or self.span(chunk) != (group.first, group.frames):
            raise MediaDamaged(f"{self.label}: is damaged: no such group at byte {group.offset} as its index says")
        return chunk

    def _stored_index(self, size: int) -> list[Group]:
        """The groups that the index at the file's end lists; none where there is no such index."""
        reader, groups = self._chunks, []
        try:
            reader.seek(max(HEAD_BYTES, size - END_BYTES))
            end = reader.read()
            if end.kind != chunks.END or len(end.payload) != END_PAYLOAD.size:
                return []
            reader.seek(min(*END_PAYLOAD.unpack(end.payload), size))
            chunk = reader.read()
            if chunk.kind != chunks.INDEX:
                return []
            numbers = Leb128Reader(chunk.payload)
            first = offset = 0
            for _ in range(numbers.number()):
                more, frames = numbers.number(), numbers.number()
                offset += more
                if not (more and 1 <= frames <= FRAMES_MOST and self.first_chunk <= offset < size):
                    return []
                groups.append(Group(first, frames, offset))
                first += frames
        except (CutOff, MediaDamaged, ValueError):
            return []
        return groups

    def _walked_index(self, size: int) -> list[Group]:
        """The groups found by going from chunk to chunk; sets `missing` where the file ends early."""
        groups: list[Group] = []
        frames, offset, ended = 0, self.first_chunk, False
        while not ended and offset + CHUNK_BYTES <= size:
            self._chunks.seek(offset)
            try:
                chunk = self._chunks.known()
            except CutOff:
                break
            if chunk.kind == chunks.GROUP:
                first, count = self.span(chunk, frames)
                groups.append(Group(first, count, chunk.offset))
                frames += count
            ended = chunk.kind == chunks.END
            offset = chunk.end
        if not ended:
            self._is_cut(frames)
        return groups

    def _is_cut(self, frames: int) -> None:
        expected = self.header.info.frame_count
        of = f" of about {expected}" if expected and expected > frames else ""
        self.missing = f"{self.label}: is cut off: {frames}{of} frames are whole, and what follows them is missing"

    def _read_header(self) -> Header:
        chunk = self._chunks.known()
        if chunk.kind != chunks.HEADER:
            raise MediaDamaged(f"{self.label}: is damaged: its header does not come first")
        self.parts["header"] += CHUNK_BYTES + len(chunk.payload)
        try:
            return Header.from_json(chunk.payload)
        except ValueError as error:
            raise MediaDamaged(f"{self.label}: is damaged in its header: {error}") from error

    def _read_codebook(self) -> Codebook | None:
        self._waiting = self._chunks.known()
        if self._waiting.kind != chunks.CODEBOOK:
            return None
        chunk, self._waiting = self._waiting, None
        self.parts["codebook"] = CHUNK_BYTES + len(chunk.payload)
        header = self.header
        if header.low_rank:
            raise self._damaged(chunk, "factors have no codebook")
        try:
            book = decode_codes(chunk.payload, header.colors, header.block, header.space)
        except ValueError as error:
            raise self._damaged(chunk, error) from error
        if not header.matches(book):
            raise self._damaged(chunk, "the codebook is not the one that the header names")
        return book

    def _damaged(self, chunk: Chunk, why: object) -> MediaDamaged:
        kind = chunk.kind.decode()
        return MediaDamaged(f"{self.label}: is damaged: in the '{kind}' chunk at byte {chunk.offset}, {why}")


def load_codebook(path: Path) -> Codebook:
    """The codebook of a codebook file, or the one inside a `.svq` file. Raises CodebookError or MediaError."""
    if path.suffix.lower() != ".svq":
        return Codebook.load(path)
    try:
        with path.open("rb") as stream:
            return SvqReader(stream, str(path)).codebook
    except OSError as error:
        raise CodebookError(f"{path}: cannot be read: {error.strerror or error}") from error


def codebook_from(value: Codebook | str | os.PathLike[str] | None) -> Codebook | None:
    """A codebook, or the one at a path."""
    return value if isinstance(value, Codebook | None) else load_codebook(Path(value))
