"""Index coding gives back every index, is small where frames repeat, and survives any bytes."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamvq.container.indices.coding import decode_indices, encode_indices


def book(k: int, samples: int = 3) -> NDArray[np.uint8]:
    """Codes from black to white with some color: uint8 [k, samples]."""
    levels = np.sort(np.random.default_rng(k).integers(0, 256, (k, 1)), axis=0)
    return np.clip(levels + np.random.default_rng(1).integers(-20, 21, (k, samples)), 0, 255).astype(np.uint8)


def picture(rng: np.random.Generator, shape: tuple[int, int], k: int, noise: float) -> NDArray:
    """Patches of single codes, a share `noise` of them changed at random: uint8 or uint16 [rows, cols]."""
    coarse = rng.integers(0, k, (shape[0] // 5 + 1, shape[1] // 7 + 1))
    frame = np.repeat(np.repeat(coarse, 5, axis=0), 7, axis=1)[: shape[0], : shape[1]]
    frame = np.where(rng.random(shape) < noise, rng.integers(0, k, shape), frame)
    return frame.astype(np.uint8 if k <= 256 else np.uint16)


def assert_round_trip(frames: list[NDArray], codes: NDArray[np.uint8], deep: bool = False) -> bytes:
    data = encode_indices(frames, codes, deep=deep)
    decoded = decode_indices(data, [frame.shape for frame in frames], codes, deep=deep)
    assert len(decoded) == len(frames)
    for frame, back in zip(frames, decoded, strict=True):
        assert back.dtype == (np.uint8 if len(codes) <= 256 else np.uint16)
        assert back.shape == frame.shape
        assert (back == frame).all()
    return data


shapes = st.tuples(st.integers(1, 40), st.integers(1, 40))
sizes = st.one_of(st.sampled_from([1, 2, 3, 16, 255, 256, 257, 4096, 65536]), st.integers(1, 300))


@given(
    st.lists(shapes, min_size=1, max_size=3),
    st.integers(1, 3),
    sizes,
    st.sampled_from([0.0, 0.03, 0.4, 1.0]),
    st.integers(0, 99),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_round_trip(some: list[tuple[int, int]], repeats: int, k: int, noise: float, seed: int, deep: bool) -> None:
    rng = np.random.default_rng(seed)
    still = [picture(rng, shape, k, noise) for shape in some for _ in range(repeats)]
    assert_round_trip(still + still[-1:], book(k), deep)


@pytest.mark.parametrize("k", [1, 2, 16, 256, 1000, 65536])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (70, 90)])
def test_frames_of_one_code(k: int, shape: tuple[int, int]) -> None:
    frame = np.full(shape, k - 1, np.uint8 if k <= 256 else np.uint16)
    data = assert_round_trip([frame, frame, frame], book(k))
    assert len(data) < 60
    if k == 1:
        assert len(data) <= 2


@pytest.mark.parametrize("samples", [1, 3, 12, 48, 192])
def test_codes_of_any_length(samples: int) -> None:
    rng = np.random.default_rng(samples)
    assert_round_trip([picture(rng, (30, 41), 500, 0.2)] * 2, book(500, samples))


def test_no_frames() -> None:
    assert decode_indices(encode_indices([], book(5)), [], book(5)) == []


def test_frames_that_are_views_of_others() -> None:
    frame = picture(np.random.default_rng(0), (40, 60), 200, 0.1)
    data = encode_indices([frame[::2, ::-1]], book(200))
    assert (decode_indices(data, [(20, 60)], book(200))[0] == frame[::2, ::-1]).all()


def test_same_frames_same_bytes() -> None:
    frames = [picture(np.random.default_rng(0), (40, 60), 200, 0.1)] * 2
    wide = [frame.astype(np.uint16) for frame in frames]
    assert encode_indices(frames, book(200)) == encode_indices(frames, book(200)) == encode_indices(wide, book(200))


def test_noise_hardly_grows() -> None:
    frames = [picture(np.random.default_rng(n), (120, 160), 256, 1.0) for n in range(3)]
    assert len(encode_indices(frames, book(256))) < 1.04 * 3 * 120 * 160


def test_still_and_flat_frames_take_little() -> None:
    frame = picture(np.random.default_rng(3), (120, 160), 256, 0.0)
    once = len(encode_indices([frame], book(256)))
    assert once < 0.15 * frame.size
    assert len(encode_indices([frame] * 20, book(256))) < once + 200


@given(st.binary(max_size=400), st.lists(shapes, min_size=1, max_size=3), sizes, st.booleans())
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_refused_or_give_codes(data: bytes, some: list[tuple[int, int]], k: int, deep: bool) -> None:
    assert_refused_or_codes(data, some, k, deep)


@given(st.integers(0, 10**6), st.integers(1, 255), st.sampled_from([2, 16, 200, 256, 3000]), st.booleans())
@settings(max_examples=100, deadline=None)
def test_damaged_and_cut_data(position: int, change: int, k: int, deep: bool) -> None:
    rng = np.random.default_rng(k)
    frames = [picture(rng, (30, 40), k, 0.1)] * 2 + [picture(rng, (13, 7), k, 0.5)]
    data = bytearray(encode_indices(frames, book(k), deep=deep))
    data[position % len(data)] ^= change
    some = [frame.shape for frame in frames]
    assert_refused_or_codes(bytes(data), some, k, deep)
    assert_refused_or_codes(bytes(data[: position % len(data)]), some, k, deep)
    assert_refused_or_codes(bytes(data) + b"more", some, k, deep)


def assert_refused_or_codes(data: bytes, some: list[tuple[int, int]], k: int, deep: bool) -> None:
    try:
        decoded = decode_indices(data, some, book(k), deep=deep)
    except ValueError:
        return
    assert [frame.shape for frame in decoded] == some
    assert all(int(frame.max()) < k for frame in decoded)


@pytest.mark.parametrize("extra", [1, 4, 5, 40])
def test_data_that_goes_on_is_refused(extra: int) -> None:
    data = encode_indices([picture(np.random.default_rng(3), (20, 30), 16, 0.1)], book(16))
    with pytest.raises(ValueError, match="index data"):
        decode_indices(data + b"\1" * (extra + 8), [(20, 30)], book(16))


def test_more_contexts_are_fewer_bytes() -> None:
    """Of smooth and noisy pictures, and of what changes between frames."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:120, :160]
    wave = 20 * np.sin(x / 9) + 15 * np.sin(y / 14)
    frames = [(128 + wave + t + rng.normal(0, 2, wave.shape)).astype(np.uint8) // 4 for t in range(3)]
    levels = np.arange(64, dtype=np.uint8)[:, None] * 4
    assert len(assert_round_trip(frames, levels, deep=True)) < 0.97 * len(assert_round_trip(frames, levels))


def test_golden_bytes() -> None:
    """The format: a change of these digests is a change of every file."""
    digests = []
    for k, samples in [(16, 3), (256, 3), (1000, 48)]:
        rng = np.random.default_rng(7)
        frame = picture(rng, (37, 53), k, 0.1)
        moved = np.roll(frame, 1, axis=1)
        data = encode_indices([frame, frame, moved, picture(rng, (9, 11), k, 0.5)], book(k, samples))
        digests.append(hashlib.sha256(data).hexdigest()[:16])
    assert digests == GOLDEN


GOLDEN = ["0fe32a839682eed9", "82b3e7ed678c0abe", "9729f9fa07c9e057"]
