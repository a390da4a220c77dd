"""The bytes of a GIF file around its pictures (GIF89a specification, 1990; the loop is Netscape's)."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from streamvq.media.gif.picture import GifPicture

MAX_SIDE = 65535
MAX_DELAY = 65535  # hundredths of a second
END = b";"
_BLOCK = 255  # bytes of data
_KEPT, _CLEARED = 1, 2  # disposal methods: leave the picture, clear its box


def header(width: int, height: int, palette: NDArray[np.uint8], n_indices: int) -> bytes:
    """The head of a file with one palette, uint8 [k, 3], for `n_indices` indices (a power of 2)."""
    depth = n_indices.bit_length() - 1
    screen = struct.pack("<HHBBB", width, height, 0x80 | 0x70 | (depth - 1), 0, 0)
    return b"GIF89a" + screen + palette.tobytes().ljust(3 * n_indices, b"\0")


def looping(times: int) -> bytes:
    """The extension that has the file played so many times; 0 is for ever, and once needs none."""
    return b"" if times == 1 else b"!\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<HB", max(0, times - 1), 0)


def comment(text: str) -> bytes:
    """A comment extension."""
    return b"!\xfe" + _blocks(text.encode("ascii", "replace")) if text else b""


def image(picture: GifPicture, delay: int | None) -> bytes:
    """A picture that is shown for so many hundredths of a second; None: for ever, with nothing after it."""
    control = b""
    if delay is not None or picture.transparent is not None:
        flags = (_CLEARED if picture.erased else _KEPT) << 2 | (picture.transparent is not None)
        control = b"!\xf9\x04" + struct.pack("<BHBB", flags, delay or 0, picture.transparent or 0, 0)
    box = struct.pack("<HHHHB", picture.left, picture.top, picture.width, picture.height, 0)
    return control + b"," + box + bytes([picture.bits]) + _blocks(picture.data)


def _blocks(data: bytes) -> bytes:
    """Data in sub-blocks of up to `_BLOCK` bytes, and the empty one that ends them."""
    n_full = len(data) // _BLOCK
    full = np.full((n_full, 1 + _BLOCK), _BLOCK, np.uint8)
    full[:, 1:] = np.frombuffer(data, np.uint8, n_full * _BLOCK).reshape(n_full, _BLOCK)
    rest = data[n_full * _BLOCK :]
    return full.tobytes() + (bytes([len(rest)]) + rest if rest else b"") + b"\0"
