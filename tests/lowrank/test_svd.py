"""Truncated singular value decompositions, against NumPy's own of the whole matrix."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pictures import SAMPLES, load, noise

import streamvq
from streamvq.lowrank.svd import Truncation, singular_values, truncate

COLD, WARM = 1.001, 1.005  # times the least error, as the root of the sum of squares
ROUNDING = 2e-6  # of the root of all squares: single precision, summed up


@st.composite
def matrices(draw: st.DrawFn) -> NDArray[np.float32]:
    """Whole numbers of 1 to 16 bits in any shape: noise, products of low rank, constants, black, diagonals."""
    height, width = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    top = draw(st.sampled_from([1, 3, 255, 65535]))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    kind = draw(st.sampled_from(["noise", "product", "constant", "black", "diagonal"]))
    matrix = rng.integers(0, top, (height, width), endpoint=True)
    if kind == "product":
        inner = draw(st.integers(1, 3))
        matrix = rng.integers(0, 3, (height, inner)) @ rng.integers(0, top // 9 + 2, (inner, width))
    elif kind == "constant":
        matrix[:] = top
    elif kind == "black":
        matrix[:] = 0
    elif kind == "diagonal":
        matrix = top * np.eye(height, width, dtype=int)
    return matrix.astype(np.float32)


def values_of(matrix: NDArray) -> NDArray[np.float64]:
    return np.linalg.svd(matrix.astype(float), compute_uv=False)


def off(matrix: NDArray, near: Truncation) -> float:
    """The root of the sum of squared differences between a matrix and its truncation."""
    return float(np.linalg.norm(matrix.astype(float) - near.left.astype(float) @ near.right.astype(float)))


def least(matrix: NDArray, rank: int) -> float:
    """The same of the best of all matrices of a rank (Eckart and Young)."""
    return float(np.linalg.norm(values_of(matrix)[rank:]))


def assert_best(matrix: NDArray, near: Truncation, rank: int, factor: float) -> None:
    assert off(matrix, near) <= factor * least(matrix, rank) + ROUNDING * np.linalg.norm(matrix.astype(float))


def same(one: Truncation, other: Truncation) -> bool:
    """Whether two truncations are equal, byte by byte."""
    return all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ("left", "right", "singular_values")
    )


@pytest.fixture(scope="module")
def film() -> list[NDArray[np.float32]]:
    """The first half of the sample clip, green only, at half size."""
    with streamvq.open_source(SAMPLES / "clip.mp4") as source:
        return [np.ascontiguousarray(frame.pixels[::2, ::2, 1], np.float32) for frame in islice(source, 48)]


@pytest.fixture(scope="module")
def photo() -> NDArray[np.float32]:
    """As large as the film's frames, and nothing like them."""
    return np.ascontiguousarray(load(SAMPLES / "photos" / "china.jpg")[:135, :240, 1], np.float32)


@given(matrices(), st.integers(1, 14))
def test_no_matrix_of_the_rank_is_nearer(matrix: NDArray[np.float32], rank: int) -> None:
    near = truncate(matrix, rank)
    assert near.rank <= min(rank, *matrix.shape)
    assert (near.left.shape, near.right.shape) == ((len(matrix), near.rank), (near.rank, matrix.shape[1]))
    assert (near.left.dtype, near.right.dtype, near.singular_values.dtype) == (np.float32, np.float32, np.float64)
    assert_best(matrix, near, rank, COLD)


@given(matrices(), st.integers(1, 14))
def test_singular_values_are_numpys(matrix: NDArray[np.float32], rank: int) -> None:
    expected, near = values_of(matrix), truncate(matrix, rank)
    loss = 1e-6 * max(1.0, expected[0])
    np.testing.assert_allclose(near.singular_values, expected[: near.rank], rtol=1e-5, atol=loss)
    np.testing.assert_allclose(singular_values(matrix), expected, rtol=1e-5, atol=loss)
    assert (np.diff(near.singular_values) <= 0).all()
    assert near.total == float(np.square(matrix, dtype=float).sum())


@given(matrices(), st.integers(1, 14))
def test_factors_are_singular_vectors(matrix: NDArray[np.float32], rank: int) -> None:
    """Orthogonal, of length 1 on the right, and of a singular value on the left."""
    near = truncate(matrix, rank)
    values = near.singular_values
    values = values[values > 1e-3 * np.max(values, initial=1.0)]  # of less, single precision leaves little
    left, right = near.left[:, : len(values)].astype(float) / values, near.right[: len(values)].astype(float)
    np.testing.assert_allclose(left.T @ left, np.eye(len(values)), atol=1e-3)
    np.testing.assert_allclose(right @ right.T, np.eye(len(values)), atol=1e-3)


@given(matrices(), st.sampled_from([0.3, 0.9, 0.99, 0.999, 0.9999]))
def test_energy_is_the_smallest_rank_that_keeps_it(matrix: NDArray[np.float32], energy: float) -> None:
    squares = values_of(matrix) ** 2
    total = squares.sum()
    kept = np.cumsum(squares)
    rank = truncate(matrix, None, energy).rank
    rounding = 1e-9 * total
    assert rank == 0 or kept[rank - 1] >= energy * total - rounding
    assert rank <= 1 or kept[rank - 2] <= energy * total + rounding
    assert (rank == 0) == (total == 0)


@given(matrices())
def test_all_of_the_energy_is_the_rank_of_the_matrix(matrix: NDArray[np.float32]) -> None:
    near = truncate(matrix, None, 1.0)
    assert near.rank == np.linalg.matrix_rank(matrix.astype(float), tol=2e-6 * np.linalg.norm(matrix.astype(float)))
    assert off(matrix, near) < 0.5


@pytest.mark.parametrize("energy", [0.9, 0.99, 0.999])
def test_energy_of_a_photo(energy: float, photo: NDArray[np.float32]) -> None:
    squares = values_of(photo) ** 2
    expected = int((np.cumsum(squares) < energy * squares.sum()).sum()) + 1
    assert truncate(photo, None, energy).rank == expected


@pytest.mark.parametrize("turned", [False, True], ids=["wide", "tall"])
@pytest.mark.parametrize("rank", [1, 5, 16, 40, 100, 134, 135, 500])
def test_a_photo(rank: int, turned: bool, photo: NDArray[np.float32]) -> None:
    matrix = np.ascontiguousarray(photo.T) if turned else photo
    near = truncate(matrix, rank)
    assert near.rank == min(rank, 135)
    assert_best(matrix, near, rank, COLD)
    assert near.error == pytest.approx(least(matrix, rank) ** 2, rel=1e-3, abs=1e-6 * near.total)
    np.testing.assert_allclose(near.singular_values, values_of(matrix)[:rank], rtol=1e-4)


@pytest.mark.parametrize("rank", [8, 32, 64])
def test_a_photo_at_full_size(rank: int) -> None:
    matrix = np.ascontiguousarray(load(SAMPLES / "photos" / "china.jpg")[..., 1], np.float32)
    assert_best(matrix, truncate(matrix, rank), rank, COLD)


def larger(name: str, height: int = 180, width: int = 240) -> NDArray[np.float32]:
    """Pictures of a size where a shortcut would pay, that give it no lead or nothing to hold on to."""
    grain = noise(height, width, 1)[..., 0].astype(int)
    pictures = {
        "noise": grain,
        "grainy stripes": 200 * (np.indices((height, width))[1] // 7 % 2) + grain // 64,
        "salt": 255 * (grain < 6),
        "identity": 255 * np.eye(height, width),
        "checkerboard": 255 * (np.indices((height, width)).sum(axis=0) % 2),
        "constant": np.full((height, width), 255),
        "a single pixel": np.where(np.arange(height * width).reshape(height, width) == 777, 254, 255),
        "black": np.zeros((height, width)),
    }
    return pictures[name].astype(np.float32)


LARGER = ["noise", "grainy stripes", "salt", "identity", "checkerboard", "constant", "a single pixel", "black"]


@pytest.mark.parametrize("name", LARGER)
def test_cold_is_the_best_at_any_size(name: str) -> None:
    """However slowly singular values fall, and where there are none."""
    matrix = larger(name)
    values = values_of(matrix)
    for rank in (1, 2, 6, 12, 24, 48, 100):
        near = truncate(matrix, rank)
        assert_best(matrix, near, rank, COLD)
        assert_best(matrix.T, truncate(np.ascontiguousarray(matrix.T), rank), rank, COLD)
        assert near.error == pytest.approx(float(np.square(values[rank:]).sum()), rel=3e-3, abs=1e-6 * near.total)


@pytest.mark.parametrize("name", LARGER)
def test_singular_values_of_larger_pictures(name: str) -> None:
    matrix = larger(name)
    expected = values_of(matrix)
    for rank in (1, 6, 24, 48):
        near = truncate(matrix, rank)
        np.testing.assert_allclose(
            near.singular_values, expected[: near.rank], rtol=1e-2, atol=1e-5 * max(1.0, expected[0])
        )


@pytest.mark.parametrize("rank", [1, 8, 60])
def test_16_bits(rank: int) -> None:
    ramp = np.add.outer(np.arange(200) * 150, np.arange(120) * 200)
    matrix = (ramp + noise(200, 120, 1, dtype=np.uint16)[..., 0] // 8).astype(np.float32)
    assert_best(matrix, truncate(matrix, rank), rank, COLD)


@pytest.mark.parametrize("turned", [False, True], ids=["wide", "tall"])
@pytest.mark.parametrize("rank", [1, 8, 12, 16, 24, 64])
def test_from_the_frame_before(rank: int, turned: bool, film: list[NDArray[np.float32]]) -> None:
    """Each from the one before, in runs of eight: those where the camera moves slowly and fast."""
    start = None
    for number, frame in enumerate(film[:8] + film[40:]):
        matrix = np.ascontiguousarray(frame.T) if turned else frame
        near = truncate(matrix, rank, None, start if number % 8 else None)
        assert_best(matrix, near, rank, WARM)
        start = near.basis


@pytest.mark.parametrize("energy", [0.9, 0.99, 0.999])
def test_energy_from_the_frame_before(energy: float, film: list[NDArray[np.float32]]) -> None:
    """Kept as promised, in at most a component more than needed."""
    start = None
    for frame in film[:12]:
        near = truncate(frame, None, energy, start)
        cold = truncate(frame, None, energy)
        assert off(frame, near) ** 2 <= (1 - energy) * near.total * (1 + 1e-5)
        assert cold.rank <= near.rank <= cold.rank + 1 + cold.rank // 16
        start = near.basis


@pytest.mark.parametrize("rank", [1, 8, 32])
def test_from_something_unlike(rank: int, film: list[NDArray[np.float32]], photo: NDArray[np.float32]) -> None:
    """Scene cuts, pictures turned over, black, and all of these of another rank."""
    for other in (photo, film[0][::-1], np.zeros_like(photo), np.full_like(photo, 9), 255 - film[0]):
        for former in {1, rank, 40}:
            start = truncate(np.ascontiguousarray(other), former).basis
            assert_best(film[0], truncate(film[0], rank, None, start), rank, WARM)


@given(matrices(), matrices(), st.integers(1, 14), st.integers(1, 14))
def test_from_anything(matrix: NDArray[np.float32], other: NDArray[np.float32], rank: int, former: int) -> None:
    """Also of another size, where nothing can be taken over."""
    near = truncate(matrix, rank, None, truncate(other, former).basis)
    assert_best(matrix, near, rank, WARM)


@pytest.mark.parametrize("rank", [1, 4, 8, 20])
def test_from_other_noise(rank: int) -> None:
    """Whose singular values fall so slowly that a step seems to gain little."""
    for seed in range(3):
        one, other = (noise(130, 140, 1, seed=s)[..., 0].astype(np.float32) for s in (seed, seed + 1))
        assert_best(one, truncate(one, rank, None, truncate(other, rank).basis), rank, WARM)


def test_a_start_of_another_size_is_none(photo: NDArray[np.float32]) -> None:
    small = truncate(np.ascontiguousarray(photo[:50]), 8)
    assert same(truncate(photo, 8, None, small.basis), truncate(photo, 8))


EQUAL = {
    "identity": np.eye(24),
    "turned over": np.eye(24)[::-1],
    "checkerboard": np.indices((24, 32)).sum(axis=0) % 2,
    "tiles": np.kron(np.eye(4), np.ones((6, 8))),
    "two levels": np.kron(np.diag([2, 2, 1, 1]), np.ones((5, 5))),
    "constant": np.ones((24, 32)),
    "black": np.zeros((24, 32)),
}


@pytest.mark.parametrize("times", [1, 8])
@pytest.mark.parametrize("matrix", EQUAL.values(), ids=EQUAL)
def test_equal_singular_values_give_the_same_every_time(matrix: NDArray, times: int) -> None:
    """Wherever in memory the matrix is."""
    matrix = np.tile(255 * matrix, (times, times)).astype(np.float32)
    first = truncate(matrix, 5)
    assert_best(matrix, first, 5, COLD)
    for shift in range(8):
        elsewhere = np.zeros(matrix.size + 8, np.float32)[shift:][: matrix.size].reshape(matrix.shape)
        elsewhere[:] = matrix
        assert same(truncate(elsewhere, 5), first)
        assert same(truncate(elsewhere, 5, None, first.basis), truncate(matrix, 5, None, first.basis))


FACTORS = """
import sys
import numpy as np
from streamvq.lowrank.svd import truncate
for seed in range(3):
    eye = 255 * np.eye(40, 64, k=seed, dtype=np.float32)
    noise = np.random.default_rng(seed).integers(0, 256, (40, 64)).astype(np.float32)
    for matrix in (eye, noise):
        near = truncate(matrix, 9)
        sys.stdout.buffer.write(near.left.tobytes() + near.right.tobytes())
"""


@pytest.mark.slow
def test_the_same_in_every_process(start: Callable[..., subprocess.Popen[bytes]]) -> None:
    outputs = [start(code=FACTORS).communicate(timeout=60) for _ in range(2)]
    assert outputs[0] == outputs[1]
    assert len(outputs[0][0]) == 6 * 9 * (40 + 64) * 4


@given(matrices(), st.integers(1, 14))
def test_signs_are_fixed(matrix: NDArray[np.float32], rank: int) -> None:
    """The vectors of the shorter side have their greatest entry above 0."""
    near = truncate(matrix, rank)
    vectors = near.right.T if matrix.shape[0] > matrix.shape[1] else near.left
    greatest = vectors[np.abs(vectors).argmax(axis=0), np.arange(near.rank)]
    assert (greatest > 0).all()


def test_signs_go_along_with_the_frame_before(photo: NDArray[np.float32]) -> None:
    """Even where no cold start would choose them so."""
    before = truncate(photo, 6)
    turned = truncate(photo, 6, None, -before.basis)
    np.testing.assert_allclose(turned.left, -before.left, atol=1e-2 * before.singular_values[0] / 255)
    np.testing.assert_allclose(turned.right, -before.right, atol=1e-2)


def test_a_matrix_of_zeros_has_rank_0() -> None:
    for matrix in (np.zeros((3, 5), np.float32), np.zeros((1, 1), np.float32)):
        for near in (truncate(matrix, 4), truncate(matrix, None, 0.9), truncate(matrix, None, 1.0)):
            assert (near.rank, near.total, near.error) == (0, 0, 0)
            assert not (near.left @ near.right).any()


def test_the_matrix_is_left_as_it_is(photo: NDArray[np.float32]) -> None:
    matrix = photo.copy()
    start = truncate(matrix, 8).basis
    kept = start.copy()
    for array in (matrix, start):
        array.flags.writeable = False
    truncate(matrix, 8, None, start)
    truncate(matrix, None, 0.99)
    assert (matrix == photo).all()
    assert (start == kept).all()
