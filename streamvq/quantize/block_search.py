"""Exact nearest block codes.

Distances are taken in integers, but few are: codes are sorted into small groups by a k-d tree (Bentley 1975) over a
few coordinates, which are projections onto the codes' principal axes and, last, the length of what they leave out.
In these coordinates no distance is longer than the true one (Bessel; for the last Cauchy-Schwarz, as in the
equal-average equal-variance search of Lee and Chen 1994). So neither groups whose box, nor codes whose coordinates
are farther away than the best code so far need be looked at. The answers of the left and the upper neighbor are
looked at first. Rounding in the coordinates is covered by a slack: answers are what brute force says.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

_GROUP = 32  # codes
_AXES = 8  # coordinates, the last of which is a remaining length
_ITERATIONS = 4
_FAR = np.float32(1e18)


class BlockFinder:
    """Nearest rows of a codebook of blocks for whole frames, exact. Threads may share a finder.

    `codes` is uint8 [k, d]. Distances are squared differences of samples times `factors` (int16 [d], see
    `blocks.scales`; None for ones).
    """

    def __init__(self, codes: NDArray[np.uint8], factors: NDArray[np.int16] | None = None) -> None:
        self._factors = np.ones(codes.shape[1], np.int16) if factors is None else factors
        self._codes = codes * self._factors
        self._tree = CodeTree(self._codes)
        self._dtype = np.uint8 if len(codes) <= 256 else np.uint16

    def find(self, vectors: NDArray[np.uint8]) -> NDArray:
        """The row of the nearest code for each of uint8 [rows, columns, d], ties to the lowest: [rows, columns].

        uint8 for up to 256 codes, else uint16.
        """
        rows = np.zeros(vectors.shape[:2], self._dtype)
        self._tree.find(vectors.reshape(-1, vectors.shape[2]), self._factors, rows.reshape(-1), vectors.shape[1])
        return rows

    def squared_error(self, vectors: NDArray[np.uint8], rows: NDArray) -> int:
        """The sum of squared differences of scaled samples between uint8 [rows, columns, d] and the codes at `rows`."""
        flat = vectors.reshape(-1, vectors.shape[2])
        return int(_squared_error(flat, self._factors, rows.reshape(-1), self._codes))


class CodeTree:
    """Integer codes, int16 [k, d], in the order and with the bounds that make searches short."""

    def __init__(self, codes: NDArray[np.int16]) -> None:
        k, d = codes.shape
        self._center = np.rint(codes.mean(axis=0))
        around = codes - self._center
        self._axes = _principal_axes(around)
        shadows = around @ self._axes.T
        lengths = np.sqrt(np.maximum((around**2).sum(axis=1) - (shadows**2).sum(axis=1), 0))
        coordinates = np.zeros((-(-k // _GROUP) * _GROUP, _AXES), np.float32)
        coordinates[:k, : shadows.shape[1]] = shadows
        coordinates[:k, -1] = lengths
        coordinates[k:] = _FAR
        order = np.arange(len(coordinates))
        _bisect(coordinates, order)
        coordinates = coordinates[order].reshape(-1, _GROUP, _AXES)
        order[order >= k] = 0  # padding is never reached
        self._low = np.ascontiguousarray(coordinates.min(axis=1).T)
        self._high = np.ascontiguousarray(np.where(coordinates < _FAR, coordinates, -_FAR).max(axis=1).T)
        self._coordinates = np.ascontiguousarray(coordinates.transpose(0, 2, 1))
        self._order = order
        self._place = np.empty(k, np.int64)
        self._place[order[::-1]] = np.arange(len(order))[::-1]
        self._codes = np.ascontiguousarray(codes[order])
        # coordinates are 24-bit floats of numbers up to the codes' diameter
        self._slack = np.float32(_AXES * 2.0**-22 * np.sqrt(d) * max(255, np.abs(codes).max()))

    def find(self, vectors: NDArray[np.uint8], factors: NDArray[np.int16], rows: NDArray, back: int) -> None:
        """Fill `rows` [n] with the row nearest to each of the scaled `vectors` [n, d].

        The answers of the last vector and of that `back` places earlier are tried first (0: what `rows` holds).
        """
        _find(
            vectors, factors, rows, back, self._center, self._axes, self._coordinates, self._low, self._high,
            self._codes, self._order, self._place, self._slack,
        )  # fmt: skip


def _principal_axes(around: NDArray[np.float64]) -> NDArray[np.float64]:
    """About the first principal axes of rows [k, d], orthonormal: [at most 7, d].

    By subspace iteration from random axes (Halko, Martinsson, Tropp 2011): any orthonormal axes give valid bounds.
    """
    axes = np.random.default_rng(0).standard_normal((around.shape[1], 2 * _AXES))
    for _ in range(_ITERATIONS):
        axes = np.linalg.qr(around.T @ (around @ axes))[0]
    shadows = around @ axes
    _, turn = np.linalg.eigh(shadows.T @ shadows)
    return np.ascontiguousarray((axes @ turn[:, ::-1][:, : _AXES - 1]).T)


def _bisect(coordinates: NDArray[np.float32], order: NDArray[np.int64]) -> None:
    """Reorder `order` so that groups of neighbors in it are neighbors in space."""
    groups = len(order) // _GROUP
    if groups < 2:
        return
    points = coordinates[order]
    solid = points[points[:, 0] < _FAR]
    axis = int(np.argmax(solid.max(axis=0) - solid.min(axis=0)))
    order[:] = order[np.argsort(points[:, axis], kind="stable")]
    middle = groups // 2 * _GROUP
    _bisect(coordinates, order[:middle])
    _bisect(coordinates, order[middle:])


@njit(nogil=True, cache=True, fastmath={"nsz", "contract", "reassoc", "nnan"})
def _find(  # type: ignore[no-untyped-def]
    vectors, factors, rows, back, center, axes, coordinates, low, high, codes, order, place, slack
):
    n, d = vectors.shape
    groups = len(coordinates)
    point = np.empty(d, np.int16)
    around = np.empty(d, np.float64)
    at = np.zeros(_AXES, np.float32)
    box = np.empty(groups, np.float32)
    bounds = np.empty(_GROUP, np.float32)
    last = 0
    for i in range(n):
        for c in range(d):
            point[c] = np.int16(vectors[i, c]) * factors[c]
            around[c] = point[c] - center[c]
        length = 0.0
        for c in range(d):
            length += around[c] * around[c]
        for a in range(len(axes)):
            shadow = 0.0
            for c in range(d):
                shadow += around[c] * axes[a, c]
            at[a] = shadow
            length -= shadow * shadow
        at[_AXES - 1] = np.sqrt(max(length, 0.0))

        best_row = np.int64(rows[max(i - back, 0)])
        best = _distance(point, codes, place[best_row])
        if last != best_row:
            distance = _distance(point, codes, place[last])
            if distance < best or (distance == best and last < best_row):
                best, best_row = distance, last
        limit = (np.sqrt(np.float32(best)) + slack) ** 2

        box[:] = 0
        for a in range(_AXES):
            x = at[a]
            for g in range(groups):
                gap = max(max(low[a, g] - x, x - high[a, g]), np.float32(0))
                box[g] += gap * gap
        first = 0
        for g in range(groups):
            if box[g] < box[first]:
                first = g
        for turn in range(groups + 1):
            g = first if turn == 0 else turn - 1
            if box[g] > limit or (turn > 0 and g == first):
                continue
            bounds[:] = 0
            for a in range(_AXES):
                x = at[a]
                for j in range(_GROUP):
                    gap = coordinates[g, a, j] - x
                    bounds[j] += gap * gap
            for j in range(_GROUP):
                if bounds[j] <= limit:
                    where = g * _GROUP + j
                    distance = _distance(point, codes, where)
                    if distance < best or (distance == best and order[where] < best_row):
                        if distance < best:
                            limit = (np.sqrt(np.float32(distance)) + slack) ** 2
                        best, best_row = distance, order[where]
        rows[i] = best_row
        last = best_row


@njit(nogil=True, cache=True)
def _distance(point, codes, at):  # type: ignore[no-untyped-def]
    distance = np.int32(0)
    for c in range(len(point)):
        gap = np.int32(point[c]) - np.int32(codes[at, c])
        distance = np.int32(distance + gap * gap)
    return distance


@njit(nogil=True, cache=True)
def _squared_error(vectors, factors, rows, codes):  # type: ignore[no-untyped-def]
    error = np.int64(0)
    for i in range(len(vectors)):
        for c in range(vectors.shape[1]):
            gap = np.int32(vectors[i, c]) * factors[c] - codes[rows[i], c]
            error += gap * gap
    return error
