"""Animated PNG, written by hand: full pictures with any delays, which Pillow's writer would merge or round."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

from numpy.typing import NDArray


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
