"""Fewer bits for a chosen loss: codes of neighbors are kept where they cost little.

Entropy-constrained vector quantization (Chou, Lookabaugh and Gray 1989): of the nearest code and those of the frame
before, to the left and above, each place takes the one of least error + lambda x bits. The bits are those of a small
adaptive model, much like the one that the index coder has. Places are decided in row order, so that a choice is
seen by those after it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_ONE = 1 << 12  # of a probability
_RATE = 5  # a probability moves by 2^-5 of the way
_BIT = 256  # of a cost
_NEW_CODE = 0.7  # a new code costs about this share of its plain bits
_ERROR = 1 << 16  # a unit of squared error
_PATTERNS = 64  # which of the codes around are equal
_COSTS = np.rint(-_BIT * np.log2(np.maximum(np.arange(_ONE + 1), 1) / _ONE)).astype(np.int64)


def rd_optimize(
    samples: NDArray,
    nearest: NDArray,
    codes: NDArray[np.uint8],
    factors: NDArray[np.int16],
    before: NDArray | None,
    strength: float,
) -> NDArray:
    """Codes that cost fewer bits than the `nearest`, [rows, columns], of the same type.

    `samples` is uint8 [rows, columns, d], `codes` [k, d]; differences count times `factors` [d]. `before` are the
    codes chosen for the frame before, or None. A bit is worth a squared error of `strength` squared.
    """
    chosen = np.empty_like(nearest)
    new_code = int(_BIT * _NEW_CODE * np.log2(max(2, len(codes))))
    former = nearest if before is None else before
    squares = factors.astype(np.int32) ** 2
    worth = np.int64(round(strength**2 * _ERROR / _BIT))
    _choose(samples, nearest, codes, squares, former, before is not None, worth, new_code, _COSTS, chosen)
    return chosen


@njit(nogil=True, cache=True)
def _choose(
    samples: Any,
    nearest: Any,
    codes: Any,
    squares: Any,
    before: Any,
    moving: Any,
    worth: Any,
    new_code: Any,
    costs: Any,
    chosen: Any,
) -> None:
    """`worth` is the squared error, in 2^-16, that a 256th of a bit is worth."""
    rows, columns = nearest.shape
    chances = np.full((_PATTERNS, 3), _ONE // 2, np.int64)  # that the code is that of before, left, above
    options = np.zeros(3, np.int64)
    for y in range(rows):
        for x in range(columns):
            options[1] = chosen[y, x - 1] if x else (chosen[y - 1, x] if y else nearest[y, x])
            options[2] = chosen[y - 1, x] if y else options[1]
            options[0] = before[y, x] if moving else options[1]
            corner = chosen[y - 1, x - 1] if y and x else options[2]
            right = chosen[y - 1, x + 1] if y and x + 1 < columns else options[2]
            pattern = np.int64(options[0] == options[1]) | np.int64(options[0] == options[2]) << 1
            pattern |= np.int64(options[1] == options[2]) << 2 | np.int64(corner == options[2]) << 3
            pattern |= np.int64(right == options[2]) << 4 | np.int64(moving) << 5
            chance = chances[pattern]
            point = samples[y, x]
            best = np.int64(nearest[y, x])
            price = costs[_ONE - chance[0]] + costs[_ONE - chance[1]] + costs[_ONE - chance[2]] + new_code
            nothing_less = np.int64(_distance(point, codes[best], squares))  # no other code has
            least = nothing_less * _ERROR + worth * price
            spent = 0
            for i in range(3):
                option = options[i]
                price = spent + costs[chance[i]]
                if nothing_less * _ERROR + worth * price < least:
                    cost = np.int64(_distance(point, codes[option], squares)) * _ERROR + worth * price
                    if cost < least:
                        least, best = cost, option
                spent += costs[_ONE - chance[i]]
            chosen[y, x] = best
            for i in range(3):
                if options[i] == best:
                    chance[i] += (_ONE - chance[i]) >> _RATE
                    break
                chance[i] -= chance[i] >> _RATE


@njit(nogil=True, inline="always")
def _distance(a: Any, b: Any, squares: Any) -> Any:
    """Squared distance of samples that count `squares` times."""
    distance = np.int32(0)
    for c in range(len(a)):
        difference = np.int32(a[c]) - np.int32(b[c])
        distance += difference * difference * squares[c]
    return distance
