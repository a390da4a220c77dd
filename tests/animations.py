"""Animations for tests: frames that move, files written by hand with any delays, and what two readers see."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from videos import read_video

from streamvq import Codebook, FrameMeta, IndexFrame, StreamInfo, open_sink
from streamvq.media.targets import Target
from streamvq.options import WriteOptions


def moving(
    book: Codebook, count: int = 6, alpha: bool = False, height: int = 24, width: int = 64
) -> list[IndexFrame]:
    """A noisy box that wanders over a ground of runs; with alpha, the ground is not there."""
    rng = np.random.default_rng(7)
    ground = np.repeat(rng.integers(0, len(book), (height, width // 8)), 8, axis=1)
    ground = ground.astype(np.uint8 if len(book) <= 256 else np.uint16)
    frames = []
    for index in range(count):
        codes, opacity = ground.copy(), np.zeros((height, width), np.uint8)
        box = np.s_[2 * index : 2 * index + 9, 5 * index : 5 * index + 12]
        codes[box] = rng.integers(0, len(book), codes[box].shape)
        opacity[box] = 255
        meta = FrameMeta(height, width, index, Fraction(index, 20), Fraction(1, 20), None, opacity if alpha else None)
        frames.append(IndexFrame(codes, meta))
    return frames


def write(
    path: Path, book: Codebook, frames: Sequence[IndexFrame], time_base: Fraction | None = None, **settings: object
) -> list[str]:
    """Write frames as a run does, each with its neighbors, and return the sink's notes."""
    info = StreamInfo(fps=Fraction(20), time_base=time_base)
    target = Target.from_path(path).animated(png_too=True)
    with open_sink(target, book, info, WriteOptions(**settings)) as sink:  # type: ignore[arg-type]
        around = [None, *frames, None]
        for index, frame in enumerate(frames):
            for packet in sink.encode_group([frame], around[index], around[index + 2]):
                sink.write(packet)
    assert sink.size_bytes == path.stat().st_size
    return sink.notes


def shown(frame: IndexFrame, book: Codebook) -> NDArray[np.uint8]:
    """What is to be seen of a frame: RGBA, black where nothing is."""
    alpha = np.full(frame.codes.shape, 255, np.uint8) if frame.alpha is None else frame.alpha
    return np.dstack([book.palette[frame.codes], alpha]) * (alpha > 0)[..., None]


def by_pillow(path: Path) -> list[NDArray[np.uint8]]:
    """All pictures as RGBA, black where nothing is."""
    pictures = []
    with Image.open(path) as image:
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            pictures.append(_black(np.asarray(image.convert("RGBA"))))
    return pictures


def by_libav(path: Path) -> list[NDArray[np.uint8]]:
    """The same through PyAV."""
    return [_black(pixels) for pixels in read_video(path, "rgba")]


def _black(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return rgba * (rgba[..., 3:] > 0)


def write_apng(
    path: Path, pictures: Sequence[NDArray], delays: Sequence[tuple[int, int]], hidden: NDArray | None = None
) -> Path:
    """RGB or RGBA pictures of one size, each shown for a fraction of a second; `hidden` is the picture for those who
    cannot show animations."""
    height, width, channels = pictures[0].shape
    header = struct.pack(">IIBBBBB", width, height, 8, {3: 2, 4: 6}[channels], 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"acTL", struct.pack(">II", len(pictures), 0))
    if hidden is not None:
        data += _chunk(b"IDAT", _deflated(hidden))
    number = 0
    for index, (pixels, delay) in enumerate(zip(pictures, delays, strict=True)):
        data += _chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, 0, 0, *delay, 0, 0))
        number += 1
        if index == 0 and hidden is None:
            data += _chunk(b"IDAT", _deflated(pixels))
        else:
            data += _chunk(b"fdAT", struct.pack(">I", number) + _deflated(pixels))
            number += 1
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data + _chunk(b"IEND", b""))
    return path


def _deflated(pixels: NDArray) -> bytes:
    return zlib.compress(b"".join(b"\0" + row.tobytes() for row in pixels))


def _chunk(chunk_type: bytes, payload: bytes) -> bytes:
    return (
        struct.pack(">I", len(payload)) + chunk_type + payload + struct.pack(">I", zlib.crc32(chunk_type + payload))
    )


def write_gif(
    path: Path,
    size: tuple[int, int],
    palette: NDArray,
    boxes: Sequence[tuple[int, int, NDArray]],
    disposals: Sequence[int],
    hundredths: Sequence[int],
) -> Path:
    """A GIF of height and width `size` whose pictures are boxes (top, left, rows of up to 8 colors); color 0 is
    transparent."""
    data = b"GIF89a" + struct.pack("<HHBBB", size[1], size[0], 0x82, 0, 0)
    data += palette.astype("u1").tobytes().ljust(24, b"\0")
    for (top, left, rows), disposal, delay in zip(boxes, disposals, hundredths, strict=True):
        data += b"!\xf9\4" + struct.pack("<BHBB", disposal << 2 | 1, delay, 0, 0)
        data += b"," + struct.pack("<HHHHB", left, top, rows.shape[1], rows.shape[0], 0) + b"\3"
        coded = _plain_lzw(rows.ravel().tolist())
        data += (
            b"".join(bytes([len(part := coded[at : at + 255])]) + part for at in range(0, len(coded), 255)) + b"\0"
        )
    path.write_bytes(data + b";")
    return path


def _plain_lzw(colors: Sequence[int]) -> bytes:
    """Codes of 4 bits for colors of 3: the table is cleared before it needs longer codes."""
    codes = []
    for number, color in enumerate(colors):
        codes += [8, color] if number % 5 == 0 else [color]
    codes.append(9)
    codes += [0] * (len(codes) % 2)
    return bytes(low | high << 4 for low, high in zip(codes[::2], codes[1::2], strict=True))
