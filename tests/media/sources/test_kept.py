"""Frames kept in memory: what a second reading would give, and no more than fits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pictures import SAMPLES, noise, smooth
from PIL import Image

import streamvq
from streamvq import Frame
from streamvq.frames import Failed
from streamvq.media.sources.images import ImageSource
from streamvq.media.sources.kept import KeptFrames, KeptInput
from streamvq.media.sources.source import FrameSource
from streamvq.media.sources.video import VideoSource

MB = 1 << 20


class Held(FrameSource):
    """Pictures, or reasons why there are none."""

    def __init__(self, pictures: list[Any]) -> None:
        super().__init__("held")
        self._pictures = pictures

    def items(self) -> Iterator[Any]:
        return iter(self._pictures)

    def load(self, item: NDArray) -> Frame:
        return Frame(item)

    def try_load(self, item: Any) -> Frame | Failed:
        return item if isinstance(item, Failed) else self.load(item)


def kept(source: FrameSource, max_bytes: int = MB) -> tuple[KeptFrames, KeptInput]:
    frames = KeptFrames(max_bytes)
    held = frames.begin(source)
    for item in source.items():
        held.add(item, source.try_load(item))
    frames.finish(held)
    return frames, held


def test_every_frame_comes_again_whatever_of_it_was_kept() -> None:
    """Rows that changed, none, all, other sizes, and what could not be read."""
    page = noise()
    typed = page.copy()
    typed[10:13, 5:9] = 0
    top = typed.copy()
    top[0] = 1
    pictures = [page, typed, typed.copy(), Failed("no"), top, page[:20], page[:9], smooth(), smooth(shift=1), page]
    frames, held = kept(Held(pictures))
    assert held.n_bytes < sum(each.nbytes for each in pictures if not isinstance(each, Failed)) - typed.nbytes
    source = frames.take("held")
    assert source is not None
    again = [source.try_load(item) for item in source.items()]
    for got, wanted in zip(again, pictures, strict=True):
        if isinstance(wanted, Failed):
            assert got is wanted
        else:
            assert isinstance(got, Frame)
            assert np.array_equal(got.pixels, wanted)
    assert frames.take("held") is None


def test_a_video_is_kept_as_its_pictures_and_outlives_its_file() -> None:
    with VideoSource(SAMPLES / "clip.mp4", "clip") as source:
        items = source.items()
        first = [next(items) for _ in range(3)]
        frames = KeptFrames()
        held = frames.begin(source)
        loaded = [source.load(item) for item in first]
        for item, frame in zip(first, loaded, strict=True):
            held.add(item, frame)
        frames.finish(held)
    assert held.n_bytes < 0.6 * sum(frame.pixels.nbytes for frame in loaded)
    again = frames.take("clip")
    assert again is not None
    for got, wanted in zip(map(again.load, again.items()), loaded, strict=True):
        assert (got.index, got.time, got.duration) == (wanted.index, wanted.time, wanted.duration)
        assert np.array_equal(got.pixels, wanted.pixels)


@pytest.mark.parametrize("channels", [3, 4])
def test_what_is_too_large_or_has_alpha_is_read_again(channels: int) -> None:
    pictures = [noise(channels=channels, seed=seed) for seed in range(4)]
    most = pictures[0].nbytes * (3 if channels == 3 else 9)
    frames, held = kept(Held(pictures), most)
    assert not held.fits
    assert frames.take("held") is None


def test_inputs_share_the_room() -> None:
    frames = KeptFrames(10_000)
    for label, fits in (("a", True), ("b", False), ("c", True)):
        source = Held([noise(30, 60 if label != "c" else 40)])
        source.label = label
        held = frames.begin(source)
        held.add(None, source.load(next(source.items())))
        frames.finish(held)
        assert (frames.take(label) is not None) == fits


def test_compress_reads_a_small_folder_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    for number in range(3):
        Image.fromarray(smooth(shift=number) // 64 * 64).save(tmp_path / "in" / f"{number}.png")
    loads = list[object]()
    load = ImageSource.load

    def counting(source: ImageSource, item: Any) -> Frame:
        loads.append(item)
        return load(source, item)

    monkeypatch.setattr(ImageSource, "load", counting)
    streamvq.compress(tmp_path / "in", tmp_path / "once.svq", 8)
    assert len(loads) == 3
    monkeypatch.setattr(KeptInput, "add", lambda self, item, frame: setattr(self, "fits", False))
    streamvq.compress(tmp_path / "in", tmp_path / "twice.svq", 8)
    assert len(loads) == 9
    assert (tmp_path / "once.svq").read_bytes() == (tmp_path / "twice.svq").read_bytes()
