"""Samples of blocks: a fair share, whatever the order and the workers; few distinct blocks are kept exactly."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pictures import SAMPLES, load, noise, smooth

from streamvq.quantize.block_sample import BlockSample, _frame_state, sample_size
from streamvq.quantize.blocks import code_length, image_to_blocks


def sample_of(*frames: NDArray, keys: Any = None, block: tuple[int, int] = (4, 4), **settings: Any) -> BlockSample:
    sample = BlockSample(block, **{"space": "rgb", "seed": 0, "capacity": 50, "limit": 20, **settings})
    for key, frame in zip(keys or range(len(frames)), frames, strict=True):
        sample.absorb(frame, key)
    return sample


def same(a: BlockSample, b: BlockSample) -> bool:
    return a.distinct() == b.distinct() and all((x == y).all() for x, y in zip(a.points(), b.points(), strict=True))


@given(st.permutations(range(6)), st.integers(1, 5), st.integers(1, 200), st.sampled_from([1, 30, 1000]))
def test_order_and_partition_do_not_matter(order: list[int], parts: int, capacity: int, limit: int) -> None:
    frames = [smooth(9, 13, shift) for shift in range(6)]
    whole = sample_of(*frames, capacity=capacity, limit=limit)
    total = whole.empty()
    for part in range(parts):
        keys = order[part::parts]
        total.merge(sample_of(*(frames[key] for key in keys), keys=keys, capacity=capacity, limit=limit))
    assert same(total, whole)


def test_a_sample_is_a_fair_share() -> None:
    """Each of 8 kinds of frames and each of 16 places holds about the same part of the sample."""
    places = np.arange(16, dtype=np.uint8).reshape(4, 4).repeat(4, axis=0).repeat(4, axis=1)[..., None]
    frames = [places + np.uint8(20 * key % 160) for key in range(4000)]
    blocks, counts = sample_of(*frames, space="gray", capacity=6400, limit=1).points()
    for share in (blocks[:, 0] // 20, blocks[:, 0] % 20):
        masses = np.bincount(share, counts)
        assert masses.sum() == 6400
        assert masses.max() < 1.25 * masses[masses > 0].min()


def test_the_seed_and_the_key_matter() -> None:
    frames = [noise(64, 64, seed=seed) for seed in range(2)]
    assert not same(sample_of(*frames, seed=0), sample_of(*frames, seed=1))
    assert not same(sample_of(*frames), sample_of(*frames, keys=[7, 2**64 - 1]))


@pytest.mark.parametrize("capacity", [1, 10, 1000])
def test_a_sample_has_its_size(capacity: int) -> None:
    sample = sample_of(*(noise(32, 32, seed=seed) for seed in range(4)), capacity=capacity)
    assert sample.points()[1].sum() == min(capacity, 256)


def test_more_than_the_sample_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks come and go many times, and the smallest hashes stay."""
    monkeypatch.setattr("streamvq.quantize.block_sample._SLACK", 8)
    frames = [noise(32, 32, seed=seed) for seed in range(6)]
    small = sample_of(*frames)
    monkeypatch.undo()
    assert same(small, sample_of(*frames))


def test_distinct_blocks_are_counted_exactly() -> None:
    tiles = noise(4, 80).reshape(4, 20, 4, 3).swapaxes(0, 1)
    plan = np.random.default_rng(0).integers(0, 19, (6, 30))
    plan[:, 0] = 19
    picture = tiles[plan].swapaxes(1, 2).reshape(24, 120, 3)
    for frames in (1, 3):
        sample = sample_of(*[picture] * frames, capacity=1)
        blocks, counts = sample.points()
        assert sample.distinct() == len(np.unique(plan))
        assert {block.tobytes(): count for block, count in zip(blocks, counts.tolist(), strict=True)} == {
            tiles[tile].tobytes(): frames * int((plan == tile).sum()) for tile in np.unique(plan)
        }
    assert sample_of(picture, limit=len(np.unique(plan)) - 1).distinct() is None


def test_merging_can_exceed_the_limit() -> None:
    one, two = sample_of(noise(8, 24)), sample_of(noise(8, 24, seed=1), keys=[1])
    assert (one.distinct(), two.distinct()) == (12, 12)
    one.merge(two)
    assert one.distinct() is None
    two.merge(one)
    assert two.distinct() is None


def test_transparent_blocks_are_not_learned_from() -> None:
    picture = noise(8, 8, 4)
    picture[..., 3] = 255
    picture[:4, :4, 3] = 0
    picture[4, 4, 3] = 0
    for limit in (20, 1):
        sample = sample_of(picture, limit=limit)
        assert sample.points()[1].sum() == 3
    picture[..., 3] = 0
    assert sample_of(picture).distinct() == 0
    assert [len(part) for part in sample_of(picture).points()] == [0, 0]


def test_any_pixels_are_sampled_as_they_are_cut() -> None:
    for picture in (noise(9, 10, 4, dtype=np.uint16), noise(9, 10, 1), noise(9, 20)[:, ::2]):
        for space in ("gray", "rgb", "ycbcr420"):
            length = code_length((4, 4), space)
            cuts = np.unique(image_to_blocks(picture, (4, 4), space)[0].reshape(-1, length), axis=0)
            for limit in (1, 20):
                assert (sample_of(picture, space=space, limit=limit).points()[0] == cuts).all()


def splitmix64(value: int) -> int:
    """Its output function, by the paper of Steele, Lea and Flood."""
    value &= 2**64 - 1
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & 2**64 - 1
    value = (value ^ value >> 27) * 0x94D049BB133111EB & 2**64 - 1
    return value ^ value >> 31


@given(st.integers(-(2**63), 2**64), st.integers(0, 2**64 - 1))
def test_frames_have_states_of_their_own(seed: int, key: int) -> None:
    expected = splitmix64(seed ^ splitmix64(key + 0x9E3779B97F4A7C15))
    assert int(_frame_state(seed, key)) == expected


def test_samples_travel() -> None:
    sample = sample_of(*(noise(32, 32, seed=seed) for seed in range(4)))
    pickled = pickle.dumps(sample)
    assert len(pickled) < 10_000
    back = pickle.loads(pickled)
    assert same(back, sample)
    for part in (back, sample):
        part.absorb(noise(32, 32, seed=9), 9)
    assert same(back, sample)


def test_other_settings_do_not_merge() -> None:
    with pytest.raises(ValueError, match="same settings"):
        sample_of().merge(sample_of(seed=1))


def test_sample_sizes_are_bounded() -> None:
    assert sample_size(256, (4, 4), "rgb") >= 1 << 17
    assert sample_size(65536, (4, 4), "rgb") * 48 <= 1 << 26
    assert sample_size(256, (64, 64), "rgb") * 64 * 64 * 3 <= 1 << 26
    assert sample_size(65536, (64, 64), "rgb") >= 65536


def test_a_photo_has_more_blocks_than_the_limit() -> None:
    assert sample_of(load(SAMPLES / "photos" / "chelsea.png"), limit=1000).distinct() is None
