"""`.svq` files that claim more than `max_pixels` allows: refused before time and memory are taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from containers import TICK, joined, saved
from pictures import codebook, snapshot

import streamvq
from streamvq import MediaError, StreamInfo
from streamvq.container.codebook_coding import encode_codes
from streamvq.container.header import Header
from streamvq.container.indices.coding import encode_indices
from streamvq.container.leb128 import leb128


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """Some hundred bytes that claim 128 million equal pixels in two frames."""
    book = codebook(2)
    head = Header.from_stream(StreamInfo(8192, 8192, time_base=TICK), book).to_json(embeds_codebook=True)
    group = leb128(0) + leb128(2) + bytes(2) + encode_indices([np.zeros((64, 64), np.uint8)], book.codes)
    return saved(tmp_path / "x.svq", joined([(b"HEAD", head), (b"BOOK", encode_codes(book)), (b"GRUP", group)]))


def test_a_svq_that_claims_many_pixels(
    hostile: Path, tmp_path: Path, refused: Callable[..., str], bounded: None
) -> None:
    """Too many in one picture, or in pictures that are decoded together."""
    assert hostile.stat().st_size < 500
    line = refused("decompress", hostile, "-o", tmp_path / "out")
    assert "x.svq: 2 frames that are coded together have 134217728 pixels: more than --max-pixels 100000000" in line
    line = refused("decompress", hostile, "-o", tmp_path / "out", "--max-pixels", 8192 * 8192 - 1, "--keep-going")
    assert "x.svq: 8192x8192 pixels are more than --max-pixels 67108863 allows" in line
    with streamvq.open(hostile) as clip, pytest.raises(MediaError, match="max_pixels"):
        clip[0]
    assert list(snapshot(tmp_path)) == ["x.svq"]


def test_in_other_commands(hostile: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
    for command in (["compress", "-o", tmp_path / "y.svq"], ["fit", "-o", tmp_path / "b.npz"], ["compare", hostile]):
        assert "more than --max-pixels 100000000 allows" in refused(*command, hostile)
    assert list(snapshot(tmp_path)) == ["x.svq"]
