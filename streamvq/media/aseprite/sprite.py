"""Sprites of Aseprite read frame by frame: layers put upon each other with normal blending."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from streamvq.errors import MediaError
from streamvq.media.aseprite.chunks import (
    BACKGROUND,
    CEL,
    COMPRESSED_CEL,
    HEADER_BYTES,
    LAYER,
    VISIBLE,
    Chunk,
    check_magic,
    read_frame,
    read_string,
)
from streamvq.media.aseprite.palette import palette_entries

_RAW_CEL, _LINKED_CEL = 0, 1
_REFERENCE = 64  # flag of a layer that is never exported
_IMAGE, _GROUP = 0, 1  # types of layers
_MAX_CEL_PIXELS = 1 << 26
_INDEXED, _GRAY, _RGBA = 8, 16, 32  # bits a pixel


@dataclass(frozen=True)
class _Layer:
    name: str
    flags: int
    level: int
    opacity: int
    shown: bool  # and all groups that it is in


@dataclass(frozen=True)
class _Cel:
    x: int
    y: int
    opacity: int
    order: int  # in which cels are drawn, besides that of their layers
    pixels: NDArray[np.uint8]  # [height, width, bytes a pixel]


@dataclass
class Sprite:
    """A file's frames: `rgba` draws one. Raises ValueError or struct.error where the file is damaged, MediaError for
    what is not read.

    `durations_ms` has one entry a frame. `is_opaque` says that a background covers every frame.
    """

    data: bytes
    label: str
    height: int = 0
    width: int = 0
    durations_ms: list[int] = field(default_factory=list)
    is_opaque: bool = False

    def __post_init__(self) -> None:
        check_magic(self.data)
        fields = struct.unpack_from("<HHHHIH", self.data, 6)
        count, self.width, self.height, self._bits, flags, speed = fields
        if not (self.width and self.height and count):
            raise ValueError("it has no picture")
        if self._bits not in (_INDEXED, _GRAY, _RGBA):
            raise ValueError(f"it has {self._bits} bits a pixel")
        self._transparent = self.data[28]
        self._frames: list[list[Chunk]] = []
        position = HEADER_BYTES
        for _ in range(count):
            chunks, duration, position = read_frame(self.data, position)
            self._frames.append(chunks)
            self.durations_ms.append(duration or speed)
        self._palettes = list(self._read_palettes()) if self._bits == _INDEXED else []
        self._layers = list(self._read_layers(flags))
        self.is_opaque = any(layer.shown and layer.flags & BACKGROUND for layer in self._layers)

    def rgba(self, number: int) -> Image.Image:
        """A frame as Aseprite shows it."""
        canvas = Image.new("RGBA", (self.width, self.height))
        palette = self._palettes[number] if self._palettes else np.zeros((0, 4), np.uint8)
        cels = [(cel.order + layer, cel.order, layer, cel) for layer, cel in self._cels(number).items()]
        for *_, layer_number, cel in sorted(cels, key=lambda each: each[:3]):
            layer = self._layers[layer_number]
            if layer.shown:
                colors = self._colors(cel, palette, not layer.flags & BACKGROUND)
                opacity = cel.opacity * layer.opacity
                if opacity < 255 * 255:
                    colors[..., 3] = np.rint(colors[..., 3] * (opacity / 255**2))
                part = Image.new("RGBA", canvas.size)
                part.paste(Image.fromarray(colors), (cel.x, cel.y))
                canvas = Image.alpha_composite(canvas, part)
        return canvas

    def _read_layers(self, header_flags: int) -> Iterator[_Layer]:
        hidden_level = 1 << 16  # of the group that hides what is inside it
        for kind, body in self._frames[0]:
            if kind != LAYER:
                continue
            flags, layer_type, level, _, _, blend, opacity = struct.unpack_from("<HHHHHHB", body)
            name, _ = read_string(body, 16)
            hidden_level = hidden_level if level > hidden_level else 1 << 16
            visible = bool(flags & VISIBLE) and level <= hidden_level and not flags & _REFERENCE
            if not visible:
                hidden_level = min(hidden_level, level)
            if visible and (blend or layer_type not in (_IMAGE, _GROUP)):
                how = "holds tiles" if layer_type not in (_IMAGE, _GROUP) else "does not blend normally"
                raise MediaError(
                    f"{self.label}: its layer {name!r} {how}, which is not read; export it first: "
                    "aseprite -b in.aseprite --save-as out.png"
                )
            yield _Layer(name, flags, level, opacity if header_flags & 1 else 255, visible and layer_type == _IMAGE)

    def _read_palettes(self) -> Iterator[NDArray[np.uint8]]:
        """The colors of each frame, those set up to it, [256, 4]; one array where none is set."""
        colors = np.zeros((256, 4), np.uint8)
        for chunks in self._frames:
            if entries := palette_entries(chunks):
                colors = colors.copy()
                for index, (color, _) in entries.items():
                    if index < 256:
                        colors[index] = color
            yield colors

    def _cels(self, number: int) -> dict[int, _Cel]:
        found: dict[int, _Cel] = {}
        for kind, body in self._frames[number]:
            if kind == CEL:
                layer, x, y, opacity, cel_type, order = struct.unpack_from("<HhhBHh", body)
                if layer >= len(self._layers):
                    raise ValueError(f"frame {number} has a cel of layer {layer}, which is not there")
                pixels = self._pixels(number, layer, cel_type, body)
                found[layer] = _Cel(x, y, opacity, order, pixels)
        return found

    def _pixels(self, number: int, layer: int, cel_type: int, body: bytes) -> NDArray[np.uint8]:
        if cel_type == _LINKED_CEL:
            linked = struct.unpack_from("<H", body, 16)[0]
            if linked >= number:
                raise ValueError(f"frame {number} has a cel that is linked to frame {linked}, which is not before it")
            for kind, other in self._frames[linked]:
                if kind == CEL and struct.unpack_from("<H", other)[0] == layer:
                    return self._pixels(linked, layer, struct.unpack_from("<H", other, 7)[0], other)
            raise ValueError(f"frame {number} has a cel that is linked to nothing")
        if cel_type not in (_RAW_CEL, COMPRESSED_CEL):
            raise ValueError(f"frame {number} has a cel of type {cel_type}")
        width, height = struct.unpack_from("<HH", body, 16)
        size = width * height * self._bits // 8
        if not 0 < width * height <= _MAX_CEL_PIXELS:
            raise ValueError(f"frame {number} has a cel of {width}x{height}")
        data = body[20:] if cel_type == _RAW_CEL else zlib.decompressobj().decompress(body[20:], size)
        if len(data) < size:
            raise ValueError(f"frame {number} has a cel that is cut off")
        return np.frombuffer(data, np.uint8, size).reshape(height, width, -1)

    def _colors(self, cel: _Cel, palette: NDArray[np.uint8], has_transparent: bool) -> NDArray[np.uint8]:
        """A cel's pixels as RGBA: uint8 [height, width, 4], a copy."""
        if self._bits == _RGBA:
            return cel.pixels.copy()
        if self._bits == _GRAY:
            return cel.pixels[..., [0, 0, 0, 1]]
        colors = palette[cel.pixels[..., 0]]
        if has_transparent:
            colors[cel.pixels[..., 0] == self._transparent] = 0
        return colors
