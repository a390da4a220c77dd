"""What predicts a component of a stack: planes made from the components of references (FORMAT.md, section 10.2)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from streamvq.compiling import njit
from streamvq.container.entropy.probabilities import code_adaptive_bit

MAX_VALUE = 1 << 20  # of a sample
LEFT, ABOVE, RIGHT, BELOW = 8, 2, 2, 1  # the margins of a plane; 8 columns hold the 6 samples that lines look back to
N_KINDS = 3  # of components: lines, left and right factors
LINE = 0
_BAND = 6  # how far a component may move in rank
N_BAND = 2 * _BAND + 1
_COSINE_BITS = 12  # of the fraction of cosines and weights
_ONE = 1 << _COSINE_BITS
_MIN_MATCH = 1200  # smallest cosine, 0.29, of a component that is worth predicting from
_MIN_ROTATION = 400  # smallest cosine, 0.1, that counts where components were rotated into each other
_LARGE_SIZE_BITS = 40  # from this product of lengths on the cosine divides first, to stay within 64 bits

# Binarization nodes of a match (FORMAT.md, section 10.2)
_SAME, _ANY, _NEGATIVE, _SCALED, _DOUBLED, _DISTANCE = 0, 1, 2, 3, 4, 4  # the nodes of a distance begin with 1
_DISTANCE_BITS = 4
N_MATCH_NODES = 32


class Planes(NamedTuple):
    """Flat planes with margins, int32: the samples of the component, and the two that predict it."""

    samples: Any
    temporal: Any
    inter_channel: Any


class Residuals(NamedTuple):
    """Magnitudes of residuals, in planes like `Planes`: the component's own, those of the component before it in its
    stack, and of the components that the two reference planes come from."""

    own: Any
    component_before: Any
    temporal: Any
    inter_channel: Any


class Stack(NamedTuple):
    """A row of the table of stacks, all int64. The last three are rows of that table, or -1."""

    start: Any  # of its samples
    rank: Any
    height: Any
    width: Any
    kind: Any  # 0 for lines, 1 left, 2 right
    position: Any  # in its frame, modulo MAX_POSITIONS
    pair: Any  # the other stack of the pair, if coded before
    temporal: Any
    inter_channel: Any


class Match(NamedTuple):
    """The component of a reference that one resembles: how far on, its sign (0: none), and 1 if the component is
    twice as strong, -1 if half."""

    distance: Any
    sign: Any
    octaves: Any


@njit(nogil=True)
def stack_at(table: Any, n: Any) -> Any:
    """Row n of the table."""
    t = table[n]
    return Stack(t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8])


@njit(nogil=True)
def _isqrt(x: Any) -> Any:
    """The square root of x, rounded down, at most 2^31 - 1; 0 for x < 0."""
    root = np.int64(0)
    bit = np.int64(1) << 30
    while bit:
        if (root | bit) * (root | bit) <= x:
            root |= bit
        bit >>= 1
    return root


@njit(nogil=True)
def _dot(flat: Any, a: Any, b: Any, n: Any) -> Any:
    """The sum of products of n samples from a and from b on."""
    total = np.int64(0)
    for k in range(n):
        total += np.int64(flat[a + k]) * np.int64(flat[b + k])
    return total


@njit(nogil=True)
def _fill_cosines(flat: Any, stack: Any, a: Any, n: Any, i: Any, cosines: Any) -> Any:
    """Fill `cosines`, int64 [13], in 4096ths: of n samples from `a` on and a stack's components i - 6 to i + 6."""
    for j in range(N_BAND):
        cosines[j] = 0
    length = _isqrt(_dot(flat, a, a, n))
    for j in range(max(i - _BAND, 0), min(i + _BAND + 1, stack.rank)):
        b = stack.start + j * n
        size = length * _isqrt(_dot(flat, b, b, n))
        dot = _dot(flat, a, b, n)
        if size >> _LARGE_SIZE_BITS:
            cosines[j - i + _BAND] = min(max(dot // (size >> _COSINE_BITS), -_ONE), _ONE)
        elif size:
            cosines[j - i + _BAND] = min(max((dot << _COSINE_BITS) // size, -_ONE), _ONE)


@njit(nogil=True)
def rotation_weights(flat: Any, table: Any, stack: Any, reference: Any, i: Any, weights: Any) -> Any:
    """Fill `weights`, int64 [13], with what the pairs of a stack and of its reference imply. False if they cannot."""
    if stack.pair < 0 or reference.pair < 0:
        return False
    pair, reference_pair = stack_at(table, stack.pair), stack_at(table, reference.pair)
    if pair.height != reference_pair.height or pair.width != reference_pair.width:
        return False
    area = pair.height * pair.width
    _fill_cosines(flat, reference_pair, pair.start + i * area, area, i, weights)
    for j in range(N_BAND):
        if abs(weights[j]) < _MIN_ROTATION:
            weights[j] = 0
    return True


@njit(nogil=True)
def find_match(flat: Any, stack: Any, a: Any, n: Any, i: Any, taken: Any, cosines: Any) -> Any:
    """The component that n samples from `a` on resemble most, of those not taken. `cosines` is overwritten."""
    _fill_cosines(flat, stack, a, n, i, cosines)
    best, largest = 0, np.int64(0)
    for j in range(N_BAND):
        if taken[j] == 0 and abs(cosines[j]) > largest:
            best, largest = j, abs(cosines[j])
    if largest < _MIN_MATCH:
        return Match(0, 0, 0)
    b = stack.start + (i + best - _BAND) * n
    own, other = _dot(flat, a, a, n), _dot(flat, b, b, n)
    sign = 1 if _dot(flat, a, b, n) > 0 else -1
    return Match(best - _BAND, sign, int(own > 2 * other) - int(other > 2 * own))


@njit(nogil=True)
def code_match(words: Any, coder: Any, states: Any, match: Any, weights: Any, decoding: Any) -> Any:
    """Code a match. Returns the coder; `weights`, in 4096ths, are of the components i - 6 to i + 6: int64 [13]."""
    distance, sign, octaves = match
    for j in range(N_BAND):
        weights[j] = 0
    same = sign == 1 and distance == 0 and octaves == 0
    coder, same = code_adaptive_bit(words, coder, states, _SAME, same, decoding)
    if same:
        weights[_BAND] = _ONE
        return coder
    coder, any_match = code_adaptive_bit(words, coder, states, _ANY, sign != 0, decoding)
    if not any_match:
        return coder
    coder, negative = code_adaptive_bit(words, coder, states, _NEGATIVE, sign < 0, decoding)
    weight = -_ONE if negative else _ONE
    coder, scaled = code_adaptive_bit(words, coder, states, _SCALED, octaves != 0, decoding)
    if scaled:
        coder, doubled = code_adaptive_bit(words, coder, states, _DOUBLED, octaves > 0, decoding)
        weight = weight * 2 if doubled else weight // 2
    node = 1
    for bit_index in range(_DISTANCE_BITS - 1, -1, -1):
        bit = ((distance + _BAND) >> bit_index) & 1 != 0
        coder, bit = code_adaptive_bit(words, coder, states, _DISTANCE + node, bit, decoding)
        node = node << 1 | int(bit)
    weights[min(node & ((1 << _DISTANCE_BITS) - 1), 2 * _BAND)] = weight
    return coder


@njit(nogil=True)
def predict_plane(
    flat: Any,
    residuals: Any,
    stack: Any,
    weights: Any,
    i: Any,
    size: Any,
    plane: Any,
    around: Any,
    total: Any,
) -> Any:
    """Fill `plane` with the weighted components of a stack, and `around` with the residuals of the weightiest.

    `total`, int64 [h * w], is overwritten.
    """
    h, w, stride = size
    for k in range(h * w):
        total[k] = 0
    largest, lead = np.int64(0), min(i, stack.rank - 1)
    for j in range(max(i - _BAND, 0), min(i + _BAND + 1, stack.rank)):
        weight = weights[j - i + _BAND]
        if abs(weight) > largest:
            largest, lead = abs(weight), j
        if weight:
            start = stack.start + j * h * w
            for k in range(h * w):
                total[k] += weight * np.int64(flat[start + k])
    start = stack.start + lead * h * w
    for k in range(h * w):
        position = (k // w + ABOVE) * stride + LEFT + k % w
        plane[position] = min(max((total[k] + _ONE // 2) >> _COSINE_BITS, -MAX_VALUE), MAX_VALUE)
        around[position] = residuals[start + k]
    extend(plane, size)
    extend(around, size)


@njit(nogil=True)
def to_plane(flat: Any, start: Any, plane: Any, size: Any) -> Any:
    """Copy the component from `start` on into a plane."""
    h, w, stride = size
    for y in range(h):
        row = (y + ABOVE) * stride + LEFT
        for x in range(w):
            plane[row + x] = flat[start + y * w + x]


@njit(nogil=True)
def from_plane(flat: Any, start: Any, plane: Any, size: Any) -> Any:
    """The other way round."""
    h, w, stride = size
    for y in range(h):
        row = (y + ABOVE) * stride + LEFT
        for x in range(w):
            flat[start + y * w + x] = plane[row + x]


@njit(nogil=True)
def extend(plane: Any, size: Any) -> Any:
    """Repeat a plane's outermost samples in its margins, as far as they are read."""
    h, w, stride = size
    for row in range(ABOVE * stride + LEFT, (ABOVE + h) * stride, stride):
        for k in range(2):
            plane[row - 1 - k] = plane[row]
            plane[row + w + k] = plane[row + w - 1]
    end = (ABOVE + h) * stride
    for k in range(ABOVE * stride, (ABOVE + 1) * stride):
        plane[k - stride] = plane[k]
    for k in range(end, end + stride):
        plane[k] = plane[k - stride]
