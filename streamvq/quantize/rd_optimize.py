"""Rate-distortion optimization of codes: those of neighbors are kept where they cost little error.

Entropy-constrained vector quantization (Chou, Lookabaugh and Gray 1989): of the nearest code and those of the
previous frame, to the left and above, each position takes the one of least error + lambda x bits. The bits are those
of a small adaptive model, much like the one that the index coder has. Positions are decided in row order, so that a
decision is seen by those after it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit

_PROBABILITY_ONE = 1 << 12
_ADAPTATION_SHIFT = 5  # a probability moves by 2^-5 of the way
_BIT = 256  # rates are in 256ths of a bit
_NEW_CODE_SHARE = 0.7  # of its plain bits is about what a new code costs
_ERROR_ONE = 1 << 16  # costs are in 2^-16 of a squared error
_CONTEXTS = 64  # which of the neighboring codes are equal, and whether there is a previous frame: 6 bits
_RATES = np.rint(-_BIT * np.log2(np.maximum(np.arange(_PROBABILITY_ONE + 1), 1) / _PROBABILITY_ONE)).astype(
    np.int64
)  # of an event by its probability


def rd_optimize(
    samples: NDArray,
    nearest: NDArray,
    codes: NDArray,
    scales: NDArray[np.int16],
    previous: NDArray | None,
    lambda_: float,
) -> NDArray:
    """Codes that cost fewer bits than the `nearest`, [rows, columns], of the same type.

    `samples` is uint8 or int16 [rows, columns, d], `codes` [k, d]; differences count times `scales` [d]. `previous`
    are the codes chosen for the previous frame, or None. A bit is worth a squared error of `lambda_`.
    """
    chosen = np.empty_like(nearest)
    new_code_rate = int(_BIT * _NEW_CODE_SHARE * np.log2(max(2, len(codes))))
    squares = scales.astype(np.int32) ** 2
    fixed_lambda = np.int64(round(lambda_ * _ERROR_ONE / _BIT))
    _choose(
        samples,
        nearest,
        codes,
        squares,
        nearest if previous is None else previous,
        previous is not None,
        fixed_lambda,
        new_code_rate,
        _RATES,
        chosen,
    )
    return chosen


@njit(nogil=True, cache=True)
def _choose(
    samples: Any,
    nearest: Any,
    codes: Any,
    squares: Any,
    previous: Any,
    has_previous: Any,
    lambda_: Any,
    new_code_rate: Any,
    rates: Any,
    chosen: Any,
) -> None:
    """`lambda_` is the squared error, in 2^-16, that a 256th of a bit is worth."""
    rows, columns = nearest.shape
    # that the code is that of the previous frame, to the left, above
    probabilities = np.full((_CONTEXTS, 3), _PROBABILITY_ONE // 2, np.int64)
    candidates = np.zeros(3, np.int64)
    for y in range(rows):
        for x in range(columns):
            candidates[1] = chosen[y, x - 1] if x else (chosen[y - 1, x] if y else nearest[y, x])
            candidates[2] = chosen[y - 1, x] if y else candidates[1]
            candidates[0] = previous[y, x] if has_previous else candidates[1]
            corner = chosen[y - 1, x - 1] if y and x else candidates[2]
            right = chosen[y - 1, x + 1] if y and x + 1 < columns else candidates[2]
            context = np.int64(candidates[0] == candidates[1]) | np.int64(candidates[0] == candidates[2]) << 1
            context |= np.int64(candidates[1] == candidates[2]) << 2 | np.int64(corner == candidates[2]) << 3
            context |= np.int64(right == candidates[2]) << 4 | np.int64(has_previous) << 5
            probability = probabilities[context]
            point = samples[y, x]
            best = np.int64(nearest[y, x])
            rate = (
                rates[_PROBABILITY_ONE - probability[0]]
                + rates[_PROBABILITY_ONE - probability[1]]
                + rates[_PROBABILITY_ONE - probability[2]]
                + new_code_rate
            )
            least_error = np.int64(_distance(point, codes[best], squares))  # no other code has
            best_cost = least_error * _ERROR_ONE + lambda_ * rate
            rate_so_far = 0
            for i in range(3):
                candidate = candidates[i]
                rate = rate_so_far + rates[probability[i]]
                if least_error * _ERROR_ONE + lambda_ * rate < best_cost:
                    cost = np.int64(_distance(point, codes[candidate], squares)) * _ERROR_ONE + lambda_ * rate
                    if cost < best_cost:
                        best_cost, best = cost, candidate
                rate_so_far += rates[_PROBABILITY_ONE - probability[i]]
            chosen[y, x] = best
            for i in range(3):
                if candidates[i] == best:
                    probability[i] += (_PROBABILITY_ONE - probability[i]) >> _ADAPTATION_SHIFT
                    break
                probability[i] -= probability[i] >> _ADAPTATION_SHIFT


@njit(nogil=True, inline="always")
def _distance(a: Any, b: Any, squares: Any) -> Any:
    """Squared distance of samples that count `squares` times."""
    distance = np.int32(0)
    for c in range(len(a)):
        difference = np.int32(a[c]) - np.int32(b[c])
        distance += difference * difference * squares[c]
    return distance
