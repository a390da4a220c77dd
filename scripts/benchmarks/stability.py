"""What `--stability` does to noise that stands still and to film: flicker, error, and how dither bears it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import streamvq
from benchmarks.measure import Bench, in_turn
from benchmarks.quality import blurred, frames_of, psnr
from streamvq.quantize.stability import Stability

FRAMES = 12
PHOTO = Path(__file__).resolve().parents[2] / "samples" / "photos" / "china.jpg"


def bench_stability(bench: Bench) -> None:
    """Flicker: codes that change from frame to frame, of all, with `--stability` against without. PSNR in dB."""
    clean = next(frames_of(PHOTO)).pixels
    still = [(16, 1, "none"), (256, 1, "none"), (1024, 4, "none")]
    dithered = [(16, 1, name) for name in ("floyd-steinberg", "blue-noise", "yliluoma")]
    _rows(bench, "still, noise of 1 level", _noisy(clean, 1), still + dithered, (2, 2.5, 3, 4), clean)
    _rows(bench, "still, noise of 2 levels", _noisy(clean, 2), [*still[:2], dithered[0]], (6, 8), clean)
    film = [frame.pixels for frame in frames_of(bench.film) if 40 <= frame.index < 40 + FRAMES]
    _rows(bench, bench.film_name, film, [(64, 1, "none"), (64, 1, "floyd-steinberg"), (1024, 4, "none")], (3, 6))
    large = [cv2.resize(frame, (1920, 1080), interpolation=cv2.INTER_LANCZOS4) for frame in film]
    book, stability = streamvq.fit(large[0], 256), Stability(3)
    nearest = [book.nearest_frame(streamvq.Frame(frame)) for frame in large]

    def hold() -> None:
        for each in nearest:
            stability.hold(each.samples, each.coded)

    taken = in_turn({"hold": hold})["hold"].cpu_seconds / len(nearest)
    bench.row("a 1080p frame", 1e3 * taken, "ms", clip=bench.film_name)


def _rows(
    bench: Bench,
    clip: str,
    frames: list[NDArray],
    cases: list[tuple[int, int, str]],
    thresholds: Sequence[float],
    clean: NDArray | None = None,
) -> None:
    for count, block, name in cases:
        book = streamvq.fit(np.stack(frames[:: FRAMES // 3]), count, block=block)
        without, _ = _flicker(frames, book, name, 0, clean)
        for threshold in thresholds:
            flicker, qualities = _flicker(frames, book, name, threshold, clean)
            what = f"{count} codes, block {block}, {name}, --stability {threshold}"
            bench.row(what, flicker, "%", "without", without, clip=clip, note=qualities)


def _flicker(
    frames: list[NDArray], book: streamvq.Codebook, name: str, threshold: float, clean: NDArray | None
) -> tuple[float, str]:
    dither, stability = book.dither(name), Stability(threshold)
    nearest = (book.nearest_frame(streamvq.Frame(frame), dither) for frame in frames)
    codes = [(stability.hold(each.samples, each.coded) if threshold else each.coded).codes for each in nearest]
    drawn = [book.lookup(each, *frames[0].shape[:2]) for each in codes]
    flicker = 100 * float(np.mean([before != after for before, after in pairwise(codes)]))
    told = [f"{psnr(drawn, frames):.2f} dB"]
    if clean is not None:
        told.append(f"of the clean picture {psnr(drawn, [clean] * FRAMES):.2f}")
    told.append(f"blurred {psnr(*([blurred(each) for each in side] for side in (drawn, frames))):.2f}")
    return flicker, ", ".join(told)


def _noisy(clean: NDArray, sigma: float) -> list[NDArray]:
    rng = np.random.default_rng(0)
    frames = [np.rint(clean + rng.normal(0, sigma, clean.shape)) for _ in range(FRAMES)]
    return [np.clip(frame, 0, 255).astype(np.uint8) for frame in frames]
