"""The adaptive linear predictor of samples of factors (FORMAT.md, section 10.3).

Recursive least squares: sums of products of inputs, which decay, and after each sample a few steps of coordinate
descent on the coefficients.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from streamvq.compiling import njit
from streamvq.container.entropy.range_coder import U

N_OWN, N_TEMPORAL, N_INTER_CHANNEL = 4, 5, 3  # inputs of each plane
N_COEFFICIENTS = N_OWN + N_TEMPORAL + N_INTER_CHANNEL
MAX_POSITIONS, MAX_COMPONENTS = 8, 256  # that have predictors of their own
_N_STEPS = 3  # coordinates descended a sample: a quarter of all, so that all have their turn every fourth
WINDOW = 512  # samples after which the sums decay by half: fine statistics of a component, yet not of all the past
FRACTION_BITS = 8  # of coefficients and sums
_MAX_COEFFICIENT = 1 << 19  # 2048, far above any that is of use; it and the next keep products within 64 bits
_MAX_GRADIENT = 1 << 54  # its 8 bits of fraction added, it fits 62
_REGULARIZATION = 8  # added to the diagonal of the Gram matrix at each decay, which keeps it above 0
_PRIOR_VARIANCE = 32  # added to the diagonal of a new predictor's Gram matrix, which keeps first steps small
_INHERITED_SHIFT = 4  # what a new predictor inherits counts a sixteenth


class Predictor(NamedTuple):
    """An adaptive linear predictor of n = 12 inputs: all int64, coefficients and gradient in 256ths."""

    coefficients: Any  # [n]
    gram: Any  # [n, n], sums of products of inputs
    gradient: Any  # [n], of half the squared error, downhill


def new_predictors(positions: int, ranks: int) -> Predictor:
    """The predictors of all positions and components, in one."""
    n = N_COEFFICIENTS
    return Predictor(
        np.zeros((positions, ranks, n), np.int64),
        np.zeros((positions, ranks, n, n), np.int64),
        np.zeros((positions, ranks, n), np.int64),
    )


@njit(nogil=True)
def ready_predictor(predictors: Any, position: Any, i: Any, started: Any) -> Any:
    """The predictor of a component; a new one inherits from that of the component, or else the channel, before."""
    coefficients, gram, gradient = predictors
    predictor = Predictor(coefficients[position, i], gram[position, i], gradient[position, i])
    if started[position, i]:
        decay(predictor, 2)
        return predictor
    started[position, i] = True
    for j in range(N_COEFFICIENTS):
        if i:
            coefficients[position, i, j] = coefficients[position, i - 1, j]
            for k in range(N_COEFFICIENTS):
                gram[position, i, j, k] = gram[position, i - 1, j, k] >> _INHERITED_SHIFT
        elif position >= 2:
            coefficients[position, i, j] = coefficients[position - 2, i, j]
        gram[position, i, j, j] += _PRIOR_VARIANCE
    return predictor


@njit(nogil=True, forceinline=True)
def update_predictor(inputs: Any, error: Any, predictor: Any, turn: Any) -> Any:
    """Learn from a sample: its inputs and the error of their sum, in 256ths. Returns the coordinate to go on with."""
    coefficients, gram, gradient = predictor
    for j in range(N_COEFFICIENTS):
        x = inputs[U(j)]
        gradient[U(j)] += x * error
        for k in range(N_COEFFICIENTS):
            gram[U(j), U(k)] += x * inputs[U(k)]
    for _ in range(_N_STEPS):
        slope = min(max(gradient[U(turn)], -_MAX_GRADIENT), _MAX_GRADIENT)
        old = coefficients[U(turn)]
        step = (slope << FRACTION_BITS) // gram[U(turn), U(turn)]
        new = min(max(old + step, -_MAX_COEFFICIENT), _MAX_COEFFICIENT)
        coefficients[U(turn)] = new
        for k in range(N_COEFFICIENTS):
            gradient[U(k)] -= ((new - old) * gram[U(turn), U(k)]) >> FRACTION_BITS
        turn = turn + 1 if turn < N_COEFFICIENTS - 1 else 0
    return turn


@njit(nogil=True)
def decay(predictor: Any, shift: Any) -> Any:
    """Let all samples so far count less: half for a shift of 1, a quarter for 2."""
    _, gram, gradient = predictor
    for j in range(N_COEFFICIENTS):
        gradient[j] >>= shift
        for k in range(N_COEFFICIENTS):
            gram[j, k] >>= shift
        gram[j, j] += _REGULARIZATION
