"""Cutting and joining blocks, and sampling them: nothing lost, nothing that depends on order."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pictures import SAMPLES, load, noise, smooth

from streamvq.quantize.block_sample import BlockSample, sample_size
from streamvq.quantize.blocks import by_luma, code_length, cut, join, laid, laid_error, scales, visible_blocks
from streamvq.quantize.pixels import luma

BLOCKS = [(1, 1), (2, 2), (4, 4), (3, 5), (8, 2)]
sides = st.integers(1, 21)


def sample_of(*frames: NDArray, keys: Any = None, block: tuple[int, int] = (4, 4), **settings: Any) -> BlockSample:
    sample = BlockSample(block, **{"space": "rgb", "seed": 0, "most": 50, "limit": 20, **settings})
    for key, frame in zip(keys or range(len(frames)), frames, strict=True):
        sample.absorb(frame, key)
    return sample


def same(a: BlockSample, b: BlockSample) -> bool:
    return a.distinct() == b.distinct() and all((x == y).all() for x, y in zip(a.points(), b.points(), strict=True))


# --- cutting and joining ---


@given(st.sampled_from(BLOCKS), sides, sides, st.integers(0, 9))
def test_color_comes_back(block: tuple[int, int], height: int, width: int, seed: int) -> None:
    picture = noise(height, width, seed=seed)
    vectors, alpha = cut(picture, block, "rgb")
    assert alpha is None
    assert vectors.shape == (-(-height // block[0]), -(-width // block[1]), code_length(block, "rgb"))
    assert (join(vectors, block, "rgb", height, width) == picture).all()


@given(st.sampled_from(BLOCKS), sides, sides)
def test_gray_comes_back(block: tuple[int, int], height: int, width: int) -> None:
    picture = noise(height, width, 1)
    vectors, _ = cut(picture, block, "gray")
    assert (join(vectors, block, "gray", height, width) == picture).all()
    assert (
        cut(noise(height, width), block, "gray")[0] == cut(luma(noise(height, width))[..., None], block, "gray")[0]
    ).all()


def test_a_vector_is_a_block_in_row_order() -> None:
    vectors, _ = cut(noise(8, 12), (4, 6), "rgb")
    assert (vectors[1, 1] == noise(8, 12)[4:8, 6:12].reshape(-1)).all()


def test_edges_are_replicated() -> None:
    vectors, _ = cut(noise(5, 7, 1), (4, 4), "gray")
    padded = np.pad(noise(5, 7, 1)[..., 0], ((0, 3), (0, 1)), mode="edge")
    assert (vectors[1, 1].reshape(4, 4) == padded[4:, 4:]).all()


def test_sixteen_bits_and_gray_become_color() -> None:
    deep = noise(6, 6, 1, dtype=np.uint16)
    vectors, _ = cut(deep, (2, 2), "rgb")
    assert (join(vectors, (2, 2), "rgb", 6, 6) == np.rint(deep / 257)).all()


def test_the_input_is_left_alone() -> None:
    picture = noise(9, 9, 4)
    picture[..., 3] &= 1
    before = picture.copy()
    picture.setflags(write=False)
    for space in ("gray", "rgb", "ycbcr420"):
        cut(picture, (4, 4), space)
    assert (picture == before).all()


def jpeg_planes(rgb: NDArray) -> NDArray:
    """Y, Cb, Cr of JFIF in floating point."""
    to = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
    return rgb @ to.T + [0, 128, 128]


@given(st.integers(0, 99))
def test_ycbcr_is_that_of_jpeg(seed: int) -> None:
    picture = noise(4, 4, seed=seed)
    y, cb, cr = np.moveaxis(jpeg_planes(picture), 2, 0)
    vector = cut(picture, (4, 4), "ycbcr420")[0][0, 0].astype(float)
    assert np.abs(vector[:16] - y.reshape(-1)).max() <= 0.501
    for at, plane in ((16, cb), (20, cr)):
        assert np.abs(vector[at : at + 4] - plane.reshape(2, 2, 2, 2).mean(axis=(1, 3)).reshape(-1)).max() <= 0.501


@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255), (90, 91, 92)])
def test_flat_color_survives_ycbcr(color: tuple[int, int, int]) -> None:
    picture = np.full((6, 10, 3), color, np.uint8)
    back = join(cut(picture, (2, 4), "ycbcr420")[0], (2, 4), "ycbcr420", 6, 10)
    assert np.abs(back.astype(int) - picture).max() <= 1


@given(sides, sides)
def test_ycbcr_of_soft_pictures_is_close(height: int, width: int) -> None:
    picture = smooth(height, width) // 2 + 64
    back = join(cut(picture, (4, 4), "ycbcr420")[0], (4, 4), "ycbcr420", height, width)
    assert ((picture.astype(int) - back) ** 2).mean() < 60


def test_lengths() -> None:
    assert [code_length((4, 2), space) for space in ("gray", "rgb", "ycbcr420")] == [8, 24, 12]
    assert scales((2, 2), "rgb").tolist() == [1] * 12
    assert scales((2, 2), "ycbcr420").tolist() == [1, 1, 1, 1, 2, 2]
    for block, space in (
        ((3, 4), "ycbcr420"),
        ((4, 3), "ycbcr420"),
        ((0, 4), "rgb"),
        ((4, 4), "lab"),
        ((999, 99), "gray"),
    ):
        with pytest.raises(ValueError, match=r"block|space"):
            code_length(block, space)


def test_joining_checks_its_input() -> None:
    with pytest.raises(ValueError, match="2 x 3 blocks"):
        join(np.zeros((2, 2, 48), np.uint8), (4, 4), "rgb", 8, 9)


# --- transparency ---


def test_hidden_pixels_take_the_mean_of_the_visible() -> None:
    picture = np.zeros((2, 4, 4), np.uint8)
    picture[:, :2] = [[[10, 0, 0, 255], [13, 0, 0, 1]], [[99, 99, 99, 0], [77, 7, 7, 0]]]
    vectors, alpha = cut(picture, (2, 2), "rgb")
    assert vectors[0, 0].reshape(2, 2, 3)[..., 0].tolist() == [[10, 13], [12, 12]]
    assert not vectors[0, 1].any()
    assert alpha is not None
    assert visible_blocks(alpha, (2, 2)).tolist() == [[True, False]]


@given(st.sampled_from(["gray", "rgb", "ycbcr420"]), sides, sides, st.integers(0, 99))
def test_hidden_colors_do_not_matter(space: str, height: int, width: int, seed: int) -> None:
    picture = noise(height, width, 4, seed=seed)
    picture[..., 3] &= 1
    other = np.where(picture[..., 3:] > 0, picture, noise(height, width, 4, seed=seed + 1) & [255, 255, 255, 0])
    assert (cut(picture, (4, 2), space)[0] == cut(other.astype(np.uint8), (4, 2), space)[0]).all()


def test_visible_blocks_at_edges() -> None:
    alpha = np.zeros((5, 9), np.uint8)
    alpha[4, 8] = 1
    assert visible_blocks(alpha, (4, 4)).tolist() == [[False] * 3, [False, False, True]]


@pytest.mark.parametrize(("channels", "depth"), [(1, 1), (1, 3), (3, 1), (3, 3), (4, 3), (4, 1)])
@pytest.mark.parametrize("block", [(1, 1), (2, 3), (4, 4)])
def test_laying_codes(block: tuple[int, int], channels: int, depth: int) -> None:
    """Codes laid side by side, cropped, are the joined vectors; their error is that of visible samples."""
    pixels, looks = noise(7, 9, channels), noise(5 * block[0], block[1], depth, seed=5).reshape(5, *block, depth)
    codes = np.random.default_rng(0).integers(0, 5, (-(-7 // block[0]), -(-9 // block[1]))).astype(np.uint8)
    picture = laid(codes, looks, 7, 9)
    assert (picture == join(looks.reshape(5, -1)[codes], block, "rgb" if depth == 3 else "gray", 7, 9)).all()
    color = pixels[..., :3] if channels > 1 else np.repeat(pixels, 3, axis=2)
    wanted = color if depth == 3 else luma(np.ascontiguousarray(color))[..., None]
    gaps = (wanted.astype(int) - picture) ** 2
    if channels == 4:
        pixels[::2, ::3, 3] = 0
        gaps[pixels[..., 3] == 0] = 0
    assert laid_error(pixels, codes, looks) == gaps.sum()
    with pytest.raises(IndexError, match="code 5"):
        laid(codes + 1, looks, 7, 9)


def test_codes_are_sorted_by_light() -> None:
    for space in ("gray", "rgb", "ycbcr420"):
        codes = cut(noise(64, 64) // 4 + 96, (4, 4), space)[0].reshape(256, -1)  # so that no chroma is clipped
        ordered = by_luma(codes[::-1], (4, 4), space)
        pictures = join(ordered[None], (4, 4), space, 4, 1024)
        light = pictures[..., 0] if space == "gray" else luma(pictures)
        light = light.reshape(4, 256, 4).mean(axis=(0, 2))
        assert np.diff(light).min() > (-0.5 if space == "ycbcr420" else -1e-9)  # which is rounded
        assert (by_luma(codes, (4, 4), space) == ordered).all()
    assert by_luma(np.array([[1, 0], [0, 1], [0, 0]], np.uint8), (1, 2), "gray").tolist() == [[0, 0], [0, 1], [1, 0]]


# --- samples ---


@given(st.permutations(range(6)), st.integers(1, 5), st.integers(1, 200), st.sampled_from([1, 30, 1000]))
def test_order_and_partition_do_not_matter(order: list[int], parts: int, most: int, limit: int) -> None:
    frames = [smooth(9, 13, shift) for shift in range(6)]
    whole = sample_of(*frames, most=most, limit=limit)
    total = whole.empty()
    for part in range(parts):
        keys = order[part::parts]
        total.merge(sample_of(*(frames[key] for key in keys), keys=keys, most=most, limit=limit))
    assert same(total, whole)


def test_a_sample_is_a_fair_share() -> None:
    """Each of 8 kinds of frames and each of 16 places holds about the same part of the sample."""
    places = np.arange(16, dtype=np.uint8).reshape(4, 4).repeat(4, axis=0).repeat(4, axis=1)[..., None]
    frames = [places + np.uint8(20 * key % 160) for key in range(4000)]
    blocks, counts = sample_of(*frames, space="gray", most=6400, limit=1).points()
    for share in (blocks[:, 0] // 20, blocks[:, 0] % 20):
        masses = np.bincount(share, counts)
        assert masses.sum() == 6400
        assert masses.max() < 1.25 * masses[masses > 0].min()


def test_the_seed_and_the_key_matter() -> None:
    frames = [noise(64, 64, seed=seed) for seed in range(2)]
    assert not same(sample_of(*frames, seed=0), sample_of(*frames, seed=1))
    assert not same(sample_of(*frames), sample_of(*frames, keys=[7, 2**64 - 1]))


@pytest.mark.parametrize("most", [1, 10, 1000])
def test_a_sample_has_its_size(most: int) -> None:
    sample = sample_of(*(noise(32, 32, seed=seed) for seed in range(4)), most=most)
    assert sample.points()[1].sum() == min(most, 256)


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
        sample = sample_of(*[picture] * frames, most=1)
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
            cuts = np.unique(cut(picture, (4, 4), space)[0].reshape(-1, length), axis=0)
            for limit in (1, 20):
                assert (sample_of(picture, space=space, limit=limit).points()[0] == cuts).all()


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
