"""Lossless coding of component stacks of quantized factors, frame by frame (FORMAT.md, section 10).

A stack is int32 [r, h, w]: r components of a factor. A frame's stacks come in linked pairs, left and right, one pair
a channel. All stacks are coded by one range coder and one model, component by component (components.py). Two
references predict each: the temporal one, the stack at its position in the previous frame, and the inter-channel one,
that of the channel before. Components change places and mix from frame to frame: the first stack of a pair says which
component of the reference each of its own resembles. By then the second one's can be worked out: if A is nearly the
same matrix, A V' = A V (V^T V'), so its left factors L' = A V' are L (V^T V').
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.container.entropy.probabilities import code_adaptive_bit
from streamvq.container.entropy.range_coder import finish, load_coder, new_coder, store_coder, with_space
from streamvq.container.factors.components import WORDS_PER_SAMPLE, code_plane, new_plane_model, new_scratch
from streamvq.container.factors.predictor import MAX_COMPONENTS, MAX_POSITIONS, new_predictors, ready_predictor
from streamvq.container.factors.references import (
    ABOVE,
    BELOW,
    LEFT,
    LINE,
    MAX_VALUE,
    N_BAND,
    N_KINDS,
    N_MATCH_NODES,
    RIGHT,
    Match,
    Planes,
    Residuals,
    Stack,
    code_match,
    extend,
    find_match,
    from_plane,
    predict_plane,
    rotation_weights,
    stack_at,
    to_plane,
)

Shape = tuple[int, int, int]
_FIRST_WORDS = 1024  # of the encoder's buffer, which grows
_MATCH_WORDS = 64  # no match takes more


def encode_stacks(frames: Sequence[Sequence[NDArray[np.int32]]]) -> bytes:
    """The stacks of some frames, each int32 [r, h, w], as bytes. Raises ValueError for samples beyond MAX_VALUE."""
    table = _table([[stack.shape for stack in frame] for frame in frames])
    flat = np.concatenate([np.zeros(0, np.int32), *(stack.reshape(-1) for frame in frames for stack in frame)])
    if not flat.size:
        return b""
    if max(int(flat.max()), -int(flat.min())) > MAX_VALUE:
        raise ValueError(f"a factor's values go from {-MAX_VALUE} to {MAX_VALUE}")
    words, used = _code_stacks(np.zeros(_FIRST_WORDS, np.uint32), flat.astype(np.int32), table, False)
    return words[:used].astype(">u4").tobytes().rstrip(b"\0")


def decode_stacks(data: bytes, shapes: Sequence[Sequence[Shape]]) -> list[list[NDArray[np.int32]]]:
    """The stacks of these shapes, int32 [r, h, w] each. Raises ValueError where data cannot be such stacks."""
    table = _table(shapes)
    sizes = [r * h * w for frame in shapes for r, h, w in frame]
    flat = np.zeros(sum(sizes), np.int32)
    words = np.frombuffer(data + bytes(-len(data) % 4), ">u4").astype(np.uint32)
    used = int(_code_stacks(words, flat, table, True)[1]) if flat.size else 0
    if len(words) > used:
        raise ValueError(f"{len(data)} bytes of factors: they end after {4 * used}")
    parts = iter(np.split(flat, np.cumsum(sizes[:-1], dtype=np.int64)))
    return [[next(parts).reshape(shape) for shape in frame] for frame in shapes]


def _table(shapes: Sequence[Sequence[Shape]]) -> NDArray[np.int64]:
    """The stacks that are not empty, in their order of coding: int64 [n, 9], the fields of `Stack` (section 10.1)."""
    rows: list[tuple[int, ...]] = []
    start = 0
    previous: dict[int, int] = {}
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
            kind = LINE if size[0] == 1 else 1 + position % 2
            pair = here.get(position ^ 1, -1)
            references = previous.get(position, -1), here.get(position - 2, -1)
            pair = pair if pair >= 0 and rows[pair][1] == r else -1
            temporal, channel = (row if row >= 0 and rows[row][2:4] == size else -1 for row in references)
            here[position] = len(rows)
            rows.append((starts[position], r, *size, kind, position % MAX_POSITIONS, pair, temporal, channel))
        previous = here
    return np.array(rows, np.int64).reshape(-1, len(Stack._fields))


class _Learned(NamedTuple):
    """What a group learns while it is coded."""

    model: Any  # of residuals
    predictors: Any
    started: Any  # bool [positions, components], of the predictors
    match_states: Any  # by side, kind and node
    skip_states: Any  # by the last skip flag of the stack


class _Work(NamedTuple):
    """Arrays for the components of a stack."""

    planes: Any  # int32 [7, n]: those of `Planes`, then those of `Residuals`
    totals: Any  # int64 [height * width]
    weights: Any  # int64 [13] of the components of a reference
    cosines: Any


def _code_stacks(
    words: NDArray[np.uint32], flat: NDArray[np.int32], table: NDArray[np.int64], decoding: bool
) -> tuple[NDArray[np.uint32], int]:
    """Write the stacks in `flat` into words, or read them. Returns the words, grown, and how many are used."""
    learned = _Learned(
        new_plane_model(),
        new_predictors(min(int(table[:, 5].max()) + 1, MAX_POSITIONS), min(int(table[:, 1].max()), MAX_COMPONENTS)),
        np.zeros((MAX_POSITIONS, MAX_COMPONENTS), np.bool_),
        np.zeros((2, N_KINDS, N_MATCH_NODES), np.int32),
        np.zeros(2, np.int32),
    )
    coder = new_coder(words, decoding)
    residuals = np.zeros(flat.size, np.int32)
    for n, (_, rank, height, width, kind, *_) in enumerate(table.tolist()):
        if not decoding:
            words = with_space(words, coder, rank * (_MATCH_WORDS + WORDS_PER_SAMPLE * height * width))
        stride = width + LEFT + RIGHT
        planes = np.zeros((7, stride * (height + ABOVE + BELOW)), np.int32)
        work = _Work(planes, np.zeros(height * width, np.int64), *np.zeros((2, N_BAND), np.int64))
        _code_stack(words, coder, flat, residuals, table, n, work, new_scratch(kind, stride), learned, decoding)
    return words, int(coder[0] if decoding else finish(words, coder))


@njit(nogil=True, cache=True)
def _code_stack(
    words: Any,
    state: Any,
    flat: Any,
    residuals: Any,
    table: Any,
    n: Any,
    work: Any,
    scratch: Any,
    learned: Any,
    decoding: Any,
) -> Any:
    """Code one stack, component by component."""
    coder = load_coder(state)
    model, predictors, started, match_states, skip_states = learned
    all_planes, totals, weights, cosines = work
    planes = Planes(all_planes[0], all_planes[1], all_planes[2])
    around = Residuals(all_planes[3], all_planes[4], all_planes[5], all_planes[6])
    stack = stack_at(table, n)
    area = stack.height * stack.width
    size = (stack.height, stack.width, stack.width + LEFT + RIGHT)
    skip = False
    for i in range(stack.rank):
        own = stack.start + i * area
        if stack.temporal >= 0 and i < table[stack.temporal, 1]:
            past = table[stack.temporal, 0] + i * area
            equal = not decoding and _equal(flat, own, past, area)
            coder, skip = code_adaptive_bit(words, coder, skip_states, int(skip), equal, decoding)
            if skip:
                for k in range(area):
                    flat[own + k] = flat[past + k]
                    residuals[own + k] = residuals[past + k]
                to_plane(residuals, own, around.component_before, size)
                extend(around.component_before, size)
                continue
        for j in range(N_BAND):
            weights[j] = 0
        for side in range(2):
            row = stack.temporal if side == 0 else stack.inter_channel
            if side and stack.inter_channel < 0 and stack.pair < 0:
                row = stack.temporal  # the second component that it resembles; `weights` says the first
            elif side:
                for j in range(N_BAND):
                    weights[j] = 0
            if row < 0:
                continue
            reference = stack_at(table, row)
            if not rotation_weights(flat, table, stack, reference, i, weights):
                match = Match(0, 0, 0)
                if not decoding:
                    match = find_match(flat, reference, own, area, i, weights, cosines)
                coder = code_match(words, coder, match_states[side, stack.kind], match, weights, decoding)
            plane, residual_plane = all_planes[1 + side], all_planes[5 + side]
            predict_plane(flat, residuals, reference, weights, i, size, plane, residual_plane, totals)
        predictor = ready_predictor(predictors, stack.position, min(i, MAX_COMPONENTS - 1), started)
        for k in range(planes.samples.size):
            planes.samples[k] = 0
            around.own[k] = 0
        to_plane(flat, own, planes.samples, size)
        coder = code_plane(words, coder, stack.kind, size, planes, around, predictor, model, scratch, decoding)
        from_plane(flat, own, planes.samples, size)
        from_plane(residuals, own, around.own, size)
        to_plane(residuals, own, around.component_before, size)
        extend(around.component_before, size)
    store_coder(state, coder)


@njit(nogil=True)
def _equal(flat: Any, a: Any, b: Any, n: Any) -> Any:
    """Whether n samples from a and from b on are the same."""
    k = 0
    while k < n and flat[a + k] == flat[b + k]:
        k += 1
    return k == n
