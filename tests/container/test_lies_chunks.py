"""Chunks and indexes made to deceive, with checksums that are right: refused soon, and in little memory."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from containers import (
    Pieces,
    assert_refused,
    assert_same,
    flipped,
    group_places,
    joined,
    offsets,
    pieces,
    read_all,
    saved,
    small_file,
    svq_bytes,
    with_header,
)
from pictures import codebook, snapshot

import streamvq
from streamvq import MediaDamaged, MediaError
from streamvq.container.chunks import SIGNATURE, chunk_bytes, file_head
from streamvq.container.leb128 import leb128
from streamvq.container.reader import SvqReader

DATA, FRAMES = small_file()


@pytest.mark.parametrize("length", [2**32 - 1, 2**31, 2**30 + 1, 2**30, 2**20])
@pytest.mark.parametrize("chunk_type", [b"HEAD", b"BOOK", b"GRUP", b"AUDI", b"INDX", b"FEND", b"abcd"])
def test_chunks_that_claim_to_be_long(length: int, chunk_type: bytes, tmp_path: Path, bounded: None) -> None:
    """No memory is taken for what does not come; of a real file, which would take it before it reads."""
    parts = pieces(DATA)
    before = joined([] if chunk_type == b"HEAD" else parts[:1] if chunk_type == b"BOOK" else parts[:3])
    path = saved(tmp_path / "x.svq", before + struct.pack("<I4s", length, chunk_type) + b"and little of it")
    try:
        with path.open("rb") as stream:
            opened = SvqReader(stream, "x.svq")
            assert_same([frame for group in opened.groups() for frame in opened.decode(group)], FRAMES[:2])
            assert opened.truncation is not None
    except MediaError as error:
        assert "x.svq" in str(error)  # noqa: PT017
    with suppress(MediaDamaged), streamvq.open(path) as clip:
        assert len(clip) == 2


def reordered(change: Callable[[Pieces], Pieces]) -> bytes:
    """Of a file whose header names its codebook."""
    return joined(change(pieces(with_header(DATA, fingerprint=codebook(16).fingerprint))))


ORDERS: dict[str, Callable[[Pieces], Pieces]] = {
    "no header": lambda p: p[1:],
    "codebook first": lambda p: [p[1], p[0], *p[2:]],
    "two headers": lambda p: [p[0], *p],
    "two codebooks": lambda p: [*p[:2], *p[1:]],
    "codebook behind the groups": lambda p: [p[0], *p[2:6], p[1], *p[6:]],
    "header at the end": lambda p: [*p[:6], p[0], *p[6:]],
    "a group twice": lambda p: [*p[:3], p[2], *p[3:]],
    "a group left out": lambda p: [*p[:3], *p[4:]],
    "groups swapped": lambda p: [*p[:2], p[3], p[2], *p[4:]],
    "the codebook of another file": lambda p: [p[0], pieces(svq_bytes(codebook(16, seed=5), FRAMES))[1], *p[2:]],
    "half a codebook": lambda p: [p[0], (b"BOOK", p[1][1][:20]), *p[2:]],
    "an empty codebook": lambda p: [p[0], (b"BOOK", b""), *p[2:]],
    "a codebook that goes on": lambda p: [p[0], (b"BOOK", p[1][1] + b"\xa5" * 1000), *p[2:]],
    "no codebook": lambda p: [p[0], *p[2:]],
}


@pytest.mark.parametrize("change", ORDERS.values(), ids=ORDERS)
def test_chunks_in_a_wrong_order(change: Callable[[Pieces], Pieces], bounded: None) -> None:
    assert_refused(reordered(change))


def test_a_wrong_checksum_is_named_with_its_place() -> None:
    for chunk_type, start, end in offsets(DATA):
        for at in (end - 1, end - 4, start + 8):
            message = assert_refused(flipped(DATA, at))
            assert f"'{chunk_type.decode()}' chunk at byte {start} fails its checksum" in message


@pytest.mark.parametrize("version", [0, 4, 256, 2**32 - 1])
def test_another_version(version: int) -> None:
    head = SIGNATURE + struct.pack("<I", version)
    message = assert_refused(joined(pieces(DATA), head))
    assert f"version {version}" in message
    assert "upgrade" in message


@pytest.mark.parametrize("place", range(1, 8))
@pytest.mark.parametrize("chunk_type", [b"abcd", b"aBCD", b"zzzz", b"Abcd", b"ABCD", b"ZZZZ"])
def test_unknown_chunks(chunk_type: bytes, place: int) -> None:
    """Those of a lower-case letter are passed over, the others refused."""
    parts = pieces(DATA)
    data = joined([*parts[:place], (chunk_type, b"from the future"), *parts[place:]])
    if chunk_type[:1].islower():
        assert_same(read_all(data)[0], FRAMES)
        assert read_all(data)[1] is None
    else:
        message = assert_refused(data)
        assert chunk_type.decode() in message
        assert "upgrade" in message


@pytest.mark.parametrize("chunk_type", [b"abcd", b"ABCD"])
def test_unknown_chunks_where_there_is_no_index(chunk_type: bytes, tmp_path: Path) -> None:
    parts = pieces(DATA)
    path = saved(tmp_path / "x.svq", joined([*parts[:3], (chunk_type, b"from the future"), *parts[3:6]]))
    if chunk_type == b"abcd":
        with streamvq.open(path) as clip:
            assert_same([clip.coded(i) for i in range(len(clip))], FRAMES)
    else:
        with pytest.raises(MediaError, match="ABCD"):
            streamvq.open(path)


BODY = joined([part for part in pieces(DATA) if part[0] not in (b"INDX", b"FEND")])
GROUPS = group_places(DATA)


def with_index(payload: bytes, at: int | None = None) -> bytes:
    """The file with another index, whose place the end tells, or tells wrongly."""
    end = struct.pack("<Q", len(BODY) if at is None else at)
    return BODY + chunk_bytes(b"INDX", payload) + chunk_bytes(b"FEND", end)


def index_of(*entries: tuple[int, int], count: int | None = None) -> bytes:
    numbers = [leb128(len(entries) if count is None else count)]
    return b"".join(numbers + [leb128(offset) + leb128(frames) for offset, frames in entries])


FIRST = GROUPS[0][0]
INDEXES: dict[str, bytes] = {
    "empty": with_index(b""),
    "no groups": with_index(index_of()),
    "2^60 groups": with_index(index_of(count=2**60)),
    "a group beyond the file": with_index(index_of((10**9, 2))),
    "a group beyond all numbers": with_index(index_of((2**69, 2))),
    "a group inside another": with_index(index_of((FIRST + 12, 2))),
    "a group of no frames": with_index(index_of((FIRST, 0))),
    "a group of 2^69 frames": with_index(index_of((FIRST, 2**69))),
    "a group of 2^63 - 1 frames": with_index(index_of((FIRST, 2**63 - 1))),
    "a group of more frames": with_index(index_of((FIRST, 3))),
    "the same group twice": with_index(index_of((FIRST, 2), (0, 2))),
    "the groups swapped": with_index(index_of((GROUPS[1][0], 2), (0, 2))),
    "the index beyond the file": with_index(index_of((FIRST, 2)), at=2**63),
    "the index beyond all": with_index(index_of((FIRST, 2)), at=2**64 - 1),
    "the index at the start": with_index(index_of((FIRST, 2)), at=0),
    "the index in a group": with_index(index_of((FIRST, 2)), at=GROUPS[1][0]),
    "the index after itself": with_index(index_of((FIRST, 2)), at=len(BODY) + 1),
}


@pytest.mark.parametrize("data", INDEXES.values(), ids=INDEXES)
def test_indexes(data: bytes, tmp_path: Path, bounded: None) -> None:
    """Refused, or walked around; never another frame than the file has there."""
    path = saved(tmp_path / "x.svq", data)
    try:
        with streamvq.open(path) as clip:
            assert len(clip) > 0
            for index in (0, 1, len(clip) // 2, len(clip) - 1):
                try:
                    assert_same([clip.coded(index)], [FRAMES[index]])
                except MediaDamaged as error:
                    assert "x.svq" in str(error)  # noqa: PT017
    except MediaDamaged:
        pass
    assert_same(read_all(data)[0], FRAMES)


@pytest.mark.parametrize(
    "listed",
    [
        [(FIRST, 2)],
        [(FIRST, 2), (GROUPS[2][0] - FIRST, 2)],
        [(FIRST, 4), (GROUPS[2][0] - FIRST, 3)],
    ],
    ids=["the first", "every second", "other numbers"],
)
def test_an_index_of_some_groups_is_not_believed(listed: list, tmp_path: Path) -> None:
    with streamvq.open(saved(tmp_path / "x.svq", with_index(index_of(*listed)))) as clip:
        assert_same([clip.coded(i) for i in range(len(clip))], FRAMES)


@pytest.mark.parametrize("data", INDEXES.values(), ids=INDEXES)
def test_indexes_and_a_range_of_frames(data: bytes, tmp_path: Path, cli: Callable) -> None:
    path = saved(tmp_path / "x.svq", data)
    result = cli("decompress", path, "-o", tmp_path / "out", "--frames", "1")
    assert result.exit_code in (0, 1, 2)
    assert result.exit_code == 0 or result.stderr.startswith(f"streamvq: error: {path}")
    assert "to -1" not in result.stderr
    assert "see --debug" not in result.stderr
    if not result.exit_code:
        assert list(snapshot(tmp_path / "out")) == ["1.png"]


def test_a_file_of_nothing_but_a_head() -> None:
    for data in (file_head(), file_head() + chunk_bytes(b"FEND", bytes(8)), joined(pieces(DATA)[:1])):
        assert_refused(data)
    assert io.BytesIO(file_head()).read(8) == SIGNATURE


def test_a_file_without_frames(tmp_path: Path, refused: Callable, good: Callable) -> None:
    """Whole, with its index and end, and nothing in it."""
    parts = [part for part in pieces(DATA) if part[0] in (b"HEAD", b"BOOK")]
    path = saved(tmp_path / "x.svq", joined([*parts, (b"INDX", leb128(0)), (b"FEND", struct.pack("<Q", 311))]))
    assert "no frames" in refused("decompress", path, "-o", tmp_path / "out")
    assert json.loads(good("info", path, "--json").stdout)["frames"] == 0
    with streamvq.open(path) as clip:
        assert len(clip) == len(clip.indices) == 0
        assert list(clip) == []
