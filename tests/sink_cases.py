"""Every sink that writes files, with ways to write to it and to read what it wrote."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from index_files import read_header, read_sprite, unpack
from numpy.typing import NDArray
from pictures import codebook, coded, load
from PIL import Image, ImageSequence
from videos import FPS, read_video

import streamvq
from streamvq import Codebook, IndexFrame, StreamInfo, open_sink
from streamvq.container.reader import SvqReader
from streamvq.media.sinks.sink import FrameSink
from streamvq.media.targets import Target
from streamvq.options import WriteOptions
from streamvq.quantize.decoder import FrameDecoder

COUNT = 5


@dataclass(frozen=True)
class SinkCase:
    """A sink to test: its output's name, and how near its pixels come to the codes' colors."""

    name: str
    format: str | None = None
    max_error: int = 0
    alpha: bool = True
    times: bool = False
    indices: bool = False  # and no pixels
    max_codes: int = 65_536
    codec: str | None = None

    @property
    def is_video(self) -> bool:
        return self.name.startswith("clip.")

    def target(self, folder: Path) -> Target:
        """Its output in a folder."""
        target = Target.from_path(folder / self.name, self.format).in_codec(self.codec)
        return target.animated(png_too=True) if self.name.startswith("moving.") else target

    def open(self, folder: Path, decoder: FrameDecoder, info: StreamInfo | None = None, **settings: Any) -> FrameSink:
        """The sink, in a folder."""
        return open_sink(self.target(folder), decoder, info or StreamInfo(), WriteOptions(**settings))


FOLDERS = {f"folder of {name}": SinkCase("out", name) for name in ("png", "webp", "tiff", "bmp")}
FOLDERS |= {"folder of jpg": SinkCase("out", "jpg", max_error=40, alpha=False)}
IMAGES = {f"one .{name}": SinkCase(f"out.{name}") for name in ("png", "webp", "tiff", "bmp")}
IMAGES |= {"one .jpg": SinkCase("out.jpg", max_error=40, alpha=False)}
VIDEOS = {
    ".mkv": SinkCase("clip.mkv", times=True),
    ".avi": SinkCase("clip.avi"),
    ".mp4": SinkCase("clip.mp4", max_error=40, alpha=False, times=True),
    ".mov": SinkCase("clip.mov", max_error=40, alpha=False, times=True),
    ".mp4 by x264": SinkCase("clip.mp4", alpha=False, times=True, codec="x264"),
    ".webm": SinkCase("clip.webm", max_error=40, alpha=False, times=True),
}
ANIMATIONS = {
    "moving .gif": SinkCase("moving.gif", alpha=False, max_codes=256),
    "moving .png": SinkCase("moving.png"),
    "moving .webp": SinkCase("moving.webp"),
}
COMPRESSED = {".svq": SinkCase("clip.svq", times=True)}
_INDICES = {"raw": "raw", "npy": "npy", "h": "c"}  # suffix: format
_SPRITE: dict = {"indices": True, "max_codes": 256}
INDEX_FILES = {f".{name}": SinkCase(f"frames.{name}", alpha=False, indices=True) for name in _INDICES}
INDEX_FILES |= {".aseprite": SinkCase("frames.aseprite", **_SPRITE)}
INDEX_FOLDERS = {
    f"folder of .{name}": SinkCase("out", format, alpha=False, indices=True) for name, format in _INDICES.items()
}
INDEX_FOLDERS |= {"folder of .aseprite": SinkCase("out", "aseprite", **_SPRITE)}
INDICES = INDEX_FILES | INDEX_FOLDERS
FILES = FOLDERS | IMAGES | VIDEOS | ANIMATIONS | COMPRESSED | INDICES
MANY = {name: case for name, case in FILES.items() if name not in IMAGES}
EXACT = {name: case for name, case in FILES.items() if not case.max_error}
DRAWN = {name: case for name, case in EXACT.items() if not case.indices}
OF_FACTORS = {name: case for name, case in DRAWN.items() if case.max_codes > 256}

Frames = list[IndexFrame]


def each(cases: dict[str, SinkCase]) -> pytest.MarkDecorator:
    """Runs a test once for each of these cases."""
    return pytest.mark.parametrize("case", cases.values(), ids=cases)


def frames_for(case: SinkCase, book: Codebook, height: int = 32, width: int = 48) -> Frames:
    """Frames for a sink: noise where it is exact, single colors where it is lossy."""
    count = 1 if case in IMAGES.values() else COUNT
    frames = [coded(book, height, width, index) for index in range(count)]
    if case.max_error:
        for frame in frames:
            frame.codes[:] = frame.index
    return frames


def write(path: Path, case: SinkCase, book: Codebook, frames: Frames, overwrite: bool = False) -> int:
    """Write frames to a folder's output, and return how large the sink says it is."""
    with opened(path, case, book, frames, overwrite) as sink:
        for frame in frames:
            sink.write(sink.encode(frame))
    return sink.size_bytes


def opened(path: Path, case: SinkCase, book: Codebook, frames: Frames, overwrite: bool = False) -> FrameSink:
    """The case's sink in a folder, for these frames."""
    first = frames[0]
    info = StreamInfo(first.width, first.height, FPS, time_base=Fraction(1, 1000) if first.time is not None else None)
    return case.open(path, book, info, overwrite=overwrite)


def read(
    path: Path, mode: str | None = None, book: Codebook | None = None, shape: tuple[int, int] = (32, 48)
) -> list[NDArray]:
    """The pictures of an output, by Pillow or PyAV; of a .svq, which neither reads, by the package itself.

    `book` and `shape` are those of indices in files that do not say it.
    """
    if path.suffix in (".raw", ".npy", ".h", ".aseprite"):
        return _read_indices(path, book or codebook(), shape)
    if path.is_dir() and next(path.iterdir()).suffix in (".raw", ".npy", ".h", ".aseprite"):
        return [_read_indices(file, book or codebook(), shape)[0] for file in sorted(path.iterdir())]
    if path.suffix == ".svq":
        with streamvq.open(path) as clip:
            return [frame.pixels for frame in clip]
    if path.is_dir():
        return [load(file, mode or "RGB") for file in sorted(path.iterdir())]
    if path.name.startswith("clip."):
        return read_video(path, mode and mode.lower().replace("rgb", "rgb24").replace("rgb24a", "rgba"))
    if path.name.startswith("moving."):
        with Image.open(path) as image:
            return [np.asarray(each.convert(mode or "RGB")) for each in ImageSequence.Iterator(image)]
    return [load(path, mode or "RGB")]


def _read_indices(path: Path, book: Codebook, shape: tuple[int, int]) -> list[NDArray]:
    if path.suffix == ".raw":
        bits = next(bits for bits in (1, 2, 4, 8, 16) if len(book) <= 1 << bits)
        return list(book.palette[unpack(path.read_bytes(), shape, bits)])
    if path.suffix == ".npy":
        return list(book.palette[np.load(path)])
    if path.suffix == ".h":
        indices, palette, macros = read_header(path)
        assert macros["FRAMES"] == len(indices)
        return list(palette[indices])
    sprite = read_sprite(path)
    return [sprite.colors[frame][..., :3] for frame in sprite.frames]


def colors(frame: IndexFrame, book: Codebook) -> NDArray:
    """The pixels that a frame stands for."""
    return book.palette[frame.codes]


def group_sizes(path: Path) -> list[int]:
    """How many frames each group of a .svq file has."""
    with path.open("rb") as stream:
        reader = SvqReader(stream, "x.svq")
        return [group.n_frames for group in reader.groups()]
