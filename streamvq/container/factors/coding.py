"""Lossless coding of stacks of quantized factors, frame by frame (FORMAT.md, section 10).

A stack is int32 [r, h, w]: r components of a factor. A frame's stacks come in pairs, left and right, one pair a
channel. All stacks are coded by one range coder and one model, component by component (factor_rows.py), and each
component may be foretold by those of the stack at its position in the frame before (`prior`) and of the channel
before (`other`). Components turn into each other from frame to frame: the first stack of a pair says which one of
the other stack each of its components is like. By then the second one's can be worked out: if A is nearly the same
matrix, A V' = A V (V^T V'), so its left factors L' = A V' are L (V^T V').
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from streamvq.container.entropy.range_coder import U, begin, code_bit, finish, learn
from streamvq.container.factors.rows import (
    ABOVE,
    BELOW,
    LEFT,
    RIGHT,
    TAPS,
    VALUE_MOST,
    code_plane,
    forget,
    new_model,
    with_room,
)

Shape = tuple[int, int, int]
_BAND = 6  # how far a component may move in rank
_ALIKE = 1200  # least cosine of components that are like each other, in 4096ths
_TURNED = 400  # least cosine that counts where components turned into each other
_POSITIONS, _COMPONENTS = 8, 256  # that have solvers of their own
_CHOICE_ROOM = 64  # words that are enough for a choice


def encode_stacks(frames: Sequence[Sequence[NDArray[np.int32]]]) -> bytes:
    """The stacks of some frames, each int32 [r, h, w], as bytes. Raises ValueError for samples beyond VALUE_MOST."""
    table = _table([[stack.shape for stack in frame] for frame in frames])
    flat = np.concatenate([np.zeros(0, np.int32), *(stack.reshape(-1) for frame in frames for stack in frame)])
    if not flat.size:
        return b""
    if max(int(flat.max()), -int(flat.min())) > VALUE_MOST:
        raise ValueError(f"a factor's values go from {-VALUE_MOST} to {VALUE_MOST}")
    words, used = _code(np.zeros(1024, np.uint32), flat.astype(np.int32), table, False)
    return words[:used].astype(">u4").tobytes().rstrip(b"\0")


def decode_stacks(data: bytes, shapes: Sequence[Sequence[Shape]]) -> list[list[NDArray[np.int32]]]:
    """The stacks of these shapes, int32 [r, h, w] each. Raises ValueError where data cannot be such stacks."""
    table = _table(shapes)
    sizes = [r * h * w for frame in shapes for r, h, w in frame]
    flat = np.zeros(sum(sizes), np.int32)
    words = np.frombuffer(data + bytes(-len(data) % 4), ">u4").astype(np.uint32)
    used = int(_code(words, flat, table, True)[1]) if flat.size else 0
    if len(words) > used:
        raise ValueError(f"{len(data)} bytes of factors: they end after {4 * used}")
    parts = iter(np.split(flat, np.cumsum(sizes[:-1], dtype=np.int64)))
    return [[next(parts).reshape(shape) for shape in frame] for frame in shapes]


def _table(shapes: Sequence[Sequence[Shape]]) -> NDArray[np.int64]:
    """The stacks that are not empty, in their order of coding: int64 [n, 9], each where it starts, r, h, w, kind (0 a
    line, 1 left, 2 right), position, and the rows of the first one of its pair, of `prior` and of `other`, or -1."""
    rows: list[tuple[int, ...]] = []
    start = 0
    before: dict[int, int] = {}
    for frame in shapes:
        starts = []
        for shape in frame:
            if len(shape) != 3 or min(shape) < 0:
                raise ValueError(f"no stack has the shape {shape}")
            starts.append(start)
            start += shape[0] * shape[1] * shape[2]
        here: dict[int, int] = {}
        order = sorted(range(len(frame)), key=lambda p: (p // 2, frame[p][1] * frame[p][2]))
        for position in order:
            r, h, w = frame[position]
            if r * h * w == 0:
                continue
            size = (1, h * w) if min(h, w) == 1 else (h, w)
            kind = 0 if size[0] == 1 else 1 + position % 2
            links = here.get(position ^ 1, -1), before.get(position, -1), here.get(position - 2, -1)
            first, prior, other = (link if link >= 0 else -1 for link in links)
            first = first if first >= 0 and rows[first][1] == r else -1
            prior, other = (link if link >= 0 and rows[link][2:4] == size else -1 for link in (prior, other))
            here[position] = len(rows)
            rows.append((starts[position], r, *size, kind, position % _POSITIONS, first, prior, other))
        before = here
    return np.array(rows, np.int64).reshape(-1, 9)


@njit(nogil=True)
def _root(x: Any) -> Any:
    """The whole part of a square root, up to 2^31 - 1."""
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
def _cosines(flat: Any, stack: Any, a: Any, n: Any, i: Any) -> Any:
    """The cosines, in 4096ths, of n samples from `a` on and a stack's components i - 6 to i + 6: int64 [13]."""
    found = np.zeros(2 * _BAND + 1, np.int64)
    length = _root(_dot(flat, a, a, n))
    for j in range(max(i - _BAND, 0), min(i + _BAND + 1, stack[1])):
        b = stack[0] + j * n
        size = length * _root(_dot(flat, b, b, n))
        dot = _dot(flat, a, b, n)
        if size >> 40:
            found[j - i + _BAND] = min(max(dot // (size >> 12), -4096), 4096)
        elif size:
            found[j - i + _BAND] = min(max((dot << 12) // size, -4096), 4096)
    return found


@njit(nogil=True)
def _chosen(flat: Any, stack: Any, a: Any, n: Any, i: Any, taken: Any) -> Any:
    """The component that n samples from `a` on are most like: how far from i, its sign (0: none), octaves."""
    cosines = np.where(taken != 0, 0, np.abs(_cosines(flat, stack, a, n, i)))
    best = np.argmax(cosines)
    if cosines[best] < _ALIKE:
        return 0, 0, 0
    b = stack[0] + (i + best - _BAND) * n
    mine, its = _dot(flat, a, a, n), _dot(flat, b, b, n)
    return best - _BAND, 1 if _dot(flat, a, b, n) > 0 else -1, int(mine > 2 * its) - int(its > 2 * mine)


@njit(nogil=True)
def _bit(words: Any, coder: Any, counters: Any, slot: Any, bit: Any, decoding: Any) -> Any:
    """Code a bit whose chance one counter foretells."""
    chance = U(min(max((int(counters[slot] >> 10) + 2097152) >> 6, 64), 65472))
    coder[0], coder[1], coder[2], bit = code_bit(words, coder[0], coder[1], coder[2], chance, bit, decoding)
    counters[slot] = learn(counters[slot], bit)
    return bit


@njit(nogil=True)
def _code_choice(words: Any, coder: Any, counters: Any, choice: Any, decoding: Any) -> Any:
    """Write or read a choice. Returns it as weights, in 4096ths, of the components i - 6 to i + 6: int64 [13]."""
    further, sign, octaves = choice
    weights = np.zeros(2 * _BAND + 1, np.int64)
    if _bit(words, coder, counters, 0, sign == 1 and further == 0 and octaves == 0, decoding):
        weights[_BAND] = 4096
    elif _bit(words, coder, counters, 1, sign != 0, decoding):
        weight = -4096 if _bit(words, coder, counters, 2, sign < 0, decoding) else 4096
        if _bit(words, coder, counters, 3, octaves != 0, decoding):
            weight = weight * 2 if _bit(words, coder, counters, 4, octaves > 0, decoding) else weight // 2
        node = 1
        for place in range(3, -1, -1):
            given = ((further + _BAND) >> place) & 1 != 0
            node = node << 1 | int(_bit(words, coder, counters, 4 + node, given, decoding))
        weights[min(node & 15, 2 * _BAND)] = weight
    return weights


@njit(nogil=True)
def _foretell(flat: Any, missed: Any, stack: Any, weights: Any, i: Any, size: Any, plane: Any, misses: Any) -> Any:
    """Into `plane`, the weighted components of a stack; into `misses`, what was missed in the weightiest."""
    h, w, stride = size
    total = np.zeros(h * w, np.int64)
    best, lead = np.int64(0), min(i, stack[1] - 1)
    for j in range(max(i - _BAND, 0), min(i + _BAND + 1, stack[1])):
        weight = weights[j - i + _BAND]
        if abs(weight) > best:
            best, lead = abs(weight), j
        if weight:
            start = stack[0] + j * h * w
            for k in range(h * w):
                total[k] += weight * np.int64(flat[start + k])
    start = stack[0] + lead * h * w
    for k in range(h * w):
        at = (k // w + ABOVE) * stride + LEFT + k % w
        plane[at] = min(max((total[k] + 2048) >> 12, -VALUE_MOST), VALUE_MOST)
        misses[at] = missed[start + k]
    _widen(plane, size)
    _widen(misses, size)


@njit(nogil=True)
def _widen(plane: Any, size: Any) -> Any:
    """Repeat a plane's outermost samples in its margins, as far as they are looked at."""
    h, w, stride = size
    for row in range(ABOVE * stride + LEFT, (ABOVE + h) * stride, stride):
        plane[row - 2 : row] = plane[row]
        plane[row + w : row + w + 2] = plane[row + w - 1]
    end = (ABOVE + h) * stride
    plane[(ABOVE - 1) * stride : ABOVE * stride] = plane[ABOVE * stride : (ABOVE + 1) * stride]
    plane[end : end + stride] = plane[end - stride : end]


@njit(nogil=True)
def _new_solvers(positions: Any, ranks: Any) -> Any:
    """The weights, the sums of products of inputs, and the slopes of all solvers."""
    return (
        np.zeros((positions, ranks, TAPS), np.int64),
        np.zeros((positions, ranks, TAPS, TAPS), np.int64),
        np.zeros((positions, ranks, TAPS), np.int64),
    )


@njit(nogil=True)
def _ready_solver(solvers: Any, position: Any, rank: Any, known: Any) -> Any:
    """The solver of a component; a new one learns from that of the component, or else the channel, before."""
    taps, grams, slopes = solvers
    solver = (taps[position, rank], grams[position, rank], slopes[position, rank])
    if known[position, rank]:
        forget(solver, 2)
        return solver
    known[position, rank] = True
    if rank:
        taps[position, rank] = taps[position, rank - 1]
        grams[position, rank] = grams[position, rank - 1] >> 4
    elif position >= 2:
        taps[position, rank] = taps[position - 2, rank]
    for k in range(TAPS):
        grams[position, rank, k, k] += 32
    return solver


@njit(nogil=True, cache=True)
def _code(words: Any, flat: Any, table: Any, decoding: Any) -> Any:
    """Write the stacks in `flat` into words, or read them. Returns the words, grown, and how many are used."""
    model = new_model()
    solvers = _new_solvers(min(table[:, 5].max() + 1, _POSITIONS), min(table[:, 1].max(), _COMPONENTS))
    known = np.zeros((_POSITIONS, _COMPONENTS), np.bool_)  # whose solvers have begun
    counters, stills = np.zeros((2, 3, 32), np.int32), np.zeros(2, np.int32)
    coder = np.array(begin(words, decoding))
    missed = np.zeros(flat.size, np.int32)
    for n in range(len(table)):
        start, r, h, w, kind, position, first, prior, other = table[n]
        size = (h, w, w + LEFT + RIGHT)
        planes = np.zeros((3, size[2] * (h + ABOVE + BELOW)), np.int32)  # as in code_plane
        misses = np.zeros((4, planes.shape[1]), np.int32)
        inner = planes[0].reshape(-1, size[2])[ABOVE : ABOVE + h, LEFT : LEFT + w]
        inner_misses = misses[0].reshape(-1, size[2])[ABOVE : ABOVE + h, LEFT : LEFT + w]
        still = False
        for i in range(r):
            mine = slice(start + i * h * w, start + (i + 1) * h * w)
            if not decoding:
                words = with_room(words, coder[0], _CHOICE_ROOM)
            if prior >= 0 and i < table[prior, 1]:
                its = slice(table[prior, 0] + i * h * w, table[prior, 0] + (i + 1) * h * w)
                still = _bit(words, coder, stills, int(still), (flat[mine] == flat[its]).all(), decoding)
                if still:
                    flat[mine] = flat[its]
                    missed[mine] = missed[its]
                    inner_misses[:] = missed[mine].reshape(h, w)
                    misses[1] = misses[0]
                    _widen(misses[1], size)
                    continue
            weights = np.zeros(2 * _BAND + 1, np.int64)
            for side in range(2):
                link = prior if side == 0 else other
                if side and other < 0 and first < 0:
                    link = prior  # the second one that it is like
                elif side:
                    weights[:] = 0
                if link < 0:
                    continue
                mate = table[link, 6]
                if first >= 0 and mate >= 0 and (table[first, 2:4] == table[mate, 2:4]).all():
                    area = table[first, 2] * table[first, 3]
                    weights = _cosines(flat, table[mate], table[first, 0] + i * area, area, i)
                    weights[np.abs(weights) < _TURNED] = 0
                else:
                    choice = (0, 0, 0)
                    if not decoding:
                        choice = _chosen(flat, table[link], mine.start, h * w, i, weights)
                    weights = _code_choice(words, coder, counters[side, kind], choice, decoding)
                _foretell(flat, missed, table[link], weights, i, size, planes[1 + side], misses[2 + side])
            rank = min(i, _COMPONENTS - 1)
            solver = _ready_solver(solvers, position, rank, known)
            planes[0] = 0
            misses[0] = 0
            inner[:] = flat[mine].reshape(h, w)
            words = code_plane(words, coder, kind, size, planes, misses, solver, model, decoding)
            flat[mine].reshape(h, w)[:] = inner
            missed[mine].reshape(h, w)[:] = inner_misses
            misses[1] = misses[0]
            _widen(misses[1], size)
    return words, coder[0] if decoding else finish(words, coder[0], coder[1], coder[2])
