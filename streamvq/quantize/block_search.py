"""Exact nearest block codes.

Distances are taken in integers, but few are. Codes stand in groups of a k-d tree (Bentley 1975) over a few
coordinates: projections onto about the codes' principal axes and, last, the length of what these leave out. In such
coordinates no distance is longer than the true one (Bessel; for the last Cauchy-Schwarz, as in the equal-average
equal-variance search of Lee and Chen 1994). So neither groups whose box, nor codes whose coordinates are farther
away than the best code so far need be looked at. The answers of the left and the upper neighbor are looked at first.
The bounds cover all rounding: answers are what brute force says.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit

_GROUP = 32  # codes in a group, and groups in a branch
_AXES = 8  # coordinates, the last of which is a remaining length
_FAR = np.float32(1e18)  # coordinates of padding: its square is finite, and above any distance
_AXIS_UNIT = 1 << 14  # length of the integer axes: int16, and products with int16 samples fit 31 bits
_SUBSPACE_ITERATIONS = 4  # principal axes need not be exact: any axes give valid bounds
_COORDINATE_ROUNDING = 2.0**-20  # relative: some operations in float32, of 2^-24 each
_LIMIT_ROUNDING = 1.000002  # the same for a sum of 8 squares in float32
_MAX_UINT8_CODES = 256
_FAST_MATH = {"nsz", "contract", "reassoc", "nnan"}  # bounds may round either way


class BlockFinder:
    """Nearest rows of a codebook of blocks for whole frames, exact. Threads may share a finder.

    `codes` is uint8 [k, d]. Distances are squared differences of samples times `scales` (int16 [d], see
    `blocks.scales`; None for ones).
    """

    def __init__(self, codes: NDArray[np.uint8], scales: NDArray[np.int16] | None = None) -> None:
        self._scales = np.ones(codes.shape[1], np.int16) if scales is None else scales
        self._codes = codes * self._scales
        self._tree = CodeTree(self._codes, self._scales)
        self._dtype = np.uint8 if len(codes) <= _MAX_UINT8_CODES else np.uint16

    def find(self, vectors: NDArray[np.uint8]) -> NDArray:
        """The row of the code nearest to each of uint8 [rows, columns, d], ties to the lowest: uint8 or uint16."""
        rows = np.zeros(vectors.shape[:2], self._dtype)
        self._tree.find(vectors.reshape(-1, vectors.shape[2]), rows.reshape(-1), vectors.shape[1])
        return rows

    def squared_error(self, vectors: NDArray[np.uint8], rows: NDArray) -> int:
        """The sum of squared differences of scaled samples of uint8 [rows, columns, d] and the codes at `rows`."""
        flat = vectors.reshape(-1, vectors.shape[2])
        return int(_squared_error(flat, self._scales, rows.reshape(-1), self._codes))


class _TreeArrays(NamedTuple):
    """A `CodeTree` as the kernel takes it: k codes of d samples in groups, and groups in branches, padded."""

    scales: NDArray[np.int16]  # [d]
    center: NDArray[np.int16]  # [d]
    axes: NDArray[np.int16]  # [7, d]
    branches: NDArray[np.float32]  # [branches, 16]: least and largest coordinates
    boxes: NDArray[np.float32]  # [branches, 16 x 32]: the same of each group, coordinate by coordinate
    groups: NDArray[np.float32]  # [groups, 8 x 32]: coordinates of each code, coordinate by coordinate
    codes: NDArray[np.int16]  # [32 x groups, d]: around the center
    norms: NDArray[np.int64]  # [32 x groups]: squared lengths of codes
    order: NDArray[np.int64]  # [32 x groups]: row of each code
    positions: NDArray[np.int64]  # [k]: where the code of each row stands
    slack: float  # what rounding can add to a distance between coordinates


class CodeTree:
    """Integer codes, int16 [k, d], in the order and with the bounds that make searches short.

    What is searched for is uint8 [n, d], and its samples are multiplied by `scales`, int16 [d]. The sum of
    (255 x scale)^2 must be below 2^31.
    """

    def __init__(self, codes: NDArray[np.int16], scales: NDArray[np.int16]) -> None:
        k, size = len(codes), -(-len(codes) // _GROUP**2) * _GROUP**2
        center = np.rint(codes.mean(axis=0)).astype(np.int16)
        around = codes - center
        axes = _integer_axes(around)
        coordinates = np.full((size, _AXES), _FAR)  # padded to whole branches
        projections = around.astype(np.float64) @ axes.T / _AXIS_UNIT  # exact: integers below 2^53
        coordinates[:k, :-1] = projections
        lengths = (around.astype(np.int64) ** 2).sum(axis=1) - (projections**2).sum(axis=1)
        coordinates[:k, -1] = np.sqrt(np.maximum(lengths, 0))
        order = np.arange(size)
        _bisect(coordinates, order)
        groups = coordinates[order].reshape(-1, _GROUP, _GROUP, _AXES)
        low, high = groups.min(axis=2), np.where(groups < _FAR, groups, -_FAR).max(axis=2)
        rows = np.where(order < k, order, 0)  # padding is never reached
        ordered = around[rows]
        self._arrays = _TreeArrays(
            scales=scales,
            center=center,
            axes=axes,
            branches=np.concatenate([low.min(axis=1), high.max(axis=1)], axis=1),
            boxes=np.concatenate([low, high], axis=2).transpose(0, 2, 1).reshape(len(low), -1),
            groups=groups.reshape(-1, _GROUP, _AXES).transpose(0, 2, 1).reshape(size // _GROUP, -1),
            codes=ordered,
            norms=(ordered.astype(np.int64) ** 2).sum(axis=1),
            order=rows,
            positions=np.argsort(order)[:k],
            # no coordinate exceeds the largest norm
            slack=float(_COORDINATE_ROUNDING * 255 * np.sqrt((scales.astype(np.float64) ** 2).sum())),
        )

    def find(self, vectors: NDArray[np.uint8], rows: NDArray, back: int) -> None:
        """Fill `rows` [n] with the row nearest to each of the scaled `vectors` [n, d].

        The answers of the last vector and of that `back` vectors earlier are tried first (0: what `rows` holds).
        """
        _find(vectors, rows, back, self._arrays)


def _integer_axes(around: NDArray[np.int16]) -> NDArray[np.int16]:
    """About the principal axes of rows [k, d], times nearly 2^14: int16 [7, d].

    By subspace iteration from random axes (Halko, Martinsson, Tropp 2011). Any axes give valid bounds whose matrix
    shortens every vector: the margin is what rounding can add to its norm.
    """
    rows, d = around.astype(np.float64), around.shape[1]
    axes = np.random.default_rng(0).standard_normal((d, 2 * _AXES))
    for _ in range(_SUBSPACE_ITERATIONS):
        axes = np.linalg.qr(rows.T @ (rows @ axes))[0]
    projections = rows @ axes
    _, rotation = np.linalg.eigh(projections.T @ projections)
    whole = np.zeros((_AXES - 1, d), np.int16)
    best = (axes @ rotation[:, ::-1][:, : _AXES - 1]).T
    whole[: len(best)] = np.rint(best * (_AXIS_UNIT - 1 - np.sqrt(_AXES * d) / 2))
    return whole


def _bisect(coordinates: NDArray[np.float32], order: NDArray[np.int64]) -> None:
    """Reorder `order` so that each group and branch of it is near in space; padding comes last."""
    points = coordinates[order]
    solid = points[points[:, 0] < _FAR]
    if len(solid) <= _GROUP:
        order[:] = order[np.argsort(points[:, 0], kind="stable")]
        return
    unit = _GROUP**2 if len(order) > _GROUP**2 else _GROUP
    order[:] = order[np.argsort(points[:, int(np.argmax(np.ptp(solid, axis=0)))], kind="stable")]
    middle = len(order) // unit // 2 * unit
    _bisect(coordinates, order[:middle])
    _bisect(coordinates, order[middle:])


@njit(nogil=True, cache=True, fastmath=_FAST_MATH)
def _find(vectors, rows, back, tree):  # type: ignore[no-untyped-def]
    # One long function: handing arrays on for each vector would cost more than the search.
    scales, center, codes, norms, order, positions = (
        tree.scales, tree.center, tree.codes, tree.norms, tree.order, tree.positions,
    )  # fmt: skip
    axes, branches, boxes, groups, slack = tree.axes, tree.branches, tree.boxes, tree.groups, tree.slack
    point, at = np.zeros(vectors.shape[1], np.int16), np.zeros(_AXES, np.float32)
    branch_bounds = np.empty(len(branches), np.float32)
    box_bounds, code_bounds = np.empty(_GROUP, np.float32), np.empty(_GROUP, np.float32)
    last = 0
    for i in range(len(vectors)):
        if i > 0 and _equal(vectors[i], vectors[i - 1]):
            rows[i] = last
            continue
        for c in range(vectors.shape[1]):
            point[c] = np.int16(vectors[i, c]) * scales[c] - center[c]
        norm = np.int64(_dot(point, point))
        _locate(point, norm, axes, at)

        row = np.int64(rows[max(i - back, 0)])
        best = norm + norms[positions[row]] - 2 * np.int64(_dot(point, codes[positions[row]]))
        if last != row:
            distance = norm + norms[positions[last]] - 2 * np.int64(_dot(point, codes[positions[last]]))
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
        for number in range(-1, len(branches)):  # the most likely one first
            branch = first_branch if number < 0 else number
            if branch_bounds[branch] > limit or number == first_branch:
                continue
            first_box = _box_bounds(at, boxes[branch], box_bounds)
            for inner in range(-1, _GROUP):
                box = first_box if inner < 0 else inner
                if box_bounds[box] > limit or inner == first_box:
                    continue
                group = branch * _GROUP + box
                _code_bounds(at, groups[group], code_bounds)
                for j in range(_GROUP):
                    if code_bounds[j] <= limit:
                        code = group * _GROUP + j
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


@njit(nogil=True, cache=True, fastmath=_FAST_MATH)
def _locate(point, norm, axes, at):  # type: ignore[no-untyped-def]
    """The coordinates of a point around the center."""
    rest = np.float64(norm)
    for a in range(_AXES - 1):
        projection = np.float64(_dot(point, axes[a])) / _AXIS_UNIT
        at[a] = projection
        rest -= projection * projection
    at[_AXES - 1] = np.sqrt(max(rest, 0.0))


@njit(nogil=True, cache=True, fastmath=_FAST_MATH)
def _box_bounds(at, boxes, bounds):  # type: ignore[no-untyped-def]
    """Squared distances to the boxes of groups; the first of the nearest."""
    for g in range(_GROUP):
        bound = np.float32(0)
        for a in range(_AXES):
            gap = max(max(boxes[a * _GROUP + g] - at[a], at[a] - boxes[(_AXES + a) * _GROUP + g]), np.float32(0))
            bound += gap * gap
        bounds[g] = bound
    least = bounds[0]
    for g in range(_GROUP):  # a loop of its own, so that both become vector instructions
        least = bounds[g] if bounds[g] < least else least
    first = 0
    while bounds[first] > least:
        first += 1
    return first


@njit(nogil=True, cache=True, fastmath=_FAST_MATH)
def _code_bounds(at, group, bounds):  # type: ignore[no-untyped-def]
    """Squared distances between coordinates."""
    for j in range(_GROUP):
        bound = np.float32(0)
        for a in range(_AXES):
            gap = group[a * _GROUP + j] - at[a]
            bound += gap * gap
        bounds[j] = bound


@njit(nogil=True, cache=True)
def _limit(best, slack):  # type: ignore[no-untyped-def]
    """What a bound in floating point must exceed to be surely above `best`."""
    return np.float32((np.sqrt(np.float64(best)) + slack) ** 2 * _LIMIT_ROUNDING)


@njit(nogil=True, cache=True)
def _dot(a, b):  # type: ignore[no-untyped-def]
    total = np.int32(0)
    for c in range(len(a)):
        total = np.int32(total + np.int32(a[c]) * np.int32(b[c]))
    return total


@njit(nogil=True, cache=True)
def _squared_error(vectors, scales, rows, codes):  # type: ignore[no-untyped-def]
    error = np.int64(0)
    for i in range(len(vectors)):
        for c in range(vectors.shape[1]):
            gap = np.int32(vectors[i, c]) * scales[c] - codes[rows[i], c]
            error += gap * gap
    return error
