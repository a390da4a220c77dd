"""`.svq` files made small, taken apart and put together again wrongly, with checksums that are right."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pictures import codebook, coded

from streamvq import Codebook, CodebookError, FrameMeta, IndexFrame, MediaError, StreamInfo
from streamvq.container.chunks import HEAD_BYTES, ChunkReader, chunk_bytes, file_head
from streamvq.container.groups import encode_group
from streamvq.container.header import Header
from streamvq.container.leb128 import leb128
from streamvq.container.reader import SvqReader
from streamvq.container.writer import SvqWriter

TICK = Fraction(1, 25)
Pieces = list[tuple[bytes, bytes]]  # type and payload of each chunk


def some_frames(book: Codebook, count: int = 7, height: int = 6, width: int = 8) -> list[IndexFrame]:
    """Timed frames of one size, every third with alpha; block codes where the codebook has blocks."""
    high, wide = book.block
    rows, columns = -(-height // high), -(-width // wide)
    frames = []
    for index in range(count):
        alpha = np.random.default_rng(index).integers(0, 256, (height, width)).astype(np.uint8)
        codes = coded(book, rows, columns, index).codes
        time = index * TICK
        frames.append(
            IndexFrame(
                codes, FrameMeta(height, width, index, time, TICK, f"{index}.png", alpha if index % 3 == 2 else None)
            )
        )
    return frames


def svq_bytes(
    book: Codebook,
    frames: Sequence[IndexFrame],
    together: int = 2,
    info: StreamInfo | None = None,
    embed: bool = True,
    audio: Sequence[bytes] = (),
    finished: bool = True,
) -> bytes:
    """A file of `frames` in groups of `together`, with a piece of `audio` before each of the first groups."""
    info = info or StreamInfo(8, 6, 1 / TICK, len(frames), TICK, None, int(bool(audio)))
    stream = io.BytesIO()
    header = Header.of(info, book)
    writer = SvqWriter(stream, header, book, embed)
    sounds = list(audio)
    for start in range(0, len(frames), together):
        if sounds:
            writer.audio(sounds.pop(0))
        writer.group(encode_group(frames[start : start + together], header, book))
    if finished:
        writer.finish()
    return stream.getvalue()


def small_file(colors: int = 16) -> tuple[bytes, list[IndexFrame]]:
    """Seven frames in four groups with their codebook, and those frames."""
    book = codebook(colors)
    frames = some_frames(book)
    return svq_bytes(book, frames), frames


def read_all(data: bytes, book: Codebook | None = None) -> tuple[list[IndexFrame], str | None]:
    """All frames from front to back, and what is missing."""
    reader = SvqReader(io.BytesIO(data), "x.svq", book)
    frames = [frame for chunk in reader.groups() for frame in reader.decode(chunk)]
    return frames, reader.missing


def outcome(data: bytes, book: Codebook | None = None) -> tuple[list[IndexFrame], str | None] | str:
    """What `read_all` says, or the text of the error that refuses the file."""
    try:
        return read_all(data, book)
    except (MediaError, CodebookError) as error:
        return str(error)


def facts(frame: IndexFrame) -> tuple:
    """All that a frame holds, to compare."""
    alpha = None if frame.alpha is None else frame.alpha.tolist()
    about = (frame.height, frame.width, frame.index, frame.time, frame.duration, frame.name)
    return (*about, frame.codes.dtype.name, frame.codes.tolist(), alpha)


def assert_same(actual: Sequence[IndexFrame], expected: Sequence[IndexFrame]) -> None:
    """The same frames, with the same of everything."""
    assert list(map(facts, actual)) == list(map(facts, expected))


def pieces(data: bytes) -> Pieces:
    """The chunks of a whole file."""
    reader = ChunkReader(io.BytesIO(data), "x.svq")
    parts: Pieces = []
    while reader.offset < len(data):
        chunk = reader.read()
        parts.append((chunk.kind, chunk.payload))
    return parts


def joined(parts: Pieces, head: bytes | None = None) -> bytes:
    """A file of chunks, each with the checksum that it should have."""
    return (file_head() if head is None else head) + b"".join(chunk_bytes(*part) for part in parts)


def offsets(data: bytes) -> list[tuple[bytes, int, int]]:
    """Type, start and end of each chunk of a whole file."""
    found, at = [], HEAD_BYTES
    for kind, payload in pieces(data):
        found.append((kind, at, at + 12 + len(payload)))
        at = found[-1][2]
    return found


def with_header(data: bytes, **changes: object) -> bytes:
    """The file with other values in its header; None takes one away."""
    (kind, payload), *rest = pieces(data)
    record = json.loads(payload) | changes
    record = {key: value for key, value in record.items() if value is not None}
    return joined([(kind, json.dumps(record).encode()), *rest])


def with_group(data: bytes, payload: bytes) -> bytes:
    """The file with one group only, of this payload."""
    parts = [part for part in pieces(data) if part[0] in (b"HEAD", b"BOOK")]
    return joined([*parts, (b"GRUP", payload)])


def table(*entries: bytes, first: int = 0, count: int | None = None) -> bytes:
    """The beginning of a group's payload."""
    return leb128(first) + leb128(len(entries) if count is None else count) + b"".join(entries)


def named(name: bytes) -> bytes:
    """The table entry of a frame with a name, and without a time."""
    return bytes([8 | 32]) + leb128(len(name)) + name


def saved(path: Path, data: bytes) -> Path:
    """The path, now with this content."""
    path.write_bytes(data)
    return path


def plain(frames: Sequence[IndexFrame], book: Codebook) -> list[NDArray]:
    """The pictures that frames stand for."""
    return [book.render(frame) for frame in frames]
