"""What is written is what is read: frames of any size with all that belongs to them, in groups of any length."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from containers import TICK, assert_same, offsets, pieces, read_all, saved, some_frames, svq_bytes, write_svq
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import codebook

import streamvq
from streamvq import Codebook, CodebookError, FrameMeta, IndexFrame, StreamInfo
from streamvq.container.codebook_coding import decode_codes, encode_codes
from streamvq.container.frame_table import is_safe
from streamvq.container.header import Header
from streamvq.container.inspect import inspect
from streamvq.container.leb128 import Leb128Reader, leb128, signed_leb128
from streamvq.container.reader import SvqReader
from streamvq.quantize.blocks import code_length

SHAPES = [("rgb", (1, 1)), ("gray", (1, 1)), ("rgb", (3, 2)), ("gray", (4, 4)), ("ycbcr420", (2, 4))]


def random_book(seed: int, count: int, space: str = "rgb", block: tuple[int, int] = (1, 1)) -> Codebook:
    rng = np.random.default_rng(seed)
    return Codebook(rng.integers(0, 256, (count, code_length(block, space))).astype(np.uint8), space, block)


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(is_safe)
times = st.none() | st.integers(-(10**6), 10**12)


@st.composite
def films(draw: st.DrawFn) -> tuple[Codebook, list[IndexFrame], StreamInfo]:
    """Up to six frames, of sizes and kinds that change or stay."""
    space, block = draw(st.sampled_from(SHAPES))
    most = 256 if (space, block) == ("gray", (1, 1)) else 400
    book = random_book(
        draw(st.integers(0, 9)), min(most, draw(st.sampled_from([1, 2, 16, 200, 256, 257, 400]))), space, block
    )
    tick = draw(st.sampled_from([Fraction(1, 25), Fraction(1, 1000), Fraction(1001, 30000), Fraction(1, 90000)]))
    sizes = st.tuples(st.integers(1, 20), st.integers(1, 20))
    size = draw(sizes)
    frames = []
    for index in range(draw(st.integers(1, 6))):
        height, width = size = draw(st.just(size) | sizes)
        rng = np.random.default_rng(draw(st.integers(0, 3)))
        shape = -(-height // block[0]), -(-width // block[1])
        codes = rng.integers(0, len(book), shape).astype(np.uint8 if len(book) <= 256 else np.uint16)
        alpha = rng.integers(0, 256, (height, width)).astype(np.uint8) if draw(st.booleans()) else None
        time, duration = draw(times), draw(st.integers(0, 10**9))
        frames.append(
            IndexFrame(
                codes,
                FrameMeta(
                    height,
                    width,
                    index,
                    None if time is None else time * tick,
                    duration * tick or None,
                    draw(st.none() | names),
                    alpha,
                ),
            )
        )
    known = draw(st.booleans())
    info = StreamInfo(frames[0].width if known else None, frames[0].height if known else None, 1 / tick, 6, tick)
    return book, frames, info


@pytest.mark.slow
@settings(max_examples=120)
@given(films(), st.integers(1, 6), st.booleans())
def test_everything_comes_back(
    tmp_path: Path, film: tuple[Codebook, list[IndexFrame], StreamInfo], together: int, embed: bool
) -> None:
    book, frames, info = film
    data = svq_bytes(book, frames, together, info, embed)
    read, truncation = read_all(data, None if embed else book)
    assert_same(read, frames)
    assert truncation is None
    assert SvqReader(io.BytesIO(data), "x.svq", book).header == Header.from_stream(info, book)
    with streamvq.open(saved(tmp_path / "x.svq", data), None if embed else book) as clip:
        assert_same([clip.coded(index) for index in reversed(range(len(clip)))][::-1], frames)
        assert clip.info == info
        assert clip.codebook == book
        for frame, codes in zip(frames, clip.indices, strict=True):
            assert (codes == frame.codes).all()
            assert codes.max() < len(book)


@settings(max_examples=20)
@given(films(), st.integers(1, 6))
def test_the_length_of_groups_changes_no_frame(
    film: tuple[Codebook, list[IndexFrame], StreamInfo], together: int
) -> None:
    book, frames, info = film
    assert_same(read_all(svq_bytes(book, frames, together, info))[0], read_all(svq_bytes(book, frames, 1, info))[0])


def test_same_frames_same_bytes() -> None:
    book = codebook(16)
    assert svq_bytes(book, some_frames(book)) == svq_bytes(book, some_frames(book))


INFOS = [
    StreamInfo(),
    StreamInfo(7, 5),
    StreamInfo(65535, 65535, Fraction(30000, 1001), 123456789, Fraction(1, 90000), Fraction(12, 11), 255),
    StreamInfo(1, 1, Fraction(1, 10), 1, Fraction(10), Fraction(1), 1),
]


@pytest.mark.parametrize("info", INFOS, ids=range(4))
@pytest.mark.parametrize(("space", "block"), SHAPES)
def test_headers(info: StreamInfo, space: str, block: tuple[int, int]) -> None:
    book = random_book(0, 5, space, block)
    header = Header.from_stream(info, book)
    assert Header.from_json(header.to_json()) == header
    assert header.matches(book)
    assert not header.matches(random_book(1, 5, space, block))
    assert (header.n_codes, header.space, header.block) == (5, space, block)


@given(st.integers(0, 2**70 - 1), st.integers(-(2**68), 2**68))
def test_numbers(number: int, signed: int) -> None:
    data = Leb128Reader(leb128(number) + signed_leb128(signed) + b"rest")
    assert (data.number(), data.signed(), data.take(2), data.rest(), data.rest()) == (
        number,
        signed,
        b"re",
        b"st",
        b"",
    )


@given(st.binary(max_size=20))
def test_any_bytes_as_numbers(noise: bytes) -> None:
    data, left = Leb128Reader(noise), len(noise)
    while True:
        try:
            data.number()
        except ValueError:
            break
        left -= 1
    assert left >= 0
    assert len(leb128(127)) == 1
    assert len(leb128(128)) == 2


@pytest.mark.parametrize(("space", "block"), [*SHAPES, ("rgb", (8, 8)), ("ycbcr420", (16, 16)), ("gray", (1, 7))])
@pytest.mark.parametrize("count", [1, 2, 255, 256, 300])
def test_codebooks(space: str, block: tuple[int, int], count: int) -> None:
    """Noise, sorted, all equal, and the extremes."""
    if (space, block) == ("gray", (1, 1)):
        count = min(count, 256)
    noise = random_book(count, count, space, block).codes
    flat = np.full_like(noise, 255)
    edges = np.where(noise > 127, 255, 0).astype(np.uint8)
    for codes in (noise, np.sort(noise, axis=0), flat, flat * 0, edges):
        book = Codebook(codes, space, block)
        data = encode_codes(book)
        assert decode_codes(data, count, block, space) == book
        assert len(data) <= 1.25 * codes.size + 64  # noise is what it is not made for


def test_a_large_codebook() -> None:
    book = random_book(3, 65536)
    assert decode_codes(encode_codes(book), 65536, (1, 1), "rgb") == book


def test_codebooks_of_pictures_take_less_than_their_plain_bytes() -> None:
    y, x = np.mgrid[:4, :4]
    ramps = [
        np.clip(128 + a * (x - 2) + b * (y - 2) + c, 0, 255)
        for a in (-9, 0, 9)
        for b in (-9, 0, 9)
        for c in range(-60, 61, 12)
    ]
    codes = np.repeat(np.array(ramps, np.uint8).reshape(len(ramps), -1, 1), 3, axis=2).reshape(len(ramps), -1)
    book = Codebook(codes, "rgb", (4, 4))
    assert len(encode_codes(book)) < codes.size / 6


def test_the_parts_add_up(tmp_path: Path) -> None:
    """As the writer counts them, and as they are found in the file."""
    book = codebook(16)
    frames = some_frames(book)
    info = StreamInfo(8, 6, 1 / TICK, 7, TICK, None, 1)
    stream = io.BytesIO()
    writer = write_svq(stream, book, frames, 3, info, audio=[b"sound" * 5] * 3)
    data = stream.getvalue()
    assert writer.size == sum(writer.parts.values()) == len(data)
    assert all(writer.parts.values())
    about = inspect(saved(tmp_path / "x.svq", data))
    assert about.parts == writer.parts
    assert (about.size, about.n_frames, about.n_groups, about.pixels) == (len(data), 7, 3, 7 * 48)
    assert about.truncation is None
    sizes = {name: sum(end - start for each, start, end in offsets(data) if each == name) for name, _ in pieces(data)}
    assert about.parts["audio"] == sizes[b"AUDI"] == 3 * (25 + 12)
    assert about.parts["header"] == sizes[b"HEAD"] + 12
    assert about.parts["codebook"] == sizes[b"BOOK"]
    assert about.parts["index"] == sizes[b"INDX"] + sizes[b"FEND"]


def test_a_writer_needs_no_seekable_stream() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.data += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    book, pipe = codebook(16), Pipe()
    frames = some_frames(book)
    write_svq(pipe, book, frames)  # type: ignore[arg-type]
    assert pipe.data == svq_bytes(book, frames)


def test_without_its_codebook() -> None:
    book = codebook(16)
    frames = some_frames(book)
    data = svq_bytes(book, frames, embed=False)
    assert b"BOOK" not in dict(pieces(data))
    assert_same(read_all(data, book)[0], frames)
    with pytest.raises(CodebookError, match=f"{book.fingerprint[:12]}.*`codebook=PATH`"):
        read_all(data)
    other = codebook(16, seed=9)
    with pytest.raises(CodebookError, match=f"{book.fingerprint[:12]}.*{other.fingerprint[:12]}"):
        read_all(data, other)
    with pytest.raises(CodebookError, match=other.fingerprint[:12]):
        read_all(svq_bytes(book, frames), other)
