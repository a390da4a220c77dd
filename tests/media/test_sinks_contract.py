"""What every sink promises, held against each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pictures import codebook, coded, flat, load, noise, snapshot
from videos import FPS, frame_times, read_video

import streamvq
from streamvq import Codebook, Frame, IndexFrame, OutputError, OutputExists, StreamInfo, WriteOptions, open_sink
from streamvq.lowrank.codec import LowRankCodec
from streamvq.options import LowRankOptions

COUNT = 5


@dataclass(frozen=True)
class Kind:
    """A kind of sink: its output's name, and how near its pixels come to the codes' colors."""

    name: str
    format: str | None = None
    most: int = 0
    alpha: bool = True
    times: bool = False

    @property
    def is_video(self) -> bool:
        return self.name.startswith("clip.")


FOLDERS = {f"folder of {name}": Kind("out", name) for name in ("png", "webp", "tiff", "bmp")}
FOLDERS |= {"folder of jpg": Kind("out", "jpg", most=40, alpha=False)}
IMAGES = {f"one .{name}": Kind(f"out.{name}") for name in ("png", "webp", "tiff", "bmp")}
IMAGES |= {"one .jpg": Kind("out.jpg", most=40, alpha=False)}
VIDEOS = {
    ".mkv": Kind("clip.mkv", times=True),
    ".avi": Kind("clip.avi"),
    ".mp4": Kind("clip.mp4", most=40, alpha=False, times=True),
    ".mov": Kind("clip.mov", most=40, alpha=False, times=True),
    ".webm": Kind("clip.webm", most=40, alpha=False, times=True),
}
COMPRESSED = {".svq": Kind("clip.svq", times=True)}
FILES = FOLDERS | IMAGES | VIDEOS | COMPRESSED
MANY = FOLDERS | VIDEOS | COMPRESSED
EXACT = {name: kind for name, kind in FILES.items() if not kind.most}

Frames = list[IndexFrame]


def each(kinds: dict[str, Kind]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("kind", kinds.values(), ids=kinds)


def frames_for(kind: Kind, book: Codebook, height: int = 32, width: int = 48) -> Frames:
    """What a sink shall be given: noise where it is exact, single colors where it is lossy."""
    count = 1 if kind in IMAGES.values() else COUNT
    frames = [coded(book, height, width, index) for index in range(count)]
    if kind.most:
        for frame in frames:
            frame.codes[:] = frame.index
    return frames


def write(path: Path, kind: Kind, book: Codebook, frames: Frames, overwrite: bool = False) -> int:
    settings = WriteOptions(format=kind.format, overwrite=overwrite)
    first = frames[0]
    info = StreamInfo(first.width, first.height, FPS, time_base=Fraction(1, 1000) if first.time is not None else None)
    with open_sink(path / kind.name, book, info, settings) as sink:
        for frame in frames:
            sink.write(sink.encode(frame))
    return sink.size_bytes


def read(path: Path, mode: str | None = None) -> list[NDArray]:
    """The pictures of an output, by Pillow or PyAV; of a .svq, which no other hand reads, by ourselves."""
    if path.suffix == ".svq":
        with streamvq.open(path) as clip:
            return [frame.pixels for frame in clip]
    if path.is_dir():
        return [load(file, mode or "RGB") for file in sorted(path.iterdir())]
    if path.name.startswith("clip."):
        return read_video(path, mode and mode.lower().replace("rgb", "rgb24").replace("rgb24a", "rgba"))
    return [load(path, mode or "RGB")]


def colors(frame: IndexFrame, book: Codebook) -> NDArray:
    return book.palette[frame.codes]


@each(FILES)
def test_all_frames_in_order(kind: Kind, tmp_path: Path, same_picture: Callable[..., None]) -> None:
    book = codebook()
    frames = frames_for(kind, book)
    write(tmp_path, kind, book, frames)
    for actual, frame in zip(read(tmp_path / kind.name), frames, strict=True):
        same_picture(actual, colors(frame, book), kind.most and 6)


@each(EXACT)
@pytest.mark.parametrize("count", [2, 256, 257, 1000])
def test_exact_for_any_number_of_codes(
    kind: Kind, count: int, tmp_path: Path, same_picture: Callable[..., None]
) -> None:
    book = codebook(count)
    frames = frames_for(kind, book)
    write(tmp_path, kind, book, frames)
    for actual, frame in zip(read(tmp_path / kind.name), frames, strict=True):
        same_picture(actual, colors(frame, book))


@each(FILES)
@pytest.mark.parametrize("size", [(17, 33), (1, 1), (2, 1), (1, 8), (3, 200)])
def test_odd_sizes_are_neither_cropped_nor_padded(
    kind: Kind, size: tuple[int, int], tmp_path: Path, same_picture: Callable[..., None]
) -> None:
    book = codebook()
    frames = frames_for(kind, book, *size)
    write(tmp_path, kind, book, frames)
    for actual, frame in zip(read(tmp_path / kind.name), frames, strict=True):
        same_picture(actual, colors(frame, book), kind.most and 8)


@each(FILES)
def test_gray(kind: Kind, tmp_path: Path, same_picture: Callable[..., None]) -> None:
    book = codebook(16, "gray")
    frames = frames_for(kind, book)
    write(tmp_path, kind, book, frames)
    mode = "gray" if kind.is_video and not kind.most else "RGB"
    for actual, frame in zip(read(tmp_path / kind.name, mode), frames, strict=True):
        expected = colors(frame, book)
        same_picture(actual, expected[..., :1] if mode == "gray" else expected, kind.most and 4)


@each({name: kind for name, kind in EXACT.items() if kind.alpha and "bmp" not in name})
@pytest.mark.parametrize("binary", [True, False], ids=["binary", "soft"])
@pytest.mark.parametrize("count", [16, 256, 300])
def test_alpha(kind: Kind, binary: bool, count: int, tmp_path: Path, same_picture: Callable[..., None]) -> None:
    book = codebook(count)
    alpha = np.random.default_rng(5).integers(0, 256, (32, 48)).astype(np.uint8)
    if binary:
        alpha = (alpha > 127).astype(np.uint8) * 255
    frames = [coded(book, index=frame.index, alpha=alpha) for frame in frames_for(kind, book)]
    write(tmp_path, kind, book, frames)
    for actual, frame in zip(read(tmp_path / kind.name, "RGBA"), frames, strict=True):
        same_picture(actual[..., 3:], alpha[..., None])
        shown = alpha > 0
        same_picture(actual[..., :3] * shown[..., None], colors(frame, book) * shown[..., None])


@each(EXACT)
@pytest.mark.parametrize("side", [0, 4], ids=["frames", "patches"])
@pytest.mark.parametrize("space", ["gray", "rgb", "ycbcr420"])
def test_factors_are_drawn_as_they_are(
    kind: Kind, space: str, side: int, tmp_path: Path, same_picture: Callable[..., None]
) -> None:
    """Frames of low rank instead of codes: odd sizes, and alpha where it can be held."""
    codec, channels = LowRankCodec(space, side), 4 if kind.alpha and "bmp" not in str(kind) else 3
    count = 1 if kind in IMAGES.values() else COUNT
    pictures = [Frame(noise(17, 33, channels, index), index) for index in range(count)]
    frames = [codec.factor_frame(frame, LowRankOptions(rank=3, patch=side)).coded for frame in pictures]
    with open_sink(tmp_path / kind.name, codec, StreamInfo(33, 17, FPS), WriteOptions(format=kind.format)) as sink:
        for frame in frames:
            sink.write(sink.encode(frame))
    assert sink.size_bytes == sum(map(len, snapshot(tmp_path).values()))
    for actual, frame in zip(read(tmp_path / kind.name, "RGBA"), frames, strict=True):
        shown = np.ones((17, 33, 1), bool) if frame.alpha is None else frame.alpha[..., None] > 0
        assert frame.alpha is None or (actual[..., 3] == frame.alpha).all()
        same_picture(actual[..., :3] * shown, codec.rgb(frame) * shown)


@each({name: kind for name, kind in FILES.items() if kind.most})
def test_factors_of_one_color_in_lossy_files(kind: Kind, tmp_path: Path, same_picture: Callable[..., None]) -> None:
    codec = LowRankCodec("rgb")
    count = 1 if kind in IMAGES.values() else COUNT
    pictures = [flat((40 * index, 90, 200 - 30 * index)) for index in range(count)]
    with open_sink(tmp_path / kind.name, codec, StreamInfo(48, 32, FPS), WriteOptions(format=kind.format)) as sink:
        for index, pixels in enumerate(pictures):
            sink.write(sink.encode(codec.factor_frame(Frame(pixels, index), LowRankOptions(rank=1)).coded))
    for actual, pixels in zip(read(tmp_path / kind.name), pictures, strict=True):
        same_picture(actual, pixels, 6)


@each({name: kind for name, kind in FILES.items() if not kind.alpha})
def test_alpha_that_cannot_be_held_is_said(kind: Kind, tmp_path: Path) -> None:
    book = codebook()
    frame = coded(book, alpha=np.full((32, 48), 128, np.uint8))
    with open_sink(tmp_path / kind.name, book, StreamInfo(), WriteOptions(format=kind.format)) as sink:
        sink.write(sink.encode(frame))
    assert any("transparency" in note for note in sink.notes)
    assert read(tmp_path / kind.name)[0].shape == (32, 48, 3)


@each({name: kind for name, kind in FILES.items() if kind.times})
def test_times(kind: Kind, tmp_path: Path) -> None:
    book = codebook()
    times = [Fraction(milliseconds, 1000) for milliseconds in (0, 40, 45, 300, 301)]
    frames = [
        coded(book, index=frame.index, time=time) for frame, time in zip(frames_for(kind, book), times, strict=True)
    ]
    write(tmp_path, kind, book, frames)
    if kind is COMPRESSED[".svq"]:
        with streamvq.open(tmp_path / kind.name) as clip:
            assert [frame.time for frame in clip] == times
    else:
        assert frame_times(tmp_path / kind.name) == times


@each(VIDEOS)
def test_frames_without_times_follow_the_frame_rate(kind: Kind, tmp_path: Path) -> None:
    book = codebook()
    write(tmp_path, kind, book, frames_for(kind, book))
    assert frame_times(tmp_path / kind.name) == [index / FPS for index in range(COUNT)]


@each(FILES)
def test_nothing_else_is_left_and_its_size_is_told(kind: Kind, tmp_path: Path) -> None:
    book = codebook()
    size = write(tmp_path, kind, book, frames_for(kind, book))
    assert [path.name for path in tmp_path.iterdir()] == [kind.name]
    assert size == sum(len(content) for content in snapshot(tmp_path).values())


@each(FILES)
@pytest.mark.parametrize("when", ["at once", "after a frame"])
@pytest.mark.parametrize("existing", [False, True])
def test_an_error_leaves_everything_as_it_was(kind: Kind, when: str, existing: bool, tmp_path: Path) -> None:
    book = codebook()
    if existing:
        write(tmp_path, kind, codebook(seed=9), frames_for(kind, book))
    before = snapshot(tmp_path)

    def break_off() -> None:
        settings = WriteOptions(format=kind.format, overwrite=True)
        with open_sink(tmp_path / kind.name, book, StreamInfo(fps=FPS), settings) as sink:
            if when == "after a frame":
                sink.write(sink.encode(coded(book)))
            raise RuntimeError("the source died")

    with pytest.raises(RuntimeError, match="the source died"):
        break_off()
    assert snapshot(tmp_path) == before
    assert len(list(tmp_path.iterdir())) == int(existing)


@each(FILES)
def test_what_exists_is_refused_and_with_overwrite_replaced(kind: Kind, tmp_path: Path) -> None:
    old, new = codebook(seed=9), codebook()
    write(tmp_path, kind, old, frames_for(kind, old))
    before = snapshot(tmp_path)
    with pytest.raises(OutputExists, match=kind.name):
        write(tmp_path, kind, new, frames_for(kind, new))
    assert snapshot(tmp_path) == before
    write(tmp_path, kind, new, frames_for(kind, new), overwrite=True)
    assert snapshot(tmp_path) != before
    assert snapshot(tmp_path).keys() == before.keys()


@each(FILES)
def test_a_missing_folder_is_named(kind: Kind, tmp_path: Path) -> None:
    book = codebook()
    with pytest.raises(OutputError, match="missing"):
        write(tmp_path / "missing", kind, book, frames_for(kind, book))
    assert snapshot(tmp_path) == {}


@each(MANY)
def test_encoding_works_on_any_thread_in_any_order(kind: Kind, tmp_path: Path) -> None:
    book = codebook()
    frames = frames_for(kind, book)
    outputs = []
    for folder in (tmp_path / "plain", tmp_path / "threads"):
        folder.mkdir()
        settings = WriteOptions(format=kind.format)
        with (
            open_sink(folder / kind.name, book, StreamInfo(fps=FPS), settings) as sink,
            ThreadPoolExecutor(3) as pool,
        ):
            if folder.name == "plain":
                packets: Iterator[object] = map(sink.encode, frames)
            else:
                packets = reversed(list(pool.map(sink.encode, frames[::-1])))
            for packet in packets:
                sink.write(packet)
        outputs.append(snapshot(folder))
    assert outputs[0] == outputs[1]


@each(VIDEOS)
def test_a_video_has_one_size(kind: Kind, tmp_path: Path) -> None:
    book = codebook()
    with pytest.raises(OutputError, match=r"48x32 to 50x32.*folder"):
        write(tmp_path, kind, book, [coded(book), coded(book, 32, 50, 1)])
    assert snapshot(tmp_path) == {}


def test_a_compressed_file_may_mix_sizes_and_keeps_names(tmp_path: Path) -> None:
    book, kind = codebook(), COMPRESSED[".svq"]
    frames = [coded(book, 4 + i, 9 - i, i, name=f"deep/photo{i}.jpeg") for i in range(3)]
    write(tmp_path, kind, book, frames)
    with streamvq.open(tmp_path / kind.name) as clip:
        assert [(frame.name, *frame.pixels.shape) for frame in clip] == [
            (f"deep/photo{i}.jpeg", 4 + i, 9 - i, 3) for i in range(3)
        ]


@each(FOLDERS)
def test_a_folder_may_mix_sizes_and_keeps_names(kind: Kind, tmp_path: Path) -> None:
    book = codebook()
    frames = [coded(book, 4 + i, 9 - i, i, name=f"deep/photo{i}.jpeg") for i in range(3)]
    write(tmp_path, kind, book, frames)
    expected = {f"out/deep/photo{i}.{kind.format}": (4 + i, 9 - i, 3) for i in range(3)}
    assert {name: load(tmp_path / name).shape for name in snapshot(tmp_path)} == expected


@each(IMAGES)
def test_an_image_holds_one_frame(kind: Kind, tmp_path: Path) -> None:
    book = codebook()
    with pytest.raises(OutputError, match="holds one image"):
        write(tmp_path, kind, book, [coded(book), coded(book, index=1)])
    assert snapshot(tmp_path) == {}


@each(VIDEOS | IMAGES | COMPRESSED)
def test_no_frames_at_all_is_an_error(kind: Kind, tmp_path: Path) -> None:
    def write_nothing() -> None:
        with open_sink(tmp_path / kind.name, codebook(), StreamInfo()):
            pass

    with pytest.raises(OutputError, match=kind.name):
        write_nothing()
    assert snapshot(tmp_path) == {}


@each({name: kind for name, kind in FILES.items() if kind.most})
def test_loss_is_said(kind: Kind, tmp_path: Path) -> None:
    book = codebook()
    with open_sink(tmp_path / kind.name, book, StreamInfo(), WriteOptions(format=kind.format)) as sink:
        sink.write(sink.encode(coded(book)))
    assert any("not palette-exact" in note for note in sink.notes)


@each(FILES)
def test_any_unicode_path(kind: Kind, tmp_path: Path) -> None:
    folder, book = tmp_path / "Frühling 春 🌸 100% [1]", codebook()
    folder.mkdir()
    write(folder, kind, book, frames_for(kind, book))
    assert snapshot(folder)


@pytest.mark.parametrize("size", [(32, 48), (17, 33), (1, 1)])
@pytest.mark.parametrize("space", ["rgb", "gray"])
def test_y4m_on_standard_output(
    size: tuple[int, int],
    space: str,
    capsysbinary: pytest.CaptureFixture[bytes],
    same_picture: Callable[..., None],
) -> None:
    book = codebook(space=space)
    frames = [coded(book, *size, index) for index in range(COUNT)]
    with open_sink("-", book, StreamInfo(fps=Fraction(30000, 1001))) as sink:
        for frame in frames:
            sink.write(sink.encode(frame))
    data = capsysbinary.readouterr().out
    header, _, _ = data.partition(b"\n")
    assert header.split()[:4] == [b"YUV4MPEG2", b"W%d" % size[1], b"H%d" % size[0], b"F30000:1001"]
    assert b"C444" in header.split()
    for actual, frame in zip(read_video(data), frames, strict=True):
        same_picture(actual, colors(frame, book), 3)
    assert any("not palette-exact" in note for note in sink.notes)


def test_y4m_has_one_size(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    book = codebook()

    def mix() -> None:
        with open_sink("-", book, StreamInfo()) as sink:
            for frame in (coded(book), coded(book, 8, 8, 1)):
                sink.write(sink.encode(frame))

    with pytest.raises(OutputError, match="48x32 to 8x8"):
        mix()


def test_flat_frames_are_small_in_an_exact_video(tmp_path: Path) -> None:
    """An honest reason to write FFV1: it packs what quantizing made simple."""
    book = codebook(2)
    kind = VIDEOS[".mkv"]
    frames = frames_for(kind, book, 64, 64)
    for frame in frames:
        frame.codes[:] = 1
    assert write(tmp_path, kind, book, frames) < COUNT * flat(0, 64, 64).nbytes / 10
