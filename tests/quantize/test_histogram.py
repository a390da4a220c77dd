"""Sketches are exact and mergeable: order, partition and workers do not matter."""

from __future__ import annotations

import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from pictures import few_colors, flat, noise, smooth

from streamvq.quantize.histogram import ColorHistogram, ColorSketch, LevelHistogram
from streamvq.quantize.pixels import luma

SKETCHES = [ColorHistogram, LevelHistogram]
pictures = arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6), st.sampled_from([1, 3, 4])))


def sketch_of(kind: type[ColorSketch], frames: list[NDArray]) -> ColorSketch:
    sketch = kind()
    for frame in frames:
        sketch.absorb(frame)
    return sketch


def assert_equal(one: ColorSketch, other: ColorSketch) -> None:
    assert one.distinct() == other.distinct()
    assert (one.exact_colors() == other.exact_colors()).all()
    for shift in (0, 1, 2):
        for mine, theirs in zip(one.points(shift), other.points(shift), strict=True):
            assert (mine == theirs).all()


@pytest.mark.slow
@pytest.mark.parametrize("kind", SKETCHES)
@settings(max_examples=15)  # each goes through all cells several times
@given(st.lists(pictures, min_size=1, max_size=5), st.data())
def test_order_and_partition_do_not_matter(kind: type, frames: list[NDArray], data: st.DataObject) -> None:
    whole = sketch_of(kind, frames)
    shuffled = data.draw(st.permutations(frames))
    cut = data.draw(st.integers(0, len(frames)))
    left, right = sketch_of(kind, shuffled[:cut]), sketch_of(kind, shuffled[cut:])
    left.merge(right)
    assert_equal(whole, left)


@pytest.mark.parametrize("kind", SKETCHES)
def test_merging_leaves_the_other_as_it_is(kind: type) -> None:
    one, other = sketch_of(kind, [noise(seed=1)]), sketch_of(kind, [noise(seed=2)])
    one.merge(other)
    assert_equal(other, sketch_of(kind, [noise(seed=2)]))


def test_counts_go_beyond_32_bits() -> None:
    """In merging, again and again, and in counting on."""
    key, picture, most = 0x123456, flat((0x12, 0x34, 0x56), 2, 2), (1 << 32) - 1
    one, other = ColorHistogram(), ColorHistogram()
    one.set_counts(np.array([key, 0]), np.array([most, 7]))
    other.set_counts(np.array([key]), np.array([most]))
    for _ in range(3):
        one.merge(other)
    one.absorb(picture)
    for sketch in (one, pickle.loads(pickle.dumps(one))):
        assert sketch.distinct() == 2
        assert sketch.points()[1].tolist() == [7, 4 * most + 4]
        assert sketch.points(3)[1].tolist() == [7, 4 * most + 4]
    assert other.points()[1].tolist() == [most]
    other.set_counts(np.array([key]), np.array([1 << 31]))
    other.merge(other.empty())  # moves all of it to the large counts
    assert other.distinct() == 1
    assert other.points(2)[1].tolist() == [1 << 31]


def test_kinds_do_not_mix() -> None:
    with pytest.raises(TypeError):
        ColorHistogram().merge(LevelHistogram())
    with pytest.raises(TypeError):
        LevelHistogram().merge(ColorHistogram())


@pytest.mark.slow
@given(st.integers(1, 200), st.integers(0, 5))
def test_distinct_colors_are_exact(count: int, seed: int) -> None:
    picture = few_colors(count, seed=seed)
    sketch = sketch_of(ColorHistogram, [picture])
    assert sketch.distinct() == count
    assert (sketch.exact_colors() == np.unique(picture.reshape(-1, 3), axis=0)).all()


@pytest.mark.parametrize("kind", SKETCHES)
@pytest.mark.parametrize("shift", [0, 1, 2])
def test_points_keep_the_count_and_the_mean(kind: type, shift: int) -> None:
    frames = [noise(), smooth()]
    points, counts = sketch_of(kind, frames).points(shift)
    pixels = np.concatenate([frame.reshape(-1, 3) for frame in frames])
    samples = luma(pixels)[:, None] if kind is LevelHistogram else pixels
    assert counts.dtype == np.int64
    assert counts.sum() == len(samples)
    assert np.allclose(counts @ points, samples.sum(axis=0))


def test_coarser_points_are_fewer() -> None:
    sketch = sketch_of(ColorHistogram, [noise(), smooth()])
    sizes = [len(sketch.points(shift)[0]) for shift in (0, 1, 2)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[2]


@pytest.mark.parametrize("kind", SKETCHES)
def test_transparent_pixels_have_no_color(kind: type) -> None:
    picture = noise(8, 8, 4)
    picture[:, 4:, 3] = 0
    picture[:, :4, 3] = 7 if kind is LevelHistogram else 255  # barely visible still counts
    assert_equal(sketch_of(kind, [picture]), sketch_of(kind, [picture[:, :4, :3]]))


@pytest.mark.parametrize("kind", SKETCHES)
def test_nothing_seen(kind: type) -> None:
    assert kind().distinct() == 0
    assert len(kind().exact_colors()) == 0
    assert len(kind().points()[0]) == 0


def test_read_only_frames_are_fine() -> None:
    picture = noise()
    picture.setflags(write=False)
    assert sketch_of(ColorHistogram, [picture]).distinct() > 0


def test_millions_of_colors_take_no_memory_each() -> None:
    """Film has more distinct colors with every frame; cells stay as many."""
    histogram = ColorHistogram()
    histogram.set_counts(np.arange(0, 1 << 24, 3), np.ones(1))
    histogram.points(3)  # compiled
    tracemalloc.start()
    points, weights = histogram.points(2)
    distinct = histogram.distinct()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (len(points), int(weights.sum()), distinct) == (1 << 18, -(-(1 << 24) // 3), -(-(1 << 24) // 3))
    assert peak < 40 << 20, f"{peak >> 20} MB"
