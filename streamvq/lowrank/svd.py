"""The best approximation of a matrix by one of lower rank: its truncated singular value decomposition.

Cold, few leading singular vectors of the shorter side come from a block Krylov subspace (Musco and Musco, "Randomized
block Krylov methods for stronger and faster approximate singular value decomposition", 2015); many, or a share of the
energy, from eigenvectors of the Gram matrix, which LAPACK finds without the rest. Warm, those of a similar matrix,
such as the frame before, take one or two subspace iterations (Halko, Martinsson and Tropp, "Finding structure
with randomness", SIAM Review 53, 2011); the gain of the last one tells whether that is near enough. All end with
a Rayleigh-Ritz step on the matrix itself, so that singular values are as exact as the subspace.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit

# A subspace is converged where its last iteration gained little: at most MAX_GAIN of the error that is left, and at
# most MAX_RELATIVE_GAIN of what the components after the first hold (with noise, the error alone says nothing).
_MAX_GAIN, _MAX_RELATIVE_GAIN = 0.02, 0.05  # warm: the error is then within 0.5 % of the least possible
_MAX_KRYLOV_GAIN, _MAX_KRYLOV_RELATIVE_GAIN = 0.014, 0.003  # the same for the last Krylov block
_MAX_WARM_ITERATIONS = 2
_KRYLOV_BLOCKS = 4  # the error is then within 0.02 % of the least, in film
_KRYLOV_OVERSAMPLING = 8  # vectors of a block beyond half the rank
_MIN_SIDE_PER_VECTOR = 2  # of the shorter side: where a Krylov subspace has more, the Gram matrix is as fast
ROUNDING = 1e-7  # share of the largest singular value below which those of `singular_values` are rounding
_NEGLIGIBLE = 1e-7  # share of all squares: of an error this small, single precision says nothing
_MIN_SIDE = 128  # smaller matrices are decomposed by the Gram matrix just as fast
_MIN_SPARE = 8  # vectors to follow beyond the rank, or a quarter of it
_ROUNDING = {np.dtype(np.float32): 1e-12, np.dtype(np.float64): 1e-14}  # squares below this share of all are that
_MIN_CORRELATION = 0.5  # above which a vector is taken for that of the start


@dataclass(frozen=True, eq=False)
class Truncation:
    """A matrix [m, n] of rank r as `left @ right`.

    `left` is float32 [m, r], left singular vectors times singular values; `right` float32 [r, n], right singular
    vectors; `singular_values` float64 [r], descending. `total` is the sum of squares of the matrix itself.
    `basis` float32 [min(m, n), p >= r] is what a similar matrix can start from.
    """

    left: NDArray[np.float32]
    right: NDArray[np.float32]
    singular_values: NDArray[np.float64]
    total: float
    basis: NDArray[np.float32]

    @property
    def rank(self) -> int:
        """How many singular values are kept."""
        return len(self.singular_values)

    @property
    def error(self) -> float:
        """The sum of squares of what is cut off."""
        return max(0.0, self.total - float(np.square(self.singular_values).sum()))

    def matrix(self) -> NDArray[np.float32]:
        """`left @ right`: float32 [m, n].

        Factors of small matrices, such as patches, come from double precision. So do sums of theirs: what rounding
        BLAS leaves, which differs from processor to processor, then hardly ever decides about a level.
        """
        if len(self.basis) >= _MIN_SIDE:
            return self.left @ self.right
        return (self.left.astype(np.float64) @ self.right.astype(np.float64)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class _Subspace:
    """Orthonormal vectors [short side, p], their images under the matrix [long side, p], of descending squares, and
    how many of them are to be kept. In float32, or float64 where that is needed."""

    basis: NDArray
    images: NDArray
    squares: NDArray[np.float64]
    rank: int


def truncate(
    matrix: NDArray[np.float32],
    rank: int | None,
    energy: float | None = None,
    start: NDArray[np.float32] | None = None,
) -> Truncation:
    """The best approximation of `matrix`, float32 [m, n], of at most `rank`, or of the least rank that keeps the
    share `energy` of the squared singular values.

    By the theorem of Eckart and Young (1936) no matrix of that rank is nearer, in the sum of squares, than the one of
    the leading singular vectors. `start` is the `basis` of a similar matrix's truncation: then the error is within
    0.5 % of the least. A matrix of zeros has rank 0. Signs are fixed: the vectors of the shorter side point the
    way of those of `start`, or else have their largest entry above 0.
    """
    total = _sum_of_squares(matrix)
    tall = matrix.shape[0] > matrix.shape[1]
    wide = matrix.T if tall else matrix
    rank = None if rank is None else min(rank, len(wide))
    found = None
    if start is not None and len(start) == len(wide) >= _MIN_SIDE:
        found = _from_start(wide, total, rank, energy, start)
    if found is None and rank is not None and len(wide) >= _MIN_SIDE:
        found = _from_krylov(wide, total, rank)
    if found is None:
        found = _from_gram(wide, total, rank, energy)
    squares = found.squares[: found.rank]
    kept = int((squares > _ROUNDING[found.images.dtype] * total).sum())
    values = np.sqrt(squares[:kept])
    signs = _signs(found.basis, start)
    basis = (found.basis * signs).astype(np.float32)
    images = (found.images[:, :kept] * signs[:kept]).astype(np.float32)
    if tall:
        return Truncation(images, basis[:, :kept].T, values, total, basis)
    scale = values.astype(np.float32)
    return Truncation(basis[:, :kept] * scale, (images / scale).T, values, total, basis)


def singular_values(matrix: NDArray) -> NDArray[np.float64]:
    """All singular values of a matrix of whole numbers, descending: float64 [min(m, n)].

    They are the roots of the Gram matrix's eigenvalues; its entries are exact here, so those below about `ROUNDING`
    times the largest are rounding.
    """
    from scipy.linalg import eigh

    wide = (matrix.T if matrix.shape[0] > matrix.shape[1] else matrix).astype(np.float64)
    return np.sqrt(eigh(wide @ wide.T, eigvals_only=True, check_finite=False)[::-1].clip(0))


def _from_krylov(wide: NDArray[np.float32], total: float, rank: int) -> _Subspace | None:
    """The leading subspace from a block Krylov subspace; None where that is not faster, or where its last block still
    gained much, as with the flat spectrum of noise, or where the error left is negligible."""
    short = len(wide)
    size = _with_spare(rank, short)
    width = rank // 2 + _KRYLOV_OVERSAMPLING
    if _KRYLOV_BLOCKS * width * _MIN_SIDE_PER_VECTOR > short:
        return None
    block = np.random.default_rng(0).standard_normal((short, width), np.float32)
    blocks = []
    for _ in range(_KRYLOV_BLOCKS):
        block = np.linalg.qr(wide @ (wide.T @ block))[0]
        blocks.append(block)
    basis = np.linalg.qr(np.hstack(blocks))[0]
    images = wide.T @ basis
    previous = np.linalg.eigvalsh(_gram(images[:, :-width]))[::-1]
    basis, images, squares = _to_ritz_vectors(basis, images)
    kept = squares[:rank].sum()
    max_gain = min(_MAX_KRYLOV_GAIN * (total - kept), _MAX_KRYLOV_RELATIVE_GAIN * (kept - squares[0]))
    if total - kept < _NEGLIGIBLE * total or (rank > 1 and kept - previous[:rank].sum() > max_gain):
        return None
    return _Subspace(basis[:, :size], images[:, :size], squares[:size], rank)


def _from_gram(wide: NDArray[np.float32], total: float, rank: int | None, energy: float | None) -> _Subspace:
    """The leading subspace from the Gram matrix, in double precision: it squares the singular values' range."""
    from scipy.linalg import eigh

    short = len(wide)
    matrix = wide.astype(np.float64)
    gram = matrix @ matrix.T
    if rank is None:
        squares, vectors = eigh(gram, overwrite_a=True, check_finite=False)
        rank = _rank_of(squares[::-1], total, None, energy)
        vectors = vectors[:, short - _with_spare(rank, short) :]
    else:
        part = (short - _with_spare(rank, short), short - 1)
        _, vectors = eigh(gram, subset_by_index=part, overwrite_a=True, check_finite=False)
    return _Subspace(*_ritz_vectors(matrix, np.ascontiguousarray(vectors[:, ::-1])), rank)


def _from_start(
    wide: NDArray[np.float32], total: float, rank: int | None, energy: float | None, start: NDArray[np.float32]
) -> _Subspace | None:
    """The leading subspace by few iterations from `start`; None where that is too far away, as after a scene cut."""
    images = wide.T @ start
    squares = np.linalg.eigvalsh(_gram(images))[::-1]
    for _ in range(_MAX_WARM_ITERATIONS):
        previous = squares
        basis, images, squares = _ritz_vectors(wide, np.linalg.qr(wide @ images)[0])
        size = _rank_of(squares, total, rank, energy)
        if _with_spare(size, len(wide)) > start.shape[1] + size // 8:
            return None
        kept = squares[:size].sum()
        gain = kept - previous[:size].sum()
        if gain <= _MAX_GAIN * (total - kept) and (size == 1 or gain <= _MAX_RELATIVE_GAIN * (kept - squares[0])):
            return _Subspace(basis, images, squares, size)
    return None


def _ritz_vectors(wide: NDArray, basis: NDArray) -> tuple[NDArray, NDArray, NDArray[np.float64]]:
    """The Ritz vectors of the subspace of `basis` (its best singular vectors), their images, and these squared."""
    return _to_ritz_vectors(basis, wide.T @ basis)


def _to_ritz_vectors(basis: NDArray, images: NDArray) -> tuple[NDArray, NDArray, NDArray[np.float64]]:
    """The same where the images of `basis` are known: a rotation of both."""
    squares, rotation = np.linalg.eigh(_gram(images))
    rotation = np.ascontiguousarray(rotation[:, ::-1], images.dtype)
    return basis @ rotation, images @ rotation, squares[::-1].clip(0)


def _gram(images: NDArray) -> NDArray[np.float64]:
    precise = images.astype(np.float64)
    return precise.T @ precise


def _with_spare(rank: int, short: int) -> int:
    """How many vectors to follow, so that a warm iteration converges."""
    return min(short, rank + max(_MIN_SPARE, rank // 4))


def _rank_of(squares: NDArray[np.float64], total: float, rank: int | None, energy: float | None) -> int:
    """The rank asked for, or the least that keeps the energy (all that there are, where rounding hides it)."""
    if rank is not None:
        return rank
    missing = total - np.cumsum(squares)
    enough = np.flatnonzero(missing <= (1 - (energy or 0)) * total + _ROUNDING[np.dtype(np.float64)] * total)
    return int(enough[0]) + 1 if len(enough) else len(squares)


def _signs(basis: NDArray, start: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """The sign that each vector is multiplied by, float32 [p]: 1 or -1."""
    largest = basis[np.abs(basis).argmax(axis=0), np.arange(basis.shape[1])]
    signs = np.where(largest < 0, np.float32(-1), np.float32(1))
    if start is not None and len(start) == len(basis):
        shared = min(start.shape[1], basis.shape[1])
        correlation = np.einsum("ij,ij->j", start[:, :shared], basis[:, :shared])
        clear = np.abs(correlation) > _MIN_CORRELATION
        signs[:shared][clear] = np.sign(correlation[clear])
    return signs


def _sum_of_squares(matrix: NDArray[np.float32]) -> float:
    return float(_add_squares(np.ascontiguousarray(matrix)))


@njit(nogil=True, cache=True)
def _add_squares(matrix):  # type: ignore[no-untyped-def]
    total = 0.0
    for y in range(matrix.shape[0]):
        row = matrix[y]
        for x in range(matrix.shape[1]):
            total += np.float64(row[x]) * np.float64(row[x])
    return total
