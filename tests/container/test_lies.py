"""Files made to deceive, with checksums that are right: refused soon, in little memory, and never written outside."""

from __future__ import annotations

import io
import json
import struct
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from containers import (
    TICK,
    Pieces,
    assert_same,
    flipped,
    group_places,
    joined,
    named,
    offsets,
    outcome,
    pieces,
    read_all,
    saved,
    small_file,
    svq_bytes,
    table,
    timed_frames,
    with_group,
    with_header,
)
from pictures import codebook, few_colors, noise, save, snapshot

import streamvq
from streamvq import Codebook, CodebookError, FrameMeta, IndexFrame, MediaDamaged, MediaError, OutputError, StreamInfo
from streamvq.container import group_size
from streamvq.container.chunks import SIGNATURE, chunk_bytes, file_head
from streamvq.container.frame_table import is_safe
from streamvq.container.groups import encode_group
from streamvq.container.header import Header
from streamvq.container.indices.coding import encode_frames
from streamvq.container.leb128 import leb128, signed_leb128
from streamvq.container.reader import SvqReader

MAX_SECONDS = 5.0
MAX_MEMORY = 100 << 20
DATA, FRAMES = small_file()
INDICES = encode_frames([np.zeros((6, 8), np.uint8)], codebook(16).codes)  # of one frame of 8x6
BAD_NAMES = ["../../x", "/abs", "C:\\x", "C:x", "c:/x", "a/../../b", "..", ".", "a/./b", "", "a/", "a//b", "//host/x"]
BAD_NAMES += ["a\0b", "a\nb", "a\\b", "\\\\host\\x", "x" * 5000]


@pytest.fixture
def bounded() -> Iterator[None]:
    """What happens meanwhile takes little time and memory."""
    tracemalloc.start()
    begun = time.monotonic()
    try:
        yield
        peak, seconds = tracemalloc.get_traced_memory()[1], time.monotonic() - begun
    finally:
        tracemalloc.stop()
    assert peak < MAX_MEMORY, f"{peak >> 20} MB"
    assert seconds < MAX_SECONDS, f"{seconds:.1f} s"


def assert_refused(data: bytes, book: Codebook | None = None) -> str:
    """Its text, which names the file."""
    result = outcome(data, book)
    assert isinstance(result, str), "it was read"
    return result


HEADERS: dict[str, dict[str, object]] = {
    "huge sides": {"width": 2**31, "height": 2**31},
    "sides over the limit": {"width": 65536, "height": 1},
    "large sides that the frames take over": {"width": 65535, "height": 65535},
    "no sides": {"width": 0, "height": 0},
    "negative sides": {"width": -1, "height": -1},
    "width alone": {"height": None},
    "many frames": {"frames": 2**80},
    "frames as text": {"frames": "7"},
    "sides as floats": {"width": 8.0, "height": 6.0},
    "sides as booleans": {"width": True, "height": True},
    "no codes": {"codes": 0},
    "codes missing": {"codes": None},
    "too many codes": {"codes": 65537},
    "more codes than there are": {"codes": 65536},
    "fewer codes": {"codes": 15},
    "codes as a list": {"codes": [16]},
    "unknown space": {"space": "cmyk"},
    "space as a list": {"space": []},
    "another space": {"space": "gray"},
    "space missing": {"space": None},
    "block missing": {"block": None},
    "block of nothing": {"block": [0, 1]},
    "block of one side": {"block": [1]},
    "block as text": {"block": "11"},
    "block as a number": {"block": 1},
    "block as an object": {"block": {"0": 1, "1": 1}},
    "huge block": {"block": [2**40, 2**40]},
    "large blocks of many codes": {"block": [32, 32], "codes": 65536},
    "the largest blocks": {"block": [64, 64], "codes": 65536},
    "odd blocks of 4:2:0": {"block": [3, 3], "space": "ycbcr420"},
    "wrong fingerprint": {"fingerprint": "0" * 64},
    "fingerprint missing": {"fingerprint": None},
    "fingerprint as a number": {"fingerprint": 7},
    "frame rate of 0": {"fps": "0/1"},
    "frame rate over 0": {"fps": "1/0"},
    "endless frame rate": {"fps": "9" * 40 + "/1"},
    "frame rate as a number": {"fps": 25},
    "frame rate as text": {"fps": "fast"},
    "negative clock": {"time_base": "-1/25"},
    "clock as a list": {"time_base": [1, 25]},
    "aspect with a sign": {"pixel_aspect": "+4/3"},
    "many sounds": {"audio_streams": 10**9},
    "sounds as text": {"audio_streams": "one"},
}


@pytest.mark.parametrize("changes", HEADERS.values(), ids=HEADERS)
def test_headers(changes: dict[str, object], bounded: None) -> None:
    assert_refused(with_header(DATA, **changes))


def with_json(data: bytes) -> bytes:
    (chunk_type, _), *rest = pieces(DATA)
    return joined([(chunk_type, data), *rest])


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"text"',
        b"7",
        b"{",
        b"\xff\xfe\xfd",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"1" * 5000,
        b"NaN",
        b'{"block":[[]]}',
        b'\xef\xbb\xbf{"codes":16}',
        b'{"codes":1e999}',
    ],
    ids=lambda text: repr(text[:12]),
)
def test_headers_that_are_no_headers(text: bytes, bounded: None) -> None:
    assert_refused(with_json(text))


def test_a_header_with_more_in_it_is_read() -> None:
    """Later versions may say more."""
    assert_same(read_all(with_header(DATA, encoder="streamvq 9.9", more=[{"a": 1}]))[0], FRAMES)


@pytest.mark.parametrize("field", ["space", "fingerprint"])
def test_header_texts_do_not_reach_the_terminal_as_they_are(field: str, tmp_path: Path, cli: Callable) -> None:
    """Control characters and halves of surrogate pairs in a file without codebook, which `info` shows."""
    data = svq_bytes(codebook(16), FRAMES, embed=False)
    path = saved(tmp_path / "x.svq", with_header(data, **{field: "\x1b[31m\ud800\n"}))
    for options in ([], ["--json"]):
        result = cli("info", path, *options)
        assert "\x1b" not in result.output
        assert "see --debug" not in result.stderr


TABLES: dict[str, bytes] = {
    "nothing": b"",
    "no frames": table(),
    "no entries": table(count=5),
    "65536 frames": table(count=65536),
    "65535 huge frames": table(*[bytes([1 | 32]) + leb128(65535) * 2] + [b"\x20"] * 65534),
    "2^60 frames": table(count=2**60),
    "a first frame beyond all": table(b"\x20", first=2**69) + INDICES,
    "a first frame that is not next": table(b"\x20", first=1) + INDICES,
    "a side of 0": table(bytes([1 | 32, 0, 1])) + INDICES,
    "a side of 2^60": table(bytes([1 | 32]) + leb128(2**60) + leb128(1)) + INDICES,
    "a side of 65536": table(bytes([1 | 32]) + leb128(65536) + leb128(1)) + INDICES,
    "many pixels": table(bytes([1 | 32]) + leb128(65535) + leb128(65535)) + INDICES,
    "a number of 11 bytes": table(bytes([1 | 32]) + b"\xff" * 10 + b"\x01\x01"),
    "a number without end": table(bytes([1 | 32]) + b"\x80" * 3),
    "a name of 2^60 bytes": table(bytes([8 | 32]) + leb128(2**60) + b"x"),
    "a name longer than the group": table(bytes([8 | 32]) + leb128(200) + b"x"),
    "a name of no bytes": table(bytes([8 | 32, 0])) + INDICES,
    "a name that is no UTF-8": table(named(b"\xff\xfe")) + INDICES,
    "half a surrogate pair": table(named(b"\xed\xa0\x80")) + INDICES,
    "alpha of 2^60 bytes": table(bytes([16 | 32])) + leb128(2**60) + INDICES,
    "alpha without a length": table(bytes([16 | 32])),
    "indices that go on": table(b"\x20") + INDICES + b"\xa5" * 300,
    "alpha that goes on": table(bytes([16 | 32])) + leb128(300) + b"\xa5" * 300 + INDICES,
    "a time beyond all clocks": table(bytes([2]) + signed_leb128(2**68)) + INDICES,
    "a time before all clocks": table(bytes([2]) + signed_leb128(-(2**68))) + INDICES,
    "an endless duration": table(bytes([4]) + leb128(2**68)) + INDICES,
}


@pytest.mark.parametrize("payload", TABLES.values(), ids=TABLES)
def test_groups(payload: bytes, bounded: None) -> None:
    assert "GRUP" in assert_refused(with_group(DATA, payload))


def test_the_group_that_the_others_are_made_from_is_good() -> None:
    read, _ = read_all(with_group(DATA, table(b"\x20") + INDICES))
    assert read[0].codes.shape == (6, 8)


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
    return joined(change(pieces(DATA)))


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


@pytest.mark.parametrize("version", [0, 2, 256, 2**32 - 1])
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


@pytest.mark.parametrize("name", BAD_NAMES, ids=repr)
def test_names_that_lead_out_are_not_read(name: str, tmp_path: Path, refused: Callable) -> None:
    data = with_group(DATA, table(named(name.encode())) + INDICES)
    assert_refused(data)
    inside = tmp_path / "deep" / "er"
    inside.mkdir(parents=True)
    path = saved(inside / "x.svq", data)
    for format in ("png", "jpg"):
        refused("decompress", path, "-o", inside / "out", "--format", format)
    assert list(snapshot(tmp_path)) == ["deep/er/x.svq"]


@pytest.mark.parametrize("name", BAD_NAMES, ids=repr)
def test_names_that_lead_out_are_not_written(name: str) -> None:
    book = codebook(16)
    header = Header.from_stream(StreamInfo(8, 6), book)
    frame = IndexFrame(np.zeros((6, 8), np.uint8), FrameMeta(6, 8, name=name))
    with pytest.raises(OutputError, match="name"):
        encode_group([frame], header, book)


@pytest.mark.parametrize(
    "name", ["a", "a b.png", "ü/春/🌸 100%.png", "...", "a..b", "-", "~", "a/b/c/d/e", "x" * 200]
)
def test_names_that_stay(name: str) -> None:
    assert is_safe(name)
    read, _ = read_all(with_group(DATA, table(named(name.encode())) + INDICES))
    assert read[0].name == name


def numbered(names: list[str | None]) -> bytes:
    """A file of one frame for each name, all of which look different."""
    book = codebook(16)
    frames = [
        IndexFrame(np.full((6, 8), index, np.uint8), FrameMeta(6, 8, index, name=name))
        for index, name in enumerate(names)
    ]
    return svq_bytes(book, frames, info=StreamInfo())


@pytest.mark.parametrize(
    "names",
    [["a.png", "b.png", "a.png"], ["a.png", "a.jpg"], ["x.png", "x"], [None, "frame000000.png"]],
    ids=lambda names: " ".join(map(str, names)),
)
def test_two_frames_of_one_name_are_not_one_file(names: list[str | None], tmp_path: Path, refused: Callable) -> None:
    path = saved(tmp_path / "x.svq", numbered(names))
    refused("decompress", path, "-o", tmp_path / "out")
    assert list(snapshot(tmp_path)) == ["x.svq"]


@pytest.mark.parametrize("names", [["a.png", "a.png/b.png"], ["a.png/b.png", "a.png"], ["x" * 300], ["é" * 150]])
def test_names_that_the_file_system_refuses(names: list[str | None], tmp_path: Path, refused: Callable) -> None:
    path = saved(tmp_path / "x.svq", numbered(names))
    assert "see --debug" not in refused("decompress", path, "-o", tmp_path / "out")
    assert list(snapshot(tmp_path)) == ["x.svq"]


def test_images_that_differ_in_their_suffix_only(tmp_path: Path, good: Callable, cli: Callable) -> None:
    """Neither is lost without a word."""
    for name, seed in (("a.png", 1), ("a.bmp", 2)):
        save(few_colors(4, seed=seed), tmp_path / "in" / name)
    result = cli("compress", tmp_path / "in", "-k", 8, "-o", tmp_path / "x.svq")
    if result.exit_code:
        return
    result = cli("decompress", tmp_path / "x.svq", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert not (tmp_path / "out").exists()


def test_an_old_link_in_the_output_folder_is_not_followed(tmp_path: Path, cli: Callable) -> None:
    """A folder that was there, with a link that leads out of it: what it leads to is only replaced if asked for."""
    (tmp_path / "out").mkdir()
    (tmp_path / "precious.png").write_bytes(b"precious")
    (tmp_path / "out" / "a.png").symlink_to(tmp_path / "precious.png")
    path = saved(tmp_path / "x.svq", numbered(["a.png"]))
    assert cli("decompress", path, "-o", tmp_path / "out").exit_code == 1
    cli("decompress", path, "-o", tmp_path / "out", "--overwrite")
    assert (tmp_path / "precious.png").read_bytes() == b"precious"


TERMS = ["1/9223372036854775807", "9223372036854775807/1", "1/2147483647", "2147483647/1"]


@pytest.mark.parametrize("field", ["fps", "time_base", "pixel_aspect"])
@pytest.mark.parametrize("value", TERMS)
def test_numbers_that_libav_cannot_take(field: str, value: str, tmp_path: Path, cli: Callable) -> None:
    """No trace, no error of another library."""
    book = codebook(16)
    path = saved(tmp_path / "x.svq", with_header(svq_bytes(book, timed_frames(book)), **{field: value}))
    for out in ("out.mkv", "out.avi", "out.mp4", "again.svq", "-"):
        target = out if out == "-" else tmp_path / out
        result = cli("decompress", path, "-o", target)
        assert result.exit_code in (0, 1)
        assert "see --debug" not in result.stderr, (out, result.stderr)


@pytest.mark.parametrize(
    "pieces_of", [[], [b""], [b"no NUT file at all" * 50], [b"\0" * 5000]], ids=["none", "empty", "text", "zeros"]
)
@pytest.mark.parametrize("streams", [1, 3])
def test_audio_that_is_none(pieces_of: list[bytes], streams: int, tmp_path: Path, cli: Callable) -> None:
    """The pictures come out, or one line says why not."""
    book = codebook(16)
    info = StreamInfo(8, 6, 1 / TICK, 7, TICK, None, streams)
    path = saved(tmp_path / "x.svq", svq_bytes(book, timed_frames(book), info=info, audio=pieces_of))
    for out in ("out.mkv", "out.mp4", "again.svq"):
        result = cli("decompress", path, "-o", tmp_path / out)
        assert result.exit_code in (0, 1)
        assert "see --debug" not in result.stderr, result.stderr
        assert "audio" in result.stderr, out
    assert not [name for name in snapshot(tmp_path) if ".part" in name]


def test_a_group_is_never_larger_than_what_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, good: Callable
) -> None:
    """A small picture and then the largest one that there may be, with all limits a millionth of what they are."""
    monkeypatch.setattr("streamvq.container.frame_table.MAX_PIXELS", 4000)
    monkeypatch.setattr(group_size, "MAX_PIXELS", 1000)
    for index, shape in enumerate([(30, 30), (60, 66), (30, 30), (20, 20), (63, 63)]):
        save(noise(*shape, seed=index) & 0xC0, tmp_path / "in" / f"{index}.png")
    good("compress", tmp_path / "in", "-k", 64, "-o", tmp_path / "x.svq")
    with streamvq.open(tmp_path / "x.svq") as clip:
        assert [clip[i].pixels.shape[:2] for i in range(len(clip))] == [
            (30, 30),
            (60, 66),
            (30, 30),
            (20, 20),
            (63, 63),
        ]


def test_frames_that_are_too_large_are_not_written() -> None:
    book = codebook(16)
    header = Header.from_stream(StreamInfo(), book)
    for height, width in ((1, 65536), (65536, 1), (20_000, 20_000)):
        codes = np.broadcast_to(np.zeros(1, np.uint8), (height, width))
        with pytest.raises(OutputError, match=f"{width}x{height}"):
            encode_group([IndexFrame(codes, FrameMeta(height, width))], header, book)


@pytest.mark.parametrize(("block", "space"), [((1, 33), "gray"), ((64, 64), "gray"), ((100, 1), "rgb")])
def test_blocks_that_would_not_be_read_are_not_written(block: tuple[int, int], space: str) -> None:
    length = block[0] * block[1] * (3 if space == "rgb" else 1)
    try:
        book = Codebook(np.zeros((2, length), np.uint8) + np.arange(2, dtype=np.uint8)[:, None], space, block)
        frame = IndexFrame(np.ones((1, 1), np.uint8), FrameMeta(*block))
        data = svq_bytes(book, [frame], info=StreamInfo())
    except (CodebookError, OutputError):
        return
    assert_same(read_all(data)[0], [frame])


def test_times_are_kept_or_refused() -> None:
    """Never dropped without a word."""
    book = codebook(16)
    frame = IndexFrame(np.zeros((6, 8), np.uint8), FrameMeta(6, 8, 0, TICK, TICK))
    for info in (StreamInfo(8, 6), StreamInfo(8, 6, 1 / TICK), StreamInfo(8, 6, 1 / TICK, None, TICK * 2)):
        try:
            data = svq_bytes(book, [frame], info=info)
        except OutputError:
            continue
        assert read_all(data)[0][0].time == TICK


@pytest.mark.parametrize("ticks", [2**40, 2**48 + 1, 2**62, -(2**40), -(2**62), 2**70])
def test_times_that_would_not_be_read_are_not_written(ticks: int) -> None:
    book = codebook(16)
    frame = IndexFrame(np.zeros((6, 8), np.uint8), FrameMeta(6, 8, 0, ticks * TICK))
    try:
        data = svq_bytes(book, [frame])
    except OutputError:
        return
    assert_same(read_all(data)[0], [frame])


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
