"""Readers of index files, written from what the formats' documents say alone: they import nothing of the package."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def unpack(data: bytes, shape: tuple[int, int], bits: int, msb: bool = True, padded: bool = True) -> NDArray:
    """Packed frames as [frames, rows, columns], index by index."""
    if bits >= 8:
        return np.frombuffer(data, np.uint8 if bits == 8 else "<u2").reshape(-1, *shape)
    rows, columns = shape
    a_frame = -(-columns * bits // 8) * rows if padded else -(-rows * columns * bits // 8)
    frames = []
    for start in range(0, len(data), a_frame):
        at, indices = 8 * start, np.zeros(shape, np.uint8)
        for y in range(rows):
            for x in range(columns):
                byte = data[at // 8]
                shift = 8 - bits - at % 8 if msb else at % 8
                indices[y, x] = byte >> shift & (1 << bits) - 1
                at += bits
            at = -(-at // 8) * 8 if padded else at
        frames.append(indices)
    return np.array(frames)


def read_header(path: Path) -> tuple[NDArray, NDArray, dict[str, int]]:
    """Of a C header: indices [frames, rows, columns], palette [k, 3], and the numbers of its macros."""
    text = path.read_text("ascii")
    macros = {name.rpartition("_")[2]: int(value) for name, value in re.findall(r"#define (\w+) (\d+)", text)}
    palette = re.search(r"rgb888\[\w+\]\[3\] = \{(.*?)\n\};", text, re.DOTALL)
    frames = re.search(r"_frames\[\]\[\d+\] = \{(.*?)\n\};", text, re.DOTALL)
    assert palette
    assert frames
    colors = np.array(re.findall(r"\{(\d+), (\d+), (\d+)\}", palette[1])).astype(np.uint8)
    values = [int(value, 0) for value in re.findall(r"\w+", frames[1])]
    shape, bits = (macros["HEIGHT"], macros["WIDTH"]), macros["BITS"]
    data = np.array(values, "<u2" if bits == 16 else np.uint8).tobytes()
    return unpack(data, shape, bits), colors, macros


@dataclass
class Sprite:
    """What an Aseprite file holds: frames of indices [rows, columns], their durations, and the palette, RGBA."""

    width: int
    height: int
    transparent: int | None
    frames: list[NDArray] = field(default_factory=list)
    milliseconds: list[int] = field(default_factory=list)
    colors: NDArray = field(default_factory=lambda: np.zeros((0, 4), np.uint8))
    names: list[str] = field(default_factory=list)

    def rgba(self, index: int) -> NDArray[np.uint8]:
        """A frame as Aseprite shows it."""
        shown = self.colors[self.frames[index]]
        if self.transparent is not None:
            shown[self.frames[index] == self.transparent] = 0
        return shown


def read_sprite(path: Path) -> Sprite:
    """An indexed file of one layer."""
    data = path.read_bytes()
    size, magic, count, width, height, depth = struct.unpack_from("<IHHHHH", data)
    assert (size, magic, depth) == (len(data), 0xA5E0, 8)
    sprite = Sprite(width, height, data[28])
    at = 128
    for _ in range(count):
        length, magic, _, duration, chunks = struct.unpack_from("<IHHH2xI", data, at)
        assert magic == 0xF1FA
        sprite.milliseconds.append(duration)
        end, at = at + length, at + 16
        for _ in range(chunks):
            chunk, kind = struct.unpack_from("<IH", data, at)
            _read_chunk(sprite, kind, data[at + 6 : at + chunk])
            at += chunk
        assert at == end
    assert at == len(data)
    assert struct.unpack_from("<H", data, 32)[0] == len(sprite.colors) % 256
    return sprite


def _read_chunk(sprite: Sprite, kind: int, body: bytes) -> None:
    if kind == 0x2004 and struct.unpack_from("<H", body)[0] & 8:
        sprite.transparent = None
    elif kind == 0x2005:
        x, y, opacity, cel = struct.unpack_from("<hhBH", body, 2)
        assert (x, y, opacity, cel) == (0, 0, 255, 2)
        width, height = struct.unpack_from("<HH", body, 16)
        assert (width, height) == (sprite.width, sprite.height)
        sprite.frames.append(np.frombuffer(zlib.decompress(body[20:]), np.uint8).reshape(height, width))
    elif kind == 0x2019:
        count, first, last = struct.unpack_from("<III", body)
        assert (first, last) == (0, count - 1)
        colors, at = [], 20
        sprite.names.clear()
        for _ in range(count):
            named, *color = struct.unpack_from("<H4B", body, at)
            length = struct.unpack_from("<H", body, at + 6)[0] + 2 if named else 0
            sprite.names.append(body[at + 8 : at + 6 + length].decode())
            colors.append(color)
            at += 6 + length
        sprite.colors = np.array(colors, np.uint8)
