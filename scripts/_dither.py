"""What dither costs in time, against none and against Pillow, and what it gives once pictures are blurred."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from _quality import blurred, blurred_ssim, psnr
from PIL import Image

import streamvq
from streamvq.options import DITHERS

REPEATS = 5


def bench_dither(clip: Path, folder: Path) -> None:
    """CPU milliseconds of a 1080p frame with 256 colors, and quality with 16, of every dither."""
    frame = cv2.resize(_middle(clip), (1920, 1080), interpolation=cv2.INTER_LANCZOS4)
    book, few = streamvq.fit(frame, 256), streamvq.fit(frame, 16)
    work: dict[str, Callable[[], object]] = {}
    for name in DITHERS:
        dither = book.dither(name)
        work[name] = lambda dither=dither: book.nearest_frame(streamvq.Frame(frame), dither)
    palette = Image.new("P", (1, 1))
    palette.putpalette(book.codes.tobytes())
    picture = Image.fromarray(frame)
    work["Pillow, floyd-steinberg"] = lambda: picture.quantize(palette=palette)
    taken: dict[str, list[float]] = {name: [] for name in work}
    for repeat in range(REPEATS + 1):
        for name, each in work.items():
            start = time.process_time()
            each()
            if repeat:  # the first fills the tables
                taken[name].append(time.process_time() - start)
    none = statistics.median(taken["none"])
    print(f"{'':24}   CPU ms  of none   blurred, 16 colors")
    for name, each in taken.items():
        middle = statistics.median(each)
        print(f"{name:24} {1e3 * middle:8.1f} {middle / none:8.2f}   {_quality(frame, few, name)}")
    ours, pillow = (statistics.median(taken[name]) for name in ("floyd-steinberg", "Pillow, floyd-steinberg"))
    print(
        f"floyd-steinberg: {1 / ours:.1f} frames/s a core (target 20), Pillow {pillow / ours:.2f} times as long (5)"
    )
    print("positional dithers: at most 1.5 times none is the target")


def _middle(clip: Path) -> np.ndarray:
    with streamvq.open_source(clip) as source:
        frames = [frame.pixels for frame in source if frame.index <= 60]
    return frames[-1]


def _quality(frame: np.ndarray, book: streamvq.Codebook, name: str) -> str:
    if name not in DITHERS:
        return ""
    shown = book.lookup(book.nearest_frame(streamvq.Frame(frame), book.dither(name)).coded.codes)
    return f"{psnr([blurred(frame)], [blurred(shown)]):.2f} dB, SSIM {blurred_ssim(frame, shown):.4f}"
