"""Coded frames as an animated WebP without loss: Pillow codes the pictures, and the container (RFC 9649) is ours.

So pictures are coded in parallel and need no memory together, which Pillow's own animations do.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from streamvq.frames import CodedFrame
from streamvq.media.made_with import image_text
from streamvq.media.sinks.animation import AnimationSink
from streamvq.media.writing.changes import Box, box_around, changed_pixels, covers
from streamvq.media.writing.image_files import MAX_SIDES, encode_image
from streamvq.quantize.pixels import with_alpha

_CODING = {"quality": 100}  # its effort; methods above the default take ten times as long, for 1 %
_TRYING = {"method": 1, "quality": 10}  # enough to tell which of two forms of a picture is smaller
_ANIMATED, _WITH_EXIF, _WITH_ALPHA = 0x02, 0x08, 0x10  # flags of the file
_REPLACES = 0x02  # flag of a picture: it is not drawn over what is there


@dataclass(frozen=True)
class WebPPicture:
    """A box of a picture as a VP8L chunk; it `replaces` what is there, or is drawn over it where it is opaque."""

    box: Box
    chunk: bytes
    replaces: bool
    has_alpha: bool


class AnimatedWebPSink(AnimationSink):
    """Lossless WebP: every pixel has exactly its code's color, for any number of codes; alpha is kept."""

    format = "webp"
    tick = Fraction(1, 1000)
    max_ticks = (1 << 24) - 1
    max_side = MAX_SIDES["webp"]
    max_bytes = (1 << 32) - (1 << 16)  # sizes have 32 bits, and a little comes behind the pictures

    def _picture(
        self, frame: CodedFrame, before: CodedFrame | None, after: CodedFrame | None
    ) -> tuple[WebPPicture, bool]:
        changed = changed_pixels(frame, before, self._decoder)
        box = box_around(changed, step=2)  # offsets are even
        inside = changed[box]
        pixels = with_alpha(self._decoder.rgb(frame), frame.alpha)[box]
        replaces = True
        if not inside.all() and covers(frame, changed):
            over = np.dstack([pixels[..., :3], np.full(inside.shape, 255, np.uint8)])
            over[~inside] = 0
            replaces = len(_coded(pixels, _TRYING)) <= len(_coded(over, _TRYING))
            pixels = pixels if replaces else over
        has_alpha = frame.alpha is not None or not replaces
        return WebPPicture(box, _coded(pixels, _CODING), replaces, has_alpha), not changed.any()

    def _still(self, frame: CodedFrame, picture: WebPPicture) -> bytes:
        return encode_image(frame, self._decoder, "webp", self._text)

    def _head(self, frame: CodedFrame) -> bytes:
        self._has_alpha = False
        loop = b"\xff\xff\xff\xff" + self._loop.to_bytes(2, "little")  # behind a white background
        return self._file_head(frame, 0) + _chunk(b"ANIM", loop)

    def _file_head(self, frame: CodedFrame, size: int) -> bytes:
        """The start of a file of `size` bytes, which are known at the end."""
        flags = _ANIMATED | _WITH_EXIF | (_WITH_ALPHA if self._has_alpha else 0)
        sides = _u24(frame.width - 1) + _u24(frame.height - 1)
        riff = b"RIFF" + max(0, size - 8).to_bytes(4, "little") + b"WEBP"
        return riff + _chunk(b"VP8X", bytes([flags, 0, 0, 0]) + sides)

    def _image(self, picture: WebPPicture, ticks: int) -> bytes:
        self._has_alpha |= picture.has_alpha
        rows, columns = picture.box
        place = _u24(columns.start // 2) + _u24(rows.start // 2)
        sides = _u24(columns.stop - columns.start - 1) + _u24(rows.stop - rows.start - 1)
        flags = _REPLACES if picture.replaces else 0
        return _chunk(b"ANMF", place + sides + _u24(ticks) + bytes([flags]) + picture.chunk)

    def _tail(self) -> bytes:
        return _chunk(b"EXIF", image_text("webp", self._text)["exif"].tobytes())

    def _complete(self) -> None:
        assert self._first is not None
        size = self._file.tell()
        self._file.seek(0)
        self._file.write(self._file_head(self._first, size))


def _coded(pixels: NDArray[np.uint8], effort: Mapping[str, int]) -> bytes:
    """RGB or RGBA pixels as a VP8L chunk."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "WEBP", lossless=True, exact=True, **effort)
    data, at = buffer.getvalue(), 12
    while data[at : at + 4] != b"VP8L":
        at += 8 + _even(int.from_bytes(data[at + 4 : at + 8], "little"))
    return data[at : at + 8 + _even(int.from_bytes(data[at + 4 : at + 8], "little"))]


def _chunk(chunk_type: bytes, payload: bytes) -> bytes:
    return chunk_type + len(payload).to_bytes(4, "little") + payload + b"\0" * (len(payload) % 2)


def _even(size: int) -> int:
    return size + size % 2


def _u24(number: int) -> bytes:
    return number.to_bytes(3, "little")
