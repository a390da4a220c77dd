"""`.svq` files of factors: all that frames hold there and back, cut anywhere, damaged anywhere, and lying."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from containers import (
    TICK,
    assert_changes_noticed,
    assert_cut_anywhere,
    assert_same,
    facts,
    flipped,
    group_places,
    joined,
    outcome,
    pieces,
    read_all,
    saved,
    svq_bytes,
    table,
    with_changed_payloads,
    with_group,
    with_header,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import codebook, noise, smooth

import streamvq
from streamvq import CodebookError, Frame, MediaDamaged, StreamInfo
from streamvq.container.header import Header
from streamvq.container.leb128 import leb128
from streamvq.container.reader import SvqReader, load_codebook
from streamvq.frames import LowRankFrame
from streamvq.lowrank.codec import LowRankCodec
from streamvq.options import LowRankOptions

CODECS = {
    "gray": LowRankCodec("gray"),
    "rgb": LowRankCodec("rgb"),
    "ycbcr420": LowRankCodec("ycbcr420"),
    "rgb patches": LowRankCodec("rgb", 4),
    "ycbcr420 patches": LowRankCodec("ycbcr420", 3),
}


def some_factors(codec: LowRankCodec, count: int = 5) -> list[LowRankFrame]:
    """Timed frames, every third of noise with alpha, the second one black."""
    frames = []
    for index in range(count):
        pixels = noise(9, 11, 4, index) if index % 3 == 2 else smooth(9, 11, index)
        pixels = pixels * 0 if index == 1 else pixels
        frame = Frame(pixels, index, index * TICK, TICK, f"ä/{index}.png")
        frames.append(codec.factor_frame(frame, LowRankOptions(rank=2, patch=codec.patch)).coded)
    return frames


def file_of(codec: LowRankCodec, frames: list[LowRankFrame], **options: object) -> bytes:
    info = StreamInfo(11, 9, 1 / TICK, len(frames), TICK)
    return svq_bytes(codec, frames, info=info, **options)


@pytest.fixture(params=CODECS.values(), ids=CODECS)
def case(request: pytest.FixtureRequest) -> tuple[LowRankCodec, list[LowRankFrame], bytes]:
    frames = some_factors(request.param)
    return request.param, frames, file_of(request.param, frames)


def test_all_that_a_frame_holds_comes_back(case: tuple) -> None:
    codec, frames, data = case
    reader = SvqReader(io.BytesIO(data), "x.svq")
    assert reader.decoder == reader.header.low_rank
    assert (reader.decoder.space, reader.header.patch) == (codec.space, codec.patch)
    assert_same(read_all(data)[0], frames)
    assert b"BOOK" not in dict(pieces(data))


def test_groups_do_not_matter(case: tuple) -> None:
    codec, frames, _ = case
    for together in (1, 3, 5):
        assert_same(read_all(file_of(codec, frames, together=together))[0], frames)


def test_pixels_by_index(case: tuple, tmp_path: Path) -> None:
    codec, frames, data = case
    with streamvq.open(saved(tmp_path / "x.svq", data)) as clip:
        assert len(clip) == 5
        for index in (4, 0, 2, 3, 1, -1):
            frame = frames[index]
            channels = 3 if frame.alpha is not None else codec.channels
            drawn = np.broadcast_to(codec.render(frame), (9, 11, channels))
            assert (clip[index].pixels[..., :channels] == drawn).all()
            assert (clip[index].name, clip[index].time) == (frame.name, frame.time)
            if frame.alpha is not None:
                assert (clip[index].pixels[..., 3] == frame.alpha).all()
        with pytest.raises(IndexError):
            clip[5]
        for ask in (lambda: clip.codebook, lambda: clip.indices):
            with pytest.raises(CodebookError, match=r"x\.svq.*method=svd.*no codebook"):
                ask()


def test_mixed_sizes() -> None:
    for codec in CODECS.values():
        sizes = [(9, 11), (4, 4), (13, 5), (9, 11)]
        how = LowRankOptions(rank=3, patch=codec.patch)
        frames = [codec.factor_frame(Frame(noise(*size, seed=i), i), how).coded for i, size in enumerate(sizes)]
        data = svq_bytes(codec, frames, 4, StreamInfo())
        assert_same(read_all(data)[0], frames)


def test_a_codebook_does_not_belong_to_factors(tmp_path: Path) -> None:
    codec = CODECS["rgb"]
    path = saved(tmp_path / "x.svq", file_of(codec, some_factors(codec)))
    with pytest.raises(CodebookError, match="drop `codebook`"):
        streamvq.open(path, codebook(4))
    with pytest.raises(CodebookError, match="no codebook"):
        load_codebook(path)


def test_cut_anywhere(case: tuple) -> None:
    _, frames, data = case
    assert_cut_anywhere(data, frames)


@pytest.mark.parametrize("changes", [(0x01,), (0x80, 0x20, 0xFF)], ids=["lowest bit", "others"])
def test_every_changed_byte(changes: tuple[int, ...], case: tuple) -> None:
    _, frames, data = case
    assert_changes_noticed(changes, data, frames)


@settings(max_examples=200)
@given(st.sampled_from(sorted(CODECS)), st.data())
def test_changed_payloads_with_good_checksums(name: str, data: st.DataObject) -> None:
    """Frames that can be rendered, or an error; never anything else."""
    changed = with_changed_payloads(pieces(FILES[name]), data)
    found = outcome(changed)
    if isinstance(found, str):
        return
    codec = SvqReader(io.BytesIO(changed), "x.svq").header.low_rank or CODECS[name]
    for frame in found[0]:
        if frame.height * frame.width < 1 << 16:
            assert codec.render(frame).shape == (frame.height, frame.width, codec.channels)
        assert frame.alpha is None or frame.alpha.shape == (frame.height, frame.width)


FILES = {name: file_of(codec, some_factors(codec)) for name, codec in CODECS.items()}


@settings(max_examples=200)
@given(st.sampled_from(sorted(CODECS)), st.binary(max_size=80))
def test_factors_of_anything(name: str, payload: bytes) -> None:
    """Behind a good table of frames."""
    found = outcome(with_group(FILES[name], table(b"\x20", b"\x20") + payload))
    if not isinstance(found, str):
        for frame in found[0]:
            CODECS[name].render(frame)


@pytest.mark.parametrize(
    "changes",
    [
        {"patch": 1},
        {"patch": -1},
        {"patch": 65},
        {"patch": 2.0},
        {"patch": "8"},
        {"patch": [8, 8]},
        {"patch": True},
        {"patch": {}},
        {"patch": 2**70},
        {"space": "cmyk"},
        {"space": ["rgb"]},
        {"width": None},
        {"width": 2**31, "height": 2**31},
    ],
    ids=str,
)
def test_headers(changes: dict[str, object]) -> None:
    assert "header" in str(outcome(with_header(FILES["rgb"], **changes)))


def test_a_header_without_its_patch_is_one_of_indices() -> None:
    """And lacks all of that."""
    record = json.loads(pieces(FILES["rgb"])[0][1])
    assert record["patch"] == 0
    assert "codes" not in record
    del record["patch"]
    with pytest.raises(ValueError, match="lacks"):
        Header.from_json(json.dumps(record).encode())


def test_factors_have_no_codebook_inside() -> None:
    (head, *rest) = pieces(FILES["rgb"])
    with_book = svq_bytes(codebook(4), [])
    book = next(part for part in pieces(with_book) if part[0] == b"BOOK")
    assert "factors have no codebook" in str(outcome(joined([head, book, *rest])))


@pytest.mark.parametrize("side", [8192])
def test_claims_of_full_rank_are_bounded(side: int) -> None:
    """A few bytes do not ask for gigabytes: a group's factors have a limit, as its pixels have."""
    count = (1 << 27) // side**2
    head = Header.from_stream(StreamInfo(side, side, Fraction(25), count, TICK), LowRankCodec("gray"))
    heads = (leb128(256) + leb128(side) + bytes(side)) * count
    data = joined(
        [(b"HEAD", head.to_json()), (b"GRUP", leb128(0) + leb128(count) + bytes(count) + leb128(len(heads)) + heads)]
    )
    tracemalloc.start()
    found = outcome(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(found, str)
    assert peak < 100 << 20


def test_damage_in_one_group_leaves_the_others(tmp_path: Path) -> None:
    codec = CODECS["ycbcr420"]
    frames, data = some_factors(codec), FILES["ycbcr420"]
    start = group_places(data)[1][0]
    with streamvq.open(saved(tmp_path / "x.svq", flipped(data, start + 20, 4))) as clip:
        assert_same([clip.coded(i) for i in (0, 1, 4)], [frames[i] for i in (0, 1, 4)])
        with pytest.raises(MediaDamaged, match=f"byte {start}"):
            clip[2]


def test_rendering_does_not_change_the_decoded_group(tmp_path: Path) -> None:
    codec = CODECS["rgb patches"]
    with streamvq.open(saved(tmp_path / "x.svq", FILES["rgb patches"])) as clip:
        before = facts(clip.coded(0))
        first = clip[0].pixels.copy()
        clip[0].pixels[:] = 0
        assert (clip[0].pixels == first).all()
        assert facts(clip.coded(0)) == before
        assert clip.coded(0).planes[0].left.shape == (2, 3, 3)  # type: ignore[union-attr]
    assert codec.patch == 4


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (65535, 1)], ids=str)
def test_extreme_sizes(size: tuple[int, int], tmp_path: Path, cli: Callable) -> None:
    for space in ("gray", "rgb", "ycbcr420"):
        codec = LowRankCodec(space)
        frame = codec.factor_frame(Frame(noise(*size)), LowRankOptions(rank=3)).coded
        assert_same(read_all(svq_bytes(codec, [frame], 1, StreamInfo()))[0], [frame])
