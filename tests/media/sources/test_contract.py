"""What every source promises, tested on each of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from animations import write_apng
from numpy.typing import NDArray
from pictures import flat, noise, save, smooth
from PIL import Image
from sprites import BACKGROUND, Cel, Layer, write_sprite
from videos import FPS, write_video, y4m

from streamvq import Codebook, Frame, InputMissing, MediaError, StreamInfo, open_sink, open_source
from streamvq.media.sources.source import FrameSource

COUNT = 7
GRAYS = [20 + 35 * index for index in range(COUNT)]  # a frame's level tells its index


@dataclass(frozen=True)
class SourceCase:
    """A source to test: how to make it from pictures, and how near its pixels come to them."""

    make: Callable[[Path, list[NDArray]], Path]
    max_error: int = 0
    timed: bool = True
    channels: int = 3


def _video(suffix: str) -> Callable[[Path, list[NDArray]], Path]:
    return lambda folder, pictures: write_video(folder / f"clip{suffix}", pictures)


def _y4m(folder: Path, pictures: list[NDArray]) -> Path:
    (folder / "clip.y4m").write_bytes(y4m(pictures))
    return folder / "clip.y4m"


def _svq(folder: Path, pictures: list[NDArray]) -> Path:
    book = Codebook(np.unique(np.concatenate([picture.reshape(-1, 3) for picture in pictures]), axis=0))
    height, width = pictures[0].shape[:2]
    with open_sink(folder / "clip.svq", book, StreamInfo(width, height, FPS, len(pictures), 1 / FPS)) as sink:
        for index, pixels in enumerate(pictures):
            frame, _ = book.quantize_frame(Frame(pixels, index, index / FPS, 1 / FPS))
            sink.write(sink.encode(frame))
    return folder / "clip.svq"


def _folder(folder: Path, pictures: list[NDArray]) -> Path:
    for index, pixels in enumerate(pictures):
        save(pixels, folder / "photos" / f"photo{index + 5}.png")  # 5 to 11: natural order is not alphabetical
    return folder / "photos"


def _apng(folder: Path, pictures: list[NDArray]) -> Path:
    return write_apng(folder / "clip.png", pictures, [(1, 25)] * len(pictures))


def _pages(folder: Path, pictures: list[NDArray]) -> Path:
    first, *rest = map(Image.fromarray, pictures)
    first.save(folder / "pages.tiff", save_all=True, append_images=rest)
    return folder / "pages.tiff"


def _sprite(folder: Path, pictures: list[NDArray]) -> Path:
    cels = [[Cel(np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)]))] for pixels in pictures]
    return write_sprite(folder / "clip.aseprite", cels, [Layer(BACKGROUND)], pictures[0].shape[:2])


def _image(suffix: str, **options: object) -> Callable[[Path, list[NDArray]], Path]:
    return lambda folder, pictures: save(pictures[0], folder / f"photo{suffix}", **options)


MANY = {
    ".mkv": SourceCase(_video(".mkv")),
    ".avi": SourceCase(_video(".avi")),
    ".mp4": SourceCase(_video(".mp4"), max_error=4),
    ".mov": SourceCase(_video(".mov"), max_error=4),
    ".webm": SourceCase(_video(".webm"), max_error=8),
    ".gif": SourceCase(_video(".gif"), max_error=48, channels=4),
    ".y4m": SourceCase(_y4m, max_error=2),
    ".svq": SourceCase(_svq),
    "animated .png": SourceCase(_apng),
    ".aseprite": SourceCase(_sprite),
    "pages": SourceCase(_pages, timed=False),
    "folder": SourceCase(_folder, timed=False),
}
SINGLE = {
    ".png": SourceCase(_image(".png"), timed=False),
    ".bmp": SourceCase(_image(".bmp"), timed=False),
    ".tiff": SourceCase(_image(".tiff"), timed=False),
    ".tif": SourceCase(_image(".tif", compression="tiff_lzw"), timed=False),
    ".webp": SourceCase(_image(".webp", lossless=True), timed=False),
    ".jpg": SourceCase(_image(".jpg", quality=95, subsampling=0), max_error=24, timed=False),
}
EVERY = MANY | SINGLE
EXACT = {name: case for name, case in EVERY.items() if case.max_error == 0 or name == ".y4m"}

every = pytest.mark.parametrize("case", EVERY.values(), ids=EVERY)
many = pytest.mark.parametrize("case", MANY.values(), ids=MANY)


def frames_of(path: Path) -> list[Frame]:
    with open_source(path) as source:
        return list(source)


def pictures_for(case: SourceCase) -> list[NDArray]:
    return [flat(level) for level in GRAYS][: COUNT if case in MANY.values() else 1]


@every
def test_all_frames_in_order(case: SourceCase, tmp_path: Path) -> None:
    pictures = pictures_for(case)
    frames = frames_of(case.make(tmp_path, pictures))
    assert [frame.index for frame in frames] == list(range(len(pictures)))
    for frame, expected in zip(frames, pictures, strict=True):
        assert frame.pixels.dtype == np.uint8
        assert frame.pixels.shape == (*expected.shape[:2], case.channels)
        assert abs(float(frame.pixels[..., :3].mean()) - float(expected.mean())) <= max(1, case.max_error / 2)


@every
def test_times(case: SourceCase, tmp_path: Path) -> None:
    pictures = pictures_for(case)
    times = [frame.time for frame in frames_of(case.make(tmp_path, pictures))]
    expected = [index / FPS if case.timed else None for index in range(len(pictures))]
    assert times == expected
    assert all(time is None or isinstance(time, Fraction) for time in times)


def test_a_gif_is_what_pillow_reads(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.gif", [smooth(shift=shift) for shift in range(3)])
    with Image.open(path) as image:
        for index, frame in enumerate(frames_of(path)):
            image.seek(index)
            assert (frame.pixels == np.asarray(image.convert("RGBA"))).all()


@every
def test_pixels(case: SourceCase, tmp_path: Path, same_picture: Callable[..., None]) -> None:
    if case is EVERY[".gif"]:
        return  # its encoder dithers: compared with Pillow above
    soft = case.max_error not in (0, 2)
    pictures = [smooth(48, 64) if soft else noise(48, 64)] * (2 if case in MANY.values() else 1)
    if case is EVERY[".webm"] or case is EVERY[".mp4"] or case is EVERY[".mov"]:
        pictures = [np.repeat(smooth(48, 64)[..., :1], 3, axis=2)] * 2  # halved chroma is not the source's fault
    for frame, expected in zip(frames_of(case.make(tmp_path, pictures)), pictures, strict=True):
        same_picture(frame.pixels[..., :3], expected, case.max_error + (4 if soft else 0))


@pytest.mark.parametrize("case", EXACT.values(), ids=EXACT)
@pytest.mark.parametrize("size", [(17, 33), (1, 1), (1, 7), (5, 1)])
def test_odd_sizes(
    case: SourceCase, size: tuple[int, int], tmp_path: Path, same_picture: Callable[..., None]
) -> None:
    picture = noise(*size)
    for frame in frames_of(case.make(tmp_path, [picture])):
        same_picture(frame.pixels, picture, case.max_error)


@every
def test_info_knows_the_size_or_says_nothing(case: SourceCase, tmp_path: Path) -> None:
    pictures = pictures_for(case)
    with open_source(case.make(tmp_path, pictures)) as source:
        info = source.info
    assert info.width in (None, 48)
    assert info.height in (None, 32)
    assert info.frame_count in (None, len(pictures))
    assert info.audio_streams == 0
    if case.timed:
        assert info.fps == FPS
        assert (info.width, info.height) == (48, 32)


@many
def test_loading_works_on_any_thread_in_any_order(case: SourceCase, tmp_path: Path) -> None:
    pictures = pictures_for(case)
    path = case.make(tmp_path, pictures)
    expected = [frame.pixels for frame in frames_of(path)]
    with open_source(path) as source, ThreadPoolExecutor(3) as pool:
        loaded = list(pool.map(source.load, reversed(list(source.items()))))
    for frame, pixels in zip(reversed(loaded), expected, strict=True):
        assert (frame.pixels == pixels).all()


@every
def test_reading_twice_gives_the_same(case: SourceCase, tmp_path: Path) -> None:
    path = case.make(tmp_path, pictures_for(case))
    for one, other in zip(frames_of(path), frames_of(path), strict=True):
        assert (one.pixels == other.pixels).all()
        assert (one.time, one.duration, one.name) == (other.time, other.duration, other.name)


@many
def test_leaving_early_leaves_nothing_open(case: SourceCase, tmp_path: Path) -> None:
    path = case.make(tmp_path, pictures_for(case))
    with open_source(path) as source:
        next(iter(source))
    source.close()  # a second time
    path.rename(tmp_path / "moved")
    assert "streamvq" not in [thread.name for thread in threading.enumerate()]


@every
def test_what_is_something_else_is_named(case: SourceCase, tmp_path: Path) -> None:
    path = case.make(tmp_path, pictures_for(case))
    victims = [path] if path.is_file() else [path / f"photo{number}.png" for number in range(5, 12)]
    for victim in victims:
        victim.write_bytes(b"this is a text, whatever its name says\n" * 20)
    with pytest.raises(MediaError, match=victims[0].name):
        frames_of(path)


@every
def test_an_empty_file_is_named(case: SourceCase, tmp_path: Path) -> None:
    path = case.make(tmp_path, pictures_for(case))
    victims = [path] if path.is_file() else [path / f"photo{number}.png" for number in range(5, 12)]
    for victim in victims:
        victim.write_bytes(b"")
    with pytest.raises(MediaError, match=victims[0].name):
        frames_of(path)


@pytest.mark.parametrize("name", ["clip.mkv", "clip.y4m", "clip.svq", "photo.png", "photos"])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match=name):
        open_source(tmp_path / name)


@every
def test_any_unicode_path(case: SourceCase, tmp_path: Path) -> None:
    folder = tmp_path / "Frühling 春 🌸 100% [1]"
    folder.mkdir()
    frames = frames_of(case.make(folder, pictures_for(case)))
    assert len(frames) == len(pictures_for(case))


@every
def test_a_source_says_what_it_is(case: SourceCase, tmp_path: Path) -> None:
    path = case.make(tmp_path, pictures_for(case))
    with open_source(str(path)) as source:
        assert isinstance(source, FrameSource)
        assert source.label == str(path)
        assert source.notes == []
        assert (source.codec is not None) == case.timed
