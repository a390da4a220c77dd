"""Damage `.svq` files at random, and see that reading them ends well: with frames that can be, or with an error.

    python scripts/fuzz.py --seconds 600 --seed 7

Small files are changed byte by byte, chunk by chunk, and inside chunks with checksums made right again. A file whose
checksums were left alone must give the frames that it had, as far as it goes; any other may give other frames, but
of sizes, names and codes that can be. Says its seed; the file that fails is saved, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

import streamvq
from streamvq import Codebook, FrameMeta, IndexFrame, StreamInfo, StreamVQError
from streamvq.container import frame_table
from streamvq.container.chunks import Chunk, ChunkReader, Truncated, chunk_bytes, file_head
from streamvq.container.frame_table import is_safe
from streamvq.container.groups import Group, encode_group
from streamvq.container.header import Header
from streamvq.container.leb128 import Leb128Reader, leb128
from streamvq.container.reader import SvqReader
from streamvq.container.writer import SvqWriter
from streamvq.errors import MediaDamaged
from streamvq.frames import CodedFrame, LowRankFrame, PlaneFactors
from streamvq.lowrank.codec import LowRankCodec
from streamvq.lowrank.factors import factor_shapes
from streamvq.lowrank.planes import plane_sizes
from streamvq.options import CODERS

MAX_SECONDS = 20.0  # for one file
MAX_PIXELS = 1 << 18  # larger pictures take their time, and teach nothing more
OUTPUTS = ["out", "out.mkv", "out.svq", "out.mp4", "out.png"]
TICK = Fraction(1, 25)
CHUNK_TYPES = [b"HEAD", b"BOOK", b"GRUP", b"AUDI", b"INDX", b"FEND", b"abcd", b"ABCD", b"a\0cd"]
NUMBERS = [0, 1, 2, 127, 128, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32, 2**62, 2**63, 2**64, 2**69]
VALUES = [None, 0, -1, 1, 2, 3, 17, 255, 65535, 65536, 2**31, 2**64, 0.5, "", "1/2", "0/1", "gray", "rgb", "ycbcr420"]
VALUES += [[], [0, 0], [1, 1], [2, 2], [4, 2], [32, 1], [2**31, 1], {}, True, "9" * 40, "0" * 64, "\x00", "\ud800"]
CODECS = [LowRankCodec("gray"), LowRankCodec("rgb", 4), LowRankCodec("ycbcr420"), LowRankCodec("ycbcr420", 3)]
Pieces = list[tuple[bytes, bytes]]


class Original:
    """A good file of indices or factors, its frames, and the codebook that it needs from outside."""

    def __init__(
        self,
        decoder: Codebook | LowRankCodec,
        frames: list[CodedFrame],
        embed: bool = True,
        together: int = 2,
        coder: str = CODERS[0],
    ) -> None:
        stream = io.BytesIO()
        info = StreamInfo(frames[0].width, frames[0].height, 1 / TICK, len(frames), TICK, None, 1)
        header = Header.from_stream(info, decoder, coder)
        writer = SvqWriter(stream, header, decoder, embed)
        for start in range(0, len(frames), together):
            writer.audio(bytes(range(start, start + 9)))
            writer.group(encode_group(frames[start : start + together], header, decoder))
        writer.finish()
        self.data, self.frames = stream.getvalue(), list(map(facts, frames))
        self.book = None if embed or isinstance(decoder, LowRankCodec) else decoder
        self.pieces = list(pieces(self.data))


def facts(frame: CodedFrame) -> tuple:
    """All that a frame holds, to compare."""
    alpha = None if frame.alpha is None else frame.alpha.tobytes()
    about = (frame.height, frame.width, frame.index, frame.time, frame.duration, frame.name)
    if isinstance(frame, LowRankFrame):
        planes = [(p.bits, p.left.shape, p.left.tobytes(), p.right.shape, p.right.tobytes()) for p in frame.planes]
        return (*about, frame.step, planes, alpha)
    return (*about, frame.codes.dtype.name, frame.codes.shape, frame.codes.tobytes(), alpha)


def pieces(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and payload of each chunk of a good file."""
    reader = ChunkReader(io.BytesIO(data), "original")
    while reader.offset < len(data):
        chunk = reader.read()
        yield chunk.chunk_type, chunk.payload


def originals() -> list[Original]:
    """Small files of every sort: one color or a block a code, 8 or 16 bits, alpha, names, times, codebook outside."""
    rng = np.random.default_rng(0)
    made = []
    for count, space, block, length, embed in [
        (16, "rgb", (1, 1), 3, True),
        (300, "rgb", (1, 1), 3, True),
        (16, "gray", (1, 1), 1, False),
        (9, "ycbcr420", (4, 2), 12, True),
        (1, "rgb", (3, 5), 45, True),
    ]:
        book = Codebook(rng.integers(0, 256, (count, length)).astype(np.uint8), space, block)
        frames = []
        for index in range(5):
            height, width = (12, 16) if index < 3 else (5 + index, 7)
            shape = -(-height // block[0]), -(-width // block[1])
            codes = rng.integers(0, count, shape).astype(np.uint8 if count <= 256 else np.uint16)
            alpha = rng.integers(0, 256, (height, width)).astype(np.uint8) if index % 2 else None
            name = f"deep/{index}.png" if index % 3 else None
            frames.append(IndexFrame(codes, FrameMeta(height, width, index, index * TICK, TICK, name, alpha)))
        made += [Original(book, frames, embed, coder=coder) for coder in CODERS]
    return made + [Original(codec, factors(codec, rng)) for codec in CODECS]


def factors(codec: LowRankCodec, rng: np.random.Generator) -> list[CodedFrame]:
    """Frames of random factors, some like the one before, of ranks that come and go."""
    frames: list[CodedFrame] = []
    for index in range(5):
        height, width = (12, 16) if index < 3 else (5 + index, 7)
        planes = []
        for high, wide in plane_sizes(height, width, codec.space):
            shapes = factor_shapes(high, wide, codec.patch)
            rank = int(rng.integers(0, 1 + min(4, *(rows * columns for rows, columns in shapes))))
            left, right = (np.rint(rng.normal(0, 90, (rank, *shape))).astype(np.int32) for shape in shapes)
            planes.append(PlaneFactors(left, right, tuple(rng.integers(0, 12, rank).tolist())))
        if index == 1 and isinstance(frames[0], LowRankFrame):
            planes[0] = frames[0].planes[0]
        alpha = rng.integers(0, 256, (height, width)).astype(np.uint8) if index % 2 else None
        meta = FrameMeta(height, width, index, index * TICK, TICK, f"{index}.png", alpha)
        frames.append(LowRankFrame(tuple(planes), int(rng.integers(1, 2000)), meta))
    return frames


def changed(original: Original, rng: random.Random) -> tuple[bytes, bool]:
    """The file with something wrong in it, and whether its checksums were left as they are."""
    if rng.random() < 0.4:
        data = bytearray(original.data)
        for _ in range(rng.choice([1, 1, 1, 2, 5])):
            data = rng.choice(BYTE_CHANGES)(data, rng)
        return bytes(data), True
    parts = list(original.pieces)
    for _ in range(rng.choice([1, 1, 2, 4])):
        rng.choice(PIECE_CHANGES)(parts, rng)
    data = bytearray(file_head() + b"".join(chunk_bytes(*part) for part in parts))
    if rng.random() < 0.1:
        data = rng.choice(BYTE_CHANGES)(data, rng)
    return bytes(data), False


def _flip(data: bytearray, rng: random.Random) -> bytearray:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def _cut(data: bytearray, rng: random.Random) -> bytearray:
    return data[: rng.randrange(len(data) + 1)]


def _insert(data: bytearray, rng: random.Random) -> bytearray:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.randbytes(rng.choice([1, 4, 40])) + data[at:]


def _remove(data: bytearray, rng: random.Random) -> bytearray:
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at + rng.choice([1, 4, 40]) :]


def _number(data: bytearray, rng: random.Random) -> bytearray:
    at = rng.randrange(len(data) + 1)
    number = rng.choice(NUMBERS)
    there = leb128(number) if rng.random() < 0.7 else (number & 2**32 - 1).to_bytes(4, "little")
    return data[:at] + there + data[at + rng.choice([0, 1, len(there)]) :]


def _repeat(data: bytearray, rng: random.Random) -> bytearray:
    start = rng.randrange(len(data) + 1)
    part = data[start : start + rng.choice([1, 8, 100])]
    at = rng.randrange(len(data) + 1)
    return data[:at] + part + data[at:]


BYTE_CHANGES: list[Callable[[bytearray, random.Random], bytearray]] = [
    _flip,
    _cut,
    _insert,
    _remove,
    _number,
    _repeat,
]


def _payload(parts: Pieces, rng: random.Random) -> None:
    if parts:
        at = rng.randrange(len(parts))
        chunk_type, payload = parts[at]
        parts[at] = chunk_type, bytes(rng.choice(BYTE_CHANGES)(bytearray(payload), rng))


def _drop(parts: Pieces, rng: random.Random) -> None:
    if parts:
        del parts[rng.randrange(len(parts))]


def _double(parts: Pieces, rng: random.Random) -> None:
    if parts:
        parts.insert(rng.randrange(len(parts) + 1), rng.choice(parts))


def _swap(parts: Pieces, rng: random.Random) -> None:
    if parts:
        i, j = rng.randrange(len(parts)), rng.randrange(len(parts))
        parts[i], parts[j] = parts[j], parts[i]


def _rename(parts: Pieces, rng: random.Random) -> None:
    if parts:
        at = rng.randrange(len(parts))
        parts[at] = rng.choice(CHUNK_TYPES), parts[at][1]


def _header(parts: Pieces, rng: random.Random) -> None:
    if not parts or parts[0][0] != b"HEAD":
        return
    try:
        record = json.loads(parts[0][1])
        record[rng.choice(sorted(record))] = rng.choice(VALUES)
    except (ValueError, TypeError, LookupError, RecursionError):
        return
    parts[0] = b"HEAD", json.dumps(record).encode()


def _factors(parts: Pieces, rng: random.Random) -> None:
    """Other steps, ranks and binary places, in a table whose length is right."""
    groups = [at for at, (chunk_type, _) in enumerate(parts) if chunk_type == b"GRUP"]
    try:
        header = Header.from_json(parts[0][1])
        at = rng.choice(groups)
        payload = parts[at][1]
        coded = Group(Chunk(b"GRUP", payload, 0), header, "fuzzed").pictures
        data = Leb128Reader(coded)
        table, rest = bytearray(data.take(data.number())), data.rest()
    except (ValueError, LookupError, MediaDamaged):
        return
    if header.low_rank is not None:
        for _ in range(rng.choice([1, 1, 3])):
            table = rng.choice(BYTE_CHANGES)(table, rng)
        parts[at] = b"GRUP", payload[: len(payload) - len(coded)] + leb128(len(table)) + bytes(table) + rest


PIECE_CHANGES: list[Callable[[Pieces, random.Random], None]] = [_payload] * 4  # type: ignore[assignment]
PIECE_CHANGES += [_drop, _double, _swap, _rename, _header, _header, _factors, _factors]


def check(data: bytes, original: Original, untouched: bool, folder: Path) -> None:
    """Read a file in every way; what ends in another way than it may raises."""
    begun = time.monotonic()
    for frames, truncation in (_in_order(data, original), _by_index(data, original, folder)):
        for frame in frames:
            _can_be(frame)
        if untouched:
            found = list(map(facts, frames))
            if found != original.frames[: len(found)]:
                raise AssertionError("other frames than the file had, and its checksums hold")
            if len(found) < len(original.frames) and truncation is None:
                raise AssertionError(f"{len(found)} of {len(original.frames)} frames, and no word")
    seconds = time.monotonic() - begun
    if seconds > MAX_SECONDS:
        raise AssertionError(f"it took {seconds:.0f} s")


def decompress(data: bytes, original: Original, name: str, folder: Path) -> None:
    """Write a file's frames; what is left may be the output, whole, or nothing, and is nowhere else."""
    source = folder / "fuzzed.svq"
    source.write_bytes(data)
    try:
        streamvq.decompress(source, folder / name, codebook=original.book, jobs=1)
        if not (folder / name).exists():
            raise AssertionError(f"{name} was not written")
    except StreamVQError as error:
        if not str(error) or (folder / name).exists():
            raise AssertionError(f"{name} is left behind") from error
    left = {path.name for path in folder.iterdir()} - {name, source.name}
    if left:
        raise AssertionError(f"also written: {left}")
    if (folder / name).is_dir():
        shutil.rmtree(folder / name)
    (folder / name).unlink(missing_ok=True)


def _in_order(data: bytes, original: Original) -> tuple[list[CodedFrame], str | None]:
    frames: list[CodedFrame] = []
    try:
        reader = SvqReader(io.BytesIO(data), "fuzzed", original.book)
        for group in reader.groups():
            frames += reader.decode(group)
    except StreamVQError as error:
        return frames, _text(error)
    return frames, reader.truncation


def _by_index(data: bytes, original: Original, folder: Path) -> tuple[list[CodedFrame], str | None]:
    path = folder / "fuzzed.svq"
    path.write_bytes(data)
    frames: list[CodedFrame] = []
    try:
        with streamvq.open(path, original.book) as clip:
            for index in range(min(len(clip), 100)):
                frames.append(clip.coded(index))
                clip[index]
            return frames, clip.truncation
    except StreamVQError as error:
        return frames, _text(error)


def _text(error: StreamVQError) -> str:
    text = str(error)
    if "fuzzed" not in text or "\n" in text or len(text) > 6000:
        raise AssertionError(f"a message that does not help: {text[:200]!r}") from error
    return text


def _can_be(frame: CodedFrame) -> None:
    """Sizes agree, and the name stays inside the output folder."""
    if (isinstance(frame, IndexFrame) and min(frame.codes.shape) < 1) or min(frame.height, frame.width) < 1:
        raise AssertionError(f"a frame of {frame.width}x{frame.height}")
    if frame.alpha is not None and frame.alpha.shape != (frame.height, frame.width):
        raise AssertionError("alpha of another size than its frame")
    if frame.name is not None and not (is_safe(frame.name) and not Path("/out", frame.name).is_relative_to("/etc")):
        raise AssertionError(f"the name {frame.name!r}")


def fuzz(seed: int, seconds: float, max_files: int | None = None) -> tuple[int, bytes | None]:
    """Check files until the time is over; returns how many there were, and the one that failed."""
    sources, rng = originals(), random.Random(seed)
    end, count = time.monotonic() + seconds, 0
    with tempfile.TemporaryDirectory(prefix="streamvq-fuzz-") as folder:
        for original in sources:
            check(original.data, original, True, Path(folder))
        while time.monotonic() < end and count != max_files:
            original = rng.choice(sources)
            data, untouched = changed(original, rng)
            count += 1
            try:
                check(data, original, untouched, Path(folder))
                if count % 8 == 0:
                    decompress(data, original, rng.choice(OUTPUTS), Path(folder))
            except (Exception, Truncated):  # noqa: BLE001  every one is a bug
                traceback.print_exc()
                return count, data
    return count, None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    options = parser.parse_args()
    frame_table.MAX_PIXELS = MAX_PIXELS
    print(f"seed {options.seed}, {options.seconds:g} s", flush=True)
    count, failed = fuzz(options.seed, options.seconds)
    if failed is None:
        print(f"{count} files, all of them read or refused as they should be")
        return
    path = Path(f"fuzz-{options.seed}-{count}.svq")
    path.write_bytes(failed)
    print(f"file {count} of seed {options.seed} fails; it is saved as {path}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
