"""The best approximation of a matrix by one of lower rank: its truncated singular value decomposition.

Cold, few leading singular vectors of the shorter side come from a block Krylov subspace (Musco and Musco, "Randomized
block Krylov methods for stronger and faster approximate singular value decomposition", 2015); many, or a share of the
energy, from eigenvectors of the Gram matrix, which LAPACK finds without the rest. Warm, those of a similar matrix,
such as the frame before, take a step or two of subspace iteration (Halko, Martinsson and Tropp, "Finding structure
with randomness", SIAM Review 53, 2011); how much the last step gained tells whether that is near enough. All end with
a Rayleigh-Ritz step on the matrix itself, so that singular values are as exact as the subspace.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numba import njit
from numpy.typing import NDArray

_GAIN_MOST = 0.02  # of the last warm step, in shares of the error: then that is within 0.5 % of the least possible
_NEWS_MOST = 0.05  # and in shares of what the components after the first hold: in noise that is little
_STEPS_MOST = 2
_KRYLOV_BLOCKS = 4  # of half the rank, and a few: the error is then within 0.02 % of the least, in film
_KRYLOV_GAIN_MOST, _KRYLOV_NEWS_MOST = 0.014, 0.003  # of the last block: the same as for warm steps
_HARDLY_ANY = 1e-7
_KRYLOV_SHARE = 2  # of all vectors, up to one in so many: for more, the Gram matrix is as fast
_SMALL = 128  # shorter sides are as well begun anew
_TINY = {np.dtype(np.float32): 1e-12, np.dtype(np.float64): 1e-14}  # squares below this share of all are rounding


@dataclass(frozen=True, eq=False)
class Truncation:
    """A matrix [m, n] of rank r as `left @ right`.

    `left` is float32 [m, r], left singular vectors times singular values; `right` float32 [r, n], right singular
    vectors; `singular_values` float64 [r], falling. `total` is the sum of squares of the matrix that it stands for.
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


@dataclass(frozen=True, eq=False)
class _Subspace:
    """Orthonormal vectors [short side, p], their images under the matrix [long side, p], whose squares fall, and how
    many of them are to be kept. In float32, or float64 where that is needed."""

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
    0.5 % of the least. A matrix of zeros has rank 0. Signs are fixed: the vectors of the shorter side go along with
    those of `start`, or else have their greatest entry above 0.
    """
    total = _sum_of_squares(matrix)
    tall = matrix.shape[0] > matrix.shape[1]
    wide = matrix.T if tall else matrix
    rank = None if rank is None else min(rank, len(wide))
    found = None
    if start is not None and len(start) == len(wide) >= _SMALL:
        found = _continued(wide, total, rank, energy, start)
    if found is None and rank is not None and len(wide) >= _SMALL:
        found = _from_krylov(wide, total, rank)
    if found is None:
        found = _from_gram(wide, total, rank, energy)
    squares = found.squares[: found.rank]
    kept = int((squares > _TINY[found.images.dtype] * total).sum())
    values = np.sqrt(squares[:kept])
    signs = _signs(found.basis, start)
    basis = (found.basis * signs).astype(np.float32)
    images = (found.images[:, :kept] * signs[:kept]).astype(np.float32)
    if tall:
        return Truncation(images, basis[:, :kept].T, values, total, basis)
    scale = values.astype(np.float32)
    return Truncation(basis[:, :kept] * scale, (images / scale).T, values, total, basis)


def singular_values(matrix: NDArray) -> NDArray[np.float64]:
    """All singular values of a matrix of whole numbers, falling: float64 [min(m, n)].

    They are the roots of the Gram matrix's eigenvalues; its entries are exact here, so those below about a 10^-7th
    of the greatest are rounding.
    """
    wide = (matrix.T if matrix.shape[0] > matrix.shape[1] else matrix).astype(np.float64)
    return np.sqrt(scipy.linalg.eigh(wide @ wide.T, eigvals_only=True, check_finite=False)[::-1].clip(0))


def _from_krylov(wide: NDArray[np.float32], total: float, rank: int) -> _Subspace | None:
    """The leading subspace from what a few steps of subspace iteration came by; None where that is no gain, or where
    the last of them still gained much, as with the flat spectrum of noise, or where hardly any error is left."""
    short = len(wide)
    size = _with_spare(rank, short)
    width = rank // 2 + 8
    if _KRYLOV_BLOCKS * width * _KRYLOV_SHARE > short:
        return None
    block = np.random.default_rng(0).standard_normal((short, width), np.float32)
    blocks = []
    for _ in range(_KRYLOV_BLOCKS):
        block = np.linalg.qr(wide @ (wide.T @ block))[0]
        blocks.append(block)
    basis = np.linalg.qr(np.hstack(blocks))[0]
    images = wide.T @ basis
    former = np.linalg.eigvalsh(_gram(images[:, :-width]))[::-1]
    basis, images, squares = _turned(basis, images)
    kept = squares[:rank].sum()
    most = min(_KRYLOV_GAIN_MOST * (total - kept), _KRYLOV_NEWS_MOST * (kept - squares[0]))
    if total - kept < _HARDLY_ANY * total or (rank > 1 and kept - former[:rank].sum() > most):
        return None
    return _Subspace(basis[:, :size], images[:, :size], squares[:size], rank)


def _from_gram(wide: NDArray[np.float32], total: float, rank: int | None, energy: float | None) -> _Subspace:
    """The leading subspace from the Gram matrix, in double precision: it squares the singular values' range."""
    short = len(wide)
    matrix = wide.astype(np.float64)
    gram = matrix @ matrix.T
    if rank is None:
        squares, vectors = scipy.linalg.eigh(gram, overwrite_a=True, check_finite=False)
        rank = _rank_of(squares[::-1], total, None, energy)
        vectors = vectors[:, short - _with_spare(rank, short) :]
    else:
        part = (short - _with_spare(rank, short), short - 1)
        _, vectors = scipy.linalg.eigh(gram, subset_by_index=part, overwrite_a=True, check_finite=False)
    return _Subspace(*_rotated(matrix, np.ascontiguousarray(vectors[:, ::-1])), rank)


def _continued(
    wide: NDArray[np.float32], total: float, rank: int | None, energy: float | None, start: NDArray[np.float32]
) -> _Subspace | None:
    """The leading subspace by few steps from `start`; None where that is too far away, as after a scene cut."""
    images = wide.T @ start
    squares = np.linalg.eigvalsh(_gram(images))[::-1]
    for _ in range(_STEPS_MOST):
        former = squares
        basis, images, squares = _rotated(wide, np.linalg.qr(wide @ images)[0])
        size = _rank_of(squares, total, rank, energy)
        if _with_spare(size, len(wide)) > start.shape[1] + size // 8:
            return None
        kept = squares[:size].sum()
        gain = kept - former[:size].sum()
        if gain <= _GAIN_MOST * (total - kept) and (size == 1 or gain <= _NEWS_MOST * (kept - squares[0])):
            return _Subspace(basis, images, squares, size)
    return None


def _rotated(wide: NDArray, basis: NDArray) -> tuple[NDArray, NDArray, NDArray[np.float64]]:
    """The singular vectors inside the subspace of `basis` (Rayleigh-Ritz), their images, and the images' squares."""
    return _turned(basis, wide.T @ basis)


def _turned(basis: NDArray, images: NDArray) -> tuple[NDArray, NDArray, NDArray[np.float64]]:
    """The same, where images are known."""
    squares, rotation = np.linalg.eigh(_gram(images))
    turn = np.ascontiguousarray(rotation[:, ::-1], images.dtype)
    return basis @ turn, images @ turn, squares[::-1].clip(0)


def _gram(images: NDArray) -> NDArray[np.float64]:
    precise = images.astype(np.float64)
    return precise.T @ precise


def _with_spare(rank: int, short: int) -> int:
    """How many vectors to follow, so that a warm step converges."""
    return min(short, rank + max(8, rank // 4))


def _rank_of(squares: NDArray[np.float64], total: float, rank: int | None, energy: float | None) -> int:
    """The rank asked for, or the least that keeps the energy (all that there are, where rounding hides it)."""
    if rank is not None:
        return rank
    missing = total - np.cumsum(squares)
    enough = np.flatnonzero(missing <= (1 - (energy or 0)) * total + 1e-14 * total)
    return int(enough[0]) + 1 if len(enough) else len(squares)


def _signs(basis: NDArray, start: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """What each vector is multiplied by."""
    greatest = basis[np.abs(basis).argmax(axis=0), np.arange(basis.shape[1])]
    signs = np.where(greatest < 0, np.float32(-1), np.float32(1))
    if start is not None and len(start) == len(basis):
        shared = min(start.shape[1], basis.shape[1])
        along = np.einsum("ij,ij->j", start[:, :shared], basis[:, :shared])
        clear = np.abs(along) > 0.5
        signs[:shared][clear] = np.sign(along[clear])
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
