"""A C header with palette and packed frames, to be compiled into a device's program."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from streamvq.errors import UsageError
from streamvq.frames import IndexFrame
from streamvq.media.index_formats.index_format import IndexFileContext, IndexFormat
from streamvq.media.index_formats.packing import Packing
from streamvq.media.made_with import C_REMARK
from streamvq.media.palette_files.palette import Palette

_A_LINE = 16  # values a line


class CHeader(IndexFormat):
    """C99: sizes as macros, the palette as RGB888 and RGB565, and an array of bytes (or uint16_t) a frame."""

    def __init__(self, context: IndexFileContext) -> None:
        super().__init__(context)
        if context.codebook.block != (1, 1):
            raise UsageError(
                f"{context.label}: a C header holds codes of single pixels; write blocks as .raw or .npy"
            )
        self._packing = Packing.from_options(context.label, len(context.codebook), context.settings)
        self._name = identifier(context.name)
        self._frames = 0

    def encode(self, frame: IndexFrame) -> bytes:
        if self._packing.bits == 16:
            return _lines([f"{value}" for value in frame.codes.ravel().tolist()], "    ")
        return _lines([f"0x{value:02x}" for value in self._packing.pack(frame.codes)], "    ")

    def append(self, frame: IndexFrame, data: bytes) -> bytes:
        self._frames += 1
        start = "\n".join(self._head(frame)).encode() if self._frames == 1 else b""
        return start + b"  {\n" + data + b"  },\n"

    def end(self) -> tuple[bytes, dict[int, bytes]]:
        macro = self._name.upper()
        return f"}};\n\n#define {macro}_FRAMES {self._frames}\n\n#endif\n".encode(), {}

    def _head(self, frame: IndexFrame) -> Iterator[str]:
        name, macro, packing = self._name, self._name.upper(), self._packing
        palette = Palette.of_codebook(self._context.codebook)
        rgb = palette.colors[:, :3]
        rows, columns = frame.codes.shape
        yield f"/* {packing.text(rows, columns)}"
        yield f"{C_REMARK}{self._context.text.replace('*/', '')} */"
        yield f"#ifndef {macro}_H\n#define {macro}_H\n\n#include <stdint.h>\n"
        yield f"#define {macro}_WIDTH {columns}\n#define {macro}_HEIGHT {rows}\n#define {macro}_BITS {packing.bits}"
        if palette.transparent is not None:
            yield f"#define {macro}_TRANSPARENT {palette.transparent}"
        yield f"#define {macro}_COLORS {len(rgb)}\n"
        yield f"static const uint8_t {name}_rgb888[{macro}_COLORS][3] = {{"
        yield _lines([f"{{{r}, {g}, {b}}}" for r, g, b in rgb.tolist()], "  ", 6).decode() + "};\n"
        yield f"static const uint16_t {name}_rgb565[{macro}_COLORS] = {{"
        yield _lines([f"0x{value:04x}" for value in rgb565(rgb).tolist()], "  ").decode() + "};\n"
        words = packing.bits == 16
        kind, length = ("uint16_t", frame.codes.size) if words else ("uint8_t", len(packing.pack(frame.codes)))
        yield f"static const {kind} {name}_frames[][{length}] = {{\n"


def identifier(name: str) -> str:
    """A name as C takes it.

    >>> identifier("héro-2"), identifier("8bit")
    ('h_ro_2', '_8bit')
    """
    text = re.sub(r"[^0-9A-Za-z_]", "_", name)
    return f"_{text}" if not text or text[0].isdigit() else text


def rgb565(colors: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Colors uint8 [k, 3] as 5 bits red, 6 green, 5 blue, each rounded to the nearest level: uint16 [k]."""
    red, green, blue = np.rint(colors.astype(np.float64) * [31, 63, 31] / 255).astype(np.uint16).T
    packed: NDArray[np.uint16] = red << 11 | green << 5 | blue
    return packed


def _lines(values: list[str], indent: str, a_line: int = _A_LINE) -> bytes:
    lines = (values[at : at + a_line] for at in range(0, len(values), a_line))
    return "".join(f"{indent}{', '.join(line)},\n" for line in lines).encode()
