"""Interleaved range variants of asymmetric numeral systems (rANS; Duda 2013, Giesen 2014): the encoder's lanes.

A lane's state is from 2^23 to 2^39 - 1, and renormalized by 16 bits (FORMAT.md, section 13.1). Symbols are encoded
last to first. The lanes take turns, so that the processor works on one while it waits for the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from streamvq.compiling import njit
from streamvq.container.entropy.range_coder import U
from streamvq.container.static_indices.model import SCALE_BITS
from streamvq.container.static_indices.rows import N_LANES
from streamvq.container.static_indices.symbols import ESCAPE, N_TOKENS, RECALLED

LOW = np.uint64(1 << 23)  # the smallest state
WORD_BITS = np.uint64(16)
FINAL_WORDS = 3  # of the state
_SCALE_BITS = np.uint64(SCALE_BITS)
_LIMIT_BITS = np.uint64(23 + 16 - SCALE_BITS)  # a state below frequency << this stays below 2^39
_FREQUENCY_SHIFT, _START_MASK = np.uint64(16), np.uint64(0xFFFF)  # of an entry
_CODE_BITS = np.uint64(8)


@njit(nogil=True, forceinline=True)
def _encode(state: Any, entry: Any, reciprocal: Any) -> Any:
    """The state with a symbol, the word that it gives off, and whether it does."""
    frequency = entry >> _FREQUENCY_SHIFT
    full = state >= frequency << _LIMIT_BITS
    word = np.uint16(state)
    state = state >> WORD_BITS if full else state
    # Exact: (state + 1/2) / frequency is at least 2^-13 from a whole number, and below 2^39: 13 + 39 < 53 bits
    quotient = U(np.int64((np.float64(np.int64(state)) + 0.5) * reciprocal))
    return (quotient << _SCALE_BITS) + (state - quotient * frequency) + (entry & _START_MASK), word, full


@njit(nogil=True, cache=True)
def encode_lanes(
    lists: Any, ends: Any, decided: Any, neighbor: Any, low_bits: Any, clusters: Any, entries: Any, words: Any
) -> Any:
    """Encode the symbols of all lanes (see `collect_symbols`) into words, uint16 [N_LANES, n], from its end on.

    Returns where the words of each lane begin: int64 [N_LANES]. `decided` are the tokens (see `DECIDED`). `clusters`
    by context, and `entries` (see `entries_of`), are those of three models: of tokens, of the upper bits of escapes,
    and of their `low_bits` lower ones. `words` has room for all of them.
    """
    all_contexts, all_tokens, all_escapes = lists
    token_clusters, high_clusters, low_clusters = clusters
    token_entries, high_entries, low_entries = entries
    reciprocals = np.zeros((1 << SCALE_BITS) + 1)
    for frequency in range(1, reciprocals.size):
        reciprocals[frequency] = 1.0 / frequency
    states, positions, escapes = (
        np.empty(N_LANES, np.uint64),
        np.empty(N_LANES, np.int64),
        np.empty(N_LANES, np.int64),
    )
    longest = 0
    for lane in range(N_LANES):
        states[lane], positions[lane], escapes[lane] = LOW, words.shape[1], ends[lane, 1]
        longest = max(longest, ends[lane, 0])
    shift, mask = U(low_bits), (U(1) << U(low_bits)) - U(1)
    for back in range(longest):
        for lane in range(N_LANES):
            n = ends[lane, 0] - 1 - back
            if n < 0:
                continue
            state, position = states[lane], positions[lane]
            token = decided[U(all_tokens[U(lane), U(n)])]
            if token >= RECALLED:
                escapes[lane] -= 1
            if token == ESCAPE:
                code = U(all_escapes[U(lane), U(escapes[lane]), 0])
                high = code >> shift
                if low_bits:
                    index = U(low_clusters[high]) << _CODE_BITS | code & mask
                    entry = U(low_entries[index])
                    state, word, full = _encode(state, entry, reciprocals[entry >> _FREQUENCY_SHIFT])
                    words[U(lane), U(position - 1)] = word
                    position -= np.int64(full)
                context = U(all_escapes[U(lane), U(escapes[lane]), U(neighbor)]) >> shift
                index = U(high_clusters[context]) << _CODE_BITS | high
                entry = U(high_entries[index])
                state, word, full = _encode(state, entry, reciprocals[entry >> _FREQUENCY_SHIFT])
                words[U(lane), U(position - 1)] = word
                position -= np.int64(full)
            index = U(token_clusters[U(all_contexts[U(lane), U(n)])]) * U(N_TOKENS) + U(token)
            entry = U(token_entries[index])
            state, word, full = _encode(state, entry, reciprocals[entry >> _FREQUENCY_SHIFT])
            words[U(lane), U(position - 1)] = word
            states[lane], positions[lane] = state, position - np.int64(full)
    for lane in range(N_LANES):
        if ends[lane, 0]:
            for i in range(FINAL_WORDS):
                positions[lane] -= 1
                words[lane, positions[lane]] = np.uint16(states[lane] >> U(i) * WORD_BITS)
    return positions
