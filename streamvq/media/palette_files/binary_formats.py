"""Palettes that are bytes: Adobe's .act and .ase, and the RIFF .pal of Windows."""

from __future__ import annotations

import struct

import numpy as np

from streamvq.media.palette_files.palette import Palette, palette_of

RIFF_MAGIC, ADOBE_MAGIC = b"RIFF", b"ASEF"
_ACT_COLORS, _ACT_BYTES = 256, 768
_NONE = 0xFFFF  # no transparent entry
_COLOR_BLOCK = 1
_MODELS = {b"RGB ": 3, b"CMYK": 4, b"Gray": 1, b"LAB ": 3}  # and their numbers


def read_act(data: bytes) -> Palette:
    """Photoshop's color table: 256 colors; then, in longer files, how many count, and the transparent one.

    Adobe Photoshop File Formats Specification, "Color Table".
    """
    if len(data) not in (_ACT_BYTES, _ACT_BYTES + 4):
        raise ValueError(f"it has {len(data)} bytes: a color table has {_ACT_BYTES} or {_ACT_BYTES + 4}")
    count, transparent = struct.unpack(">HH", data[_ACT_BYTES:]) if len(data) > _ACT_BYTES else (_ACT_COLORS, _NONE)
    if not 1 <= count <= _ACT_COLORS:
        raise ValueError(f"it counts {count} colors: a color table has 1 to {_ACT_COLORS}")
    if transparent != _NONE and transparent >= count:
        raise ValueError(f"its transparent color is number {transparent} of {count}")
    alpha = [0 if index == transparent else 255 for index in range(count)]
    return palette_of(np.frombuffer(data, np.uint8, 3 * count).reshape(-1, 3), alpha=alpha)


def write_act(palette: Palette, title: str) -> bytes:
    """See `read_act`. Raises ValueError above 256 colors."""
    if len(palette) > _ACT_COLORS:
        raise ValueError(f"{len(palette)} colors: a color table holds {_ACT_COLORS}")
    table = palette.colors[:, :3].tobytes().ljust(_ACT_BYTES, b"\0")
    return table + struct.pack(">HH", len(palette), _NONE if palette.transparent is None else palette.transparent)


def read_riff(data: bytes) -> Palette:
    """The palette of Windows: RIFF of type "PAL " with a "data" chunk of version 3.0 (Multimedia Data Standards)."""
    if len(data) < 24 or data[:4] != RIFF_MAGIC or data[8:12] != b"PAL ":
        raise ValueError("it is no RIFF palette")
    start = data.find(b"data", 12)
    if start < 0 or len(data) < start + 12:
        raise ValueError("it has no chunk of colors")
    count = struct.unpack_from("<H", data, start + 10)[0]
    table = data[start + 12 : start + 12 + 4 * count]
    if len(table) < 4 * count:
        raise ValueError(f"it announces {count} colors and ends after {len(table) // 4}")
    return palette_of(np.frombuffer(table, np.uint8).reshape(-1, 4)[:, :3])


def write_riff(palette: Palette, title: str) -> bytes:
    """See `read_riff`. Raises ValueError above 65,535 colors."""
    if len(palette) > 0xFFFF:
        raise ValueError(f"{len(palette)} colors: a RIFF palette holds {0xFFFF}")
    table = palette.colors.copy()
    table[:, 3] = 0  # flags
    chunk = struct.pack("<HH", 0x0300, len(palette)) + table.tobytes()
    return RIFF_MAGIC + struct.pack("<I", len(chunk) + 12) + b"PAL data" + struct.pack("<I", len(chunk)) + chunk


def read_adobe(data: bytes) -> Palette:
    """Adobe's swatch exchange: blocks of big-endian lengths, each color with a name, a model and floats.

    CMYK becomes RGB without a profile. Raises ValueError for Lab, which needs one.
    """
    if len(data) < 12 or data[:4] != ADOBE_MAGIC:
        raise ValueError("it is no swatch exchange file")
    colors, names = [], []
    position = 12
    for _ in range(struct.unpack_from(">I", data, 8)[0]):
        if len(data) < position + 6:
            raise ValueError("it ends before its last block")
        kind, size = struct.unpack_from(">HI", data, position)
        block = data[position + 6 : position + 6 + size]
        if len(block) < size:
            raise ValueError("it ends within a block")
        position += 6 + size
        if kind == _COLOR_BLOCK:
            name, color = _adobe_color(block)
            names.append(name)
            colors.append(color)
    return palette_of(colors, names)


def _adobe_color(block: bytes) -> tuple[str, list[int]]:
    length = struct.unpack_from(">H", block)[0]
    model = block[2 + 2 * length : 6 + 2 * length]
    count = _MODELS.get(model)
    if count is None or len(block) < 6 + 2 * length + 4 * count:
        raise ValueError(f"a color's model is {model!r}")
    if model == b"LAB ":
        raise ValueError("a color is Lab; save the swatches as RGB")
    values = np.array(struct.unpack_from(f">{count}f", block, 6 + 2 * length))
    if not np.isfinite(values).all():
        raise ValueError("a color is not a number")
    if model == b"CMYK":
        values = (1 - values[:3]) * (1 - values[3])
    rgb = np.rint(255 * np.clip(values, 0, 1)).astype(int).tolist()
    name = block[2 : 2 + 2 * length].decode("utf-16-be", "replace").rstrip("\0")
    return name, rgb * 3 if len(rgb) == 1 else rgb


def write_adobe(palette: Palette, title: str) -> bytes:
    """See `read_adobe`: RGB, and names as they are, or the color in hexadecimal."""
    blocks = []
    for index, color in enumerate(palette.colors):
        name = ((palette.name(index) or f"#{bytes(color[:3]).hex()}") + "\0").encode("utf-16-be")
        red, green, blue = (float(value) / 255 for value in color[:3])
        body = struct.pack(">H", len(name) // 2) + name + b"RGB " + struct.pack(">3fH", red, green, blue, 2)
        blocks.append(struct.pack(">HI", _COLOR_BLOCK, len(body)) + body)
    return ADOBE_MAGIC + struct.pack(">HHI", 1, 0, len(blocks)) + b"".join(blocks)
