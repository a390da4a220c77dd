"""Keeping codes where it costs little: fewer bytes for more error, and codes that are still codes."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pictures import SAMPLES, codebook, flat, noise, save, smooth

import streamvq
from streamvq import Codebook, Frame, IndexFrame
from streamvq.container.indices.coding import encode_indices
from streamvq.quantize.blocks import code_length

STRENGTHS = {
    1: (0, 2, 5, 10, 20, 40),
    4: (0, 5, 15, 40, 70, 100),
}  # by the side of blocks, which have more samples a bit


def chain(book: Codebook, pictures: list[NDArray], lossy: float) -> tuple[list[IndexFrame], int]:
    """The frames, each coded with the one before it in mind, and the sum of squared errors."""
    frames: list[IndexFrame] = []
    total = 0
    for index, pixels in enumerate(pictures):
        nearest = book.nearest_frame(Frame(pixels, index))
        frame = nearest.coded
        if lossy:
            frame = book.optimized_frame(nearest, frames[-1] if frames else None, lossy)
        frames.append(frame)
        total += book.squared_error(nearest, frame)
    return frames, total


@pytest.fixture(scope="module")
def film() -> list[NDArray]:
    """Eight frames of the sample clip, a third of their size."""
    with streamvq.open_source(SAMPLES / "clip.mp4") as source:
        frames = []
        for frame in source:
            frames.append(np.ascontiguousarray(frame.pixels[::3, ::3]))
            if len(frames) == 8:
                return frames
    raise AssertionError("a short clip")


def learned(film: list[NDArray], block: int, tmp_path: Path) -> Codebook:
    for index, pixels in enumerate(film):
        save(pixels, tmp_path / "in" / f"{index}.png")
    return streamvq.fit(tmp_path / "in", 64, block=block)


@pytest.mark.parametrize("block", [1, 4])
def test_more_loss_is_fewer_bytes_and_more_error(block: int, film: list[NDArray], tmp_path: Path) -> None:
    book = learned(film, block, tmp_path)
    sizes, errors = [], []
    for lossy in STRENGTHS[block]:
        frames, error = chain(book, film, lossy)
        sizes.append(len(encode_indices([frame.codes for frame in frames], book.codes)))
        errors.append(error)
    assert all(later <= 1.02 * earlier for earlier, later in pairwise(sizes)), sizes
    assert all(later >= 0.999 * earlier for earlier, later in pairwise(errors)), errors
    assert sizes[-1] < 0.7 * sizes[0]
    assert errors[-1] > 1.05 * errors[0]
    assert errors[1] < 1.3 * errors[0]


def test_on_the_command_line(film: list[NDArray], tmp_path: Path) -> None:
    """PSNR falls, and so do the bytes of the indices."""
    book = learned(film, 1, tmp_path)
    results = []
    for lossy in STRENGTHS[1][:4]:
        out = tmp_path / "x.svq"
        results.append(streamvq.compress(tmp_path / "in", out, codebook=book, lossy=lossy, overwrite=True))
        with streamvq.open(tmp_path / "x.svq") as clip:
            assert max(int(codes.max()) for codes in clip.indices) < len(book)
            error = sum(((f.pixels.astype(int) - p) ** 2).sum() for f, p in zip(clip, film, strict=True))
        psnr = 10 * np.log10(255**2 * sum(pixels.size for pixels in film) / error)
        assert results[-1].psnr_db == pytest.approx(psnr)  # what is told is of what is kept
    psnrs = [result.psnr_db for result in results]
    assert psnrs == sorted(psnrs, reverse=True)
    assert psnrs[0] > psnrs[-1] + 0.3
    assert results[-1].parts["indices"] < 0.8 * results[0].parts["indices"]


@pytest.mark.parametrize("block", [1, 2])
def test_noise_on_a_still_picture_flickers_less(block: int) -> None:
    """The share of codes that change where nothing moves but the noise of a camera."""
    still = smooth(48, 64)
    rng = np.random.default_rng(0)
    pictures = [np.clip(still + rng.normal(0, 3, still.shape), 0, 255).astype(np.uint8) for _ in range(6)]
    samples = np.concatenate([p[: 48 // block * block].reshape(-1, 3) for p in pictures[:1]])
    picks = np.random.default_rng(1).choice(len(samples), 64, replace=False)
    codes = np.repeat(samples[picks], block * block, axis=0).reshape(64, -1)
    book = Codebook(codes, "rgb", (block, block))
    shares = []
    for lossy in (0, 4 * block, 10 * block):
        frames, _ = chain(book, pictures, lossy)
        shares.append(np.mean([(one.codes != other.codes).mean() for one, other in pairwise(frames)]))
    assert shares[0] > 0.02
    assert shares[1] < 0.7 * shares[0]
    assert shares[2] < 0.4 * shares[0]


def test_a_scene_that_changes_is_followed() -> None:
    """Codes are kept where they are near, never where they are far."""
    book = codebook(64)
    for lossy in (1, 5, 20):
        frames, _ = chain(book, [flat(book.codes[3]), flat(book.codes[40]), noise()], lossy)
        assert (frames[0].codes == 3).all()
        assert (frames[1].codes == 40).all()


@settings(max_examples=60)
@given(
    st.sampled_from([("rgb", (1, 1)), ("gray", (1, 1)), ("rgb", (2, 3)), ("gray", (4, 4)), ("ycbcr420", (4, 2))]),
    st.integers(1, 300),
    st.tuples(st.integers(1, 20), st.integers(1, 20)),
    st.floats(0, 100),
    st.booleans(),
)
def test_codes_are_codes(
    kind: tuple[str, tuple[int, int]], count: int, size: tuple[int, int], lossy: float, alpha: bool
) -> None:
    """For any picture."""
    space, block = kind
    rng = np.random.default_rng(count)
    count = min(count, 256) if kind == ("gray", (1, 1)) else count
    book = Codebook(rng.integers(0, 256, (count, code_length(block, space))).astype(np.uint8), space, block)
    pictures = [noise(*size, 4 if alpha else 3, seed) for seed in (0, 1, 1)]
    frames, error = chain(book, pictures, lossy)
    exact = chain(book, pictures, 0)
    for frame, nearest in zip(frames, exact[0], strict=True):
        assert frame.codes.dtype == nearest.codes.dtype
        assert frame.codes.shape == nearest.codes.shape
        assert frame.codes.max() < count
        assert (frame.alpha is None) == (nearest.alpha is None)
        if not lossy:
            assert (frame.codes == nearest.codes).all()
    if kind == ("rgb", (1, 1)):  # elsewhere what is compared is not quite what is counted: padding, luma, chroma
        assert error >= exact[1]


def test_the_next_frame_of_another_size() -> None:
    book = codebook(16)
    frames, _ = chain(book, [noise(8, 8), noise(9, 8), noise(8, 8, 4)], 30)
    assert [frame.codes.shape for frame in frames] == [(8, 8), (9, 8), (8, 8)]


def test_inputs_stay_as_they_are() -> None:
    book, pixels = codebook(16), noise()
    nearest = book.nearest_frame(Frame(pixels))
    first = book.optimized_frame(nearest, None, 10)
    before, copy, codes = first.codes.copy(), pixels.copy(), nearest.coded.codes.copy()
    book.optimized_frame(book.nearest_frame(Frame(pixels[::-1])), first, 10)
    book.optimized_frame(nearest, first, 10)
    assert (nearest.coded.codes == codes).all()
    assert (first.codes == before).all()
    assert (pixels == copy).all()


@pytest.mark.parametrize("space", ["rgb", "gray"])
def test_errors_count_where_colors_are_compared(space: str) -> None:
    """In linear light, dark levels that are as far apart as bright ones are nearly one."""
    levels = np.array([[0], [24], [231], [255]], np.uint8)
    book = Codebook(levels if space == "gray" else levels.repeat(3, 1), space)
    rows = np.random.default_rng(1).integers(0, 2, (32, 32), np.uint8)
    lost = {}
    for matching in ("rgb", "linear", "oklab"):
        matched = book.matched_in(matching)
        for name, first in (("dark", 0), ("bright", 2)):
            frame = Frame(np.dstack([levels[rows + first, 0]] * 3))
            nearest = matched.nearest_frame(frame)
            assert (nearest.coded.codes == rows + first).all()
            lost[matching, name] = int((matched.optimized_frame(nearest, None, 16).codes != rows + first).sum())
    assert lost["linear", "dark"] > 200 > lost["linear", "bright"]
    assert lost["rgb", "dark"] == lost["rgb", "bright"]
    assert lost["oklab", "bright"] > lost["oklab", "dark"]  # a step there is smaller than in the dark


def test_the_same_every_time() -> None:
    book, pictures = codebook(64), [smooth(shift=shift) for shift in range(4)]
    one, other = chain(book, pictures, 7), chain(book, pictures, 7)
    assert one[1] == other[1]
    assert all((a.codes == b.codes).all() for a, b in zip(one[0], other[0], strict=True))
