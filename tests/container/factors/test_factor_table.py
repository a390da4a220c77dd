"""Factors as the pictures of a group, and lies about them."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import noise, smooth

from streamvq.container.factors.factor_table import decode_factors, encode_factors
from streamvq.container.leb128 import leb128
from streamvq.errors import OutputError
from streamvq.frames import Frame, FrameMeta, LowRankFrame, PlaneFactors
from streamvq.lowrank.codec import LowRankCodec
from streamvq.options import LowRankOptions

SIZES = [(17, 23), (17, 23), (40, 9), (1, 1)]


def frames_of(codec: LowRankCodec) -> list[LowRankFrame]:
    how = LowRankOptions(rank=5, patch=codec.patch)
    pictures = [smooth(17, 23), smooth(17, 23, 1), noise(40, 9), noise(1, 1)]
    return [codec.factor_frame(Frame(pixels, index), how).coded for index, pixels in enumerate(pictures)]


@pytest.mark.parametrize("space", ["gray", "rgb", "ycbcr420"])
def test_there_and_back(space: str) -> None:
    codec = LowRankCodec(space)
    frames = frames_of(codec)
    for (planes, step), frame in zip(decode_factors(encode_factors(frames), SIZES, codec), frames, strict=True):
        assert step == frame.step
        assert len(planes) == len(frame.planes)
        for ours, theirs in zip(planes, frame.planes, strict=True):
            assert ours.bits == theirs.bits
            assert np.array_equal(ours.left, theirs.left)
            assert np.array_equal(ours.right, theirs.right)


def test_patches_there_and_back() -> None:
    codec = LowRankCodec("ycbcr420", 8)
    frame = codec.factor_frame(Frame(smooth(17, 23)), LowRankOptions(rank=5, patch=8)).coded
    ((planes, _),) = decode_factors(encode_factors([frame]), [(17, 23)], codec)
    assert planes[0].left.shape[1:] == (3, 3)
    assert planes[1].right.shape[1:] == (8, 8)
    drawn = LowRankFrame(planes, frame.step, FrameMeta(17, 23))
    assert (codec.render(drawn) == codec.render(frame)).all()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([0], "step is 0"),
        ([65537], "step is 65537"),
        ([1, 18], "claims rank 18"),
        ([1, 2, 21, 21], "21 binary places"),
        ([1, 2, 3], "ends too early"),
        ([1, 0, 0], "table is too long"),
    ],
)
def test_lies(table: list[int], message: str) -> None:
    head = b"".join(map(leb128, table))
    with pytest.raises(ValueError, match=message):
        decode_factors(leb128(len(head)) + head, [(17, 23)], LowRankCodec("gray"))


def test_what_the_format_cannot_hold() -> None:
    left, right = np.full((1, 2, 1), 1 << 21, np.int32), np.ones((1, 1, 2), np.int32)
    frame = LowRankFrame((PlaneFactors(left, right, (1,)),), 256, FrameMeta(2, 2))
    with pytest.raises(OutputError, match="lower rank"):
        encode_factors([frame])
