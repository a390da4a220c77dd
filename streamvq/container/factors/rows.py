"""The samples of one component of a stack of factors (FORMAT.md, section 10.3, 10.4).

A sample is foretold by a weighted sum of those around it, in its component and in two others that were coded before.
The weights solve least squares over the samples so far, one weight at a time, as far as each sample's few steps go.
What the sum misses is coded as its bit length, asked for from a likely one on, its lower bits and its sign. The
chances of the bits are mixed from counters that know how large the misses nearby were.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from streamvq.container.entropy.range_coder import WORD, U, adjusted, learn, narrow, settle, squash, stretch

VALUE_MOST = 1 << 20
LEFT, ABOVE, RIGHT, BELOW = 8, 2, 2, 1  # the margins of a plane
TAPS = 12  # weights of a sum
_ROOM = 16  # words that are enough for a sample
_WITHIN, _PRIOR, _OTHER = 4, 5, 3  # how many of them are for each plane
_STEPS = 3  # weights that are solved for after each sample
_WINDOW = 512  # samples after which older ones count half
_WEIGHT_MOST = 1 << 19
_GRADIENT_MOST = 1 << 54
_LENGTH_MOST = 22  # of what is missed, in bits
_CONTEXTS = 5
_SLOTS = 128  # of a context: three kinds of question, each about 22 lengths


def _logs() -> Any:
    """By x: twice its bit length less 1, and 1 if the bit below the top one is set; 0 for 0, 1 for 1."""
    x = np.arange(4096)
    length = np.frexp(x.astype(np.float64))[1]
    return np.where(x > 1, 2 * length - 2 + (x >> np.maximum(length - 2, 0) & 1), x).astype(np.uint8)


_LOGS = _logs()


@njit(nogil=True, forceinline=True)
def _log(x: Any) -> Any:
    """Twice the binary logarithm of x >= 0, cut to whole numbers, at most 31."""
    if x < 4096:
        return np.int64(_LOGS[U(x)])
    return min(np.int64(_LOGS[U(min(x >> 10, 4095))]) + 20, 31)


@njit(nogil=True, cache=True)
def new_model() -> Any:
    """The counters of lengths, lower bits and signs, and the weights of lengths and signs."""
    return (
        np.zeros(_CONTEXTS * 1024 * _SLOTS, np.int32),
        np.zeros(3 << 11, np.int32),
        np.zeros(3 << 12, np.int32),
        np.full(3 * _SLOTS * 8, 20000, np.int32),
        np.full(3 << 4, 24000, np.int32),
    )


@njit(nogil=True, forceinline=True)
def _solve(xs: Any, error: Any, solver: Any, turn: Any) -> Any:
    """Take in a sample: its inputs and, in 256ths, what their sum missed. Returns the weight to go on with."""
    taps, grams, slopes = solver
    for j in range(TAPS):
        x = xs[U(j)]
        slopes[U(j)] += x * error
        for k in range(TAPS):
            grams[U(j), U(k)] += x * xs[U(k)]
    for _ in range(_STEPS):
        slope = min(max(slopes[U(turn)], -_GRADIENT_MOST), _GRADIENT_MOST)
        old = taps[U(turn)]
        new = min(max(old + (slope << 8) // grams[U(turn), U(turn)], -_WEIGHT_MOST), _WEIGHT_MOST)
        taps[U(turn)] = new
        for k in range(TAPS):
            slopes[U(k)] -= ((new - old) * grams[U(turn), U(k)]) >> 8
        turn = turn + 1 if turn < TAPS - 1 else 0
    return turn


@njit(nogil=True)
def forget(solver: Any, octaves: Any) -> Any:
    """Let all samples so far count less: half, a quarter."""
    _, grams, slopes = solver
    for j in range(TAPS):
        slopes[j] >>= octaves
        for k in range(TAPS):
            grams[j, k] >>= octaves
        grams[j, j] += 8


@njit(nogil=True)
def with_room(words: Any, at: Any, more: Any) -> Any:
    """The words, or a longer copy, with room for some more from `at` on."""
    if words.size >= np.int64(at) + more + 8:
        return words
    grown = np.zeros(2 * words.size + more, np.uint32)
    grown[: words.size] = words
    return grown


@njit(nogil=True, cache=True)
def code_plane(
    words: Any,
    coder: Any,
    kind: Any,
    size: Any,
    planes: Any,
    misses: Any,
    solver: Any,
    model: Any,
    decoding: Any,
) -> Any:
    """Write or read the samples of a component. Returns the words, grown where writing.

    `planes` are its own samples, those foretold by the frame before, and those by the channel before; `misses`, how
    much was missed in it, in the component before, and in what foretold the two planes: int32 [3 or 4, area], with
    margins. `size` is the height, the width and the stride; `kind` 0 is a line.
    """
    height, width, stride = size
    spots = np.array([-1, -stride, -stride - 1, 1 - stride, -2, -2 * stride])
    nears = np.array([0, -1, -stride, 1, stride])
    if kind == 0:
        spots[:] = np.array([-1, -2, -3, -4, -5, -6])
        nears[:] = np.array([0, -1, 1, -2, 2])
    plane, prior, other = planes[0], planes[1], planes[2]
    missed, before, prior_missed, other_missed = misses[0], misses[1], misses[2], misses[3]
    counters, low_bits, signs, weights, sign_weights = model
    taps = solver[0]
    at, low, span = coder[0], coder[1], coder[2]
    xs = np.zeros(TAPS, np.int64)
    slots = np.zeros(_CONTEXTS, np.int64)
    odds = np.zeros(_CONTEXTS, np.int64)
    turn = 0
    seen = 0
    for y in range(height):
        first = (y + ABOVE) * stride + LEFT
        if not decoding:
            words = with_room(words, at, _ROOM * width)
        if y:
            plane[first - 2 : first] = plane[first - stride]
            missed[first - 2 : first] = missed[first - stride]
        for i in range(first, first + width):
            if y == 0:
                up = i - stride
                plane[U(up)] = plane[U(up + 1)] = plane[U(up - stride)] = plane[U(i - 1)]
                missed[U(up)] = missed[U(up + 1)] = missed[U(up - stride)] = missed[U(i - 1)]
            for k in range(_WITHIN):
                xs[U(k)] = plane[U(i + spots[U(k)])]
            for k in range(_PRIOR):
                xs[U(k + _WITHIN)] = prior[U(i + nears[U(k)])]
            for k in range(_OTHER):
                xs[U(k + _WITHIN + _PRIOR)] = other[U(i + nears[U(k)])]
            total: Any = np.int64(0)
            some = np.int64(0)
            for k in range(TAPS):
                total += xs[U(k)] * taps[U(k)]
                some |= xs[U(k)]
            total = min(max(total >> 8, -VALUE_MOST << 8), VALUE_MOST << 8)
            guess = (total + 128) >> 8
            part = total - (guess << 8)
            mirrored = part < 0  # what is missed is coded as if the sum were above the guess
            part = min(abs(part) >> 5, 3)

            inside = np.int64(missed[U(i + spots[0])]) + np.int64(missed[U(i + spots[1])])
            for k in range(6):
                inside += np.int64(missed[U(i + spots[U(k)])])
            below, then = 3 * np.int64(before[U(i)]), 3 * np.int64(prior_missed[U(i)])
            there = 3 * np.int64(other_missed[U(i)])
            for k in range(5):
                near = U(i + nears[U(k)])
                below += np.int64(before[near])
                then += np.int64(prior_missed[near])
                there += np.int64(other_missed[near])
            around = _log((3 * inside + 2 * below + 2 * then + there) >> 3)
            from_prior = (np.int64(prior[U(i)]) << 8) - total
            from_other = (np.int64(other[U(i)]) << 8) - total
            prior_log, other_log = _log(abs(from_prior) >> 6), _log(abs(from_other) >> 6)
            inside = _log(inside)
            slots[0] = inside << 5 | min(_log(below) >> 1, 7) << 2 | kind
            slots[1] = 1024 | around << 4 | part << 2 | kind
            slots[2] = 2048 | _log(there) << 5 | other_log
            slots[3] = 3072 | prior_log << 5 | _log(then)
            slots[4] = 4096 | _log(abs(total) >> 5) << 5 | around
            start = max((around >> 1) - 3, 0)

            miss = np.int64(plane[U(i)]) - guess
            if mirrored:
                miss = -miss
            length = np.int64(0)
            if not decoding:
                while abs(miss) >> length:
                    length += 1
            question = start  # is the length greater? First any, then upwards (32), or downwards (64)
            while True:
                mixed = np.int64(0)
                iw = (kind << 7 | question) << 3
                for k in range(_CONTEXTS):
                    odds[U(k)] = stretch(counters[U(slots[U(k)] << 7 | question)])
                    mixed += odds[U(k)] * np.int64(weights[U(iw + k)])
                chance = squash(mixed)
                low, span, more, overflowed = narrow(low, span, chance, length > (question & 31), decoding)
                if overflowed or span <= WORD:
                    at, low, span = settle(words, at, low, span, overflowed, decoding)
                error = (np.int64(not more) << 16) - np.int64(chance)
                for k in range(_CONTEXTS):
                    counters[U(slots[U(k)] << 7 | question)] = learn(counters[U(slots[U(k)] << 7 | question)], more)
                    weights[U(iw + k)] = adjusted(np.int64(weights[U(iw + k)]), odds[U(k)], error)
                if more:
                    question += 1
                    if question > 64 or question & 31 == _LENGTH_MOST:
                        break
                    question |= 32
                else:
                    if question & 63 == 0 or question & 32:
                        break
                    question = (question - 1) | 64
            length = question & 31
            value = np.int64(0)
            if length:
                value = np.int64(1)
                for place in range(length - 2, -1, -1):
                    given = (abs(miss) >> place) & 1 != 0
                    depth = length - 2 - place
                    if depth < 3:
                        im = (kind << 5 | length) << 6 | min(max(start - length + 3, 0), 7) << 3
                        im |= 1 << depth | (value & ((1 << depth) - 1))
                        chance = U(min(max((int(low_bits[U(im)] >> 10) + 2097152) >> 6, 64), 65472))
                    else:
                        im = 0
                        chance = U(32768)
                    low, span, one, overflowed = narrow(low, span, chance, given, decoding)
                    if overflowed or span <= WORD:
                        at, low, span = settle(words, at, low, span, overflowed, decoding)
                    if depth < 3:
                        low_bits[U(im)] = learn(low_bits[U(im)], one)
                    value = value << 1 | np.int64(one)
                side = kind << 2 | part
                toward_prior = np.int64((from_prior < 0) != mirrored) << 3 | min(prior_log >> 1, 7)
                toward_other = np.int64((from_other < 0) != mirrored) << 3 | min(other_log >> 1, 7)
                ia = side << 5 | around
                ib = 512 + ((side << 4 | toward_prior) << 4 | around >> 1)
                ic = 4096 + ((side << 4 | toward_prior) << 4 | toward_other)
                sa, sb, sc = stretch(signs[U(ia)]), stretch(signs[U(ib)]), stretch(signs[U(ic)])
                iw = side << 2
                wa, wb = np.int64(sign_weights[U(iw)]), np.int64(sign_weights[U(iw + 1)])
                wc = np.int64(sign_weights[U(iw + 2)])
                chance = squash(sa * wa + sb * wb + sc * wc)
                low, span, one, overflowed = narrow(low, span, chance, miss < 0, decoding)
                if overflowed or span <= WORD:
                    at, low, span = settle(words, at, low, span, overflowed, decoding)
                signs[U(ia)], signs[U(ib)] = learn(signs[U(ia)], one), learn(signs[U(ib)], one)
                signs[U(ic)] = learn(signs[U(ic)], one)
                error = (np.int64(not one) << 16) - np.int64(chance)
                sign_weights[U(iw)] = adjusted(wa, sa, error)
                sign_weights[U(iw + 1)] = adjusted(wb, sb, error)
                sign_weights[U(iw + 2)] = adjusted(wc, sc, error)
                missed[U(i)] = value
                if one != mirrored:
                    value = -value
                value += guess
            else:
                missed[U(i)] = 0
                value = guess
            if decoding:
                plane[U(i)] = min(max(value, -VALUE_MOST), VALUE_MOST)
            if some:
                turn = _solve(xs, (np.int64(plane[U(i)]) << 8) - total, solver, turn)
                seen += 1
                if seen == _WINDOW:
                    seen = _WINDOW // 2
                    forget(solver, 1)
        end = first + width
        plane[end : end + 2] = plane[end - 1]
        missed[end : end + 2] = missed[end - 1]
    coder[0], coder[1], coder[2] = at, low, span
    return words
