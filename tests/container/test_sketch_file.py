"""Sketch files: nothing is lost, nothing is believed."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pictures import noise, smooth

from streamvq.container.chunks import chunk_bytes
from streamvq.container.leb128 import leb128
from streamvq.container.sketch_file import Sketch, SketchFile
from streamvq.container.sketch_head import SketchHead
from streamvq.errors import InputMissing, MediaError, UsageError
from streamvq.quantize.block_sample import BlockSample
from streamvq.quantize.histogram import ColorHistogram

BLOCKS = {"block": (4, 4), "n_codes": 64, "space": "ycbcr420"}
RUN = {("0" * 16, 3): frozenset([2])}
KINDS = {"colors": {}, "gray": {"gray": True}, "blocks": BLOCKS}


def a_sketch(settings: dict, seed: int = 0) -> SketchFile:
    head = SketchHead(settings, RUN, 2)
    sketch = head.empty_sketch()
    sketch.absorb(noise(seed=seed), 1)
    sketch.absorb(np.dstack([smooth(), smooth()[..., :1]]), 2)  # with alpha
    return SketchFile(head, sketch)


def chunks_after_head(made: SketchFile, *chunks: bytes) -> bytes:
    empty = SketchFile(made.head, made.head.empty_sketch()).to_bytes()
    return empty.removesuffix(chunk_bytes(b"FEND", b"")) + b"".join(chunks) + chunk_bytes(b"FEND", b"")


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_its_sketch(kind: str) -> None:
    made = a_sketch(KINDS[kind])
    data = made.to_bytes()
    again = SketchFile.load(data, "a")
    assert again.to_bytes() == data
    assert again.head == made.head
    for one, other in zip(made.sketch.points(), again.sketch.points(), strict=True):
        assert (one == other).all()


@pytest.mark.parametrize("kind", KINDS)
def test_files_add_up_like_sketches(kind: str) -> None:
    one, two = a_sketch(KINDS[kind]), a_sketch(KINDS[kind], 1)
    two = replace(two, head=replace(two.head, runs={("0" * 16, 3): frozenset([1])}))
    data = SketchFile.load(two.to_bytes(), "two").added(one.to_bytes(), "one").to_bytes()
    assert SketchFile.load(one.to_bytes(), "one").added(two.to_bytes(), "two").to_bytes() == data
    one.sketch.merge(two.sketch)  # type: ignore[arg-type]
    together = SketchFile(replace(one.head, runs={("0" * 16, 3): frozenset([1, 2])}, frames=4), one.sketch)
    assert together.to_bytes() == data


def test_counts_beyond_32_bits() -> None:
    histogram = ColorHistogram()
    for _ in range(3):
        histogram.add_totals(np.array([0, 5, 1 << 23]), np.array([1, 3 << 31, (1 << 32) - 1]))
    keys, totals = histogram.totals()
    assert (keys.tolist(), totals.tolist()) == ([0, 5, 1 << 23], [3, 9 << 31, 3 * ((1 << 32) - 1)])
    made = SketchFile(SketchHead({}, RUN), histogram)
    assert SketchFile.load(made.to_bytes(), "a").sketch.points()[1].tolist() == totals.tolist()


def test_settings_and_shares_are_told_apart() -> None:
    made = a_sketch({})
    with pytest.raises(UsageError, match="b: was made with `gray=True`, and those before it without `gray`"):
        made.added(a_sketch({"gray": True}).to_bytes(), "b")
    with pytest.raises(UsageError, match="b: share 2 of 3 is there already"):
        made.added(made.to_bytes(), "b")
    assert made.head.missing() == (1, 3)


def test_damage(tmp_path: Path) -> None:
    data = a_sketch(BLOCKS).to_bytes()
    for cut in (5, 20, len(data) // 2, len(data) - 1):
        with pytest.raises(MediaError, match=r"a.sketch: .*is (cut off|damaged)"):
            SketchFile.load(data[:cut], "a.sketch")
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 1
    with pytest.raises(MediaError, match="checksum"):
        SketchFile.load(bytes(flipped), "a.sketch")
    with pytest.raises(MediaError, match="version 9; this streamvq reads up to 1"):
        SketchFile.load(data[:8] + b"\x09" + data[9:], "a.sketch")
    with pytest.raises(InputMissing):
        SketchFile.load(tmp_path / "no.sketch", "no.sketch")


ZEROS = zlib.compress(bytes(1 << 20))
LIES = {
    "a red of 300": ({}, b"COLR", leb128(300) + leb128(1) + ZEROS),
    "colors without end": ({}, b"COLR", leb128(0) + leb128(1 << 40) + ZEROS),
    "more than it claims": ({}, b"COLR", leb128(0) + leb128(2) + ZEROS),
    "no zlib": ({}, b"COLR", leb128(0) + leb128(2) + b"abc"),
    "a count of 0": ({}, b"COLR", leb128(0) + leb128(1) + zlib.compress(bytes(10))),
    "a color twice": ({}, b"COLR", leb128(0) + leb128(2) + zlib.compress(bytes(4) + b"\1\1" + bytes(14))),
    "brighter than white": ({}, b"SOFT", b"\0\0\1" + zlib.compress(bytes(4) + b"\xff\0\0\1\1\xff" + bytes(34))),
    "too many cells": ({}, b"SOFT", leb128(0) + leb128(0) + leb128(1 << 19) + ZEROS),
    "blocks among colors": ({}, b"BLKS", leb128(0) + zlib.compress(b"")),
    "a block twice": (BLOCKS, b"DIST", leb128(2) + zlib.compress(b"\1\1" + bytes(14 + 2 * 24))),
    "blocks without end": (BLOCKS, b"BLKS", leb128(1 << 40) + ZEROS),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_lies(lie: str) -> None:
    settings, kind, payload = LIES[lie]
    data = chunks_after_head(SketchFile(SketchHead(settings, RUN), empty(settings)), chunk_bytes(kind, payload))
    with pytest.raises(MediaError, match=r"a\.sketch: is damaged"):
        SketchFile.load(data, "a.sketch")


def test_reds_come_once_and_in_order() -> None:
    made = SketchFile(SketchHead({}, RUN), empty({}))
    red = [chunk_bytes(b"COLR", leb128(i) + leb128(1) + zlib.compress(bytes([0, 0, 1] + 7 * [0]))) for i in (3, 4)]
    assert SketchFile.load(chunks_after_head(made, *red), "a").sketch.points()[1].tolist() == [1, 1]
    for wrong in (red[::-1], red[:1] * 2):
        with pytest.raises(MediaError, match=r"is damaged.*of red"):
            SketchFile.load(chunks_after_head(made, *wrong), "a")


def empty(settings: dict) -> Sketch:
    return SketchHead(settings, RUN).empty_sketch()


@pytest.mark.parametrize(
    "head",
    [
        b"[]",
        b'{"settings":{},"runs":[],"frames":0}',
        b'{"settings":{},"runs":[["0123456789abcdef",3,"4"]],"frames":0}',
        b'{"settings":{},"runs":[["0123456789abcdef",3,"1-2,2"]],"frames":0}',
        b'{"settings":{},"runs":[["0123456789abcdef",9999999999,"1"]],"frames":0}',
        b'{"settings":{"block":[4,4],"n_codes":1e9,"space":"rgb"},"runs":[["0123456789abcdef",1,"1"]],"frames":0}',
        b'{"settings":{"block":[99,4],"n_codes":9,"space":"rgb"},"runs":[["0123456789abcdef",1,"1"]],"frames":0}',
        b'{"settings":{"block":[32,32],"n_codes":65536,"space":"rgb"},"runs":[["0123456789abcdef",1,"1"]],"frames":0}',
    ],
)
def test_heads_that_lie(head: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        SketchHead.from_json(head)


def test_unknown_optional_chunks_are_skipped() -> None:
    made = SketchFile(SketchHead({}, RUN), empty({}))
    assert SketchFile.load(chunks_after_head(made, chunk_bytes(b"note", b"x")), "a").to_bytes() == made.to_bytes()


def test_a_sample_keeps_its_size() -> None:
    one = BlockSample((4, 4), "ycbcr420", 0, 100, 4)
    one.absorb(noise(64, 64), 1)
    hashes, vectors = one.held()
    assert (len(hashes), vectors.shape) == (100, (100, 24))
    assert (hashes[1:] >= hashes[:-1]).all()
