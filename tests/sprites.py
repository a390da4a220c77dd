"""Aseprite files made by hand, from the format's specification alone."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HIDDEN, BACKGROUND, REFERENCE = -1, 8, 64  # flags of layers besides "visible"


@dataclass(frozen=True)
class Layer:
    flags: int = 0
    type: int = 0
    level: int = 0
    blend: int = 0
    opacity: int = 255


@dataclass(frozen=True)
class Cel:
    pixels: NDArray | int  # uint8 [height, width, bytes a pixel], or the number of the frame that it is linked to
    layer: int = 0
    x: int = 0
    y: int = 0
    opacity: int = 255
    order: int = 0
    raw: bool = False


def write_sprite(
    path: Path,
    frames: Sequence[Sequence[Cel]],
    layers: Sequence[Layer] = (Layer(),),
    size: tuple[int, int] = (32, 48),
    palette: NDArray | None = None,
    bits: int = 32,
    milliseconds: Sequence[int] = (),
    transparent: int = 0,
) -> Path:
    """Frames of cels, each shown for 40 ms or as said; `palette` is uint8 [k, 4]."""
    parts = []
    for index, cels in enumerate(frames):
        chunks = [_layer(layer) for layer in layers] if index == 0 else []
        if index == 0 and palette is not None:
            entries = b"".join(b"\0\0" + bytes(color) for color in palette)
            chunks.append((0x2019, struct.pack("<III8x", len(palette), 0, len(palette) - 1) + entries))
        chunks += [_cel(cel) for cel in cels]
        body = b"".join(struct.pack("<IH", len(data) + 6, kind) + data for kind, data in chunks)
        duration = milliseconds[index] if milliseconds else 40
        parts.append(struct.pack("<IHHH2xI", len(body) + 16, 0xF1FA, len(chunks), duration, 0) + body)
    data = b"".join(parts)
    head = struct.pack("<IHHHHHIH8xB", len(data) + 128, 0xA5E0, len(frames), *size[::-1], bits, 1, 100, transparent)
    path.write_bytes(head.ljust(128, b"\0") + data)
    return path


def _layer(layer: Layer) -> tuple[int, bytes]:
    flags = 0 if layer.flags == HIDDEN else layer.flags | 1
    name = b"Ebene"
    head = struct.pack("<HHHHHHB3xH", flags, layer.type, layer.level, 0, 0, layer.blend, layer.opacity, len(name))
    return 0x2004, head + name


def _cel(cel: Cel) -> tuple[int, bytes]:
    linked = isinstance(cel.pixels, int)
    kind = 1 if linked else 0 if cel.raw else 2
    head = struct.pack("<HhhBHh5x", cel.layer, cel.x, cel.y, cel.opacity, kind, cel.order)
    if isinstance(cel.pixels, int):
        return 0x2005, head + struct.pack("<H", cel.pixels)
    height, width = cel.pixels.shape[:2]
    data = np.ascontiguousarray(cel.pixels).tobytes()
    return 0x2005, head + struct.pack("<HH", width, height) + (data if cel.raw else zlib.compress(data))
