"""Learning colors: one fit on the sketch of all pixels, against `KMeans` on them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

import streamvq
from benchmarks.measure import Bench, times
from benchmarks.quality import codebook_psnr, every
from streamvq.quantize.color_fit import fit_colors
from streamvq.quantize.histogram import ColorHistogram


def bench_fit(bench: Bench) -> None:
    """256 colors of every 8th frame, from image files; then few and many colors against the best of ten fits."""
    from sklearn.cluster import KMeans

    frames = every(bench.film, 8)
    names = [str(bench.folder / f"{i:05d}.bmp") for i in range(len(frames))]
    for name, frame in zip(names, frames, strict=True):
        Image.fromarray(frame).save(name)
    streamvq.fit(names[0], 2)  # compiles
    book, ours = _timed(lambda: streamvq.fit(names, 256))
    pixels = np.concatenate([frame.reshape(-1, 3) for frame in frames]).astype(np.float32)
    model, theirs = _timed(lambda: KMeans(256, n_init=1, random_state=0).fit(pixels))
    what, clip = "256 colors of every 8th frame", bench.film_name
    bench.row(f"{what}, wall, with decoding", ours, "s", "KMeans on all pixels", theirs, times(20), clip=clip)
    mine, full = codebook_psnr(book, frames), codebook_psnr(_rounded(model), frames)
    note = f"{full - mine:+.3f} dB behind (at most 0.05)"
    bench.row(what, mine, "dB", "KMeans on all pixels", full, clip=clip, note=note)
    sketch = ColorHistogram()
    for frame in frames:
        sketch.absorb(frame)
    colors, counts = sketch.points()
    for k in (4, 16, 64, 256):
        found, ours = _timed(lambda k=k: streamvq.Codebook(fit_colors(sketch, k, 0)))
        work = lambda k=k: KMeans(k, n_init=10, random_state=0).fit(colors, sample_weight=counts)  # noqa: E731
        model, theirs = _timed(work)
        mine, best = codebook_psnr(found, frames), codebook_psnr(_rounded(model), frames)
        note = f"{mine - best:+.3f} dB (at least -0.02); {ours:.2f} and {theirs:.1f} s"
        bench.row(f"{k} colors", mine, "dB", "best of 10 KMeans", best, clip=clip, note=note)


def _rounded(model: object) -> streamvq.Codebook:
    centers: np.ndarray = model.cluster_centers_  # type: ignore[attr-defined]
    return streamvq.Codebook(np.rint(centers).clip(0, 255).astype(np.uint8))


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start
