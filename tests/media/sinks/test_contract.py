"""What every sink promises of pictures, times and notes, tested on each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from pictures import codebook, coded, flat, load, noise, snapshot
from sink_cases import (
    ANIMATIONS,
    COMPRESSED,
    COUNT,
    DRAWN,
    EXACT,
    FILES,
    FOLDERS,
    IMAGES,
    INDEX_FILES,
    MANY,
    OF_FACTORS,
    VIDEOS,
    SinkCase,
    colors,
    each,
    frames_for,
    read,
    write,
)
from videos import FPS, frame_times

import streamvq
from streamvq import Frame, OutputError, StreamInfo
from streamvq.lowrank.codec import LowRankCodec
from streamvq.options import FORMATS, LowRankOptions


def test_every_format_is_tested() -> None:
    assert {case.target(Path()).format for case in FILES.values()} == set(FORMATS)


@each(FILES)
def test_all_frames_in_order(case: SinkCase, tmp_path: Path, same_picture: Callable[..., None]) -> None:
    book = codebook()
    frames = frames_for(case, book)
    write(tmp_path, case, book, frames)
    for actual, frame in zip(read(tmp_path / case.name), frames, strict=True):
        same_picture(actual, colors(frame, book), case.max_error and 6)


@pytest.mark.parametrize(
    ("case", "count"),
    [
        pytest.param(case, count, id=f"{name}-{count}")
        for name, case in EXACT.items()
        for count in (2, 256, 257, 1000)
        if count <= case.max_codes
    ],
)
def test_exact_for_any_number_of_codes(
    case: SinkCase, count: int, tmp_path: Path, same_picture: Callable[..., None]
) -> None:
    book = codebook(count)
    frames = frames_for(case, book)
    write(tmp_path, case, book, frames)
    for actual, frame in zip(read(tmp_path / case.name, None, book), frames, strict=True):
        same_picture(actual, colors(frame, book))


@each(FILES)
@pytest.mark.parametrize("size", [(17, 33), (1, 1), (2, 1), (1, 8), (3, 200)])
def test_odd_sizes_are_neither_cropped_nor_padded(
    case: SinkCase, size: tuple[int, int], tmp_path: Path, same_picture: Callable[..., None]
) -> None:
    book = codebook()
    frames = frames_for(case, book, *size)
    write(tmp_path, case, book, frames)
    for actual, frame in zip(read(tmp_path / case.name, None, book, size), frames, strict=True):
        same_picture(actual, colors(frame, book), case.max_error and 8)


@each(FILES)
def test_gray(case: SinkCase, tmp_path: Path, same_picture: Callable[..., None]) -> None:
    book = codebook(16, "gray")
    frames = frames_for(case, book)
    write(tmp_path, case, book, frames)
    mode = "gray" if case.is_video and not case.max_error else "RGB"
    for actual, frame in zip(read(tmp_path / case.name, mode, book), frames, strict=True):
        expected = colors(frame, book)
        same_picture(actual, expected[..., :1] if mode == "gray" else expected, case.max_error and 4)


@each({name: case for name, case in DRAWN.items() if case.alpha and "bmp" not in name})
@pytest.mark.parametrize("binary", [True, False], ids=["binary", "soft"])
@pytest.mark.parametrize("count", [16, 256, 300])
def test_alpha(case: SinkCase, binary: bool, count: int, tmp_path: Path, same_picture: Callable[..., None]) -> None:
    book = codebook(count)
    alpha = np.random.default_rng(5).integers(0, 256, (32, 48)).astype(np.uint8)
    if binary:
        alpha = (alpha > 127).astype(np.uint8) * 255
    frames = [coded(book, index=frame.index, alpha=alpha) for frame in frames_for(case, book)]
    write(tmp_path, case, book, frames)
    for actual, frame in zip(read(tmp_path / case.name, "RGBA"), frames, strict=True):
        same_picture(actual[..., 3:], alpha[..., None])
        shown = alpha > 0
        same_picture(actual[..., :3] * shown[..., None], colors(frame, book) * shown[..., None])


@each(OF_FACTORS)
@pytest.mark.parametrize("side", [0, 4], ids=["frames", "patches"])
@pytest.mark.parametrize("space", ["gray", "rgb", "ycbcr420"])
def test_factors_are_drawn_as_they_are(
    case: SinkCase, space: str, side: int, tmp_path: Path, same_picture: Callable[..., None]
) -> None:
    """Frames of low rank instead of codes: odd sizes, and alpha where it can be held."""
    codec, channels = LowRankCodec(space, side), 4 if case.alpha and "bmp" not in str(case) else 3
    count = 1 if case in IMAGES.values() else COUNT
    pictures = [Frame(noise(17, 33, channels, index), index) for index in range(count)]
    frames = [codec.factor_frame(frame, LowRankOptions(rank=3, patch=side)).coded for frame in pictures]
    with case.open(tmp_path, codec, StreamInfo(33, 17, FPS)) as sink:
        for frame in frames:
            sink.write(sink.encode(frame))
    assert sink.size_bytes == sum(map(len, snapshot(tmp_path).values()))
    for actual, frame in zip(read(tmp_path / case.name, "RGBA"), frames, strict=True):
        shown = np.ones((17, 33, 1), bool) if frame.alpha is None else frame.alpha[..., None] > 0
        assert frame.alpha is None or (actual[..., 3] == frame.alpha).all()
        same_picture(actual[..., :3] * shown, codec.rgb(frame) * shown)


@each({name: case for name, case in FILES.items() if case.max_error})
def test_factors_of_one_color_in_lossy_files(
    case: SinkCase, tmp_path: Path, same_picture: Callable[..., None]
) -> None:
    codec = LowRankCodec("rgb")
    count = 1 if case in IMAGES.values() else COUNT
    pictures = [flat((40 * index, 90, 200 - 30 * index)) for index in range(count)]
    with case.open(tmp_path, codec, StreamInfo(48, 32, FPS)) as sink:
        for index, pixels in enumerate(pictures):
            sink.write(sink.encode(codec.factor_frame(Frame(pixels, index), LowRankOptions(rank=1)).coded))
    for actual, pixels in zip(read(tmp_path / case.name), pictures, strict=True):
        same_picture(actual, pixels, 6)


@each({name: case for name, case in FILES.items() if not case.alpha})
def test_alpha_that_cannot_be_held_is_said(case: SinkCase, tmp_path: Path) -> None:
    book = codebook()
    frame = coded(book, alpha=np.full((32, 48), 128, np.uint8))
    with case.open(tmp_path, book) as sink:
        sink.write(sink.encode(frame))
    assert any("transparency" in note for note in sink.notes)
    assert read(tmp_path / case.name)[0].shape == (32, 48, 3)


@each({name: case for name, case in FILES.items() if case.times})
def test_times(case: SinkCase, tmp_path: Path) -> None:
    book = codebook()
    times = [Fraction(milliseconds, 1000) for milliseconds in (0, 40, 45, 300, 301)]
    frames = [
        coded(book, index=frame.index, time=time) for frame, time in zip(frames_for(case, book), times, strict=True)
    ]
    write(tmp_path, case, book, frames)
    if case is COMPRESSED[".svq"]:
        with streamvq.open(tmp_path / case.name) as clip:
            assert [frame.time for frame in clip] == times
    else:
        assert frame_times(tmp_path / case.name) == times


@each(VIDEOS)
def test_frames_without_times_follow_the_frame_rate(case: SinkCase, tmp_path: Path) -> None:
    book = codebook()
    write(tmp_path, case, book, frames_for(case, book))
    assert frame_times(tmp_path / case.name) == [index / FPS for index in range(COUNT)]


@each(MANY)
def test_encoding_works_on_any_thread_in_any_order(case: SinkCase, tmp_path: Path) -> None:
    book = codebook()
    frames = frames_for(case, book)
    outputs = []
    for folder in (tmp_path / "plain", tmp_path / "threads"):
        folder.mkdir()
        with case.open(folder, book, StreamInfo(fps=FPS)) as sink, ThreadPoolExecutor(3) as pool:
            if folder.name == "plain":
                packets: Iterator[object] = map(sink.encode, frames)
            else:
                packets = reversed(list(pool.map(sink.encode, frames[::-1])))
            for packet in packets:
                sink.write(packet)
        outputs.append(snapshot(folder))
    assert outputs[0] == outputs[1]


@each(VIDEOS | ANIMATIONS | INDEX_FILES)
def test_a_video_has_one_size(case: SinkCase, tmp_path: Path) -> None:
    book = codebook()
    with pytest.raises(OutputError, match=r"48x32 to 50x32.*folder"):
        write(tmp_path, case, book, [coded(book), coded(book, 32, 50, 1)])
    assert snapshot(tmp_path) == {}


def test_a_compressed_file_may_mix_sizes_and_keeps_names(tmp_path: Path) -> None:
    book, case = codebook(), COMPRESSED[".svq"]
    frames = [coded(book, 4 + i, 9 - i, i, name=f"deep/photo{i}.jpeg") for i in range(3)]
    write(tmp_path, case, book, frames)
    with streamvq.open(tmp_path / case.name) as clip:
        assert [(frame.name, *frame.pixels.shape) for frame in clip] == [
            (f"deep/photo{i}.jpeg", 4 + i, 9 - i, 3) for i in range(3)
        ]


@each(FOLDERS)
def test_a_folder_may_mix_sizes_and_keeps_names(case: SinkCase, tmp_path: Path) -> None:
    book = codebook()
    frames = [coded(book, 4 + i, 9 - i, i, name=f"deep/photo{i}.jpeg") for i in range(3)]
    write(tmp_path, case, book, frames)
    expected = {f"out/deep/photo{i}.{case.format}": (4 + i, 9 - i, 3) for i in range(3)}
    assert {name: load(tmp_path / name).shape for name in snapshot(tmp_path)} == expected


@each(IMAGES)
def test_an_image_holds_one_frame(case: SinkCase, tmp_path: Path) -> None:
    book = codebook()
    with pytest.raises(OutputError, match="holds one image"):
        write(tmp_path, case, book, [coded(book), coded(book, index=1)])
    assert snapshot(tmp_path) == {}


@each({name: case for name, case in FILES.items() if case.max_error})
def test_loss_is_said(case: SinkCase, tmp_path: Path) -> None:
    book = codebook()
    with case.open(tmp_path, book) as sink:
        sink.write(sink.encode(coded(book)))
    assert any("not palette-exact" in note for note in sink.notes)


@each(FILES)
def test_any_unicode_path(case: SinkCase, tmp_path: Path) -> None:
    folder, book = tmp_path / "Frühling 春 🌸 100% [1]", codebook()
    folder.mkdir()
    write(folder, case, book, frames_for(case, book))
    assert snapshot(folder)


def test_flat_frames_are_small_in_an_exact_video(tmp_path: Path) -> None:
    """An honest reason to write FFV1: it packs what quantizing made simple."""
    book = codebook(2)
    case = VIDEOS[".mkv"]
    frames = frames_for(case, book, 64, 64)
    for frame in frames:
        frame.codes[:] = 1
    assert write(tmp_path, case, book, frames) < COUNT * flat(0, 64, 64).nbytes / 10
