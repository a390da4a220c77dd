"""Coded frames as an animated GIF with the codebook as its one palette."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from streamvq.errors import OutputError, codes_text, counted
from streamvq.frames import CodedFrame, StreamInfo
from streamvq.media.gif import file as gif
from streamvq.media.gif.picture import CLEAR, GifPicture, NoFreeCode, difference, erases
from streamvq.media.sinks.animation import AnimationSink, Packet
from streamvq.media.targets import Target
from streamvq.options import WriteOptions
from streamvq.quantize.decoder import FrameDecoder

_MIN_TICKS = 2  # browsers show what is shorter for 10
_OPAQUE = 128  # alpha from which a pixel is drawn


class GifSink(AnimationSink):
    """GIF89a: up to 256 codes of single pixels; index i is code i, in every picture.

    What a picture leaves as it was may be written as transparent, with any index that it draws nothing with. Pixels
    that are half transparent are drawn or left out.
    """

    format = "gif"
    tick = Fraction(1, 100)
    max_ticks = gif.MAX_DELAY
    max_side = gif.MAX_SIDE

    def __init__(self, target: Target, decoder: FrameDecoder, info: StreamInfo, settings: WriteOptions) -> None:
        palette = decoder.indexed_palette
        if palette is None:
            found = "frames of low rank"
            if decoder.n_codes is not None and decoder.block is not None:
                found = codes_text(decoder.n_codes, decoder.block)
            raise OutputError(f"{target.path}: a GIF holds up to 256 colors, not {found}; write .webp or .mkv")
        self._palette = palette
        self._n_indices = 1 << min(8, len(palette).bit_length())  # one more than there are codes, where it fits
        self._short = False
        self._crowded = 0  # pictures
        super().__init__(target, decoder, info, settings)

    def _picture(
        self, frame: CodedFrame, before: CodedFrame | None, after: CodedFrame | None
    ) -> tuple[GifPicture, bool]:
        picture = self._indices(frame)
        shown = None if before is None else self._indices(before)
        cleared = shown is not None and frame.alpha is not None and erases(picture, shown)
        if cleared:
            shown = np.full_like(picture, CLEAR)
        erased = after is not None and after.alpha is not None and erases(self._indices(after), picture)
        try:
            found = difference(picture, shown, self._n_indices, erased)
        except NoFreeCode:
            raise OutputError(
                f"{self.label}: {frame.meta.label} draws all 256 colors, and none is left for what is transparent; "
                "use 255 colors"
            ) from None
        return found, found.redundant and not cleared

    def _indices(self, frame: CodedFrame) -> NDArray[np.uint16]:
        indices = self._decoder.palette_rows(frame).astype(np.uint16)
        if frame.alpha is not None:
            indices[frame.alpha < _OPAQUE] = CLEAR
        return indices

    def write(self, packet: Packet) -> None:
        alpha = packet.frame.alpha
        self._crowded += packet.picture.crowded
        told = f"{self.label}: GIF has no partial transparency; pixels are drawn from alpha {_OPAQUE} on"
        if alpha is not None and told not in self.notes and ((alpha > 0) & (alpha < 255)).any():
            self.notes.append(told)
        if packet.whole and alpha is not None and self._held is not None:  # nothing may shine through
            self._held.picture = replace(self._held.picture, erased=True)
        super().write(packet)

    def _head(self, frame: CodedFrame) -> bytes:
        head = gif.header(frame.width, frame.height, self._palette, self._n_indices)
        return head + gif.looping(self._loop) + gif.comment(self._text)

    def _image(self, picture: GifPicture, ticks: int) -> bytes:
        self._short |= ticks < _MIN_TICKS
        return gif.image(picture, ticks)

    def _still(self, frame: CodedFrame, picture: GifPicture) -> bytes:
        highest = max(len(self._palette) - 1, picture.transparent or 0, 1)
        head = gif.header(frame.width, frame.height, self._palette, 1 << highest.bit_length())
        return head + gif.comment(self._text) + gif.image(picture, None) + gif.END

    def _tail(self) -> bytes:
        return gif.END

    def _write_rest(self) -> None:
        super()._write_rest()
        if 4 * self._crowded > self._written:
            self.notes.append(
                f"{self.label}: {counted(self._crowded, 'picture')} of {self._written} draw all 256 colors, which "
                "leaves none to say that a pixel stays: a GIF of 255 colors is smaller, `n_codes=255`"
            )
        if self._short:
            self.notes.append(
                f"{self.label}: delays of 1/100 s, which browsers show as 10/100; `fps=50` or less plays as it should"
            )
