"""Codes that make the phrases of LZW longer, where that costs little error; for GIF.

LZW writes a code a phrase, the longest that its table has. As gifsicle's `--lossy` does, a phrase may go on over
pixels that differ a little from it; here, it ends where error + lambda x bits is least (entropy-constrained
quantization, as in `rd_optimize`). What a further pixel saves is taken to be the bits that pixels took of late: that
is the rate at which one more pays (Charnov's marginal value theorem, 1976). The table grows as that of the encoder
does, in which the previous picture's pixels may be written as transparent; its own parse then finds phrases at least
as long as most of these.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit

_MAX_ENTRIES = 4096
_MAX_WIDTH = 12  # bits of a code
_FIRST_ENTRY = 512  # number of the node of the first entry; before it come the symbols themselves
_BEAM = 8  # phrases that are followed at once
_ERROR_ONE = 256  # costs are in 256ths of a squared error
_SLACK_BITS = 24  # what a phrase may be worse than the best and still be followed: two codes
_RATE_SHIFT = 8  # the rate is that of some 2^8 codes
_WINDOW = 1024  # codes by which a full table is judged


def lengthen_phrases(
    samples: NDArray,
    codes: NDArray,
    table: NDArray,
    scales: NDArray[np.int16],
    previous: NDArray | None,
    lambda_: float,
) -> NDArray:
    """Codes instead of `codes` [height, width], of the same type, that LZW writes in fewer bits.

    `samples` is uint8 or int16 [height, width, d], `table` [k, d] has up to 256 codes; differences count times
    `scales` [d]. `previous` are the codes of the picture before, or None. A bit is worth a squared error of
    `lambda_`.
    """
    chosen = codes.copy()
    box: Any = np.s_[:, :]
    if previous is not None:
        changed = codes != previous
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        if not len(rows):
            return chosen
        box = np.s_[int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1]
    boxed, before = np.ascontiguousarray(codes[box]), codes if previous is None else previous
    found = np.empty_like(boxed)
    _parse(
        np.ascontiguousarray(samples[box]).reshape(boxed.size, -1),
        boxed.ravel(),
        table,
        scales.astype(np.int64) ** 2,
        np.ascontiguousarray(before[box]).ravel(),
        previous is not None,
        boxed.shape[1],
        np.int64(round(lambda_ * _ERROR_ONE)),
        found.ravel(),
    )
    chosen[box] = found
    return chosen


@njit(nogil=True)
def _added_error(sample: Any, code: Any, least: Any, squares: Any) -> Any:
    """The squared error of a code beyond that of the code chosen so far, in 256ths; 0 where it is no larger."""
    added = np.int64(0)
    for c in range(len(squares)):
        one = np.int64(sample[c]) - np.int64(code[c])
        other = np.int64(sample[c]) - np.int64(least[c])
        added += (one * one - other * other) * squares[c]
    return _ERROR_ONE * added if added > 0 else np.int64(0)


@njit(nogil=True)
def _longest(
    start: Any,
    samples: Any,
    codes: Any,
    table: Any,
    squares: Any,
    previous: Any,
    symbols: Any,
    gain: Any,
    slack: Any,
    first_child: Any,
    sibling: Any,
    symbol_of: Any,
    live: Any,
    scores: Any,
) -> Any:
    """The node and the length of the phrase from `start` on that saves most, beginning with one of `symbols`.

    A pixel adds its `gain` and takes its added error away; of equal phrases the longest is taken, and the one that
    begins with the last of the symbols.
    """
    transparent, beam = len(table), live.shape[1]
    best_score, best, length = np.int64(-1) << 60, np.int64(0), 1
    now, n_live = 0, 0
    code = np.int64(codes[start])
    for symbol in symbols:
        if symbol < 0:
            continue
        drawn = np.int64(previous[start]) if symbol == transparent else symbol
        score = gain - _added_error(samples[start], table[drawn], table[code], squares)
        live[0, n_live], scores[0, n_live] = symbol, score
        n_live += 1
        if score >= best_score:
            best_score, best = score, symbol
    position = start + 1
    while n_live and position < len(codes):
        code = np.int64(codes[position])
        n_next = 0
        for i in range(n_live):
            child = np.int64(first_child[live[now, i]])
            while child:
                symbol = np.int64(symbol_of[child])
                drawn = np.int64(previous[position]) if symbol == transparent else symbol
                score = scores[now, i] + gain
                if drawn != code:
                    score -= _added_error(samples[position], table[drawn], table[code], squares)
                if score >= best_score - slack:
                    if n_next < beam:
                        live[1 - now, n_next], scores[1 - now, n_next] = child, score
                        n_next += 1
                    else:
                        worst = np.argmin(scores[1 - now])
                        if scores[1 - now, worst] < score:
                            live[1 - now, worst], scores[1 - now, worst] = child, score
                    if score >= best_score:
                        best_score, best, length = score, child, position + 1 - start
                child = np.int64(sibling[child])
        now, n_live = 1 - now, n_next
        position += 1
    return best, length


@njit(nogil=True, cache=True)
def _parse(
    samples: Any,
    codes: Any,
    table: Any,
    squares: Any,
    previous: Any,
    has_previous: Any,
    columns: Any,
    lambda_: Any,
    chosen: Any,
) -> None:
    """Choose the codes of a box, [n] in row order, phrase by phrase; `lambda_` is in 256ths."""
    n, transparent = len(codes), len(table)
    bits = 2
    while bits < 8 and 1 << bits <= transparent:
        bits += 1
    most = _MAX_ENTRIES - (1 << bits) - 2
    # the table as a tree: a node is a phrase, its children are those that are one symbol longer, the newest first
    first_child = np.zeros(_FIRST_ENTRY + _MAX_ENTRIES, np.int32)
    sibling, parent = np.zeros_like(first_child), np.zeros_like(first_child)
    symbol_of = np.arange(len(first_child)).astype(np.int32)
    live, scores = np.zeros((2, _BEAM), np.int32), np.zeros((2, _BEAM), np.int64)
    symbols = np.empty(4, np.int64)
    rate_bits, rate_pixels = np.int64(_ERROR_ONE * (bits + 1)), np.int64(_ERROR_ONE * 3)
    count, last = 0, -1
    epoch_codes, epoch_pixels, window_codes, window_pixels = 0, 0, 0, 0
    position = 0
    while position < n:
        # a phrase begins with the code chosen so far, or with that above, to the left, or of the picture before
        symbols[0] = codes[position]
        symbols[1] = chosen[position - columns] if position >= columns else -1
        symbols[2] = chosen[position - 1] if position else -1
        symbols[3] = transparent if has_previous else -1
        for i in range(1, 3):
            for j in range(i):
                if symbols[i] == symbols[j]:
                    symbols[i] = -1
        node, length = _longest(
            position, samples, codes, table, squares, previous, symbols, lambda_ * rate_bits // rate_pixels,
            lambda_ * _SLACK_BITS, first_child, sibling, symbol_of, live, scores,
        )  # fmt: skip
        phrase = node
        for i in range(position + length - 1, position - 1, -1):
            symbol = symbol_of[node]
            chosen[i] = previous[i] if symbol == transparent else symbol
            if i > position:
                node = np.int64(parent[node])
        if last >= 0 and count < most:
            child = first_child[last]
            while child and symbol_of[child] != symbol:
                child = sibling[child]
            if not child:
                entry = _FIRST_ENTRY + count
                symbol_of[entry], parent[entry] = symbol, last
                first_child[last], sibling[entry] = entry, first_child[last]
            count += 1
        last = phrase
        width = bits + 1
        while width < _MAX_WIDTH and ((1 << bits) + 2 + count) >> width:
            width += 1
        rate_bits += _ERROR_ONE * width - (rate_bits >> _RATE_SHIFT)
        rate_pixels += _ERROR_ONE * length - (rate_pixels >> _RATE_SHIFT)
        position += length
        epoch_codes += 1
        epoch_pixels += length
        if count < most:
            continue
        window_codes += 1
        window_pixels += length
        if window_codes == _WINDOW:  # a full table is cleared where it has become worse than it was so far
            if window_pixels * epoch_codes < epoch_pixels * _WINDOW:
                first_child[:] = 0
                count, last, epoch_codes, epoch_pixels = 0, -1, 0, 0
            window_codes, window_pixels = 0, 0
