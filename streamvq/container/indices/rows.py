"""The codes of a row of a frame: guesses first, then what no guess hits (FORMAT.md, section 8.4).

The code foretold by the frame before, the one to the left and the one above are guessed in turn; a bit each says
whether it is the code. Its chance is mixed from a counter of the pattern of equality around, and one of the three
codes themselves. What no guess hits is coded bit by bit, each chance mixed from four counters that know the bits so
far and one neighbor, or two.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from streamvq.container.entropy.range_coder import (
    WORD,
    U,
    adjusted,
    learn,
    learn_narrow,
    narrow,
    settle,
    squash,
    stretch,
    stretch_narrow,
)
from streamvq.container.indices.motion import TILE

_HASH = np.uint64(0x9E3779B97F4A7C15)
_PATTERNS = 1 << 14
_WEIGHTED = 1 << 9


@njit(nogil=True, cache=True)
def new_model(k: Any, place_bits: Any, line_bits: Any) -> Any:
    """The counters and weights for k codes, with 2^place_bits places and 2^line_bits lines."""
    bits = 0
    while (1 << bits) < k:
        bits += 1
    return (
        bits,
        np.zeros(_PATTERNS << 2, np.int32),
        np.zeros(4 << place_bits, np.int16),
        np.full(_WEIGHTED << 3, 40000, np.int32),
        np.zeros(16 << line_bits, np.int16),
        np.full(max(bits, 1) << 2, 22000, np.int32),
        U(64 - place_bits),
        U(64 - line_bits),
    )


@njit(nogil=True, cache=True)
def _patterns(frame: Any, prior: Any, older: Any, first: Any, offsets: Any, patterns: Any) -> Any:
    """The bits of each pattern that do not hang on the code to the left, into uint16 [width]."""
    stride, same_at, _, above_at, above_right_at, after_at, below_at, last_at = offsets
    for x in range(patterns.size):
        i = first + x
        up, right = frame[U(i - stride)], frame[U(i - stride + 1)]
        same, last = prior[U(i + same_at)], older[U(i + last_at)]
        pattern = np.uint16(up == frame[U(i - stride - 1)]) << 5
        pattern |= np.uint16(up == right) << 6
        pattern |= np.uint16(same == up) << 7
        pattern |= np.uint16(prior[U(i + above_at)] == up) << 8
        pattern |= np.uint16(prior[U(i + above_right_at)] == right) << 9
        pattern |= np.uint16(prior[U(i + after_at)] == same) << 10
        pattern |= np.uint16(prior[U(i + below_at)] == same) << 11
        pattern |= np.uint16(last == same) << 12
        pattern |= np.uint16(last == up) << 13
        patterns[U(x)] = np.uint16(pattern)


@njit(nogil=True, cache=True)
def code_row(
    words: Any,
    coder: Any,
    frame: Any,
    prior: Any,
    older: Any,
    first: Any,
    offsets: Any,
    tiles: Any,
    patterns: Any,
    k: Any,
    model: Any,
    decoding: Any,
) -> Any:
    """Write or read the row of `frame` from place `first` on, as long as `patterns` (which is scratch).

    `offsets` are the stride, and those from a place to `same`, to what is around it, and to `last`; `tiles` says by
    its lowest bits which tiles are copies.
    """
    bits, pattern_counters, place_counters, guess_weights, lines, weights, place_shift, line_shift = model
    stride, same_at, before_at, _, _, _, _, last_at = offsets
    _patterns(frame, prior, older, first, offsets, patterns)
    coarse = bits - 6 if bits > 8 else 0
    at, low, span = coder[0], coder[1], coder[2]
    width = patterns.size
    x = 0
    while x < width:
        i = first + x
        if x % TILE == 0 and tiles[x // TILE] & 1:
            for j in range(i, first + min(x + TILE, width)):
                frame[U(j)] = prior[U(j)]
            x += TILE
            continue
        left, up = frame[U(i - 1)], frame[U(i - stride)]
        same, last = prior[U(i + same_at)], older[U(i + last_at)]
        pattern = U(patterns[U(x)]) | U(up == left) | U(frame[U(i - stride - 1)] == left) << U(1)
        pattern |= U(same == left) << U(2) | U(prior[U(i + before_at)] == left) << U(3) | U(last == left) << U(4)
        place = (((U(left) << U(32) | U(up) << U(16) | U(same)) * _HASH) >> place_shift) << U(2)
        value = frame[U(i)]
        x += 1

        hit = False
        guess = same
        for g in range(3):
            if g == 1:
                if left == same:
                    continue
                guess = left
            elif g == 2:
                if up == same or up == left:  # noqa: SIM109
                    continue
                guess = up
            ia, ib = pattern << U(2) | U(g), place | U(g)
            iw = (pattern & U(_WEIGHTED - 1)) << U(3) | U(2 * g)
            ca, cb = pattern_counters[ia], place_counters[ib]
            sa, sb = stretch(ca), stretch_narrow(cb)
            wa, wb = np.int64(guess_weights[iw]), np.int64(guess_weights[iw + U(1)])
            chance = squash(wa * sa + wb * sb)
            low, span, hit, overflowed = narrow(low, span, chance, value == guess, decoding)
            if overflowed or span <= WORD:
                at, low, span = settle(words, at, low, span, overflowed, decoding)
            pattern_counters[ia], place_counters[ib] = learn(ca, hit), learn_narrow(cb, hit)
            error = (np.int64(not hit) << 16) - np.int64(chance)
            guess_weights[iw], guess_weights[iw + U(1)] = adjusted(wa, sa, error), adjusted(wb, sb, error)
            if hit:
                break
        if hit:
            frame[U(i)] = guess
            continue

        both = U(left >> coarse) << U(16) | U(up >> coarse)
        prefix = U(1)
        rest = bits
        while rest > 0:
            step = ((rest - 1) & 3) + 1
            la = (((U(left) << U(18) | prefix << U(2)) * _HASH) >> line_shift) << U(4)
            lb = (((U(up) << U(18) | prefix << U(2) | U(1)) * _HASH) >> line_shift) << U(4)
            lc = (((U(same) << U(18) | prefix << U(2) | U(2)) * _HASH) >> line_shift) << U(4)
            ld = (((both << U(18) | prefix << U(2) | U(3)) * _HASH) >> line_shift) << U(4)
            node = U(1)
            for bit in range(rest - 1, rest - step - 1, -1):
                ia, ib, ic, id_ = la | node, lb | node, lc | node, ld | node
                iw = U(bit) << U(2)
                ca, cb, cc, cd = lines[ia], lines[ib], lines[ic], lines[id_]
                sa, sb, sc, sd = stretch_narrow(ca), stretch_narrow(cb), stretch_narrow(cc), stretch_narrow(cd)
                wa, wb = np.int64(weights[iw]), np.int64(weights[iw + U(1)])
                wc, wd = np.int64(weights[iw + U(2)]), np.int64(weights[iw + U(3)])
                chance = squash(wa * sa + wb * sb + wc * sc + wd * sd)
                given = (U(value) >> U(bit)) & U(1) != U(0)
                low, span, one, overflowed = narrow(low, span, chance, given, decoding)
                if overflowed or span <= WORD:
                    at, low, span = settle(words, at, low, span, overflowed, decoding)
                lines[ia], lines[ib] = learn_narrow(ca, one), learn_narrow(cb, one)
                lines[ic], lines[id_] = learn_narrow(cc, one), learn_narrow(cd, one)
                error = (np.int64(not one) << 16) - np.int64(chance)
                weights[iw], weights[iw + U(1)] = adjusted(wa, sa, error), adjusted(wb, sb, error)
                weights[iw + U(2)], weights[iw + U(3)] = adjusted(wc, sc, error), adjusted(wd, sd, error)
                node = node << U(1) | U(one)
            prefix = prefix << U(step) | (node - (U(1) << U(step)))
            rest -= step
        frame[U(i)] = np.uint16(min(prefix - (U(1) << U(bits)), U(k - 1)))
    coder[0], coder[1], coder[2] = at, low, span
