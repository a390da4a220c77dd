"""Codes are kept where the source stands still, and nowhere else."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from pictures import codebook, flat, noise, smooth

import streamvq
from streamvq import Codebook, Frame
from streamvq.quantize.stability import Stability

BLACK_AND_WHITE = Codebook(np.array([[0, 0, 0], [255, 255, 255]], np.uint8))


def held(frames: list[NDArray], book: Codebook, threshold: float, dither: str = "none") -> list[NDArray]:
    """The codes of frames, or with a threshold of 0 those that each has by itself."""
    stability, drawn = Stability(threshold), book.dither(dither) if dither != "none" else None
    found = []
    for index, pixels in enumerate(frames):
        nearest = book.nearest_frame(Frame(pixels, index), drawn)
        found.append((stability.hold(nearest.samples, nearest.coded) if threshold else nearest.coded).codes)
    return found


def noisy(clean: NDArray, sigma: float, count: int = 8) -> list[NDArray]:
    """Frames of one picture, each with noise of its own."""
    rng = np.random.default_rng(0)
    frames = [np.rint(clean + rng.normal(0, sigma, clean.shape)) for _ in range(count)]
    return [np.clip(frame, 0, 255).astype(np.uint8) for frame in frames]


def flicker(codes: list[NDArray]) -> float:
    """The share of codes that change from frame to frame."""
    return float(np.mean([before != after for before, after in pairwise(codes)]))


def psnr(codes: list[NDArray], frames: list[NDArray], book: Codebook) -> float:
    pairs = zip(codes, frames, strict=True)
    drawn = [np.square(book.lookup(each, *frame.shape[:2]).astype(float) - frame).mean() for each, frame in pairs]
    return float(10 * np.log10(255**2 / np.mean(drawn)))


@pytest.mark.parametrize(
    ("dither", "block"), [("none", 1), ("none", 2), ("blue-noise", 1), ("yliluoma", 1), ("floyd-steinberg", 1)]
)
def test_a_noisy_still_clip_flickers_a_fifth_at_most_for_little_error(dither: str, block: int) -> None:
    frames = noisy(smooth(), sigma=1)
    book = streamvq.fit(np.stack(frames[:2]), 32, block=block)
    plain, still = held(frames, book, 0, dither), held(frames, book, 3, dither)
    assert flicker(plain) > 0
    assert flicker(still) < flicker(plain) / 5
    assert psnr(still, frames, book) > psnr(plain, frames, book) - 0.3


@pytest.mark.parametrize("shape", [(6, 8), (6, 8, 1), (6, 8, 3), (6, 8, 12)], ids=str)
def test_a_code_changes_when_its_source_has_moved_that_far(shape: tuple[int, ...]) -> None:
    coded = codebook().nearest_frame(Frame(noise(6, 8))).coded
    moved = [np.full(shape, level, np.uint8) for level in (100, 103, 104)]
    stability = Stability(4)
    codes = []
    for index, samples in enumerate(moved):
        coded.codes[:] = index
        codes.append(set(stability.hold(samples, coded).codes.ravel().tolist()))
    assert codes == [{0}, {0}, {2}]


def test_a_slow_fade_is_followed_within_the_threshold() -> None:
    """What counts is the source that a code was chosen for, not the previous frame."""
    frames = [flat(level) for level in range(0, 256, 2)]
    book = Codebook(np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1))
    codes = held(frames, book, 8)
    assert max(abs(int(each[0, 0]) - int(frame[0, 0, 0])) for each, frame in zip(codes, frames, strict=True)) == 6


def test_a_cut_repaints_and_another_size_starts_anew() -> None:
    frames = [flat(10), flat(240), flat(244), noise(8, 9), noise(8, 9, seed=1)]
    codes = held(frames, BLACK_AND_WHITE, 16)
    assert [each.mean() for each in codes[:3]] == [0, 1, 1]
    assert (codes[3] == BLACK_AND_WHITE.quantize(frames[3])).all()
    assert codes[4].shape == (8, 9)


def test_pixels_that_appear_or_go_take_new_codes() -> None:
    """A hidden pixel has the first code, whatever was there; one that is seen again is chosen anew."""
    frames = [np.full((4, 4, 4), (250, 250, 250, alpha), np.uint8) for alpha in (0, 255, 250, 0, 128)]
    assert [int(codes.max()) for codes in held(frames, BLACK_AND_WHITE, 255)] == [0, 1, 1, 0, 1]


def test_frames_given_out_stay_as_they_are() -> None:
    frames = [flat(0), flat(255)]
    codes = held(frames, BLACK_AND_WHITE, 4)
    assert [each.mean() for each in codes] == [0, 1]
