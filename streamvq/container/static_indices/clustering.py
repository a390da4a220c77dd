"""Clusters of contexts with similar symbols, for the encoder alone: the format does not say how they are found.

Seeds are the context whose symbols the seeds before code worst, again and again; then each context goes to the
cluster that codes it in fewest bits (as libjxl's fast histogram clustering does). Bits are counted in whole 256ths,
whose sums are exact in any order, so that bytes are the same on every machine.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvq.container.static_indices.model import SCALE, StaticModel, round_frequencies

_UNIT = 256  # of a bit
_BITS_PER_SYMBOL = 7  # that a histogram takes, about
_BITS_PER_CLUSTER = 8  # of a context that does not inherit its own
_N_ROUNDS = 2  # more gain nothing


def make_model(counts: NDArray, max_clusters: int) -> StaticModel:
    """The model of symbols that occurred so often in each context: int [contexts, symbols]."""
    used = np.flatnonzero(counts.any(axis=1))
    found = counts[used].astype(np.float64)
    clusters = _choose_seeds(found, max_clusters)
    for _ in range(_N_ROUNDS):
        bits = found @ _lengths(_sums(found, clusters))
        clusters = bits.argmin(axis=1)
    inherited = _inherit(bits, clusters, used, len(counts))
    kept, inherited = np.unique(inherited, return_inverse=True)
    histograms = _sums(found, inherited[used])
    return StaticModel(inherited.astype(np.uint8), round_frequencies(histograms[: len(kept)]))


def _choose_seeds(counts: NDArray[np.float64], max_clusters: int) -> NDArray[np.int64]:
    """A first cluster of each context."""
    totals = counts.sum(axis=1)
    own_bits = np.rint(_UNIT * counts * np.log2(totals[:, None] / np.maximum(counts, 1))).sum(axis=1)
    thresholds = _UNIT * _BITS_PER_SYMBOL * (2 + (counts > 0).sum(axis=1))
    clusters = np.zeros(len(counts), np.int64)
    least = counts @ _lengths(counts[[totals.argmax()]])[:, 0]
    for cluster in range(1, max_clusters):
        worst = (least - own_bits).argmax()
        if least[worst] - own_bits[worst] < thresholds[worst]:
            break
        bits = counts @ _lengths(counts[[worst]])[:, 0]
        better = bits < least
        clusters[better], least[better] = cluster, bits[better]
        own_bits[worst] = least[worst]  # a seed twice would gain nothing
    return clusters


def _lengths(histograms: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many bits each symbol takes by each cluster, smoothed: [symbols, clusters]; an empty one is never best."""
    totals = histograms.sum(axis=1, keepdims=True)
    floor = totals / SCALE
    filled = (totals + floor * histograms.shape[1]) / np.maximum(histograms + floor, 1e-9)
    return np.where(totals > 0, np.rint(_UNIT * np.log2(np.maximum(filled, 1))), 1 << 20).T


def _sums(counts: NDArray[np.float64], clusters: NDArray) -> NDArray[np.float64]:
    """The counts of each cluster."""
    order = np.argsort(clusters, kind="stable")
    starts = np.flatnonzero(np.diff(clusters[order], prepend=-1))
    sums = np.zeros((int(clusters.max()) + 1, counts.shape[1]))
    sums[clusters[order][starts]] = np.add.reduceat(counts[order], starts)
    return sums


def _inherit(bits: NDArray[np.float64], best: NDArray, used: NDArray, n_contexts: int) -> NDArray[np.int64]:
    """The cluster of each context: that of its parent where another would not pay, or where it never occurs."""
    clusters, wanted = np.zeros(n_contexts, np.int64), np.full(n_contexts, -1)
    wanted[used] = np.arange(len(used))
    n_bits = max(n_contexts - 1, 1).bit_length()
    contexts = np.arange(n_contexts)
    n_ones = sum(contexts >> i & 1 for i in range(n_bits))
    for count in range(n_bits + 1):
        level = np.flatnonzero(n_ones == count)
        clusters[level] = clusters[level & np.maximum(level - 1, 0)]
        level = level[wanted[level] >= 0]
        rows = wanted[level]
        pays = bits[rows, best[rows]] + _UNIT * _BITS_PER_CLUSTER < bits[rows, clusters[level]]
        clusters[level[pays]] = best[rows[pays]]
    return clusters
