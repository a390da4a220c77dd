"""From a sample of blocks to codes: seeds spread by distance, mini-batches, then Lloyd iterations.

Seeds are drawn like those of k-means++ (Arthur and Vassilvitskii 2007) in proportion to the error they cost, but as
many at once as there are already (in the manner of k-means||, Bahmani et al. 2012). Seeding and the Lloyd iterations
are done in integers: centers have a few more bits than samples, distances and sums are exact. So the result is the
same for any number of threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamvq.ordered import ordered_map
from streamvq.quantize.block_sample import BlockSample
from streamvq.quantize.block_search import CodeTree
from streamvq.quantize.blocks import by_luma, scales
from streamvq.quantize.kmeans import costs, largest_costs, lloyd, mini_batches

_SEED_POINTS_PER_CODE = 32  # that seeds are drawn from
_MAX_BATCHES = 10
_TOLERANCE = 2e-4  # stop when an iteration lowers the error by less than this share
_MAX_PRECISION = 16  # centers are in sixteenths of a level
_MAX_DISTANCE = 1 << 31  # exclusive: the search takes squared distances of 31 bits
_CHUNK = 1 << 14  # points in a task of the thread pool


class _Resolution(NamedTuple):
    points_per_code: int
    max_iterations: int


_SCHEDULE = (_Resolution(32, 30), _Resolution(1 << 30, 10))  # most iterations where points are few; then all points


class _BlockPoints:
    """Blocks as k-means takes them: uint8 [n, d], whose samples count `scales` times, searched with `jobs` threads.

    Centers are int16. A search starts from the labels that the last one found.
    """

    def __init__(
        self, points: NDArray[np.uint8], weights: NDArray[np.int64], scales: NDArray[np.int16], jobs: int = 0
    ) -> None:
        self.points, self.weights, self.scales, self.jobs = points, weights, scales, jobs
        self._labels = np.zeros(len(points), np.int64)

    def representable(self, centers: NDArray[np.float64]) -> NDArray[np.int16]:
        return np.clip(np.rint(centers), 0, 255 * self.scales).astype(np.int16)

    def labels(self, centers: NDArray[np.int16]) -> NDArray[np.int64]:
        tree = CodeTree(centers, self.scales)

        def search(start: int) -> None:
            tree.find(self.points[start : start + _CHUNK], self._labels[start : start + _CHUNK], 0)

        n = len(self.points)
        for _ in ordered_map(search, range(0, n, _CHUNK), self.jobs, n // _CHUNK + 1):
            pass
        return self._labels

    def subset(self, n: int) -> _BlockPoints:
        """Every m-th of the points, such that at least `n` remain; in lexicographic order they are a fair share."""
        some = slice(None, None, max(1, len(self.points) // n))
        return _BlockPoints(self.points[some], self.weights[some], self.scales, self.jobs)

    def with_scales(self, scales: NDArray[np.int16]) -> _BlockPoints:
        """The same points with other scales, never searched yet."""
        return _BlockPoints(self.points, self.weights, scales, self.jobs)


def fit_blocks(
    sample: BlockSample, n_codes: int, seed: int, jobs: int = 0, fixed: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """The codes learned from a sample: uint8 [at most n_codes, d], distinct, sorted by mean luma.

    Where at most `n_codes` distinct blocks were seen, they are the codes. Otherwise there are exactly `n_codes` of
    them. Searches run in `jobs` threads (0 = all cores); the result does not depend on it. Codes that are `fixed`,
    uint8 [m, d], stand beside those learned: they take the blocks nearest to them and never move.
    """
    points, weights = sample.points()
    if fixed is not None and not n_codes:
        return fixed[:0]
    fixed = points[:0] if fixed is None else fixed
    codes = _without(points, fixed)
    if len(codes) > n_codes:
        blocks = _BlockPoints(points, weights, scales(sample.block, sample.space), jobs)
        codes = _cluster(blocks, n_codes, seed, fixed)
    if sample.distinct() is None:
        codes = _filled(codes, n_codes)
    return by_luma(codes, sample.block, sample.space)


def _without(blocks: NDArray[np.uint8], fixed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The distinct `blocks` [n, d] that are none of the `fixed` ones [m, d]."""
    if not len(fixed):
        return blocks
    _, first = np.unique(np.concatenate([fixed, blocks]), axis=0, return_index=True)
    return blocks[np.sort(first[first >= len(fixed)]) - len(fixed)]


def _cluster(blocks: _BlockPoints, n_codes: int, seed: int, fixed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Distinct codes [n_codes, d] from more than n_codes distinct points, beside `fixed` ones [m, d]."""
    rng = np.random.default_rng(seed)
    seeds = _seeds(blocks.subset(_SEED_POINTS_PER_CODE * (len(fixed) + n_codes)), n_codes, rng, fixed)
    centers: NDArray[np.float64] = (seeds * blocks.scales).astype(np.float64)
    if not len(fixed):  # mini-batches hold no center fixed
        centers = mini_batches(blocks.points, blocks.weights, blocks.scales, seeds * blocks.scales, _MAX_BATCHES, rng)
    for points_per_code, max_iterations in _SCHEDULE:
        some = blocks.subset(points_per_code * (len(fixed) + n_codes))
        centers = _lloyd(some, centers, max_iterations, fixed * blocks.scales)
    codes = _without(np.unique(np.rint(centers / blocks.scales).astype(np.uint8), axis=0), fixed)
    return _with_worst(codes, blocks, n_codes, fixed)


def _seeds(
    blocks: _BlockPoints, n_codes: int, rng: np.random.Generator, fixed: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """n_codes distinct points: at first any, then those that are far from all so far, and from `fixed` ones."""
    points, weights, scales = blocks.points, blocks.weights, blocks.scales
    codes = fixed if len(fixed) else points[[len(points) // 2]]
    n_codes += len(fixed)
    while len(codes) < n_codes:
        centers = codes * scales
        cumulative = np.cumsum(costs(points, weights, scales, centers, blocks.labels(centers)))
        count = min(len(codes), n_codes - len(codes))
        targets = (np.arange(count) + rng.random()) * (cumulative[-1] / count)
        picks = np.minimum(np.searchsorted(cumulative, targets, side="right"), len(points) - 1)
        codes = np.concatenate([codes, points[np.unique(picks)]])
    return codes[len(fixed) :]


def _lloyd(
    blocks: _BlockPoints, centers: NDArray[np.float64], max_iterations: int, fixed: NDArray[np.int16]
) -> NDArray[np.float64]:
    """Scaled centers [k, d] after Lloyd iterations among centers in fractions of a level; `fixed` ones stay."""
    precision = _precision(blocks.scales)
    fine = blocks.with_scales(blocks.scales * precision)
    return lloyd(fine, centers * precision, max_iterations, _TOLERANCE, fixed * precision) / precision


def _precision(scales: NDArray[np.int16]) -> int:
    """Parts of a level that centers are kept in: the most with which squared distances fit 31 bits."""
    largest = 255**2 * int((scales.astype(np.int64) ** 2).sum())
    return max(part for part in (1, 2, 4, 8, _MAX_PRECISION) if part == 1 or largest * part**2 < _MAX_DISTANCE)


def _with_worst(
    codes: NDArray[np.uint8], blocks: _BlockPoints, n_codes: int, fixed: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """`codes` and the points that cost most error today, n_codes together.

    Rounding to 8 bits can make centers coincide.
    """
    if len(codes) == n_codes:
        return codes
    centers = np.concatenate([fixed, codes]) * blocks.scales
    labels = blocks.with_scales(blocks.scales).labels(centers)
    missing = n_codes - len(codes)
    worst = largest_costs(blocks.points, blocks.weights, blocks.scales, centers, labels, missing)
    return np.concatenate([codes, blocks.points[worst]])


def _filled(codes: NDArray[np.uint8], n_codes: int) -> NDArray[np.uint8]:
    """`codes` and, where they are fewer than n_codes, some that differ from them in single bits, low ones first."""
    for bit in range(8):
        for sample in range(codes.shape[1]):
            if len(codes) == n_codes:
                return codes
            other = codes.copy()
            other[:, sample] ^= 1 << bit
            union, first = np.unique(np.concatenate([codes, other]), axis=0, return_index=True)
            codes = union[np.sort(np.argsort(first)[:n_codes])]
    return codes
