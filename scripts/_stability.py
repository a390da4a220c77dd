"""What `--stability` does to noise that stands still and to film: flicker, error, and how dither bears it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from _quality import blurred, psnr
from numpy.typing import NDArray

import streamvq
from streamvq.quantize.stability import Stability

FRAMES = 12
PHOTO = Path(__file__).resolve().parent.parent / "samples" / "photos" / "china.jpg"


def bench_stability(clip: Path, folder: Path) -> None:
    """Flicker (codes that change, of all) and PSNR, of the picture and blurred; CPU milliseconds of a 1080p frame."""
    clean = next(iter(streamvq.open_source(PHOTO))).pixels
    print("stands still, with noise of 1 level: flicker, PSNR against the noisy frames, the clean one, blurred")
    frames = _noisy(clean, 1)
    _table(frames, clean, [(16, 1, "none"), (256, 1, "none"), (1024, 4, "none")], (0, 2, 3, 4))
    dithers = [(16, 1, name) for name in ("floyd-steinberg", "blue-noise", "yliluoma")]
    _table(frames, clean, dithers, (0, 2, 3, 4))
    print("with noise of 2 levels")
    _table(_noisy(clean, 2), clean, [(16, 1, "none"), (256, 1, "none"), (16, 1, "floyd-steinberg")], (0, 6, 8))
    print(f"{clip.name}: what moves is repainted")
    with streamvq.open_source(clip) as source:
        film = [frame.pixels for frame in source if 40 <= frame.index < 40 + FRAMES]
    _table(film, None, [(64, 1, "none"), (64, 1, "floyd-steinberg"), (1024, 4, "none")], (0, 3, 6))
    large = [cv2.resize(frame, (1920, 1080), interpolation=cv2.INTER_LANCZOS4) for frame in film]
    book, stability = streamvq.fit(large[0], 256), Stability(3)
    nearest = [book.nearest_frame(streamvq.Frame(frame)) for frame in large]
    stability.hold(nearest[0].samples, nearest[0].coded)
    start = time.process_time()
    for each in nearest:
        stability.hold(each.samples, each.coded)
    print(f"a 1080p frame: {1e3 * (time.process_time() - start) / len(nearest):.1f} ms of CPU")


def _noisy(clean: NDArray, sigma: float) -> list[NDArray]:
    rng = np.random.default_rng(0)
    frames = [np.rint(clean + rng.normal(0, sigma, clean.shape)) for _ in range(FRAMES)]
    return [np.clip(frame, 0, 255).astype(np.uint8) for frame in frames]


def _table(
    frames: list[NDArray], clean: NDArray | None, cases: list[tuple[int, int, str]], thresholds: Sequence[float]
) -> None:
    for count, block, name in cases:
        book = streamvq.fit(np.stack(frames[:: FRAMES // 3]), count, block=block)
        for threshold in thresholds:
            codes = _held(frames, book, name, threshold)
            drawn = [book.lookup(each, *frames[0].shape[:2]) for each in codes]
            flicker = np.mean([before != after for before, after in pairwise(codes)])
            figures = [psnr(drawn, frames)] + ([psnr(drawn, [clean] * FRAMES)] if clean is not None else [])
            figures.append(psnr(*([blurred(each) for each in side] for side in (drawn, frames))))
            print(
                f"  {count:5} codes, block {block}, {name:16} --stability {threshold}: {100 * flicker:6.2f} %  "
                + "  ".join(f"{figure:.2f}" for figure in figures)
                + " dB"
            )


def _held(frames: list[NDArray], book: streamvq.Codebook, name: str, threshold: float) -> list[NDArray]:
    dither, stability = book.dither(name), Stability(threshold)
    nearest = (book.nearest_frame(streamvq.Frame(frame), dither) for frame in frames)
    return [(stability.hold(each.samples, each.coded) if threshold else each.coded).codes for each in nearest]
