"""Which frames belong together: by order and time, by name, and what is said where they do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pictures import codebook, flat, noise, save, smooth
from videos import MILLISECOND, write_video

import streamvq
from streamvq import InputMissing, MediaError, UsageError
from streamvq.report.pairing import Pair, Pairing

CLIP = [smooth(shift=shift) for shift in range(10)]


def load_pairs(*inputs: Path | str, **options: Any) -> Iterator[Pair]:
    with Pairing(*inputs, **options) as pairing:
        yield from pairing.pairs()


def indices(*inputs: Path | str, **options: Any) -> list[int]:
    return [pair.index for pair in load_pairs(*inputs, **options)]


def video(path: Path, count: int = 10, **options: object) -> Path:
    return write_video(path, CLIP[:count], **options)  # type: ignore[arg-type]


def test_videos_in_order_for_any_number_of_workers(tmp_path: Path) -> None:
    a, b = video(tmp_path / "a.mkv"), video(tmp_path / "b.avi")
    for jobs in (1, 3):
        pairs = list(load_pairs(a, b, jobs=jobs))
        assert [pair.index for pair in pairs] == list(range(10))
        for pair, pixels in zip(pairs, CLIP, strict=True):
            assert np.array_equal(pair.reference.pixels, pixels)
            assert np.array_equal(pair.test.pixels, pixels)


def test_frames_that_are_asked_for(tmp_path: Path) -> None:
    a, b = video(tmp_path / "a.mkv"), video(tmp_path / "b.mkv", 6)
    assert indices(a, b, frames=range(2, 5)) == [2, 3, 4]
    assert indices(a, b, frames=range(0, 6, 2)) == [0, 2, 4]
    assert indices(a, b, frames=[1, 5]) == [1, 5]
    assert indices(a, a, frames=range(8, 2**62)) == [8, 9]
    with pytest.raises(UsageError, match=r"b\.mkv: has 6 frames, and .*a\.mkv has more; `frames`"):
        indices(a, b, frames=range(4, 9))
    with pytest.raises(UsageError, match="has frames 0 to 9, and the part begins after them"):
        indices(a, a, frames=range(10, 12))
    for bad in (range(0), range(-1, 3), range(5, 1, -1)):
        with pytest.raises(UsageError, match="ascending"):
            indices(a, a, frames=bad)


@pytest.mark.parametrize("shorter", ["a.mkv", "b.mkv"])
def test_other_lengths(shorter: str, tmp_path: Path) -> None:
    paths = [video(tmp_path / name, 7 if name == shorter else 10) for name in ("a.mkv", "b.mkv")]
    seen = []
    with pytest.raises(UsageError, match=f"{shorter}: has 7 frames, and .* has more; `frames`"):
        seen.extend(load_pairs(*paths))
    assert len(seen) == 7


def test_another_start_is_no_matter_but_another_pace_is(tmp_path: Path) -> None:
    a = video(tmp_path / "a.mkv")
    late = video(tmp_path / "late.mkv", ticks=[1000 + 40 * i for i in range(10)], tick=MILLISECOND)
    assert indices(a, late) == list(range(10))
    gap = video(tmp_path / "gap.mkv", ticks=[40 * i + 40 * (i > 5) for i in range(10)], tick=MILLISECOND)
    with pytest.raises(UsageError, match=r"gap\.mkv: frame 6 comes at 0\.280 s, and at 0\.240 s in .*a\.mkv"):
        indices(a, gap)


def test_a_video_and_its_frames_in_a_folder(tmp_path: Path) -> None:
    a = video(tmp_path / "a.mkv")
    for i, pixels in enumerate(CLIP):
        save(pixels, tmp_path / "out" / f"frame{i:06d}.png")
    pairs = list(load_pairs(a, tmp_path / "out"))
    assert all(np.array_equal(pair.reference.pixels, pair.test.pixels) for pair in pairs)
    assert len(pairs) == 10


def test_folders_by_name_whatever_the_suffix_and_the_order(tmp_path: Path) -> None:
    for i, name in enumerate(["b", "a", "sub/a"]):
        save(flat(i), tmp_path / "ref" / f"{name}.png")
        save(flat(i), tmp_path / "test" / f"{name}.bmp")
    pairs = list(load_pairs(tmp_path / "ref", tmp_path / "test", recursive=True))
    assert [pair.reference.name for pair in pairs] == ["a.png", "b.png", "sub/a.png"]
    assert all(np.array_equal(pair.reference.pixels, pair.test.pixels) for pair in pairs)
    (tmp_path / "test" / "a.bmp").unlink()
    (tmp_path / "test" / "b.bmp").unlink()
    with pytest.raises(UsageError, match=r"test: has no image named a and 1 more, and .*ref has"):
        indices(tmp_path / "ref", tmp_path / "test", recursive=True)
    with pytest.raises(UsageError, match=r"test: has no image named a and 1 more, and .*ref has"):
        indices(tmp_path / "test", tmp_path / "ref", recursive=True)


def test_names_that_are_there_twice(tmp_path: Path) -> None:
    for suffix in ("png", "bmp"):
        save(flat(1), tmp_path / f"a.{suffix}")
    assert indices(tmp_path, tmp_path) == [0, 1]


def test_single_images_need_no_common_name(tmp_path: Path) -> None:
    a, b = save(noise(), tmp_path / "a.png"), save(noise(), tmp_path / "one" / "b.bmp")
    assert indices(a, b) == indices(a, tmp_path / "one") == [0]


def test_images_and_the_svq_made_of_them(tmp_path: Path) -> None:
    for i, name in enumerate(["b", "a"]):
        save(flat(i, 8 + i), tmp_path / "ref" / f"{name}.png")
    streamvq.compress(tmp_path / "ref", tmp_path / "out.svq", codebook=codebook())
    pairs = list(load_pairs(tmp_path / "ref", tmp_path / "out.svq"))
    assert [(pair.reference.name, pair.test.name) for pair in pairs] == [("a.png", "a.png"), ("b.png", "b.png")]
    (tmp_path / "ref" / "b.png").rename(tmp_path / "ref" / "c.png")
    with pytest.raises(UsageError, match=r"out\.svq: frame 1 is named b\.png, and c\.png in"):
        indices(tmp_path / "ref", tmp_path / "out.svq")


def test_sizes_and_resizing(tmp_path: Path) -> None:
    a, b = save(noise(8, 12), tmp_path / "a.png"), save(noise(4, 6), tmp_path / "b.png")
    with pytest.raises(UsageError, match=r"b\.png: b\.png is 6x4, and 12x8 in .*a\.png; `resize` scales it"):
        indices(a, b)
    for reference, test in ((a, b), (b, a)):
        (pair,) = load_pairs(reference, test, resize=True)
        assert pair.test.pixels.shape == pair.reference.pixels.shape
    (pair,) = load_pairs(b, save(flat(7, 8, 12), tmp_path / "flat.png"), resize=True)
    assert (pair.test.pixels == 7).all()
    (pair,) = load_pairs(b, save(noise(9, 9, 1), tmp_path / "gray.png"), resize=True)
    assert pair.test.pixels.shape == (4, 6, 1)


def test_a_codebook_goes_only_to_the_svq_without_one(tmp_path: Path) -> None:
    a = video(tmp_path / "a.mkv", 3)
    inner, outer = codebook(8, seed=1), codebook(8, seed=2)
    streamvq.compress(a, tmp_path / "inner.svq", codebook=inner)
    streamvq.compress(a, tmp_path / "outer.svq", codebook=outer, external_codebook=True)
    assert indices(tmp_path / "inner.svq", tmp_path / "outer.svq", codebook=outer) == [0, 1, 2]
    with pytest.raises(streamvq.CodebookError, match=r"outer\.svq: has no codebook inside"):
        indices(tmp_path / "inner.svq", tmp_path / "outer.svq")


def test_batches_are_whole_and_end_with_the_groups(tmp_path: Path) -> None:
    pictures = [smooth(shift=shift) for shift in range(70)]
    a = write_video(tmp_path / "a.mkv", pictures)
    streamvq.compress(a, tmp_path / "a.svq", codebook=codebook())
    for test, expected in ((a, {4, 2}), (tmp_path / "a.svq", {64, 6})):
        with Pairing(a, test) as pairing:
            batches = list(pairing.batches())
            assert pairing.is_video
        lengths = [len(batch.items) for batch in batches]
        assert set(lengths) == expected
        assert [batch.first for batch in batches] == list(np.cumsum([0, *lengths[:-1]]))
        assert [batch.previous is None for batch in batches] == [True] + [False] * (len(batches) - 1)
    with Pairing(a, a, frames=[1, 2, 5, 6]) as pairing:
        parts = [(batch.first, len(batch.items), batch.previous) for batch in pairing.batches()]
        assert parts == [(1, 2, None), (5, 2, None)]


def test_bad_images_are_left_out_and_bad_files_are_not(tmp_path: Path) -> None:
    for folder in ("ref", "test"):
        for name in ("a", "b"):
            save(noise(), tmp_path / folder / f"{name}.png")
    (tmp_path / "test" / "a.png").write_bytes(b"no image")
    assert indices(tmp_path / "ref", tmp_path / "test") == [1]
    with pytest.raises(MediaError, match=r"a\.png"):
        indices(tmp_path / "ref" / "a.png", tmp_path / "test" / "a.png")
    with pytest.raises(InputMissing, match=r"nothing\.mkv"):
        indices(tmp_path / "ref", tmp_path / "nothing.mkv")


def test_inputs_that_are_several_or_both_the_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.mkv", "b.mkv"):
        video(tmp_path / name, 2)
    with pytest.raises(UsageError, match="names 2 inputs"):
        indices(f"{tmp_path}/*.mkv", tmp_path / "a.mkv")
    with pytest.raises(UsageError, match="can be read once only"):
        indices("-", "-")


def test_everything_is_closed_where_one_input_is_bad(tmp_path: Path, recwarn: Callable) -> None:
    (tmp_path / "bad.mkv").write_bytes(b"no video")
    with pytest.raises(MediaError, match=r"bad\.mkv"):
        Pairing(video(tmp_path / "a.mkv", 2), tmp_path / "bad.mkv")
