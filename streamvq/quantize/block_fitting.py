"""From a sample of blocks to codes: seeds, `MiniBatchKMeans`, then Lloyd steps over the whole sample.

The Lloyd steps (Lloyd 1982) are done in integers: centers have a few more bits than samples, distances and sums
are exact. So the result is the same for any number of threads.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from streamvq.ordered import ordered_map
from streamvq.quantize.block_sample import BlockSample
from streamvq.quantize.block_search import CodeTree
from streamvq.quantize.blocks import by_luma, scales

_PLUS_PLUS_MOST = 1024  # codes; k-means++ costs points x codes x log(codes)
_PLUS_PLUS_POINTS = 32  # a code
_BATCH = 4096  # points a mini-batch
_BATCHES = 20
_STEPS = 30
_LLOYD_TOLERANCE = 2e-4  # stop when a step lowers the error by less than this share
_OVERSTEP = 1.8  # centers go this far toward their means: fewer steps to the same error (2 would oscillate)
_PRECISION = 16  # centers are in sixteenths
_CHUNK = 1 << 14  # points a task


def fit_blocks(sample: BlockSample, k: int, seed: int, jobs: int = 0) -> NDArray[np.uint8]:
    """The codes learned from a sample: uint8 [at most k, d], distinct, sorted by mean luma.

    Where at most `k` distinct blocks were seen, they are the codes. Otherwise there are exactly `k` of them.
    Searches run in `jobs` threads (0 = all cores); the result does not depend on it.
    """
    points, weights = sample.points()
    if len(points) <= k:
        codes = points
    else:
        factors = scales(sample.block, sample.space)
        with threadpool_limits(limits=1):  # also so that sums in floating point have one order
            centers = _mini_batches(points * factors, weights, k, seed)
        codes = np.unique(_lloyd(points, weights, centers, factors, jobs), axis=0)
        codes = _with_worst(codes, points, weights, factors, k)
    if sample.distinct() is None:
        codes = _filled(codes, k)
    return by_luma(codes, sample.block, sample.space)


def _mini_batches(points: NDArray[np.int16], weights: NDArray[np.int64], k: int, seed: int) -> NDArray[np.float64]:
    """Centers [k, d] after a fixed number of weighted mini-batches drawn evenly from scaled points."""
    from sklearn.cluster import MiniBatchKMeans

    rng = np.random.default_rng(seed)
    centers = _seeds(points, weights, k, seed, rng)
    model = MiniBatchKMeans(
        k,
        init=centers,
        n_init=1,
        batch_size=_BATCH,
        reassignment_ratio=0,  # the default re-seeds rare blocks at random
        compute_labels=False,
        random_state=seed,
    )
    size = max(_BATCH, k)
    for _ in range(min(_BATCHES, 2**32 // (size * k))):
        batch = rng.integers(0, len(points), size)
        model.partial_fit(points[batch].astype(np.float32), sample_weight=weights[batch])
    return getattr(model, "cluster_centers_", centers).astype(np.float64)


def _seeds(
    points: NDArray[np.int16], weights: NDArray[np.int64], k: int, seed: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    if k > _PLUS_PLUS_MOST:
        return points[np.sort(rng.choice(len(points), k, replace=False))].astype(np.float32)
    from sklearn.cluster import kmeans_plusplus

    some = np.sort(rng.choice(len(points), min(len(points), _PLUS_PLUS_POINTS * k), replace=False))
    return kmeans_plusplus(points[some].astype(np.float32), k, sample_weight=weights[some], random_state=seed)[0]


def _lloyd(
    points: NDArray[np.uint8],
    weights: NDArray[np.int64],
    centers: NDArray[np.float64],
    factors: NDArray[np.int16],
    jobs: int,
) -> NDArray[np.uint8]:
    """Codes [k, d] after Lloyd steps from scaled `centers`; one that lost its points moves to the worst one."""
    fine = factors * _precision(factors)
    codes = _rounded(centers * _precision(factors), fine)
    rows = np.zeros(len(points), np.int64)
    before = np.inf
    for _ in range(_STEPS):
        _update(points, fine, codes, rows, jobs)
        mass, sums, error = _cluster_sums(points, weights, fine, codes, rows)
        empty = np.flatnonzero(mass == 0)
        means = sums / np.where(mass, mass, 1)[:, None]
        if len(empty):
            means[empty] = points[_worst(points, weights, fine, codes, rows)[: len(empty)]] * fine
            codes = _rounded(means, fine)
        elif before - error <= _LLOYD_TOLERANCE * error:
            break
        else:
            codes = _rounded(codes + _OVERSTEP * (means - codes), fine)
        before = error
    return np.rint(means / fine).astype(np.uint8)


def _precision(factors: NDArray[np.int16]) -> int:
    """Parts of a level that centers are kept in: so many that squared distances fit 31 bits."""
    most = 255**2 * int((factors.astype(np.int64) ** 2).sum())
    return max(part for part in (1, 2, 4, 8, _PRECISION) if part == 1 or most * part**2 < 2**31)


def _rounded(codes: NDArray[np.float64], factors: NDArray[np.int16]) -> NDArray[np.int16]:
    return np.clip(np.rint(codes), 0, 255 * factors).astype(np.int16)


def _update(
    points: NDArray[np.uint8],
    factors: NDArray[np.int16],
    codes: NDArray[np.int16],
    rows: NDArray[np.int64],
    jobs: int,
) -> None:
    """Change `rows` to the row of the nearest of `codes` for each point."""
    tree = CodeTree(codes, factors)

    def search(start: int) -> None:
        tree.find(points[start : start + _CHUNK], rows[start : start + _CHUNK], 0)

    for _ in ordered_map(search, range(0, len(points), _CHUNK), jobs, len(points) // _CHUNK + 1):
        pass


def _worst(
    points: NDArray[np.uint8],
    weights: NDArray[np.int64],
    factors: NDArray[np.int16],
    codes: NDArray[np.int16],
    rows: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Points by the error they cost, the worst first."""
    gaps = points * factors.astype(np.int32) - codes[rows]
    return np.argsort(-weights * (gaps**2).sum(axis=1), kind="stable")


def _with_worst(
    codes: NDArray[np.uint8],
    points: NDArray[np.uint8],
    weights: NDArray[np.int64],
    factors: NDArray[np.int16],
    k: int,
) -> NDArray[np.uint8]:
    """`codes` and the points that cost most error today, together k or as many as there are distinct ones.

    Rounding to 8 bits can make centers coincide.
    """
    if len(codes) == k:
        return codes
    rows = np.zeros(len(points), np.int64)
    _update(points, factors, codes * factors, rows, 1)
    worst = _worst(points, weights, factors, codes * factors, rows)
    new = worst[(points[worst] != codes[rows[worst]]).any(axis=1)]
    return np.concatenate([codes, points[new[: k - len(codes)]]])


def _filled(codes: NDArray[np.uint8], k: int) -> NDArray[np.uint8]:
    """`codes` and, where they are fewer than k, some like them but for single bits, low ones first."""
    for bit in range(8):
        for sample in range(codes.shape[1]):
            if len(codes) == k:
                return codes
            other = codes.copy()
            other[:, sample] ^= 1 << bit
            union, first = np.unique(np.concatenate([codes, other]), axis=0, return_index=True)
            codes = union[np.sort(np.argsort(first)[:k])]
    return codes


@njit(nogil=True, cache=True)
def _cluster_sums(points, weights, factors, codes, rows):  # type: ignore[no-untyped-def]
    """Weight [k], weighted sum [k, d] of each cluster's scaled points, and the weighted sum of squared errors."""
    mass, sums, error = np.zeros(len(codes), np.int64), np.zeros(codes.shape, np.int64), np.int64(0)
    for i in range(len(points)):
        row, weight = rows[i], weights[i]
        mass[row] += weight
        distance = np.int64(0)
        for c in range(points.shape[1]):
            value = np.int32(points[i, c]) * factors[c]
            sums[row, c] += weight * value
            distance += (value - codes[row, c]) ** 2
        error += weight * distance
    return mass, sums, error
