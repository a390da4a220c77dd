"""Static models give back every index, stay near the bytes of mixed contexts, and survive any bytes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from streamvq.container.indices.coding import encode_indices
from streamvq.container.static_indices.decoding import decode_static
from streamvq.container.static_indices.encoding import encode_static


def book(k: int) -> NDArray[np.uint8]:
    return np.random.default_rng(k).integers(0, 256, (k, 3)).astype(np.uint8)


def picture(rng: np.random.Generator, shape: tuple[int, int], k: int, noise: float) -> NDArray:
    """Patches of single codes, a share `noise` of them changed at random."""
    coarse = rng.integers(0, k, (shape[0] // 5 + 1, shape[1] // 7 + 1))
    frame = np.repeat(np.repeat(coarse, 5, axis=0), 7, axis=1)[: shape[0], : shape[1]]
    frame = np.where(rng.random(shape) < noise, rng.integers(0, k, shape), frame)
    return frame.astype(np.uint8 if k <= 256 else np.uint16)


SHAPES = [(1, 1), (1, 300), (300, 1), (2, 17), (127, 33), (128, 33), (131, 16)]


@pytest.mark.parametrize("k", [1, 2, 16, 256, 257, 4096, 65536])
def test_round_trip_of_mixed_sizes(k: int) -> None:
    rng = np.random.default_rng(k)
    frames = [picture(rng, shape, k, noise) for shape in SHAPES for noise in (0.4, 0.0, 1.0)]
    frames += [frames[-1], np.roll(frames[-1], (2, -3), (0, 1))]
    decoded = decode_static(encode_static(frames, book(k)), [frame.shape for frame in frames], book(k))
    assert [frame.dtype for frame in decoded] == [frame.dtype for frame in frames]
    assert all((frame == back).all() for frame, back in zip(frames, decoded, strict=True))


def test_no_frames_are_no_bytes() -> None:
    assert encode_static([], book(5)) == b""
    assert decode_static(b"", [], book(5)) == []
    with pytest.raises(ValueError, match="no frames"):
        decode_static(b"1", [], book(5))


def test_repeated_frames_cost_next_to_nothing() -> None:
    frame = picture(np.random.default_rng(1), (140, 160), 256, 0.3)
    once = len(encode_static([frame], book(256)))
    assert len(encode_static([frame] * 20, book(256))) < once + 200


def test_noise_hardly_grows_and_patterns_come_near_mixed_contexts() -> None:
    rng = np.random.default_rng(2)
    noise = [rng.integers(0, 256, (160, 160)).astype(np.uint8) for _ in range(2)]
    assert len(encode_static(noise, book(256))) < 1.2 * 2 * 160 * 160
    frames = [picture(rng, (160, 320), 64, 0.02) for _ in range(2)]
    assert len(encode_static(frames, book(64))) < 1.35 * len(encode_indices(frames, book(64)))


@pytest.mark.parametrize("k", [16, 256, 4096])
def test_any_bytes_are_refused_or_read(k: int) -> None:
    rng = np.random.default_rng(7)
    frames = [picture(rng, (128, 40), k, 0.3), picture(rng, (128, 40), k, 0.3), picture(rng, (9, 40), k, 0.3)]
    data, shapes = encode_static(frames, book(k)), [frame.shape for frame in frames]
    refused = 0
    for number in range(60):
        changed = bytearray(data)
        at = int(rng.integers(0, len(data) if number % 3 else 40))
        changed[at : at + 1] = rng.bytes(int(rng.integers(0, 4)))
        try:
            decoded = decode_static(bytes(changed), shapes, book(k))
        except ValueError:
            refused += 1
            continue
        assert max(int(frame.max()) for frame in decoded) < k
    assert refused > 40
    for end in (0, 1, 5, len(data) // 2, len(data) - 1):
        with pytest.raises(ValueError, match=r"index data|too early|ends after"):
            decode_static(data[:end], shapes, book(k))
