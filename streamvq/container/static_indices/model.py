"""Static models: clusters of contexts, each with frequencies of its symbols (FORMAT.md, section 13.4)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from streamvq.compiling import njit
from streamvq.container.entropy.probabilities import code_adaptive_bit
from streamvq.container.entropy.range_coder import load_coder, store_coder

MAX_CLUSTERS = 256
SCALE_BITS = 12
SCALE = 1 << SCALE_BITS  # the sum of the frequencies of a cluster
_CLUSTER_BITS, _SYMBOL_BITS, _LENGTH_BITS = 8, 8, 4
_EXACT_BITS = 4  # of a frequency; those below are 0
# Where the adaptive probabilities of each binarization node begin
_INHERITED = 0  # is a context in the cluster of its parent? By whether that is in that of its own
_CLUSTERS = 2
_COUNTS = _CLUSTERS + (1 << _CLUSTER_BITS)
_LARGEST = _COUNTS + (1 << _CLUSTER_BITS)
_LENGTHS = _LARGEST + (1 << _SYMBOL_BITS)  # by the length before
_MANTISSAS = _LENGTHS + (1 << (2 * _LENGTH_BITS))  # by the length and the bits so far
_N_PROBABILITIES = _MANTISSAS + (1 << (_LENGTH_BITS + _EXACT_BITS - 1))
_WORDS_PER_CONTEXT, _WORDS_PER_SYMBOL = 3, 3  # 9 bits or 7, of at most 10 bits each


class StaticModel(NamedTuple):
    """The clusters of contexts, uint8 [contexts], and the frequencies of each, uint16 [clusters, symbols]."""

    clusters: Any
    frequencies: Any


@njit(nogil=True)
def _code_number(words: Any, coder: Any, states: Any, first: Any, n_bits: Any, number: Any, decoding: Any) -> Any:
    """Code a number of n_bits bits, the highest first. Returns the range coder, and the number."""
    node: Any = 1
    for i in range(n_bits - 1, -1, -1):
        coder, bit = code_adaptive_bit(words, coder, states, first + node, number >> i & 1 != 0, decoding)
        node = node << 1 | np.int64(bit)
    return coder, node - (1 << n_bits)


@njit(nogil=True)
def _code_frequencies(words: Any, coder: Any, states: Any, frequencies: Any, decoding: Any) -> Any:
    """Code the frequencies of a cluster. Returns the range coder, and whether they can be: their sum is SCALE."""
    n_symbols = frequencies.size
    largest, rest, before = 0, SCALE, 0
    for symbol in range(n_symbols):
        if frequencies[symbol] > frequencies[largest]:
            largest = symbol
    coder, largest = _code_number(words, coder, states, _LARGEST, _SYMBOL_BITS, largest, decoding)
    largest = min(largest, n_symbols - 1)
    for symbol in range(n_symbols):
        if symbol == largest:
            continue
        frequency, length = np.int64(frequencies[symbol]), 0
        while frequency >> length:
            length += 1
        first = _LENGTHS + (before << _LENGTH_BITS)
        coder, length = _code_number(words, coder, states, first, _LENGTH_BITS, length, decoding)
        before = length
        value = min(length, 1)
        for i in range(1, length):
            bit = False
            if i < _EXACT_BITS:
                index = _MANTISSAS + (length << (_EXACT_BITS - 1)) + value
                bit = frequency >> (length - 1 - i) & 1 != 0
                coder, bit = code_adaptive_bit(words, coder, states, index, bit, decoding)
            value = value << 1 | np.int64(bit)
        rest -= value
        if rest <= 0:
            return coder, False
        frequencies[symbol] = value
    frequencies[largest] = rest
    return coder, True


@njit(nogil=True, cache=True)
def code_model(words: Any, state: Any, model: Any, n_clusters: Any, decoding: Any) -> Any:
    """Code a model. Returns the number of clusters; 0: invalid.

    `words` has room for `words_of_model` more where encoding, `frequencies` for MAX_CLUSTERS where decoding. A
    context's parent is the one whose lowest set bit is 0.
    """
    coder = load_coder(state)
    clusters, frequencies = model
    states = np.zeros(_N_PROBABILITIES, np.int32)
    coder, n_clusters = _code_number(words, coder, states, _COUNTS, _CLUSTER_BITS, n_clusters - 1, decoding)
    n_clusters += 1
    inherits = np.zeros(clusters.size, np.bool_)
    for context in range(clusters.size):
        parent = context & max(context - 1, 0)
        inherited = clusters[context] == (clusters[parent] if context else 0)
        index = _INHERITED + np.int64(inherits[parent])
        coder, inherited = code_adaptive_bit(words, coder, states, index, inherited, decoding)
        inherits[context] = inherited
        if inherited:
            clusters[context] = clusters[parent] if context else np.uint8(0)
        else:
            number = np.int64(clusters[context])
            coder, number = _code_number(words, coder, states, _CLUSTERS, _CLUSTER_BITS, number, decoding)
            clusters[context] = min(number, n_clusters - 1)
    for cluster in range(n_clusters):
        coder, valid = _code_frequencies(words, coder, states, frequencies[cluster], decoding)
        if not valid:
            return 0
    store_coder(state, coder)
    return n_clusters


def words_of_model(n_contexts: int, frequencies: Any) -> int:
    """How many words no model exceeds."""
    return int(_WORDS_PER_CONTEXT * n_contexts + _WORDS_PER_SYMBOL * (frequencies.size + 3))


def round_frequencies(histograms: Any) -> Any:
    """Frequencies of counts, float64 [clusters, symbols], as they can be coded: uint16 [clusters, symbols].

    Each symbol that occurs has one, and the largest has what the others, rounded down, leave.
    """
    n_used = (histograms > 0).sum(axis=1, keepdims=True)
    scaled = histograms * (SCALE - n_used) / histograms.sum(axis=1, keepdims=True)
    frequencies = np.where(histograms > 0, scaled.astype(np.int64) + 1, 0)
    dropped = np.maximum(np.frexp(frequencies)[1] - _EXACT_BITS, 0)
    frequencies = frequencies >> dropped << dropped
    largest = frequencies.argmax(axis=1)
    clusters = np.arange(len(histograms))
    frequencies[clusters, largest] += SCALE - frequencies.sum(axis=1)
    return frequencies.astype(np.uint16)
