"""Sketch files: what was counted of some inputs, to be added up and fitted elsewhere (SKETCH.md gives the bytes)."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.container.chunks import Chunk, ChunkReader, FileKind, Truncated, chunk_bytes, parsing, unreadable
from streamvq.container.leb128 import Leb128Reader, leb128
from streamvq.container.sketch_colors import COLORS_OF_RED, MAX_COUNT, REDS, ColorChunks, inflated
from streamvq.container.sketch_head import SKETCH_SIGNATURE, SketchHead
from streamvq.errors import InputMissing, MediaDamaged, MediaError, StreamVQError, shortened
from streamvq.quantize.block_sample import BlockSample
from streamvq.quantize.block_set import merge_equal
from streamvq.quantize.histogram import ColorHistogram, ColorSketch, LevelHistogram

_VERSION = 1
_KIND = FileKind(SKETCH_SIGNATURE, (_VERSION,), "a sketch file")
_HEAD, _COLORS, _SOFT, _GRAY, _BLOCKS, _DISTINCT, _END = b"HEAD", b"COLR", b"SOFT", b"GRAY", b"BLKS", b"DIST", b"FEND"
_PIECE = 1 << 15  # blocks in a chunk
_MAX_SOFT = 1 << 18

Sketch = ColorSketch | BlockSample


@dataclass(frozen=True, eq=False)
class SketchFile:
    """A sketch, and what it says of where it comes from."""

    head: SketchHead
    sketch: Sketch

    def to_bytes(self) -> bytes:
        """The file; the same for all sketches that saw the same."""
        chunks = [chunk_bytes(_HEAD, self.head.to_json())]
        chunks += [chunk_bytes(kind, payload) for kind, payload in _payloads(self.sketch)]
        return b"".join([SKETCH_SIGNATURE, struct.pack("<I", _VERSION), *chunks, chunk_bytes(_END, b"")])

    @classmethod
    def load(cls, source: Path | bytes, label: str) -> SketchFile:
        """The sketch of a file, or of its bytes, which messages call `label`.

        Raises InputMissing, MediaError or MediaDamaged, before anything large is allocated.
        """
        with _opened(source, label) as (reader, head):
            sketch = head.empty_sketch()
            _take_all(sketch, reader)
        return cls(head, sketch)

    def take(self, path: Path, label: str, head: SketchHead) -> None:
        """Have the sketch take up that of a file whose head was read before. Raises what `load` raises."""
        with _opened(path, label) as (reader, found):
            if found != head:
                raise MediaError(f"{label}: has changed while it was read; run this again")
            _take_all(self.sketch, reader)

    def added(self, source: Path | bytes, label: str) -> SketchFile:
        """With what another file has seen; this one's sketch takes it up.

        Raises UsageError where the two do not add up, and what `load` raises.
        """
        with _opened(source, label) as (reader, theirs):
            head = self.head.merged(theirs, label)
            _take_all(self.sketch, reader)
        return replace(self, head=head)


def read_head(path: Path, label: str | None = None) -> SketchHead:
    """What a sketch file says of itself. Raises InputMissing, MediaError or MediaDamaged."""
    with _opened(path, label or str(path)) as (_, head):
        return head


@contextmanager
def _opened(source: Path | bytes, label: str) -> Iterator[tuple[ChunkReader, SketchHead]]:
    """A sketch file that is read up to behind its head, and that."""
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as stream:
            reader = ChunkReader(stream, label, _KIND)
            chunk = reader.read()
            if chunk.chunk_type != _HEAD:
                raise MediaDamaged(f"{label}: is damaged: its head does not come first")
            try:
                head = SketchHead.from_json(chunk.payload)
            except ValueError as error:
                raise MediaDamaged(f"{label}: is damaged in its head: {shortened(error)}") from error
            yield reader, head
    except Truncated:
        raise MediaDamaged(f"{label}: is cut off; copy it again, or make it again") from None
    except FileNotFoundError as error:
        raise InputMissing(f"{label}: no such file; check the spelling") from error
    except StreamVQError:
        raise
    except OSError as error:
        raise unreadable(label, error) from error


def _take_all(sketch: Sketch, reader: ChunkReader) -> None:
    """Add all counts of a file to a sketch."""
    exact = False  # whether the distinct blocks are known
    colors = ColorChunks(sketch, reader.label) if isinstance(sketch, ColorHistogram) else None
    while (chunk := reader.read()).chunk_type != _END:
        with parsing(reader.label, chunk):
            if colors is not None and chunk.chunk_type == _COLORS:
                colors.take(chunk.payload)
            else:
                exact |= chunk.chunk_type == _DISTINCT
                _take(sketch, chunk)
    if colors is not None:
        colors.flush()
    if isinstance(sketch, BlockSample) and not exact:
        sketch.count(None)


def _payloads(sketch: Sketch) -> Iterator[tuple[bytes, bytes]]:
    if isinstance(sketch, LevelHistogram):
        yield _GRAY, _packed(sketch.counts.astype(np.uint64))
    elif isinstance(sketch, ColorHistogram):
        for red in range(REDS):
            keys, totals = sketch.totals(range(red * COLORS_OF_RED, (red + 1) * COLORS_OF_RED))
            if len(keys):
                low = (keys % COLORS_OF_RED).astype(np.uint16)
                yield _COLORS, leb128(red) + leb128(len(keys)) + _packed(low, totals.astype(np.uint64))
        soft = sketch.translucent
        if soft.has_any:
            cells, sums = soft.cells()
            numbers = leb128(soft.shift) + leb128(soft.transparent) + leb128(len(cells))
            yield _SOFT, numbers + _packed(cells, sums.astype(np.uint64))
    elif isinstance(sketch, BlockSample):
        hashes, vectors = sketch.held()
        for at in range(0, len(hashes), _PIECE):
            some = hashes[at : at + _PIECE]
            yield _BLOCKS, leb128(len(some)) + _packed(some, vectors[at : at + _PIECE])
        if sketch.distinct() is not None:
            vectors, counts = sketch.points()
            for at in range(0, max(1, len(counts)), _PIECE):
                few = counts[at : at + _PIECE].astype(np.uint64)
                yield _DISTINCT, leb128(len(few)) + _packed(few, vectors[at : at + _PIECE])


def _take(sketch: Sketch, chunk: Chunk) -> None:
    """Add a chunk's counts to a sketch. Raises ValueError for what no writer writes."""
    data, kind = Leb128Reader(chunk.payload), chunk.chunk_type
    if isinstance(sketch, LevelHistogram) and kind == _GRAY:
        (counts,) = _unpacked(data.rest(), 256, ((np.uint64, 1),))
        sketch.counts += _counts(counts[:, 0])
    elif isinstance(sketch, ColorHistogram) and kind == _SOFT:
        _take_soft(sketch, data)
    elif isinstance(sketch, BlockSample) and kind in (_BLOCKS, _DISTINCT):
        n, length = _up_to(data, _PIECE), sketch.length
        numbers, vectors = _unpacked(data.rest(), n, ((np.uint64, 1), (np.uint8, length)))
        if kind == _BLOCKS:
            sketch.hold(numbers[:, 0], vectors)
        else:
            if len(merge_equal(vectors, np.ones(n, np.int64))[1]) != n:
                raise ValueError("a block comes twice")
            sketch.count(vectors, _counts(numbers[:, 0], 1))
    elif not 97 <= kind[0] <= 122:  # what is not optional
        raise ValueError("it does not belong into such a sketch")


def _take_soft(sketch: ColorHistogram, data: Leb128Reader) -> None:
    shift, transparent, n = _up_to(data, 7), _up_to(data, MAX_COUNT), _up_to(data, _MAX_SOFT)
    keys, sums = _unpacked(data.rest(), n, ((np.uint32, 1), (np.uint64, 5)))
    sums = _counts(sums)
    _ascending(keys[:, 0])
    alpha, pixels = sums[:, 3], sums[:, 4]
    if (pixels < 1).any() or (alpha < pixels).any() or (alpha // 254 > pixels).any():
        raise ValueError("a color's alpha is not 1 to 254")
    if (sums[:, :3] // 255 > alpha[:, None]).any():
        raise ValueError("a color is brighter than white")
    sketch.translucent.add_cells(keys[:, 0], sums, shift, transparent)


def _packed(*arrays: NDArray) -> bytes:
    """Arrays [n] or [n, m], each as planes of bytes (all lowest bytes first), compressed together."""
    planes = []
    for array in arrays:
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        planes.append(little.reshape(-1, 1).view(np.uint8).reshape(-1, little.itemsize).T.tobytes())
    return zlib.compress(b"".join(planes), 6)


def _unpacked(data: bytes, n: int, columns: tuple[tuple[Any, int], ...]) -> list[NDArray]:
    """Arrays [n, m] of types and widths, as `_packed` made them. Raises ValueError."""
    plain = np.frombuffer(
        inflated(data, sum(n * width * np.dtype(kind).itemsize for kind, width in columns)), np.uint8
    )
    arrays, at = [], 0
    for kind, width in columns:
        item = np.dtype(kind)
        end = at + n * width * item.itemsize
        planes = plain[at:end].reshape(item.itemsize, -1)
        arrays.append(np.ascontiguousarray(planes.T).view(item.newbyteorder("<")).astype(item).reshape(n, width))
        at = end
    return arrays


def _up_to(data: Leb128Reader, limit: int) -> int:
    value = data.number()
    if value > limit:
        raise ValueError(f"it claims {value} where {limit} is the most")
    return value


def _counts(counts: NDArray, least: int = 0) -> NDArray[np.int64]:
    if len(counts) and (counts.max() > MAX_COUNT or counts.min() < least):
        raise ValueError("a count is out of range")
    return counts.astype(np.int64)


def _ascending(keys: NDArray) -> None:
    if (keys[1:] <= keys[:-1]).any():
        raise ValueError("its colors are not ascending")
