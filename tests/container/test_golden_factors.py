"""Files of factors whose bytes may not change, and the pixels that a decoder of `FORMAT.md` alone sees in them.

`STREAMVQ_GOLDEN=1` in the environment writes the files anew, for a new version of the format.
"""

from __future__ import annotations

import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from containers import assert_same, read_all, svq_bytes
from numpy.typing import NDArray
from pictures import noise, smooth
from plain_decoder import decode

from streamvq import Frame, FrameMeta, StreamInfo
from streamvq.frames import LowRankFrame, PlaneFactors
from streamvq.lowrank.codec import LowRankCodec
from streamvq.lowrank.factors import factor_shapes
from streamvq.lowrank.planes import plane_sizes
from streamvq.options import LowRankOptions

FOLDER = Path(__file__).parent / "golden"
OLDER = [FOLDER / "version1"]  # as earlier versions wrote them
TICK = Fraction(1, 25)


def made_planes(codec: LowRankCodec, height: int, width: int, rank: int, index: int) -> tuple[PlaneFactors, ...]:
    """Factors of whole numbers, the same on every machine: waves that move with `index`, two components of which
    change places, and one stays as it is."""
    planes = []
    for number, (high, wide) in enumerate(plane_sizes(height, width, codec.space)):
        shapes = factor_shapes(high, wide, codec.patch)
        count = min(rank - (number + index) % 2, *(rows * columns for rows, columns in shapes))
        sides = []
        for side, (rows, columns) in enumerate(shapes):
            place = np.arange(rows * columns).reshape(rows, columns)
            parts = [wave(place, 9 * n + 4 * side + number, 0 if n == 2 else index) >> 2 * n for n in range(count)]
            if index % 2 and count > 1:
                parts[:2] = parts[1], -parts[0]
            sides.append(np.array(parts, np.int32).reshape(count, rows, columns))
        bits = tuple(max(0, 9 - 2 * n) for n in range(count))
        planes.append(PlaneFactors(sides[0], sides[1], bits))
    return tuple(planes)


def wave(place: NDArray[np.int64], seed: int, index: int) -> NDArray[np.int64]:
    """Whole numbers that rise and fall."""
    period = 5 + seed % 7
    position = (place + index) * (seed % 3 + 1) % (2 * period)
    return (np.minimum(position, 2 * period - position) - period // 3) * (500 - 11 * seed) // period


def film(codec: LowRankCodec, sizes: list[tuple[int, int]], ranks: list[int]) -> list[LowRankFrame]:
    frames = []
    for index, ((height, width), rank) in enumerate(zip(sizes, ranks, strict=True)):
        alpha = noise(height, width, 1, index)[..., 0] & 192 if index == 1 else None
        meta = FrameMeta(height, width, index, index * TICK, TICK, f"{index}.png" if index % 2 else None, alpha)
        frames.append(LowRankFrame(made_planes(codec, height, width, rank, index), (200, 120, 150)[index % 3], meta))
    return frames


FILMS = {
    "factors_gray": (LowRankCodec("gray"), [(23, 31)] * 4, [4, 4, 5, 3]),
    "factors_rgb_patches": (LowRankCodec("rgb", 4), [(18, 21)] * 3, [3, 4, 3]),
    "factors_ycbcr420": (LowRankCodec("ycbcr420"), [(17, 14)] * 3 + [(9, 30), (1, 5), (9, 30)], [4, 5, 4, 3, 2, 0]),
    "factors_ycbcr420_patches": (LowRankCodec("ycbcr420", 3), [(13, 16)] * 3, [4, 4, 2]),
}


def file_of(codec: LowRankCodec, frames: list[LowRankFrame], together: int = 3) -> bytes:
    sizes = {(frame.width, frame.height) for frame in frames}
    width, height = sizes.pop() if len(sizes) == 1 else (None, None)
    return svq_bytes(codec, frames, together, StreamInfo(width, height, 1 / TICK, len(frames), TICK))


def assert_agree(data: bytes, codec: LowRankCodec, frames: list[LowRankFrame]) -> None:
    """Both decoders see what was written, to the pixel."""
    read, truncation = read_all(data)
    assert truncation is None
    assert_same(read, frames)
    plain = decode(data)
    assert (plain.header["space"], plain.header["patch"]) == (codec.space, codec.patch)
    for ours, other in zip(read, plain.frames, strict=True):
        assert (ours.index, ours.width, ours.height) == (other.index, other.width, other.height)
        assert (ours.time, ours.duration, ours.name) == (other.time, other.duration, other.name)
        assert (None if ours.alpha is None else ours.alpha.tolist()) == other.alpha
        assert (codec.render(ours) == np.array(other.pixels, np.uint8)).all()


@pytest.mark.parametrize("name", FILMS)
def test_the_bytes_and_pixels_stay(name: str) -> None:
    codec, sizes, ranks = FILMS[name]
    frames = film(codec, sizes, ranks)
    path, data = FOLDER / f"{name}.svq", file_of(codec, frames)
    if os.environ.get("STREAMVQ_GOLDEN") == "1":
        path.write_bytes(data)
    assert path.read_bytes() == data
    assert_agree(data, codec, frames)
    for folder in OLDER:
        assert_agree((folder / path.name).read_bytes(), codec, frames)


def test_they_are_not_flat() -> None:
    """Pixels of all levels, or agreeing on them would say little."""
    for codec, sizes, ranks in FILMS.values():
        pictures = [codec.render(frame) for frame in film(codec, sizes, ranks)[:3]]
        assert all(picture.std() > 20 for picture in pictures)


@pytest.mark.parametrize("name", FILMS)
def test_factors_of_real_pictures(name: str) -> None:
    """Frames as they come: similar ones, then others, then the same again; more components than others have."""
    codec = FILMS[name][0]
    frames, factors = [], None
    for index, pixels in enumerate((smooth(12, 15, 0), smooth(12, 15, 1), noise(12, 15), noise(12, 15))):
        how = LowRankOptions(rank=(2, 5, 3, 3)[index], patch=codec.patch)
        found = codec.factor_frame(Frame(pixels, index, index * TICK, TICK), how, factors)
        factors = found.factors
        frames.append(replace(found.coded, meta=replace(found.coded.meta, alpha=None)))
    assert_agree(file_of(codec, frames, 4), codec, frames)
