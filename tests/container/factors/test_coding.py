"""Factor coding gives back every number, is small where factors are smooth or repeat, and survives any bytes."""

from __future__ import annotations

import hashlib
import lzma

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamvq.container.factors.coding import Shape, decode_stacks, encode_stacks
from streamvq.container.factors.references import MAX_VALUE

Frames = list[list[NDArray[np.int32]]]


def shapes_of(frames: Frames) -> list[list[Shape]]:
    return [[stack.shape for stack in frame] for frame in frames]


def assert_round_trip(frames: Frames) -> bytes:
    data = encode_stacks(frames)
    decoded = decode_stacks(data, shapes_of(frames))
    assert len(decoded) == len(frames)
    for frame, back in zip(frames, decoded, strict=True):
        assert len(back) == len(frame)
        for stack, other in zip(frame, back, strict=True):
            assert other.dtype == np.int32
            assert other.shape == stack.shape
            assert (other == stack).all()
    return data


def noise(rng: np.random.Generator, shape: Shape, most: int) -> NDArray[np.int32]:
    """Numbers of which many are small and some as large as `most`."""
    values = rng.laplace(0, most / 8 + 0.1, shape).clip(-most, most)
    return np.rint(values).astype(np.int32)


def scene(rng: np.random.Generator, count: int, rank: int = 6) -> Frames:
    """Factors of a smooth picture that changes little, with noise: 24 x 30 patches of 8 x 8, one channel."""
    y, x = np.mgrid[:192, :240] / 40
    frames = []
    for n in range(count):
        picture = 60 * np.sin(y + 0.1 * n) + 40 * np.cos(2 * x - y) + rng.normal(0, 2, y.shape)
        patches = picture.reshape(24, 8, 30, 8).swapaxes(1, 2).reshape(720, 64)
        u, s, v = np.linalg.svd(patches, full_matrices=False)
        signs = np.sign(v[:rank].sum(axis=1))[:, None]
        left = np.rint((u * s).T[:rank] * signs / 4).astype(np.int32)
        frames.append(
            [left.reshape(rank, 24, 30), np.rint(v[:rank] * signs * 64).astype(np.int32).reshape(rank, 8, 8)]
        )
    return frames


def entropy(values: NDArray[np.int32]) -> float:
    """Bytes that the values take at least if each is coded by itself."""
    counts = np.unique(values, return_counts=True)[1]
    return float(-(counts * np.log2(counts / counts.sum())).sum() / 8)


stack_shapes = st.tuples(st.integers(0, 12), st.integers(1, 12), st.integers(1, 12))
line_shapes = st.tuples(st.integers(0, 12), st.sampled_from([(1, 1), (1, 30), (30, 1)])).map(
    lambda sizes: (sizes[0], *sizes[1])
)
frame_shapes = st.lists(st.one_of(stack_shapes, line_shapes), max_size=6)


@given(
    st.lists(frame_shapes, max_size=3),
    st.integers(1, 3),
    st.sampled_from([0, 1, 9, 3000, MAX_VALUE]),
    st.integers(0, 99),
)
@settings(max_examples=100, deadline=None)
def test_round_trip(shapes: list[list[Shape]], repeats: int, most: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = [[noise(rng, shape, most) for shape in frame] for frame in shapes for _ in range(repeats)]
    frames += [[stack[::-1].copy() for stack in frame] for frame in frames[-1:]]  # components in another order
    frames += [[-stack for stack in frame] for frame in frames[-1:]]
    assert_round_trip(frames)


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 1, 1), (2, 1, 200), (2, 200, 1), (2, 20, 30), (30, 8, 8)])
def test_extremes(shape: Shape) -> None:
    rng = np.random.default_rng(0)
    ends = rng.choice(np.array([-MAX_VALUE, 0, MAX_VALUE], np.int32), shape)
    assert_round_trip([[ends, -ends], [np.full(shape, MAX_VALUE, np.int32), ends], [ends, ends]])


@pytest.mark.parametrize("beyond", [MAX_VALUE + 1, -MAX_VALUE - 1, -(2**31)])
def test_larger_numbers_are_refused(beyond: int) -> None:
    with pytest.raises(ValueError, match="1048576"):
        encode_stacks([[np.full((1, 2, 2), beyond, np.int32)]])


def test_nothing_takes_no_bytes() -> None:
    assert encode_stacks([]) == b""
    assert decode_stacks(b"", []) == []
    assert assert_round_trip([[], [np.zeros((0, 5, 5), np.int32)]]) == b""
    assert len(assert_round_trip([[np.zeros((9, 40, 40), np.int32)] * 2] * 3)) < 200


def test_more_components_than_have_solvers() -> None:
    rng = np.random.default_rng(1)
    assert_round_trip([[noise(rng, (300, 2, 2), 5), noise(rng, (r, 1, 3), 5)] for r in (300, 270, 290)])


def test_sizes_of_one_factor_may_change() -> None:
    rng = np.random.default_rng(2)
    sizes = [(4, 6), (4, 9), (7, 6), (4, 6), (40, 3)]
    frames = [[noise(rng, (5, 1, w), 50), noise(rng, (5, h, 1), 50)] * 3 for h, w in sizes]
    assert_round_trip(frames)


def test_shorter_than_simple_coders() -> None:
    frames = scene(np.random.default_rng(3), 4)
    size = len(assert_round_trip(frames))
    packed = lzma.compress(b"".join(stack.astype(np.int16).tobytes() for frame in frames for stack in frame))
    assert size < 0.8 * len(packed)
    assert size < 0.8 * sum(entropy(component) for frame in frames for stack in frame for component in stack)


def test_what_repeats_costs_little_however_it_turns() -> None:
    (frame,) = scene(np.random.default_rng(4), 1)
    alone = len(assert_round_trip([frame]))
    assert len(assert_round_trip([frame] * 9)) < alone + 9
    flips = np.array([1, -1, 1, 1, -1, -1], np.int32)[:, None, None]
    swapped = [stack[[1, 0, 2, 4, 3, 5]] * flips for stack in frame]
    assert len(assert_round_trip([frame, swapped])) < 1.25 * alone


def test_what_has_nothing_to_do_with_the_frame_before_costs_no_more() -> None:
    frame = scene(np.random.default_rng(5), 1)[0]
    other = [np.ascontiguousarray(stack[:, ::-1, ::-1]) for stack in scene(np.random.default_rng(6), 9)[-1]]
    assert len(assert_round_trip([frame, other])) < 1.02 * (len(encode_stacks([frame])) + len(encode_stacks([other])))


def test_similar_channels_cost_less() -> None:
    (frame,) = scene(np.random.default_rng(7), 1)
    assert len(assert_round_trip([frame * 3])) < 1.4 * len(encode_stacks([frame]))


@given(st.binary(max_size=300), st.lists(frame_shapes, min_size=1, max_size=3))
@settings(max_examples=120, deadline=None)
def test_any_bytes_decode_to_something_or_are_refused(data: bytes, shapes: list[list[Shape]]) -> None:
    try:
        frames = decode_stacks(data, shapes)
    except ValueError:
        return
    assert shapes_of(frames) == [[tuple(shape) for shape in frame] for frame in shapes]
    for stack in (stack for frame in frames for stack in frame):
        assert np.abs(stack).max(initial=0) <= MAX_VALUE


@pytest.mark.parametrize("seed", range(20))
def test_damaged_data_does_not_crash(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = scene(rng, 2)
    data = bytearray(encode_stacks(frames))
    shapes = shapes_of(frames)
    if seed % 2:
        del data[int(rng.integers(len(data))) :]
    else:
        for place in rng.integers(0, len(data), 5):
            data[place] ^= int(rng.integers(1, 256))
    wrong = [[(r + int(rng.integers(-2, 3)), h, w + int(rng.integers(0, 3))) for r, h, w in f] for f in shapes]
    for some in (shapes, wrong, wrong[:1], shapes[::-1]):
        try:
            decoded = decode_stacks(bytes(data), some)
        except ValueError:
            continue
        assert all(np.abs(stack).max(initial=0) <= MAX_VALUE for frame in decoded for stack in frame)


def test_data_behind_the_end_are_refused() -> None:
    frames = scene(np.random.default_rng(7), 1)
    with pytest.raises(ValueError, match="end after"):
        decode_stacks(encode_stacks(frames) + bytes(9) + b"x", shapes_of(frames))
    with pytest.raises(ValueError, match="end after"):
        decode_stacks(b"x", [])


@pytest.mark.parametrize("shape", [(1, -1, 2), (-1, 1, 1), (2, 2), (1, 2, 3, 4)])
def test_shapes_that_cannot_be_are_refused(shape: Shape) -> None:
    with pytest.raises(ValueError, match="shape"):
        decode_stacks(b"", [[shape]])


def test_same_bytes_every_time() -> None:
    rng = np.random.default_rng(8)
    shapes = [(3, 5, 7), (3, 1, 30)] * 2
    frames = [[(rng.integers(-9, 10, s) ** 3 // 7).astype(np.int32) for s in shapes] for _ in range(3)]
    copy = [[stack.copy(order="F") for stack in frame] for frame in frames]
    data = encode_stacks(frames)
    assert encode_stacks(frames) == encode_stacks(copy) == data
    assert hashlib.sha256(data).hexdigest()[:16] == "10b50bb0f7c0c7b8"
