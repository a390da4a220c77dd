"""Exact nearest colors and blocks against scikit-learn and faiss."""

from __future__ import annotations

import time

import cv2
import numpy as np

import streamvq
from benchmarks.measure import Bench, Times, in_turn, times
from benchmarks.quality import codebook_psnr, every
from streamvq.ordered import frames_ahead, ordered_map
from streamvq.quantize.blocks import image_to_blocks

COPIES = 8  # of each frame, so that what starts the threads weighs little


def bench_nearest(bench: Bench) -> None:
    """Nearest of 256 colors at 1080p, all cores each (wall time); answers are compared before times."""
    import faiss
    from sklearn.cluster import KMeans

    frames = [cv2.resize(f, (1920, 1080), interpolation=cv2.INTER_LANCZOS4) for f in every(bench.film, 16)[:8]]
    book = streamvq.fit(bench.film, 256)
    codes = book.codes.astype(np.float32)
    points = frames[0].reshape(-1, 3).astype(np.float32)
    model = KMeans(len(codes), init=codes, n_init=1, max_iter=1).fit(codes)
    model.cluster_centers_ = codes
    index = faiss.IndexFlatL2(3)
    index.add(codes)
    rows = book.quantize(frames[0]).ravel()
    answers = {"scikit-learn": model.predict(points), "faiss": index.search(points, 1)[1][:, 0]}
    work = {"scikit-learn": lambda: model.predict(points), "faiss": lambda: index.search(points, 1)}

    def quantize_all() -> None:
        list(ordered_map(book.quantize, frames * COPIES, 0, frames_ahead(0, None)))

    taken = in_turn({"streamvq": quantize_all, **work}, 5)
    ours = taken["streamvq"].seconds / len(frames) / COPIES
    for peer, target in (("scikit-learn", 60), ("faiss", 15)):
        same = _as_near(points, codes, answers[peer], rows)
        _wall_row(bench, "nearest of 256 colors, 1080p", ours, peer, taken[peer], target, same)


def bench_blocks(bench: Bench) -> None:
    """Nearest of 1,024 RGB blocks of 4x4, and learning 4,096, against faiss and `KMeans` on the same frames."""
    import faiss
    from sklearn.cluster import KMeans

    frames = every(bench.film, 8)
    few = frames[::4]  # full KMeans takes an hour for all of them
    book = streamvq.fit(few, 1024, block=4, space="rgb")
    index = faiss.IndexFlatL2(48)
    index.add(book.codes.astype(np.float32))
    vectors = [image_to_blocks(frame, (4, 4), "rgb")[0] for frame in frames]
    points = np.concatenate([part.reshape(-1, 48) for part in vectors]).astype(np.float32)

    def search_all() -> list[np.ndarray]:
        return list(ordered_map(book._finder.find, vectors, 0, frames_ahead(0, None)))

    rows = np.concatenate([found.ravel() for found in search_all()])
    taken = in_turn({"streamvq": search_all, "faiss": lambda: index.search(points, 1)}, 3)
    ours = taken["streamvq"].seconds / len(frames)
    theirs = Times(tuple(wall / len(frames) for wall in taken["faiss"].wall), taken["faiss"].cpu)
    same = _as_near(points, book.codes.astype(np.float32), index.search(points, 1)[1][:, 0], rows)
    _wall_row(bench, "nearest of 1,024 blocks, a frame", ours, "faiss", theirs, 1.5, same)
    start = time.perf_counter()
    book = streamvq.fit(few, 4096, block=4, space="rgb")
    ours = time.perf_counter() - start
    mine = codebook_psnr(book, few)
    points = np.concatenate([part.reshape(-1, 48) for part in vectors[::4]]).astype(np.float32)
    start = time.perf_counter()
    model = KMeans(4096, n_init=1, random_state=0).fit(points)
    full = time.perf_counter() - start
    peer = streamvq.Codebook(np.rint(model.cluster_centers_).clip(0, 255).astype(np.uint8), "rgb", (4, 4))
    what = "4,096 blocks from every 32nd frame"
    bench.row(f"{what}, wall", ours, "s", "KMeans", full, times(10), clip=bench.film_name)
    gap = codebook_psnr(peer, few) - mine
    bench.row(
        what, mine, "dB", "KMeans", mine + gap, clip=bench.film_name, note=f"{gap:+.3f} dB behind (at most 0.1)"
    )


def _wall_row(bench: Bench, what: str, ours: float, peer: str, theirs: Times, target: float, same: float) -> None:
    note = f"{100 * same:.4f} % of the answers as near"
    bench.row(what, 1e3 * ours, "ms", peer, 1e3 * theirs.seconds, times(target), clip=bench.film_name, note=note)


def _as_near(points: np.ndarray, codes: np.ndarray, theirs: np.ndarray, ours: np.ndarray) -> float:
    """The share of points for which ours is not farther than theirs; the rest is their float rounding."""
    apart = [((points - codes[rows]) ** 2).sum(axis=1) for rows in (ours, theirs)]
    return float((apart[0] <= apart[1]).mean())
