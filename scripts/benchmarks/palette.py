"""Palettes of photos: one for all against full k-means, one for each against imagequant, and dithered ones."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from PIL import Image

import streamvq
from benchmarks.measure import Bench, at_least
from benchmarks.quality import BLUR, Pictures, blurred_ssim, frames_of, psnr
from streamvq.quantize.dither.dithering import Dither

COUNTS = (16, 64, 256)
DITHERS = ("floyd-steinberg", "sierra-lite", "atkinson", "blue-noise", "yliluoma")


def bench_palette(bench: Bench) -> None:
    """PSNR and SSIM with 16, 64 and 256 colors, of the photos in a folder."""
    photos = [frame.pixels for frame in frames_of(bench.photos)]
    photos = [photo for photo in photos if photo.shape[2] == 3]
    _per_image(bench, photos)
    _dithered(bench, photos)
    _shared(bench, photos)


def _shared(bench: Bench, photos: Pictures) -> None:
    """One palette for all photos; k-means gets every pixel, as distinct colors with their counts: no sample."""
    from sklearn.cluster import KMeans

    pixels = np.concatenate([photo.reshape(-1, 3) for photo in photos])
    colors, counts = np.unique(pixels, axis=0, return_counts=True)
    for k in COUNTS:
        start = time.process_time()
        ours = psnr(photos, _quantized(photos, streamvq.fit(photos, k)))
        seconds = time.process_time() - start
        start = time.process_time()
        model = KMeans(k, n_init=10, random_state=0).fit(colors.astype(np.float64), sample_weight=counts)
        full_seconds = time.process_time() - start
        book = streamvq.Codebook(np.rint(model.cluster_centers_).clip(0, 255).astype(np.uint8))
        full = psnr(photos, _quantized(photos, book))
        note = f"{ours - full:+.3f} dB (at least -0.05); {seconds:.2f} and {full_seconds:.1f} CPU s"
        bench.row(f"one palette for all, {k} colors", ours, "dB", "KMeans, best of 10", full, note=note)


def _per_image(bench: Bench, photos: Pictures) -> None:
    """A palette for each photo, without dither; the mean of the photos' PSNR, and the least gain."""
    for k in COUNTS:
        pairs = [
            (psnr([photo], [_imagequant(photo, k, 0)]), psnr([photo], _quantized([photo], streamvq.fit(photo, k))))
            for photo in photos
        ]
        gains = [ours - theirs for theirs, ours in pairs]
        theirs, ours = np.mean(pairs, axis=0)
        note = f"{np.mean(gains):+.2f} dB (at least +0.2), least {min(gains):+.2f}"
        bench.row(f"a palette for each, {k} colors", float(ours), "dB", "imagequant", float(theirs), note=note)


def _dithered(bench: Bench, photos: Pictures) -> None:
    """A palette for each photo, dithered; SSIM of the luma of blurred pictures."""
    for k in COUNTS:
        books = [streamvq.fit(photo, k) for photo in photos]
        theirs = _mean_blurred_ssim(photos, lambda photo, _, k=k: _imagequant(photo, k, 1))
        for name in DITHERS:
            pairs = [(book, book.dither(name)) for book in books]
            ours = _mean_blurred_ssim(photos, lambda photo, at, pairs=pairs: _shown(photo, *pairs[at]))
            what = f"{name}, {k} colors, blurred by {BLUR} pixels"
            target = at_least(1) if name == "floyd-steinberg" else None
            bench.row(what, ours, "SSIM", "imagequant, dithered", theirs, target)


def _quantized(photos: Pictures, book: streamvq.Codebook) -> list[np.ndarray]:
    return [book.lookup(book.quantize(photo)) for photo in photos]


def _shown(photo: np.ndarray, book: streamvq.Codebook, dither: Dither | None) -> np.ndarray:
    return book.lookup(book.nearest_frame(streamvq.Frame(photo), dither).coded.codes)


def _imagequant(photo: np.ndarray, k: int, dithering: float) -> np.ndarray:
    import imagequant

    picture = Image.fromarray(photo).convert("RGBA")
    made = imagequant.quantize_pil_image(picture, dithering_level=dithering, max_colors=k)
    return np.asarray(made.convert("RGB"))


def _mean_blurred_ssim(photos: Pictures, show: Callable[[np.ndarray, int], np.ndarray]) -> float:
    """The mean of all photos, each shown as `show(photo, its place)`."""
    pairs = ((photo, show(photo, at)) for at, photo in enumerate(photos))
    return float(np.mean([blurred_ssim(*pair) for pair in pairs]))
