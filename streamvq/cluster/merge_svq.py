"""Parts of a `.svq` file become the whole: the bytes that one machine writes.

Groups are copied as they are. Where one machine would have cut them elsewhere, since an image could not be read, or
had another size than its header says, they are cut anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from streamvq.container import chunks
from streamvq.container.chunks import Chunk, ChunkReader, Truncated, chunk_bytes, parsing
from streamvq.container.group_size import GroupSize
from streamvq.container.groups import Group, GroupBytes, encode_group
from streamvq.container.index import IndexEntry, index_chunks
from streamvq.container.leb128 import Leb128Reader
from streamvq.container.reader import SvqReader, open_svq
from streamvq.container.share import SHARE, Share
from streamvq.errors import MediaDamaged, MediaError, UsageError
from streamvq.frames import CodedFrame
from streamvq.media.inputs import MediaInput
from streamvq.pipeline.batches import batches
from streamvq.pipeline.grouping import grouped
from streamvq.staging import staged_file


@dataclass(frozen=True)
class Part:
    """A part, and what it says of itself; its groups and audio are between two bytes of the file."""

    label: str
    path: Path
    share: Share
    begin: int
    end: int
    head: bytes = field(repr=False)


@dataclass(eq=False)
class _Item:
    """A frame of a part, or what could not be read there (without group), and the audio before it."""

    pixels: int = 0
    group: Group | None = None
    position: int = 0
    audio: list[bytes] = field(default_factory=list)


def merge_svq(found: Sequence[MediaInput], path: Path, overwrite: bool) -> tuple[int, tuple[str, ...], int]:
    """Merge parts into `path`: how many frames there are, what could not be read, and the bytes written.

    Raises UsageError where parts are missing, come twice, or do not belong together; MediaDamaged or OutputError.
    """
    parts = _in_order([read_part(each.paths[0], each.label) for each in found])
    with staged_file(path, overwrite) as part, open_svq(parts[0].path, label=parts[0].label) as reader:
        with part.open("wb") as stream:
            frames = _write(stream, parts, reader)
        size = part.stat().st_size
    failed = tuple(dict.fromkeys(line for part in parts for line in part.share.failed))
    return frames, failed, size


def read_part(path: Path, label: str) -> Part:
    """What a part says of itself. Raises UsageError for a whole file, MediaError or MediaDamaged."""
    with open_svq(path, label=label) as reader:
        entries = reader.checked_index()
        reader.chunk_reader.seek(entries[-1].offset if entries else reader.first_chunk)
        try:
            while (chunk := reader.chunk_reader.read()).chunk_type != SHARE:
                if chunk.chunk_type == chunks.END:
                    raise UsageError(f"{label}: is no part of a run, but whole; parts are made with `shard`")
        except Truncated:
            raise MediaDamaged(f"{label}: is cut off; copy it again, or make the share again") from None
        with parsing(label, chunk):
            share = Share.from_json(chunk.payload)
        head = reader.chunk_reader.bytes_at(0, reader.first_chunk)
        return Part(label, path, share, reader.first_chunk, chunk.offset, head)


def _in_order(parts: Sequence[Part]) -> list[Part]:
    """The parts by share. Raises UsageError."""
    first, by_number = parts[0], dict[int, Part]()
    for part in parts:
        share = part.share
        if (share.of, share.inputs, share.batch) != (first.share.of, first.share.inputs, first.share.batch):
            raise UsageError(
                f"{part.label}: is of other inputs, or of {share.of} shares, unlike {first.label}; give those of "
                "one run"
            )
        if part.head != first.head:
            raise UsageError(f"{part.label}: was made with another codebook or other settings than {first.label}")
        if share.number in by_number:
            raise UsageError(
                f"{part.label}: share {share.number} of {share.of} is there already: {by_number[share.number].label}"
            )
        by_number[share.number] = part
    for number in range(1, first.share.of + 1):
        if number not in by_number:
            raise UsageError(
                f"{first.label}: share {number} of {first.share.of} is missing; give its part too (`shard={number}/"
                f"{first.share.of}`)"
            )
    ordered = [by_number[number] for number in sorted(by_number)]
    _check_follow([part for part in ordered if part.share.stop != part.share.first])
    return ordered


def _check_follow(parts: Sequence[Part]) -> None:
    """Raise where a part does not begin where the one before it ends; the input may end in any of them."""
    place: int | None = 0
    ended = False
    for part in parts:
        share = part.share
        if share.first != place or (ended and share.items):
            raise MediaError(
                f"{part.label}: begins at frame {share.first}, where the part before it does not end; make both again"
            )
        ended |= share.stop is None or share.items < share.stop - share.first
        place = share.stop
    if place is not None:
        raise MediaError(f"{parts[-1].label}: is not the end of its input; make the last share again")


def _write(stream: IO[bytes], parts: Sequence[Part], reader: SvqReader) -> int:
    """The whole file; how many frames it has."""
    size = GroupSize.for_stream(reader.header.info, None if reader.header.low_rank else reader.header.block)
    length, offset = parts[0].share.batch, len(parts[0].head)
    stream.write(parts[0].head)
    entries: list[IndexEntry] = []
    frames = 0
    last = _Item()
    for group in grouped(batches(_items(parts, reader, last), length), size, length, lambda item: item.pixels):
        made = _group_bytes(group, reader)
        for data in group[0].audio:
            offset += stream.write(data)
        if made is not None:
            entries.append(IndexEntry(frames, made.n_frames, offset))
            offset += stream.write(chunk_bytes(chunks.GROUP, made.to_payload(frames)))
            frames += made.n_frames
    for data in last.audio:
        offset += stream.write(data)
    if not frames:
        raise MediaError(f"{parts[0].label}: no part has a frame")
    stream.write(index_chunks(entries, offset))
    return frames


def _items(parts: Sequence[Part], reader: SvqReader, last: _Item) -> Iterator[_Item]:
    """All frames of all parts, and what could not be read; audio behind them goes to `last`."""
    for part in parts:
        unread = set(part.share.unread)
        audio: list[bytes] = []
        number = 0
        for chunk in _chunks(part):
            if chunk.chunk_type == chunks.AUDIO:
                audio.append(chunk_bytes(chunk.chunk_type, chunk.payload))
                continue
            group = Group(chunk, reader.header, part.label)
            for position, entry in enumerate(group.entries):
                while number in unread:
                    yield _Item()
                    number += 1
                yield _Item(entry.pixels, group, position, audio)
                audio = []
                number += 1
        while number in unread:
            yield _Item()
            number += 1
        if number != part.share.items:
            raise MediaDamaged(f"{part.label}: has {number} of {part.share.items} frames; make the share again")
        last.audio += audio


def _chunks(part: Part) -> Iterator[Chunk]:
    """The groups and the audio of a part."""
    with part.path.open("rb") as file:
        reader = ChunkReader(file, part.label)
        reader.seek(part.begin)
        while reader.offset < part.end:
            try:
                chunk = reader.read()
            except Truncated:
                raise MediaDamaged(f"{part.label}: is cut off; copy it again, or make the share again") from None
            if chunk.chunk_type in (chunks.GROUP, chunks.AUDIO):
                yield chunk


def _group_bytes(items: Sequence[_Item], reader: SvqReader) -> GroupBytes | None:
    """A group of the whole file: one of a part where it has the same frames, else encoded anew; None without any."""
    framed = [item for item in items if item.group is not None]
    if any(item.audio for item in items[1:]):
        raise MediaError(f"{reader.label}: its picture size changes, and it has audio; make it on one machine")
    if not framed:
        return None
    group = framed[0].group
    assert group is not None
    if len(framed) == group.n_frames and all(item.group is group for item in framed):
        data = Leb128Reader(group.chunk.payload)
        data.number()
        return GroupBytes(data.rest(), group.n_frames, group.alpha_bytes, group.picture_bytes)
    decoded: dict[int, Sequence[CodedFrame]] = {}
    frames = []
    for item in framed:
        assert item.group is not None
        if id(item.group) not in decoded:
            decoded[id(item.group)] = reader.decode(item.group)
        frames.append(decoded[id(item.group)][item.position])
    return encode_group(frames, reader.header, reader.decoder)
