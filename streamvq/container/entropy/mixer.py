"""Logistic mixing of probabilities (FORMAT.md, section 8.2), all in integers.

Probabilities are stretched to logits, ln(p0 / (1 - p0)), which are summed with weights, and squashed back; the
weights follow the gradient of coding cost (Mahoney's PAQ, 2005). Logits are in 256ths, weights and p0 in 65536ths.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.container.entropy.probabilities import COUNT_BITS_12, COUNT_BITS_22
from streamvq.container.entropy.range_coder import U

WEIGHT_BITS = 16  # of a weight's fraction
_ONE = 65536  # a probability of 1
MAX_LOGIT = 2816  # logits go from -11 to 11
_KNOT_BITS = 7  # knots of squash are 128 apart: half a unit
_KNOT_DISTANCE = 1 << _KNOT_BITS
_RATE_SHIFT = 15  # the learning rate of weights is 2^-7: logit (256ths) * error (65536ths) / 2^24 * 65536 / 2^7
_Q_BITS = 12  # of a probability, that stretch goes by
_Q_ZERO = 1 << (_Q_BITS - 1)  # signed to unsigned
_TO_Q = 22 - _Q_BITS + COUNT_BITS_22

# 65536 / (1 + exp(-i / 2)), i from 0. Written out: exp may differ from machine to machine in its last place
_KNOTS = "32768 40793 47911 53581 57724 60565 62428 63615 64357 64816 65097 65269 65374 65438 65476 65500 65514"
_KNOTS += " 65523 65528 65531 65533 65534 65535 65535 65536"


def _squash_table() -> NDArray[np.uint16]:
    """p0 by logit + MAX_LOGIT, by straight lines between the knots: uint16 [2 * MAX_LOGIT]."""
    size = np.abs(np.arange(-MAX_LOGIT, MAX_LOGIT))
    knots = np.array(_KNOTS.split(), np.int64)
    knot, part = size >> _KNOT_BITS, size & (_KNOT_DISTANCE - 1)
    p0 = (knots[knot] * (_KNOT_DISTANCE - part) + knots[knot + 1] * part + _KNOT_DISTANCE // 2) >> _KNOT_BITS
    p0[:MAX_LOGIT] = _ONE - p0[:MAX_LOGIT]
    return np.clip(p0, 1, _ONE - 1).astype(np.uint16)


def _stretch_table() -> NDArray[np.int16]:
    """By a probability's upper 12 bits, the smallest logit whose p0 reaches the middle of its step: int16 [4096]."""
    middles = 16 * np.arange(1 << _Q_BITS) + 8
    return (np.searchsorted(_SQUASH, middles).clip(0, 2 * MAX_LOGIT - 1) - MAX_LOGIT).astype(np.int16)


_SQUASH = _squash_table()
_STRETCH = _stretch_table()


@njit(nogil=True, forceinline=True)
def stretch_22(state: Any) -> Any:
    """The logit of a 22-bit adaptive probability: int64."""
    return np.int64(_STRETCH[U((state >> _TO_Q) + _Q_ZERO)])


@njit(nogil=True, forceinline=True)
def stretch_12(state: Any) -> Any:
    """The logit of a 12-bit adaptive probability: int64."""
    return np.int64(_STRETCH[U((state >> COUNT_BITS_12) + _Q_ZERO)])


@njit(nogil=True, forceinline=True)
def squash(dot_product: Any) -> Any:
    """p0 of a sum of weights times logits: uint64, 1 to 65535."""
    logit = min(max(dot_product >> WEIGHT_BITS, np.int64(-MAX_LOGIT)), np.int64(MAX_LOGIT - 1))
    return U(_SQUASH[U(logit + MAX_LOGIT)])


@njit(nogil=True, forceinline=True)
def prediction_error(p0: Any, bit: Any) -> Any:
    """What p0 should have been, less what it was."""
    return (np.int64(not bit) << np.int64(16)) - np.int64(p0)


@njit(nogil=True, forceinline=True)
def update_weight(weight: Any, logit: Any, error: Any) -> Any:
    """A weight after a bit that its logit helped to predict: int32."""
    return np.int32(weight + ((logit * error + (1 << (_RATE_SHIFT - 1))) >> _RATE_SHIFT))


@njit(nogil=True, forceinline=True)
def weight_step(logit: Any, error: Any) -> Any:
    """What a bit adds to each of two weights of a logit: half of what `update_weight` adds; int32."""
    return np.int32((logit * error + (1 << _RATE_SHIFT)) >> (_RATE_SHIFT + 1))
