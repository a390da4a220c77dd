"""Reading a `.svq` file: from front to back, also from a pipe, or any group of a file by itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from streamvq.container import chunks
from streamvq.container.chunks import (
    HEAD_BYTES,
    ByteStream,
    Chunk,
    ChunkReader,
    Truncated,
    damage,
    parsing,
    unreadable,
)
from streamvq.container.codebook_coding import decode_codes
from streamvq.container.group_size import TARGET_PIXELS
from streamvq.container.groups import Group, decode_group
from streamvq.container.header import Header
from streamvq.container.index import IndexEntry, read_heads, read_index
from streamvq.container.pictures import PictureCoding, pictures_of
from streamvq.container.positioned_file import PositionedFile
from streamvq.errors import CodebookError, InputMissing, MediaDamaged, MediaError, UsageError, shortened
from streamvq.frames import CodedFrame, check_pixels
from streamvq.options import DEFAULT_MAX_PIXELS, AnyCodebook, Source
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.decoder import FrameDecoder

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class SvqReader:
    """Reads one `.svq` stream; a context manager, which closes it. `open_svq` makes one from a path.

    `header` is known at once, and so are `codebook` and `decoder`. A `codebook` is given where the file only names
    its own; where the file holds one, the given one must be the same. `truncation` says what a truncated file lacks,
    and is None for others; it is complete after reading. `parts` counts the bytes before the first frame by what they
    hold. Frames of more than `max_pixels` are not decoded. Raises MediaError, MediaDamaged or CodebookError.
    """

    def __init__(
        self,
        stream: ByteStream,
        label: str,
        codebook: Codebook | None = None,
        close_stream: bool = True,
        max_pixels: int = DEFAULT_MAX_PIXELS,
    ) -> None:
        self.max_pixels = max_pixels
        self.label = label
        self.truncation: str | None = None
        self._close_stream = close_stream
        self.chunk_reader = ChunkReader(stream, label)
        self._pending: Chunk | None = None  # already read, and not yet used
        self.parts = {"header": HEAD_BYTES, "codebook": 0}
        try:
            self.header = self._read_header()
            self._stored = self._read_codebook()
        except Truncated:
            raise MediaDamaged(f"{label}: is cut off before its first frame; is it whole?") from None
        self.first_chunk = self.chunk_reader.offset if self._pending is None else self._pending.offset
        if self.header.low_rank and codebook is not None:
            raise CodebookError(f"{label}: holds singular vectors, which no codebook belongs to; drop `codebook`")
        if codebook is not None and not self.header.matches(codebook):
            raise CodebookError(
                f"{label}: is written with codebook {self.header.fingerprint[:12]}, and {codebook.fingerprint[:12]} "
                "is given; name the right one with `codebook=PATH`"
            )
        self._given = codebook and codebook.matched_in(self.header.matching)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the stream, unless it is standard input; a second call does nothing."""
        if self._close_stream:
            self.chunk_reader.close()

    @property
    def codebook(self) -> Codebook:
        """The codebook of the frames. Raises CodebookError where there is none, inside or given."""
        if self.header.low_rank:
            raise CodebookError(f"{self.label}: holds singular vectors (`method=svd`) and no codebook")
        book = self._stored or self._given
        if book is None:
            raise CodebookError(
                f"{self.label}: has no codebook inside; name the one with fingerprint "
                f"{self.header.fingerprint[:12]} with `codebook=PATH`"
            )
        return book

    @property
    def decoder(self) -> FrameDecoder:
        """What renders the frames: their codebook, or the codec of factors. Raises CodebookError as `codebook`."""
        return self.header.low_rank or self.codebook

    @property
    def pictures(self) -> PictureCoding:
        """How the frames are stored. Raises CodebookError as `codebook`."""
        return pictures_of(self.decoder)

    def contents(self) -> Iterator[tuple[Chunk, Group | None]]:
        """All chunks behind the codebook from front to back, group chunks also as `Group`.

        Sets `truncation` where the file ends early. Raises MediaDamaged or MediaError.
        """
        frames = 0
        try:
            while True:
                chunk = self._pending or self.chunk_reader.read_known()
                self._pending = group = None
                if chunk.chunk_type == chunks.GROUP:
                    group = self.group(chunk, range(frames, frames + 1))
                    frames += group.n_frames
                elif chunk.chunk_type in (chunks.HEADER, chunks.CODEBOOK):
                    raise damage(self.label, chunk, "it comes a second time")
                yield chunk, group
                if chunk.chunk_type == chunks.END:
                    break
        except Truncated:
            self.set_truncation(frames)

    def groups(self) -> Iterator[Group]:
        """The groups from front to back. Sets `truncation` and raises as `contents`."""
        return (group for _, group in self.contents() if group is not None)

    def decode(self, group: Group) -> Sequence[CodedFrame]:
        """The frames of a group; any thread may call this. Raises MediaDamaged, or MediaError for too many pixels."""
        for entry in group.entries:
            check_pixels(self.label, entry.height, entry.width, self.max_pixels)
        if group.n_frames > 1 and group.pixels > max(self.max_pixels, TARGET_PIXELS):
            raise MediaError(
                f"{self.label}: {group.n_frames} frames that are coded together have {group.pixels} pixels: more "
                f"than `max_pixels={self.max_pixels}` allows; raise it to take them"
            )
        return decode_group(group, self.pictures)

    def index(self) -> list[IndexEntry]:
        """The groups of a seekable file, from its index, or by walking through the file where it has none."""
        return self.checked_index() or self._walked_index()

    def checked_index(self) -> list[IndexEntry]:
        """The groups of a seekable file as its index has them; empty where it has no valid one.

        Where the heads of the chunks say otherwise, the chunks decide, unless they are damaged.
        """
        place = self.chunk_reader.offset
        entries = read_index(self.chunk_reader, self.first_chunk)
        if not entries:
            self.chunk_reader.seek(place)  # reading from front to back goes on
            return []
        if read_heads(self.chunk_reader, self.first_chunk) in (None, entries):
            return entries
        try:
            walked = self._walked_index()
        except MediaDamaged:
            return entries
        if self.truncation is None:
            return walked
        self.truncation = None
        return entries

    def group_at(self, entry: IndexEntry) -> Group:
        """A group of a seekable file. Raises MediaDamaged where it is not what the index says."""
        self.chunk_reader.seek(entry.offset)
        try:
            chunk = self.chunk_reader.read()
        except Truncated:
            chunk = None
        if chunk is not None and chunk.chunk_type == chunks.GROUP:
            group = Group(chunk, self.header, self.label)
            if (group.first, group.n_frames) == (entry.first, entry.n_frames):
                return group
        raise MediaDamaged(f"{self.label}: is damaged: no such group at byte {entry.offset} as its index says")

    def _walked_index(self) -> list[IndexEntry]:
        """The groups found by going from chunk to chunk; sets `truncation` where the file ends early."""
        entries: list[IndexEntry] = []
        frames = 0
        self.chunk_reader.seek(self.first_chunk)
        try:
            while (chunk := self.chunk_reader.read_known()).chunk_type != chunks.END:
                if chunk.chunk_type == chunks.GROUP:
                    group = self.group(chunk, range(frames, frames + 1))
                    entries.append(IndexEntry(group.first, group.n_frames, chunk.offset))
                    frames += group.n_frames
        except Truncated:
            self.set_truncation(frames)
        return entries

    def group(self, chunk: Chunk, firsts: range) -> Group:
        """The group of a chunk, whose first frame must be one of `firsts`. Raises MediaDamaged."""
        group = Group(chunk, self.header, self.label)
        if group.first not in firsts:
            raise damage(self.label, chunk, f"it starts at frame {group.first} where {firsts.start} comes next")
        return group

    def set_truncation(self, frames: int) -> None:
        """Say in `truncation` that the file ends after so many whole `frames`."""
        expected = self.header.info.frame_count
        of = f" of about {expected}" if expected and expected > frames else ""
        self.truncation = f"{self.label}: is cut off: {frames}{of} frames are whole, and what follows them is missing"

    def _read_header(self) -> Header:
        chunk = self.chunk_reader.read_known()
        if chunk.chunk_type != chunks.HEADER:
            raise MediaDamaged(f"{self.label}: is damaged: its header does not come first")
        self.parts["header"] += chunk.size
        try:
            return Header.from_json(chunk.payload)
        except ValueError as error:
            raise MediaDamaged(f"{self.label}: is damaged in its header: {shortened(error)}") from error

    def _read_codebook(self) -> Codebook | None:
        chunk = self.chunk_reader.read_known()
        header = self.header
        if chunk.chunk_type != chunks.CODEBOOK:
            if not (header.low_rank or header.fingerprint):
                raise MediaDamaged(f"{self.label}: is damaged: it has no codebook, and names none")
            self._pending = chunk
            return None
        self.parts["codebook"] = chunk.size
        if header.low_rank:
            raise damage(self.label, chunk, "factors have no codebook")
        with parsing(self.label, chunk):
            book = decode_codes(chunk.payload, header.n_codes, header.block, header.space, header.alpha)
            book = book.matched_in(header.matching)
        if not header.fingerprint:
            self.header = replace(header, fingerprint=book.fingerprint)
        elif not header.matches(book):
            raise damage(self.label, chunk, "the codebook is not the one that the header names")
        return book


def open_svq(
    path: str | os.PathLike[str] | None,
    codebook: Codebook | None = None,
    label: str | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> SvqReader:
    """Open a `.svq` file, or standard input where `path` is None; `label` is what messages call it.

    Raises InputMissing, MediaError, MediaDamaged or CodebookError.
    """
    if path is None:
        return SvqReader(sys.stdin.buffer, label or "-", codebook, False, max_pixels)
    label = label or str(path)
    try:
        file = Path(path).open("rb")  # noqa: SIM115  closed by the reader
    except FileNotFoundError as error:
        raise InputMissing(f"{label}: no such file; check the spelling") from error
    except OSError as error:
        raise unreadable(label, error) from error
    try:
        return SvqReader(PositionedFile(file) if file.seekable() else file, label, codebook, max_pixels=max_pixels)
    except BaseException:
        file.close()
        raise


def load_codebook(path: str | os.PathLike[str]) -> Codebook:
    """The codebook of a codebook file, or the one inside a `.svq` file. Raises CodebookError or MediaError."""
    if Path(path).suffix.lower() != ".svq":
        return Codebook.load(path)
    try:
        with open_svq(path) as reader:
            return reader.codebook
    except InputMissing as error:
        raise CodebookError(str(error)) from error


def codebook_from(value: AnyCodebook | Source | None) -> Codebook | None:
    """What library functions take as `codebook=`: a codebook, or the path of a codebook file or a `.svq` file.

    Raises CodebookError, MediaError, or UsageError for anything else.
    """
    if isinstance(value, (str, os.PathLike)):
        return load_codebook(value)
    if value is not None and not isinstance(value, Codebook):
        raise UsageError(f"`codebook`: a {type(value).__name__} is none; give a Codebook, or the path of one")
    return value
