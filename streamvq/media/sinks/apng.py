"""Coded frames as an animated PNG (PNG, third edition); the palette is the codebook, where it has up to 256 codes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from streamvq.errors import OutputError
from streamvq.frames import CodedFrame, StreamInfo
from streamvq.media.sinks.animation import AnimationSink, Packet
from streamvq.media.targets import Target
from streamvq.media.writing.changes import Box, box_around, changed_pixels, covers
from streamvq.media.writing.image_files import encode_image
from streamvq.media.writing.png_data import smallest_data
from streamvq.options import WriteOptions
from streamvq.quantize.decoder import FrameDecoder
from streamvq.quantize.pixels import with_alpha

_PALETTE, _RGB, _RGBA = 3, 2, 6  # color types
_DEPTH = 8  # bits a sample; of fewer, FFmpeg draws boxes in the wrong place
_SOURCE, _OVER = 0, 1  # blending: replaces what is there, or is drawn over it
_MAX = 65535  # of a delay's numerator and denominator
_MILLISECOND = Fraction(1, 1000)  # where ticks are finer than 16 bits can say
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class PngPicture:
    """A box of a picture as compressed data, for a file of this color type."""

    color_type: int
    box: Box
    data: bytes
    blend: int


class ApngSink(AnimationSink):
    """APNG: every pixel has exactly its code's color. Up to 256 codes are indices, and one of them is transparent, or
    one index more; else pixels are RGB, or RGBA where frames have alpha that a palette cannot hold."""

    format = "apng"
    max_side = (1 << 31) - 1

    def __init__(self, target: Target, decoder: FrameDecoder, info: StreamInfo, settings: WriteOptions) -> None:
        self._palette = decoder.indexed_palette
        n_codes = 0 if self._palette is None else len(self._palette)
        self._entries = None if self._palette is None else decoder.alpha  # the alpha of codes
        self._clear = n_codes if 0 < n_codes < 256 else None  # the transparent index
        if self._entries is not None:
            self._clear = None if self._entries.all() else int(self._entries.argmin())
        self._key = _unused_color(decoder) if self._palette is None else None  # the transparent color
        self.tick = info.time_base or 1 / (info.fps or settings.frame_rate)
        if self.tick.denominator > _MAX:
            self.tick = _MILLISECOND
        self.max_ticks = int(_MAX / self.tick)
        self._file_color_type: int | None = None  # the color type of the file
        super().__init__(target, decoder, info, settings)

    def _picture(
        self, frame: CodedFrame, before: CodedFrame | None, after: CodedFrame | None
    ) -> tuple[PngPicture, bool]:
        changed = changed_pixels(frame, before, self._decoder)
        box = box_around(changed)
        kept = ~changed[box]
        color_type = self._color_type(frame)
        pixels, clear = self._samples(frame, color_type)
        pictures, blends = [pixels[box]], [_SOURCE]
        if clear is not None and kept.any() and covers(frame, changed):
            pictures.append(pixels[box].copy())
            pictures[1][kept] = clear
            blends.append(_OVER)
        data, number = smallest_data(pictures)
        return PngPicture(color_type, box, data, blends[number]), not changed.any()

    def write(self, packet: Packet) -> None:
        found = packet.picture.color_type
        if self._file_color_type is None:
            self._file_color_type = found
        elif found != self._file_color_type and self._file_color_type == _RGBA:  # it takes any picture, as a whole
            box = np.s_[0 : packet.frame.height, 0 : packet.frame.width]
            data, _ = smallest_data([self._samples(packet.frame, _RGBA)[0]])
            packet = replace(packet, picture=PngPicture(_RGBA, box, data, _SOURCE), redundant=False)
        elif found != self._file_color_type:
            raise OutputError(
                f"{self.label}: {packet.frame.meta.label} has transparency that the pixels of the first frame cannot "
                "hold, and an animated PNG has one kind of pixels; write .webp"
            )
        super().write(packet)

    def _color_type(self, frame: CodedFrame) -> int:
        """What a frame can be written as."""
        alpha = frame.alpha
        if self._palette is None:
            return _RGB if alpha is None else _RGBA
        if self._entries is not None:
            return _PALETTE
        binary = alpha is None or (self._clear is not None and bool(((alpha == 0) | (alpha == 255)).all()))
        return _PALETTE if binary else _RGBA

    def _samples(
        self, frame: CodedFrame, color_type: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | int | None]:
        """The samples of a frame, and the one that is transparent."""
        if color_type == _PALETTE:
            indices = self._decoder.palette_rows(frame).astype(np.uint8, copy=False)
            if frame.alpha is not None and self._clear is not None and self._entries is None:
                indices = np.where(frame.alpha == 0, np.uint8(self._clear), indices)
            return indices, self._clear
        pixels = with_alpha(self._decoder.rgb(frame), frame.alpha)
        if color_type == _RGBA and frame.alpha is None:
            pixels = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
        return pixels, np.zeros(4, np.uint8) if color_type == _RGBA else self._key

    def _still(self, frame: CodedFrame, picture: PngPicture) -> bytes:
        return encode_image(frame, self._decoder, "png", self._text)

    def _head(self, frame: CodedFrame) -> bytes:
        self._chunks = 0  # with sequence numbers
        self._pictures = 0
        assert self._file_color_type is not None
        sides = frame.width.to_bytes(4) + frame.height.to_bytes(4)
        head = _chunk(b"IHDR", sides + bytes([_DEPTH, self._file_color_type, 0, 0, 0]))
        self._control_at = len(_SIGNATURE + head)
        head += self._animation_control()
        if self._file_color_type == _PALETTE and self._palette is not None:
            adds_clear = self._clear is not None and self._entries is None
            head += _chunk(b"PLTE", self._palette.tobytes() + bytes(3 * adds_clear))
            head += _chunk(b"tRNS", b"\xff" * len(self._palette) + b"\0") if adds_clear else b""
            head += _chunk(b"tRNS", self._entries.tobytes()) if self._entries is not None else b""
        elif self._file_color_type == _RGB and self._key is not None:
            head += _chunk(b"tRNS", b"".join(int(sample).to_bytes(2) for sample in self._key))
        return _SIGNATURE + head + _chunk(b"tEXt", b"streamvq\0" + self._text.encode("latin-1", "replace"))

    def _animation_control(self) -> bytes:
        return _chunk(b"acTL", self._pictures.to_bytes(4) + self._loop.to_bytes(4))

    def _image(self, picture: PngPicture, ticks: int) -> bytes:
        rows, columns = picture.box
        sides = [columns.stop - columns.start, rows.stop - rows.start, columns.start, rows.start]
        delay = _delay(ticks * self.tick)
        control = b"".join(side.to_bytes(4) for side in sides) + delay + bytes([0, picture.blend])
        data = self._numbered(b"fcTL", control)
        data += self._numbered(b"fdAT", picture.data) if self._pictures else _chunk(b"IDAT", picture.data)
        self._pictures += 1
        return data

    def _numbered(self, chunk_type: bytes, payload: bytes) -> bytes:
        self._chunks += 1
        return _chunk(chunk_type, (self._chunks - 1).to_bytes(4) + payload)

    def _tail(self) -> bytes:
        return _chunk(b"IEND", b"")

    def _complete(self) -> None:
        self._file.seek(self._control_at)
        self._file.write(self._animation_control())


def _unused_color(decoder: FrameDecoder) -> NDArray[np.uint8] | None:
    """A color that no pixel of a picture has; None where pictures are computed."""
    if decoder.palette is None:
        return None
    colors = decoder.palette.astype(np.uint32)
    used = np.unique(colors[:, 0] << 16 | colors[:, 1] << 8 | colors[:, 2])
    gaps = np.flatnonzero(used != np.arange(len(used)))
    color = int(gaps[0]) if len(gaps) else len(used)
    return np.array([color >> 16, color >> 8 & 255, color & 255], np.uint8) if color < 1 << 24 else None


def _delay(seconds: Fraction) -> bytes:
    """Seconds as two 16-bit numbers, exact where they can be."""
    if max(seconds.numerator, seconds.denominator) > _MAX:
        per_second = min(1000, int(_MAX / seconds)) if seconds else 1000
        return round(seconds * per_second).to_bytes(2) + per_second.to_bytes(2)
    return seconds.numerator.to_bytes(2) + seconds.denominator.to_bytes(2)


def _chunk(chunk_type: bytes, payload: bytes) -> bytes:
    return len(payload).to_bytes(4) + chunk_type + payload + zlib.crc32(chunk_type + payload).to_bytes(4)
