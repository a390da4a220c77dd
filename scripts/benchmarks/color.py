"""What the space and the weights of a fit do to pictures of several kinds: error, worst color, lost colors."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

import streamvq
from benchmarks.measure import Bench
from benchmarks.quality import frames_of
from streamvq.options import MATCHINGS, WEIGHTS
from streamvq.quantize.color_spaces import ONE, points_of
from streamvq.quantize.pixels import luma
from streamvq.quantize.similarity import ssim

COUNTS = (16, 64, 256)
PHOTOS = Path(__file__).resolve().parents[2] / "samples" / "photos"
LOST = 0.1  # in OKLab: a color that far from its code is another color


def bench_color(bench: Bench) -> None:
    """Kinds of pictures x codes x space x weight, means of pictures with codes of their own; errors in OKLab."""
    kinds = {
        "photos": _images(PHOTOS),
        "pixel art": [_pixel_art(seed) for seed in range(4)],
        "screenshots": [_screenshot(seed) for seed in range(4)],
    }
    for kind, pictures in kinds.items():
        for n_codes in COUNTS:
            for space, weight in [(space, "count") for space in MATCHINGS] + [("rgb", w) for w in WEIGHTS[1:]]:
                rows = np.array([_measured(picture, n_codes, space, weight) for picture in pictures])
                psnr, similarity, error, worst, lost = rows.mean(axis=0)
                note = (
                    f"SSIM {similarity:.4f}, error {1e3 * error:.2f}e-3, worst {worst:.3f}, lost {100 * lost:.2f} %"
                )
                bench.row(f"{n_codes} codes, --space {space} --weight {weight}", psnr, "dB", clip=kind, note=note)


def _measured(picture: np.ndarray, n_codes: int, space: str, weight: str) -> tuple[float, ...]:
    book = streamvq.fit(picture, n_codes, space=space, weight=weight)
    shown = book.lookup(book.quantize(picture))
    error = max(float(np.square(picture.astype(float) - shown).mean()), 1e-2)
    colors = np.unique(picture.reshape(-1, 3), axis=0)
    apart = _distances(colors, book.lookup(book.quantize(colors[None]))[0])
    of_pixels = _distances(picture.reshape(-1, 3), shown.reshape(-1, 3))
    return (
        10 * np.log10(255**2 / error),
        ssim(luma(picture), luma(shown)),
        float(np.sqrt(np.square(of_pixels).mean())),
        float(apart.max()),
        float((apart > LOST).mean()),
    )


def _distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    lab, of_other = (points_of(colors, "oklab") / ONE for colors in (one, other))
    return np.sqrt(np.square(lab - of_other).sum(axis=1))


def _images(folder: Path) -> list[np.ndarray]:
    return [_small(frame.pixels[..., :3]) for frame in frames_of(folder) if frame.pixels.shape[2] >= 3]


def _small(pixels: np.ndarray) -> np.ndarray:
    scale = min(1, 480 / max(pixels.shape[:2]))
    return cv2.resize(np.ascontiguousarray(pixels), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def _pixel_art(seed: int) -> np.ndarray:
    """A scene of ramps of flat colors, with small things of colors that occur nowhere else."""
    rng = np.random.default_rng(seed)
    ramps = [np.linspace(rng.integers(0, 90, 3), rng.integers(140, 256, 3), 24) for _ in range(8)]
    scene = np.empty((160, 240, 3), np.uint8)
    for y in range(0, 160, 8):
        for x in range(0, 240, 8):
            ramp = ramps[(y // 40 * 2 + x // 120) % 8]
            scene[y : y + 8, x : x + 8] = ramp[np.clip((x // 8 + rng.integers(-1, 2)) % 24, 0, 23)]
    for _ in range(40):
        y, x = rng.integers(0, 152), rng.integers(0, 232)
        scene[y : y + 4, x : x + 4] = rng.integers(0, 256, 3)
    return scene


def _screenshot(seed: int) -> np.ndarray:
    """White windows with smooth text and a gradient, and small signs of pure colors."""
    rng = np.random.default_rng(seed)
    screen = np.full((300, 480, 3), 250, np.uint8)
    screen[:24] = np.linspace((60, 90, 160), (30, 50, 110), 480)[None]
    for line in range(12):
        text = "".join(map(chr, rng.integers(97, 123, 40)))
        cv2.putText(screen, text, (10, 50 + 20 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (40, 40, 48), 1, cv2.LINE_AA)
    for at in range(10):
        center = (int(rng.integers(10, 470)), int(rng.integers(40, 290)))
        cv2.circle(screen, center, 3, rng.integers(0, 256, 3).tolist(), -1, cv2.LINE_AA)
        screen[4:20, 8 + 20 * at : 24 + 20 * at] = rng.integers(0, 256, 3)
    return screen
