"""`.svq` files made small, taken apart and put together again wrongly, with checksums that are right."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from pictures import codebook, coded

from streamvq import Codebook, CodebookError, FrameMeta, IndexFrame, MediaError, StreamInfo
from streamvq.container.chunks import HEAD_BYTES, ChunkReader, chunk_bytes, file_head
from streamvq.container.groups import encode_group
from streamvq.container.header import Header
from streamvq.container.leb128 import leb128
from streamvq.container.reader import SvqReader
from streamvq.container.writer import SvqWriter
from streamvq.frames import CodedFrame
from streamvq.options import CODERS
from streamvq.quantize.decoder import FrameDecoder

TICK = Fraction(1, 25)
Pieces = list[tuple[bytes, bytes]]  # type and payload of each chunk


def some_frames(book: Codebook, count: int = 7, height: int = 6, width: int = 8) -> list[IndexFrame]:
    """Timed and named frames of one size, every third with alpha; block codes where the codebook has blocks."""
    frames = []
    for frame in timed_frames(book, count, height, width):
        alpha = np.random.default_rng(frame.index).integers(0, 256, (height, width)).astype(np.uint8)
        alpha = alpha if frame.index % 3 == 2 else None
        frames.append(IndexFrame(frame.codes, replace(frame.meta, name=f"{frame.index}.png", alpha=alpha)))
    return frames


def timed_frames(book: Codebook, count: int = 7, height: int = 6, width: int = 8) -> list[IndexFrame]:
    """The same frames without names and alpha, so that they make a video."""
    block_height, block_width = book.block
    rows, columns = -(-height // block_height), -(-width // block_width)
    return [
        IndexFrame(coded(book, rows, columns, index).codes, FrameMeta(height, width, index, index * TICK, TICK))
        for index in range(count)
    ]


def write_svq(
    stream: IO[bytes],
    decoder: FrameDecoder,
    frames: Sequence[CodedFrame],
    together: int = 2,
    info: StreamInfo | None = None,
    embed: bool = True,
    audio: Sequence[bytes] = (),
    finished: bool = True,
    coder: str = CODERS[0],
) -> SvqWriter:
    """Write a file of `frames` in groups of `together`, with a piece of `audio` before each of the first groups."""
    info = info or StreamInfo(8, 6, 1 / TICK, len(frames), TICK, None, int(bool(audio)))
    header = Header.from_stream(info, decoder, coder)
    writer = SvqWriter(stream, header, decoder, embed)
    sounds = list(audio)
    for start in range(0, len(frames), together):
        if sounds:
            writer.audio(sounds.pop(0))
        writer.group(encode_group(frames[start : start + together], header, decoder))
    if finished:
        writer.finish()
    return writer


def svq_bytes(decoder: FrameDecoder, frames: Sequence[CodedFrame], *args: Any, **options: Any) -> bytes:
    """What `write_svq` writes."""
    stream = io.BytesIO()
    write_svq(stream, decoder, frames, *args, **options)
    return stream.getvalue()


def small_file(n_codes: int = 16) -> tuple[bytes, list[IndexFrame]]:
    """Seven frames in four groups with their codebook, and those frames."""
    book = codebook(n_codes)
    frames = some_frames(book)
    return svq_bytes(book, frames), frames


def read_all(data: bytes, book: Codebook | None = None) -> tuple[list[Any], str | None]:
    """All frames from front to back, and what a truncated file lacks."""
    reader = SvqReader(io.BytesIO(data), "x.svq", book)
    frames = [frame for group in reader.groups() for frame in reader.decode(group)]
    return frames, reader.truncation


def outcome(data: bytes, book: Codebook | None = None) -> tuple[list[Any], str | None] | str:
    """What `read_all` says, or the text of the error that refuses the file, which is one line that names it."""
    try:
        return read_all(data, book)
    except (MediaError, CodebookError) as error:
        line = str(error)
    assert "x.svq" in line
    assert "\n" not in line
    return line


def assert_refused(data: bytes, book: Codebook | None = None) -> str:
    """Its text, which names the file."""
    result = outcome(data, book)
    assert isinstance(result, str), "it was read"
    return result


def facts(frame: CodedFrame) -> tuple[object, ...]:
    """All that a frame holds, to compare."""
    alpha = None if frame.alpha is None else frame.alpha.tolist()
    about = (frame.height, frame.width, frame.index, frame.time, frame.duration, frame.name, alpha)
    if isinstance(frame, IndexFrame):
        return (*about, frame.codes.dtype.name, frame.codes.tolist())
    planes = [(p.left.dtype, p.left.tolist(), p.right.dtype, p.right.tolist(), p.bits) for p in frame.planes]
    return (*about, frame.step, planes)


def assert_same(actual: Sequence[CodedFrame], expected: Sequence[CodedFrame]) -> None:
    """The same frames, with the same of everything."""
    assert list(map(facts, actual)) == list(map(facts, expected))


def assert_cut_anywhere(data: bytes, frames: Sequence[CodedFrame], book: Codebook | None = None) -> None:
    """Cut at every byte, a file of groups of two gives the frames of the whole groups, and says so; or, where there
    are none, an error."""
    for cut in range(len(data)):
        whole = frames[: 2 * whole_groups(data, cut)]
        result = outcome(data[:cut], book)
        if isinstance(result, str):
            assert not whole, cut
            continue
        read, truncation = result
        assert_same(read, whole)
        assert truncation is not None, cut
        assert f"x.svq: is cut off: {len(whole)} " in truncation, cut


def assert_changes_noticed(
    masks: Sequence[int], data: bytes, frames: Sequence[CodedFrame], book: Codebook | None = None
) -> None:
    """With any one byte changed: an error; or the very frames; or, where a length seems to lead beyond the end, the
    first of them and a word. `masks` are the bits to flip, in turn."""
    refused = 0
    for at in range(len(data)):
        result = outcome(flipped(data, at, masks[at % len(masks)]), book)
        if isinstance(result, str):
            refused += 1
            continue
        read, truncation = result
        assert_same(read, frames[: len(read)])
        assert len(read) == len(frames) or truncation is not None, at
    assert refused > 0.9 * len(data)


def flipped(data: bytes, at: int, mask: int = 1) -> bytes:
    """The file with other bits in one byte."""
    changed = bytearray(data)
    changed[at] ^= mask
    return bytes(changed)


def with_changed_payloads(parts: Pieces, data: st.DataObject) -> bytes:
    """The file of chunks with some bytes of their payloads replaced, and checksums that are right."""
    parts = list(parts)
    for _ in range(data.draw(st.integers(1, 3))):
        number = data.draw(st.integers(0, len(parts) - 1))
        chunk_type, payload = parts[number]
        start = data.draw(st.integers(0, len(payload)))
        stop = data.draw(st.integers(start, min(start + 12, len(payload))))
        parts[number] = chunk_type, payload[:start] + data.draw(st.binary(max_size=12)) + payload[stop:]
    return joined(parts)


def pieces(data: bytes) -> Pieces:
    """The chunks of a whole file."""
    reader = ChunkReader(io.BytesIO(data), "x.svq")
    parts: Pieces = []
    while reader.offset < len(data):
        chunk = reader.read()
        parts.append((chunk.chunk_type, chunk.payload))
    return parts


def joined(parts: Pieces, head: bytes | None = None) -> bytes:
    """A file of chunks, each with the checksum that it should have."""
    return (file_head() if head is None else head) + b"".join(chunk_bytes(*part) for part in parts)


def offsets(data: bytes) -> list[tuple[bytes, int, int]]:
    """Type, start and end of each chunk of a whole file."""
    found, at = [], HEAD_BYTES
    for chunk_type, payload in pieces(data):
        found.append((chunk_type, at, at + 12 + len(payload)))
        at = found[-1][2]
    return found


def group_places(data: bytes) -> list[tuple[int, int]]:
    """Start and end of each group of a whole file."""
    return [(start, end) for chunk_type, start, end in offsets(data) if chunk_type == b"GRUP"]


def whole_groups(data: bytes, cut: int) -> int:
    """How many groups of a whole file end before the byte `cut`."""
    return sum(end <= cut for _, end in group_places(data))


def with_header(data: bytes, **changes: object) -> bytes:
    """The file with other values in its header; None takes one away."""
    (chunk_type, payload), *rest = pieces(data)
    record = json.loads(payload) | changes
    record = {key: value for key, value in record.items() if value is not None}
    return joined([(chunk_type, json.dumps(record).encode()), *rest])


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
