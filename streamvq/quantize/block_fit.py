"""From a sample of blocks to codes: seeds spread by distance, `MiniBatchKMeans`, then Lloyd steps.

Seeds are drawn like those of k-means++ (Arthur and Vassilvitskii 2007) in proportion to the error they cost, but as
many at once as there are already (in the manner of k-means||, Bahmani et al. 2012). Seeding and the Lloyd steps
(Lloyd 1982) are done in integers: centers have a few more bits than samples, distances and sums are exact. So the
result is the same for any number of threads.
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

_SEED_POINTS = 32  # a code, that seeds are drawn from
_BATCH = 4096  # points a mini-batch
_BATCHES = 10
_LEVELS = ((32, 30), (1 << 30, 10))  # points a code, and at most so many steps: most are taken where points are few
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
    codes = points
    if len(points) > k:
        codes = _learned(points, weights, scales(sample.block, sample.space), k, seed, jobs)
    if sample.distinct() is None:
        codes = _filled(codes, k)
    return by_luma(codes, sample.block, sample.space)


def _learned(
    points: NDArray[np.uint8],
    weights: NDArray[np.int64],
    factors: NDArray[np.int16],
    k: int,
    seed: int,
    jobs: int,
) -> NDArray[np.uint8]:
    """Distinct codes [k, d] from more than k distinct points."""
    rng = np.random.default_rng(seed)
    some = _share(len(points), _SEED_POINTS * k)
    seeds = _seeds(points[some], weights[some], factors, k, rng, jobs)
    with threadpool_limits(limits=1):  # so that sums in floating point have one order
        centers = _mini_batches(points, weights, factors, seeds, rng)
    for size, steps in _LEVELS:
        some = _share(len(points), size * k)
        centers = _lloyd(points[some], weights[some], centers, factors, steps, jobs)
    codes = np.unique(np.rint(centers / factors).astype(np.uint8), axis=0)
    return _with_worst(codes, points, weights, factors, k)


def _share(count: int, wanted: int) -> slice:
    """Every so many of `count` points that at least `wanted` remain; in lexicographic order they are a fair share."""
    return slice(None, None, max(1, count // wanted))


def _seeds(
    points: NDArray[np.uint8],
    weights: NDArray[np.int64],
    factors: NDArray[np.int16],
    k: int,
    rng: np.random.Generator,
    jobs: int,
) -> NDArray[np.uint8]:
    """k distinct points: at first any, then those that are far from all so far."""
    codes = points[[len(points) // 2]]
    rows = np.zeros(len(points), np.int64)
    while len(codes) < k:
        _update(points, factors, codes * factors, rows, jobs)
        costs = np.cumsum(_costs(points, weights, factors, codes * factors, rows))
        count = min(len(codes), k - len(codes))
        steps = (np.arange(count) + rng.random()) * (costs[-1] / count)
        picks = np.minimum(np.searchsorted(costs, steps, side="right"), len(points) - 1)
        codes = np.concatenate([codes, points[np.unique(picks)]])
    return codes


def _mini_batches(
    points: NDArray[np.uint8],
    weights: NDArray[np.int64],
    factors: NDArray[np.int16],
    seeds: NDArray[np.uint8],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Scaled centers [k, d] after a fixed number of weighted mini-batches drawn evenly from the points."""
    from sklearn.cluster import MiniBatchKMeans

    size = max(_BATCH, len(seeds))  # the first batch must hold a point for each center
    batches = min(_BATCHES, 2**31 // (size * len(seeds)))
    if not batches:  # a batch would cost more than a Lloyd step, which does more
        return (seeds * factors).astype(np.float64)
    model = MiniBatchKMeans(
        len(seeds),
        init=(seeds * factors).astype(np.float32),
        n_init=1,
        batch_size=_BATCH,
        reassignment_ratio=0,  # the default re-seeds rare blocks at random
        compute_labels=False,
        random_state=0,
    )
    for _ in range(batches):
        batch = rng.integers(0, len(points), size)
        model.partial_fit((points[batch] * factors).astype(np.float32), sample_weight=weights[batch])
    return model.cluster_centers_.astype(np.float64)


def _lloyd(
    points: NDArray[np.uint8],
    weights: NDArray[np.int64],
    centers: NDArray[np.float64],
    factors: NDArray[np.int16],
    steps: int,
    jobs: int,
) -> NDArray[np.float64]:
    """Scaled centers [k, d] after at most `steps` Lloyd steps; one that lost its points moves to the worst one."""
    parts = _precision(factors)
    fine = factors * parts
    codes = _rounded(centers * parts, fine)
    rows = np.zeros(len(points), np.int64)
    before = np.inf
    for _ in range(steps):
        _update(points, fine, codes, rows, jobs)
        mass, sums, error = _cluster_sums(points, weights, fine, codes, rows)
        empty = np.flatnonzero(mass == 0)
        means = sums / np.where(mass, mass, 1)[:, None]
        if len(empty):
            worst = np.argsort(-_costs(points, weights, fine, codes, rows), kind="stable")
            means[empty] = points[worst[: len(empty)]] * fine
            codes = _rounded(means, fine)
        elif before - error <= _LLOYD_TOLERANCE * error:
            break
        else:
            codes = _rounded(codes + _OVERSTEP * (means - codes), fine)
        before = error
    return means / parts


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


def _costs(
    points: NDArray[np.uint8],
    weights: NDArray[np.int64],
    factors: NDArray[np.int16],
    codes: NDArray[np.int16],
    rows: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The weighted squared error of each point."""
    costs = np.empty(len(points), np.int64)
    _fill_costs(points, weights, factors, codes, rows, costs)
    return costs


def _with_worst(
    codes: NDArray[np.uint8],
    points: NDArray[np.uint8],
    weights: NDArray[np.int64],
    factors: NDArray[np.int16],
    k: int,
) -> NDArray[np.uint8]:
    """`codes` and the points that cost most error today, k together.

    Rounding to 8 bits can make centers coincide.
    """
    if len(codes) == k:
        return codes
    rows = np.zeros(len(points), np.int64)
    _update(points, factors, codes * factors, rows, 1)
    costs = _costs(points, weights, factors, codes * factors, rows)
    return np.concatenate([codes, points[np.argsort(-costs, kind="stable")[: k - len(codes)]]])


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


@njit(nogil=True, cache=True)
def _fill_costs(points, weights, factors, codes, rows, costs):  # type: ignore[no-untyped-def]
    for i in range(len(points)):
        distance = np.int64(0)
        for c in range(points.shape[1]):
            distance += (np.int32(points[i, c]) * factors[c] - codes[rows[i], c]) ** 2
        costs[i] = weights[i] * distance
