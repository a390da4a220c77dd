"""Lossless coding of component stacks of quantized factors, frame by frame (FORMAT.md, section 10).

A stack is int32 [r, h, w]: r components of a factor. A frame's stacks come in linked pairs, left and right, one pair
a channel. All stacks are coded by one range coder and one model, component by component (rows.py). Two references
predict each: the temporal one, the stack at its position in the previous frame, and the inter-channel one, that of
the channel before. Components change places and mix from frame to frame: the first stack of a pair says which
component of the reference each of its own resembles. By then the second one's can be worked out: if A is nearly the
same matrix, A V' = A V (V^T V'), so its left factors L' = A V' are L (V^T V').
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.container.entropy.probabilities import code_adaptive_bit
from streamvq.container.entropy.range_coder import flush, init_coder, with_room
from streamvq.container.factors.components import code_plane, new_plane_model
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
    predict_plane,
    rotation_weights,
    stack_at,
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


@njit(nogil=True, cache=True)
def _code_stacks(words: Any, flat: Any, table: Any, decoding: Any) -> Any:
    """Write the stacks in `flat` into words, or read them. Returns the words, grown, and how many are used."""
    model = new_plane_model()
    predictors = new_predictors(min(table[:, 5].max() + 1, MAX_POSITIONS), min(table[:, 1].max(), MAX_COMPONENTS))
    started = np.zeros((MAX_POSITIONS, MAX_COMPONENTS), np.bool_)
    match_states = np.zeros((2, N_KINDS, N_MATCH_NODES), np.int32)
    skip_states = np.zeros(2, np.int32)  # by the last skip flag of the stack
    coder = init_coder(words, decoding)
    residuals = np.zeros(flat.size, np.int32)
    for n in range(len(table)):
        stack = stack_at(table, n)
        h, w = stack.height, stack.width
        size = (h, w, w + LEFT + RIGHT)
        planes = np.zeros((3, size[2] * (h + ABOVE + BELOW)), np.int32)
        around = np.zeros((4, planes.shape[1]), np.int32)  # residuals
        inner = planes[0].reshape(-1, size[2])[ABOVE : ABOVE + h, LEFT : LEFT + w]
        inner_residuals = around[0].reshape(-1, size[2])[ABOVE : ABOVE + h, LEFT : LEFT + w]
        skip = False
        for i in range(stack.rank):
            own = slice(stack.start + i * h * w, stack.start + (i + 1) * h * w)
            if not decoding:
                words = with_room(words, coder, _MATCH_WORDS)
            if stack.temporal >= 0 and i < table[stack.temporal, 1]:
                start = table[stack.temporal, 0] + i * h * w
                past = slice(start, start + h * w)
                equal = (flat[own] == flat[past]).all()
                coder, skip = code_adaptive_bit(words, coder, skip_states, int(skip), equal, decoding)
                if skip:
                    flat[own] = flat[past]
                    residuals[own] = residuals[past]
                    inner_residuals[:] = residuals[own].reshape(h, w)
                    around[1] = around[0]
                    extend(around[1], size)
                    continue
            weights = np.zeros(N_BAND, np.int64)
            for side in range(2):
                row = stack.temporal if side == 0 else stack.inter_channel
                if side and stack.inter_channel < 0 and stack.pair < 0:
                    row = stack.temporal  # the second component that it resembles; `weights` says the first
                elif side:
                    weights[:] = 0
                if row < 0:
                    continue
                reference = stack_at(table, row)
                rotation = rotation_weights(flat, table, stack, reference, i)
                if rotation.size:
                    weights = rotation
                else:
                    match = Match(0, 0, 0)
                    if not decoding:
                        match = find_match(flat, reference, own.start, h * w, i, weights)
                    coder, weights = code_match(words, coder, match_states[side, stack.kind], match, decoding)
                predict_plane(flat, residuals, reference, weights, i, size, planes[1 + side], around[2 + side])
            predictor = ready_predictor(predictors, stack.position, min(i, MAX_COMPONENTS - 1), started)
            planes[0] = 0
            around[0] = 0
            inner[:] = flat[own].reshape(h, w)
            words, coder = code_plane(
                words,
                coder,
                stack.kind,
                size,
                Planes(planes[0], planes[1], planes[2]),
                Residuals(around[0], around[1], around[2], around[3]),
                predictor,
                model,
                decoding,
            )
            flat[own].reshape(h, w)[:] = inner
            residuals[own].reshape(h, w)[:] = inner_residuals
            around[1] = around[0]
            extend(around[1], size)
    return words, coder.position if decoding else flush(words, coder)
