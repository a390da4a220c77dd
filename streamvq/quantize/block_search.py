"""Exact nearest block codes.

Distances are taken in integers, but few are. Codes stand in groups of a k-d tree (Bentley 1975) over a few
coordinates: projections onto about the codes' principal axes and, last, the length of what these leave out. In such
coordinates no distance is longer than the true one (Bessel; for the last Cauchy-Schwarz, as in the equal-average
equal-variance search of Lee and Chen 1994). So neither groups whose box, nor codes whose coordinates are farther
away than the best code so far need be looked at. The answers of the left and the upper neighbor are looked at first.
The bounds cover all rounding: answers are what brute force says.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

_SIDE = 32  # codes a group, and groups a branch
_AXES = 8  # coordinates, the last of which is a remaining length
_FAR = np.float32(1e18)
_ONE = 1 << 14  # length of the integer axes
_ITERATIONS = 4
_FAST = {"nsz", "contract", "reassoc", "nnan"}  # bounds may round either way


class BlockFinder:
    """Nearest rows of a codebook of blocks for whole frames, exact. Threads may share a finder.

    `codes` is uint8 [k, d]. Distances are squared differences of samples times `factors` (int16 [d], see
    `blocks.scales`; None for ones).
    """

    def __init__(self, codes: NDArray[np.uint8], factors: NDArray[np.int16] | None = None) -> None:
        self._factors = np.ones(codes.shape[1], np.int16) if factors is None else factors
        self._codes = codes * self._factors
        self._tree = CodeTree(self._codes, self._factors)
        self._dtype = np.uint8 if len(codes) <= 256 else np.uint16

    def find(self, vectors: NDArray[np.uint8]) -> NDArray:
        """The row of the code nearest to each of uint8 [rows, columns, d], ties to the lowest: uint8 or uint16."""
        rows = np.zeros(vectors.shape[:2], self._dtype)
        self._tree.find(vectors.reshape(-1, vectors.shape[2]), rows.reshape(-1), vectors.shape[1])
        return rows

    def squared_error(self, vectors: NDArray[np.uint8], rows: NDArray) -> int:
        """The sum of squared differences of scaled samples of uint8 [rows, columns, d] and the codes at `rows`."""
        flat = vectors.reshape(-1, vectors.shape[2])
        return int(_squared_error(flat, self._factors, rows.reshape(-1), self._codes))


class CodeTree:
    """Integer codes, int16 [k, d], in the order and with the bounds that make searches short.

    What is searched for is uint8 [n, d], and its samples are multiplied by `factors`, int16 [d]. The sum of
    (255 x factor)^2 must be below 2^31.
    """

    def __init__(self, codes: NDArray[np.int16], factors: NDArray[np.int16]) -> None:
        k, size = len(codes), -(-len(codes) // _SIDE**2) * _SIDE**2
        self._factors = factors
        self._center = np.rint(codes.mean(axis=0)).astype(np.int16)
        around = codes - self._center
        self._axes = _integer_axes(around)
        coordinates = np.full((size, _AXES), _FAR)  # padded to whole branches
        shadows = around.astype(np.float64) @ self._axes.T / _ONE  # exact: integers below 2^53
        coordinates[:k, :-1] = shadows
        lengths = (around.astype(np.int64) ** 2).sum(axis=1) - (shadows**2).sum(axis=1)
        coordinates[:k, -1] = np.sqrt(np.maximum(lengths, 0))
        order = np.arange(size)
        _bisect(coordinates, order)
        leaves = coordinates[order].reshape(-1, _SIDE, _SIDE, _AXES)
        low, high = leaves.min(axis=2), np.where(leaves < _FAR, leaves, -_FAR).max(axis=2)
        self._branches = np.concatenate([low.min(axis=1), high.max(axis=1)], axis=1)
        self._boxes = np.concatenate([low, high], axis=2).transpose(0, 2, 1).reshape(len(low), -1)
        self._leaves = leaves.reshape(-1, _SIDE, _AXES).transpose(0, 2, 1).reshape(size // _SIDE, -1)
        self._order = np.where(order < k, order, 0)  # padding is never reached
        self._place = np.argsort(order)[:k]
        self._codes = around[self._order]
        self._norms = (self._codes.astype(np.int64) ** 2).sum(axis=1)
        # What rounding to 24 bits can add to a distance between coordinates, none of which exceeds the largest norm
        self._slack = 2.0**-20 * 255 * np.sqrt((factors.astype(np.float64) ** 2).sum())

    def find(self, vectors: NDArray[np.uint8], rows: NDArray, back: int) -> None:
        """Fill `rows` [n] with the row nearest to each of the scaled `vectors` [n, d].

        The answers of the last vector and of that `back` places earlier are tried first (0: what `rows` holds).
        """
        _find(
            vectors, self._factors, rows, back, self._center, self._axes, self._branches, self._boxes, self._leaves,
            self._codes, self._norms, self._order, self._place, self._slack,
        )  # fmt: skip


def _integer_axes(around: NDArray[np.int16]) -> NDArray[np.int16]:
    """About the principal axes of rows [k, d], times nearly 2^14: int16 [7, d].

    By subspace iteration from random axes (Halko, Martinsson, Tropp 2011). Any axes give valid bounds whose matrix
    shortens every vector: the margin is what rounding can add to its norm.
    """
    rows, d = around.astype(np.float64), around.shape[1]
    axes = np.random.default_rng(0).standard_normal((d, 2 * _AXES))
    for _ in range(_ITERATIONS):
        axes = np.linalg.qr(rows.T @ (rows @ axes))[0]
    shadows = rows @ axes
    _, turn = np.linalg.eigh(shadows.T @ shadows)
    whole = np.zeros((_AXES - 1, d), np.int16)
    best = (axes @ turn[:, ::-1][:, : _AXES - 1]).T
    whole[: len(best)] = np.rint(best * (_ONE - 1 - np.sqrt(_AXES * d) / 2))
    return whole


def _bisect(coordinates: NDArray[np.float32], order: NDArray[np.int64]) -> None:
    """Reorder `order` so that each group and branch of it is near in space; padding comes last."""
    points = coordinates[order]
    solid = points[points[:, 0] < _FAR]
    if len(solid) <= _SIDE:
        order[:] = order[np.argsort(points[:, 0], kind="stable")]
        return
    unit = _SIDE**2 if len(order) > _SIDE**2 else _SIDE
    order[:] = order[np.argsort(points[:, int(np.argmax(np.ptp(solid, axis=0)))], kind="stable")]
    middle = len(order) // unit // 2 * unit
    _bisect(coordinates, order[:middle])
    _bisect(coordinates, order[middle:])


@njit(nogil=True, cache=True, fastmath=_FAST)
def _find(  # type: ignore[no-untyped-def]
    vectors, factors, rows, back, center, axes, branches, boxes, leaves, codes, norms, order, place, slack
):
    # One long function: arrays handed on would cost more than the search.
    point, at = np.zeros(vectors.shape[1], np.int16), np.zeros(_AXES, np.float32)
    branch_bounds = np.empty(len(branches), np.float32)
    box_bounds, leaf_bounds = np.empty(_SIDE, np.float32), np.empty(_SIDE, np.float32)
    last = 0
    for i in range(len(vectors)):
        if i > 0 and _equal(vectors[i], vectors[i - 1]):
            rows[i] = last
            continue
        for c in range(vectors.shape[1]):
            point[c] = np.int16(vectors[i, c]) * factors[c] - center[c]
        norm = np.int64(_dot(point, point))
        _locate(point, norm, axes, at)

        row = np.int64(rows[max(i - back, 0)])
        best = norm + norms[place[row]] - 2 * np.int64(_dot(point, codes[place[row]]))
        if last != row:
            distance = norm + norms[place[last]] - 2 * np.int64(_dot(point, codes[place[last]]))
            if distance < best:  # equal ones meet again in their groups
                best, row = distance, last
        limit = _limit(best, slack)

        first_branch = 0
        for branch in range(len(branches)):
            bound = np.float32(0)
            for a in range(_AXES):
                gap = max(max(branches[branch, a] - at[a], at[a] - branches[branch, _AXES + a]), np.float32(0))
                bound += gap * gap
            branch_bounds[branch] = bound
            if bound < branch_bounds[first_branch]:
                first_branch = branch
        for turn in range(-1, len(branches)):  # the most likely one first
            branch = first_branch if turn < 0 else turn
            if branch_bounds[branch] > limit or turn == first_branch:
                continue
            first_box = _box_bounds(at, boxes[branch], box_bounds)
            for inner in range(-1, _SIDE):
                box = first_box if inner < 0 else inner
                if box_bounds[box] > limit or inner == first_box:
                    continue
                group = branch * _SIDE + box
                _leaf_bounds(at, leaves[group], leaf_bounds)
                for j in range(_SIDE):
                    if leaf_bounds[j] <= limit:
                        code = group * _SIDE + j
                        distance = norm + norms[code] - 2 * np.int64(_dot(point, codes[code]))
                        if distance < best or (distance == best and order[code] < row):
                            best, row = distance, order[code]
                            limit = _limit(best, slack)
        rows[i] = last = row


@njit(nogil=True, cache=True)
def _equal(a, b):  # type: ignore[no-untyped-def]
    c = 0
    while c < len(a) and a[c] == b[c]:
        c += 1
    return c == len(a)


@njit(nogil=True, cache=True, fastmath=_FAST)
def _locate(point, norm, axes, at):  # type: ignore[no-untyped-def]
    """The coordinates of a point around the center."""
    rest = np.float64(norm)
    for a in range(_AXES - 1):
        shadow = np.float64(_dot(point, axes[a])) / _ONE
        at[a] = shadow
        rest -= shadow * shadow
    at[_AXES - 1] = np.sqrt(max(rest, 0.0))


@njit(nogil=True, cache=True, fastmath=_FAST)
def _box_bounds(at, boxes, bounds):  # type: ignore[no-untyped-def]
    """Squared distances to the boxes of groups; the first of the nearest."""
    for g in range(_SIDE):
        bound = np.float32(0)
        for a in range(_AXES):
            gap = max(max(boxes[a * _SIDE + g] - at[a], at[a] - boxes[(_AXES + a) * _SIDE + g]), np.float32(0))
            bound += gap * gap
        bounds[g] = bound
    least = bounds[0]
    for g in range(_SIDE):  # a loop of its own, so that both become vector instructions
        least = bounds[g] if bounds[g] < least else least
    first = 0
    while bounds[first] > least:
        first += 1
    return first


@njit(nogil=True, cache=True, fastmath=_FAST)
def _leaf_bounds(at, leaf, bounds):  # type: ignore[no-untyped-def]
    """Squared distances between coordinates."""
    for j in range(_SIDE):
        bound = np.float32(0)
        for a in range(_AXES):
            gap = leaf[a * _SIDE + j] - at[a]
            bound += gap * gap
        bounds[j] = bound


@njit(nogil=True, cache=True)
def _limit(best, slack):  # type: ignore[no-untyped-def]
    """What a bound in floating point must exceed to be surely above `best`."""
    return np.float32((np.sqrt(np.float64(best)) + slack) ** 2 * 1.000002)


@njit(nogil=True, cache=True)
def _dot(a, b):  # type: ignore[no-untyped-def]
    total = np.int32(0)
    for c in range(len(a)):
        total = np.int32(total + np.int32(a[c]) * np.int32(b[c]))
    return total


@njit(nogil=True, cache=True)
def _squared_error(vectors, factors, rows, codes):  # type: ignore[no-untyped-def]
    error = np.int64(0)
    for i in range(len(vectors)):
        for c in range(vectors.shape[1]):
            gap = np.int32(vectors[i, c]) * factors[c] - codes[rows[i], c]
            error += gap * gap
    return error
