"""What truncating frames costs in time, and what their factors cost in bytes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import streamvq
from streamvq.lowrank.svd import Truncation, truncate

RANKS = (16, 32, 100)


def bench_svd(clip: Path, folder: Path) -> None:
    """Truncation of one 1080p channel against the libraries', and `compress --rank 32` of a 720p clip."""
    import cv2
    from scipy.sparse.linalg import svds
    from sklearn.utils.extmath import randomized_svd
    from threadpoolctl import threadpool_limits

    frames = _first(clip, 2)
    first, second = (
        np.ascontiguousarray(cv2.resize(frame, (1920, 1080), interpolation=cv2.INTER_LANCZOS4)[..., 1], np.float32)
        for frame in frames
    )
    threadpool_limits(1)  # as in the workers, and NumPy's own is slower with two
    exact, values = _timed(lambda: np.linalg.svd(second.astype(np.float64), full_matrices=False)[1], 2)
    print(f"np.linalg.svd of 1080x1920 in double precision: {exact * 1e3:.0f} ms; all on one core")
    truncate(first, 4)
    for rank in RANKS:
        least = np.sqrt((values[rank:] ** 2).sum())
        cold, near = _timed(lambda rank=rank: truncate(second, rank), 3)  # type: ignore[misc]
        start = truncate(first, rank).basis
        warm, followed = _timed(lambda rank=rank, start=start: truncate(second, rank, None, start), 3)  # type: ignore[misc]
        arpack, found = _timed(lambda rank=rank: svds(second, rank), 1)  # type: ignore[misc]
        random, guessed = _timed(lambda rank=rank: randomized_svd(second, rank, random_state=0), 2)  # type: ignore[misc]
        off = [_off(second, part) / least - 1 for part in (near, followed, found, guessed)]
        print(
            f"rank {rank}: cold {cold * 1e3:.1f} ms ({exact / cold:.0f} times as fast, error +{100 * off[0]:.3f} %), "
            f"warm {warm * 1e3:.1f} ms ({exact / warm:.0f} times, +{100 * off[1]:.3f} %); "
            f"svds {arpack * 1e3:.0f} ms (+{100 * off[2]:.3f} %), "
            f"randomized_svd {random * 1e3:.0f} ms (+{100 * off[3]:.3f} %)"
        )
    for method in ("svd-vq", "svd"):
        rates = {}
        for jobs in (1, 2):
            told = _compress(clip, folder / f"{method}.mkv", "--method", method, "--rank", "32", "-j", str(jobs))
            rates[jobs] = told["frames_per_second"]
        print(
            f"compress --method {method} --rank 32 to .mkv: {rates[2]:.1f} frames/s (target 10), "
            f"-j 2 {rates[2] / rates[1]:.2f} times -j 1"
        )
    told = _compress(clip, folder / "x.svq", "--method", "svd", "--rank", "32")
    print(f"to .svq: {told['frames_per_second']:.1f} frames/s")


def bench_ranks(clip: Path, folder: Path) -> None:
    """Bytes and PSNR of stored factors by rank: whole frames and patches, and spaces at equal bytes."""
    for patch in (0, 8, 16):
        for space in ("ycbcr420", "rgb"):
            for rank in (5, 10, 20, 50, 100):
                if rank >= (patch * patch or 1000):  # all of it
                    continue
                options = ["--method", "svd", "--rank", str(rank), "--patch", str(patch), "--space", space]
                told = _compress(clip, folder / "x.svq", *options)
                if "truncation_psnr_db" not in told:
                    continue  # small frames, of which this is all
                pixels = told["frames"] * told["width"] * told["height"]
                factors = told["parts"]["factors"]
                cut, all_in_all = (10 ** (-told[name] / 10) for name in ("truncation_psnr_db", "psnr_db"))
                what = f"patches of {patch}" if patch else "whole frames"
                print(
                    f"{what:13} {space:8} rank {rank:3}: "
                    f"{8 * factors / pixels:.4f} bits/pixel, {told['psnr_db']:.2f} dB "
                    f"(truncation {told['truncation_psnr_db']:.2f}, factors add {all_in_all / cut - 1:.2f} of it)"
                )


def _first(clip: Path, count: int) -> list[np.ndarray]:
    with streamvq.open_source(clip) as source:
        return [frame.pixels for frame, _ in zip(source, range(count), strict=False)]


def _compress(clip: Path, output: Path, *options: str) -> dict:
    command = [
        sys.executable,
        "-m",
        "streamvq",
        "compress",
        str(clip),
        "-o",
        str(output),
        "-f",
        "-q",
        "--json",
        *options,
    ]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _timed(work: Callable, times: int) -> tuple:
    best, result = float("inf"), None
    for _ in range(times):
        start = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - start)
    return best, result


def _off(matrix: np.ndarray, near: Truncation | tuple) -> float:
    if isinstance(near, Truncation):
        product = near.left.astype(float) @ near.right
    else:
        left, values, right = near
        product = (left.astype(float) * values) @ right
    return float(np.linalg.norm(matrix - product))
