"""Palettes in pictures: that of an indexed PNG or GIF, or the colors of a swatch picture in reading order."""

from __future__ import annotations

import io
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from streamvq.media.palette_files.palette import MAX_COLORS, Palette, palette_of

MAGICS = (b"\x89PNG", b"GIF8", b"BM")
_SWATCH, _COLUMNS = 16, 16  # pixels a side of a swatch that is written, and how many stand in a row
_MAX_PIXELS = 1 << 24  # of a picture whose colors are collected


def read_picture(data: bytes) -> Palette:
    """The palette of an indexed picture in its order; of another, its colors in the order of their first pixels."""
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(data)) as image:
            warnings.simplefilter("ignore")  # of sizes, which are checked here
            if image.width * image.height > _MAX_PIXELS:
                raise ValueError(
                    f"it has {image.width}x{image.height} pixels: a swatch picture has at most 16 million"
                )
            if image.mode == "P":
                return _indexed(image)
            rgba = np.asarray(image.convert("RGBA")).reshape(-1, 4)
    except (OSError, SyntaxError) as error:
        raise ValueError("its picture cannot be read") from error
    colors, first = np.unique(rgba.view(np.uint32).ravel(), return_index=True)
    if len(colors) > MAX_COLORS:
        raise ValueError(f"it has {len(colors)} colors: a palette has at most {MAX_COLORS}; learn one with fit")
    return palette_of(rgba[np.sort(first)])


def palette_inside(path: Path) -> Palette | None:
    """The palette of an indexed picture's file, in its order; None for other files."""
    try:
        with warnings.catch_warnings(), Image.open(path) as image:
            warnings.simplefilter("ignore")  # reading the picture tells
            return _indexed(image) if image.mode == "P" else None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def _indexed(image: Image.Image) -> Palette:
    colors = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
    alpha = np.full(len(colors), 255, np.uint8)
    transparency = image.info.get("transparency")
    if isinstance(transparency, bytes):
        alpha[: len(transparency)] = list(transparency[: len(alpha)])
    elif isinstance(transparency, int) and transparency < len(alpha):
        alpha[transparency] = 0
    return palette_of(colors, alpha=alpha.tolist())


def write_picture(palette: Palette, title: str) -> bytes:
    """A PNG of swatches, 16 a row: indexed with the palette as its own up to 256 colors, one pixel each above."""
    buffer = io.BytesIO()
    rows = -(-len(palette) // _COLUMNS)
    columns = min(_COLUMNS, len(palette))
    if len(palette) > 256:
        table = np.zeros((rows * columns, 4), np.uint8)
        table[:] = palette.colors[-1]
        table[: len(palette)] = palette.colors
        Image.fromarray(table.reshape(rows, columns, 4)).save(buffer, "PNG", optimize=True)
        return buffer.getvalue()
    order = np.zeros(rows * columns, np.uint8)
    order[: len(palette)] = np.arange(len(palette))
    order[len(palette) :] = len(palette) - 1
    indices = order.reshape(rows, columns).repeat(_SWATCH, 0).repeat(_SWATCH, 1)
    image = Image.fromarray(indices, "P")
    image.putpalette(palette.colors[:, :3].tobytes())
    alpha = palette.colors[:, 3].tobytes()
    transparency = {"transparency": alpha} if min(alpha) < 255 else {}
    image.save(buffer, "PNG", bits=8, **transparency)
    return _without_filling(buffer.getvalue(), 3 * len(palette))


def _without_filling(png: bytes, size: int) -> bytes:
    """A PNG with the first `size` bytes of its palette: Pillow before version 13 fills it up to 256 colors."""
    name = png.index(b"PLTE")
    start = name + 4
    end = start + int.from_bytes(png[name - 4 : name])
    chunk = png[name : start + size]
    return png[: name - 4] + size.to_bytes(4) + chunk + zlib.crc32(chunk).to_bytes(4) + png[end + 4 :]
