"""What truncating frames costs in time, and what their factors cost in bytes."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from benchmarks.measure import Bench, at_least, in_turn, times
from benchmarks.peers import record
from benchmarks.quality import frames_of
from streamvq.lowrank.svd import Truncation, truncate

RANKS = (16, 32, 100)


def bench_svd(bench: Bench) -> None:
    """Truncation of one 1080p channel on one core against libraries', and `compress --rank 32`."""
    from scipy.sparse.linalg import svds
    from sklearn.utils.extmath import randomized_svd
    from threadpoolctl import threadpool_limits

    frames = [frame.pixels for frame, _ in zip(frames_of(bench.film), range(2), strict=False)]
    first, second = (
        np.ascontiguousarray(cv2.resize(frame, (1920, 1080), interpolation=cv2.INTER_LANCZOS4)[..., 1], np.float32)
        for frame in frames
    )
    clip = bench.film_name
    double = second.astype(np.float64)
    truncate(first, 4)
    with threadpool_limits(1):  # as in the workers, and NumPy's own is slower with two
        values = np.linalg.svd(double, full_matrices=False)[1]
        for rank in RANKS:
            start = truncate(first, rank).basis
            work: dict[str, Callable[[], Truncation | tuple]] = {
                "cold": lambda rank=rank: truncate(second, rank),
                "warm": lambda rank=rank, start=start: truncate(second, rank, None, start),
                "np.linalg.svd": lambda: np.linalg.svd(double, full_matrices=False),
                "svds": lambda rank=rank: svds(second, rank),
                "randomized_svd": lambda rank=rank: randomized_svd(second, rank, random_state=0),
            }
            taken = in_turn(work)
            least = np.sqrt((values[rank:] ** 2).sum())
            more = {
                name: f"error +{100 * (_error(second, do()) / least - 1):.3f} %"
                for name, do in work.items()
                if name != "np.linalg.svd"
            }
            for mine in ("cold", "warm"):
                for peer in ("np.linalg.svd", "svds", "randomized_svd"):
                    target = None
                    if (mine, peer, rank) == ("cold", "svds", 16):
                        target = times(1)
                    elif (mine, peer) == ("warm", "np.linalg.svd"):
                        target = times(20)
                    note = more[mine] + (f"; theirs {more[peer]}" if peer in more else "")
                    what = f"rank {rank}, {mine}"
                    bench.row(what, taken[mine], "ms", peer, taken[peer], target, clip=clip, note=note)
    for method in ("svd-vq", "svd"):
        out = bench.folder / f"{method}.mkv"
        rates = {
            jobs: record("compress", bench.film, "-o", out, "-f", "--method", method, "--rank", 32, "-j", jobs)
            for jobs in (1, 2)
        }
        one, two = (rates[jobs]["frames_per_second"] for jobs in (1, 2))
        what = f"--method {method} --rank 32 to .mkv, -j 2"
        bench.row(what, two, "frames/s", target=at_least(10), clip=clip, note=f"{two / one:.2f} times -j 1")


def bench_ranks(bench: Bench) -> None:
    """Bits a pixel and PSNR of stored factors by rank: whole frames and patches, and spaces at equal bytes."""
    out = bench.folder / "x.svq"
    for patch in (0, 8, 16):
        for space in ("ycbcr420", "rgb"):
            for rank in (5, 10, 20, 50, 100):
                if rank >= (patch * patch or 1000):  # all of it
                    continue
                options = ["--method", "svd", "--rank", rank, "--patch", patch, "--space", space]
                told = record("compress", bench.film, "-o", out, "-f", *options)
                if "truncation_psnr_db" not in told:
                    continue  # small frames, of which this is all
                pixels = told["frames"] * told["width"] * told["height"]
                what = f"{f'patches of {patch}' if patch else 'whole frames'}, {space}, rank {rank}"
                note = f"{told['psnr_db']:.2f} dB (truncation alone {told['truncation_psnr_db']:.2f})"
                bits = 8 * told["parts"]["factors"] / pixels
                bench.row(what, bits, "bits/pixel", clip=bench.film_name, note=note)


def _error(matrix: np.ndarray, near: Truncation | tuple) -> float:
    if isinstance(near, Truncation):
        product = near.left.astype(float) @ near.right
    else:
        left, values, right = near
        product = (left.astype(float) * values) @ right
    return float(np.linalg.norm(matrix - product))
