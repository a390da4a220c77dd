"""Compile the kernels that most commands use: python scripts/compile_kernels.py [PART OF PARTS]

Each is compiled when it is first used, by every process that finds no compiled one. Here each process does a part, so
that no two compile the same, and without coverage, which makes the compiler slower.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

import streamvq
from streamvq.frames import Frame

TWO = "#204060,#f0e0d0"  # any codebook: kernels of fits are compiled where one is fitted
WIDTH, HEIGHT = 24, 16


def main(part: int = 0, parts: int = 1) -> None:
    with TemporaryDirectory() as folder:
        for work in works(Path(folder))[part::parts]:
            work()


def works(folder: Path) -> list[Callable[[], Any]]:
    """What compiles kernels, in an order in which every second one takes half of the time."""
    rgb, alpha, clip = pictures(folder)

    def compress(output: str, source: Path = rgb, **keywords: Any) -> Callable[[], Any]:
        return partial(streamvq.compress, source, folder / output, overwrite=True, **keywords)

    def dither(name: str, matching: str) -> Callable[[], Any]:
        book = streamvq.Codebook(np.array([[0, 0, 0], [255, 255, 255]], np.uint8), matching=matching)
        frame = Frame(np.full((4, 4, 3), 99, np.uint8))
        return lambda: book.nearest_frame(frame, book.dither(name))

    return [
        compress("rank.svq", method="svd", rank=2),
        compress("codes.svq", n_codes=3),
        compress("dithered.mkv", codebook=TWO, dither="floyd-steinberg", stability=4),
        compress("blocks.svq", n_codes=4, block=2),
        compress("clip.mkv", clip, method="svd", rank=1),
        compress("fast.svq", codebook=TWO, effort="fast"),
        compress("small.svq", codebook=TWO, effort="max"),
        dither("bayer8", "rgb"),
        compress("soft.png", alpha, n_codes=4),
        compress("lossy.gif", codebook=TWO, lossy=20),
        dither("yliluoma", "rgb"),
        dither("floyd-steinberg", "linear"),
        dither("yliluoma", "oklab"),
        dither("floyd-steinberg", "oklab"),
        dither("atkinson", "rgb"),
        dither("sierra-lite", "rgb"),
        dither("bayer8", "linear"),
    ]


def pictures(folder: Path) -> tuple[Path, Path, Path]:
    """A folder of three images, an image with soft alpha, and a short video."""
    pixels = np.random.default_rng(1).integers(0, 256, (3, HEIGHT, WIDTH, 4), np.uint8)
    rgb, alpha, clip = folder / "rgb", folder / "alpha.png", folder / "clip.mp4"
    rgb.mkdir()
    for n, picture in enumerate(pixels):
        Image.fromarray(np.ascontiguousarray(picture[..., :3])).save(rgb / f"{n}.png")
    Image.fromarray(pixels[0]).save(alpha)
    streamvq.compress(rgb, clip, codebook=TWO)
    return rgb, alpha, clip


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
