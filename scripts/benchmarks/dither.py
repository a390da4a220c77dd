"""What dither costs in time, against none and against Pillow, and what it gives once pictures are blurred."""

from __future__ import annotations

from collections.abc import Callable

import cv2
from PIL import Image

import streamvq
from benchmarks.measure import Bench, at_least, at_most, in_turn, times
from benchmarks.quality import blurred, blurred_ssim, frames_of, psnr
from streamvq.options import DITHERS

POSITIONAL_LIMIT = 1.5
DIFFUSIONS = ("floyd-steinberg", "atkinson", "sierra-lite")


def bench_dither(bench: Bench) -> None:
    """CPU milliseconds of a 1080p frame with 256 colors against none; quality with 16, once blurred."""
    pictures = [frame.pixels for frame in frames_of(bench.film) if frame.index <= 60]
    frame = cv2.resize(pictures[-1], (1920, 1080), interpolation=cv2.INTER_LANCZOS4)
    book, few = streamvq.fit(frame, 256), streamvq.fit(frame, 16)
    work: dict[str, Callable[[], object]] = {}
    for name in DITHERS:
        dither = book.dither(name)
        work[name] = lambda dither=dither: book.nearest_frame(streamvq.Frame(frame), dither)
    palette = Image.new("P", (1, 1))
    palette.putpalette(book.codes.tobytes())
    picture = Image.fromarray(frame)
    work["Pillow"] = lambda: picture.quantize(palette=palette)
    taken = in_turn(work, 5)
    for name in DITHERS:
        target = at_most(POSITIONAL_LIMIT) if name not in (*DIFFUSIONS, "none") else None
        shown = few.lookup(few.nearest_frame(streamvq.Frame(frame), few.dither(name)).coded.codes)
        quality = psnr([blurred(frame)], [blurred(shown)])
        note = f"16 colors, blurred: {quality:.2f} dB, SSIM {blurred_ssim(frame, shown):.4f}"
        bench.row(name, taken[name], "ms", "none", taken["none"], target, clip=bench.film_name, note=note)
    ours = taken["floyd-steinberg"]
    bench.row("floyd-steinberg", 1 / ours.cpu_seconds, "frames/s", target=at_least(20), clip=bench.film_name)
    what = "floyd-steinberg, 256 colors"
    bench.row(what, ours, "ms", "Pillow", taken["Pillow"], times(5), clip=bench.film_name)
