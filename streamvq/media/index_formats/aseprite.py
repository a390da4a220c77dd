"""Indexed sprites of Aseprite: the codebook is the palette, in its order, and every frame a cel of one layer."""

from __future__ import annotations

import struct
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from streamvq.errors import OutputError, UsageError
from streamvq.frames import IndexFrame
from streamvq.media.aseprite.chunks import (
    BACKGROUND,
    CEL,
    EDITABLE,
    FRAME_HEADER_BYTES,
    HEADER_BYTES,
    MAX_FRAMES,
    MAX_MS,
    MAX_SIDE,
    VISIBLE,
    Chunk,
    cel_chunk,
    frame_bytes,
    header_bytes,
    layer_chunk,
    palette_chunk,
    text_chunk,
)
from streamvq.media.index_formats.index_format import IndexFileContext, IndexFormat
from streamvq.media.palette_files.palette import Palette

_MAX_BYTES = (1 << 32) - (1 << 16)  # sizes have 32 bits, and a little comes around the last cel
_LAYER_NAME = "Layer 1"


class AsepriteSprite(IndexFormat):
    """Frames with durations in whole milliseconds. Pixels whose alpha is below 128 have the palette's transparent
    entry, or one more behind the codes, which the first frame that needs it adds.

    The file begins as an opaque background; where something is transparent, the end makes that a layer.
    """

    keeps_alpha = True

    def __init__(self, context: IndexFileContext) -> None:
        super().__init__(context)
        book = context.codebook
        if book.indexed_palette is None:
            kind = f"{len(book)}" if book.block == (1, 1) else "blocks"
            raise UsageError(
                f"{context.label}: an indexed sprite holds up to 256 colors of single pixels, not {kind}"
            )
        palette = Palette.of_codebook(book)
        self._colors, self._names = palette.colors, palette.names
        self._is_layer = palette.transparent is not None
        self._clear = len(palette) if palette.transparent is None else palette.transparent
        self._held: tuple[list[Chunk], IndexFrame] | None = None
        self._frames = self._size = self._last_ms = self._flags_at = 0
        self._soft = False

    def encode(self, frame: IndexFrame) -> bytes:
        if max(frame.height, frame.width) > MAX_SIDE:
            raise OutputError(f"{self._context.label}: {frame.width}x{frame.height}: sprites have up to {MAX_SIDE}")
        hidden = _hidden(frame)
        if hidden is None or not hidden.any():
            return cel_chunk(frame.codes.astype(np.uint8, copy=False))[1]
        if self._clear > 255:
            raise OutputError(
                f"{self._context.label}: {frame.meta.label} has transparency, and 256 colors leave no index for it; "
                "take 255 or fewer"
            )
        return cel_chunk(np.where(hidden, self._clear, frame.codes).astype(np.uint8))[1]

    def append(self, frame: IndexFrame, data: bytes) -> bytes:
        self._frames += 1
        if self._frames > MAX_FRAMES:
            raise OutputError(f"{self._context.label}: a sprite holds {MAX_FRAMES} frames, and the input has more")
        chunks = [(CEL, data)]
        if self._needs_clear(frame):
            self._colors = np.vstack([self._colors, np.zeros((1, 4), np.uint8)])
            self._names = (*self._names, "transparent") if self._names else ()
            chunks.insert(0, palette_chunk(self._colors, self._names))
        if self._frames == 1:
            palette = palette_chunk(self._colors, self._names)
            self._flags_at = HEADER_BYTES + FRAME_HEADER_BYTES + 6 + len(palette[1]) + 6
            chunks = [palette, layer_chunk(_LAYER_NAME, True), text_chunk(self._context.text), (CEL, data)]
            written = self._header(frame)
        else:
            written = self._held_bytes(self._milliseconds(frame))
        self._held = chunks, frame
        self._size += len(written)
        if self._size + len(data) > _MAX_BYTES:
            raise OutputError(f"{self._context.label}: a sprite has at most {_MAX_BYTES} bytes; write several")
        return written

    def end(self) -> tuple[bytes, dict[int, bytes]]:
        if self._held is None:
            return b"", {}
        frame = self._held[1]
        duration = frame.duration or Fraction(self._last_ms, 1000) or 1 / self._context.fps
        written = self._held_bytes(self._milliseconds(frame) + round(1000 * duration))
        self._size += len(written)
        flags = struct.pack("<H", VISIBLE | EDITABLE | BACKGROUND * (not self._is_layer))
        return written, {0: self._header(frame), self._flags_at: flags}

    def notes(self) -> list[str]:
        return [f"{self._context.label}: soft transparency became none or all"] if self._soft else []

    def _needs_clear(self, frame: IndexFrame) -> bool:
        """Whether a frame is the first to need an entry for what cannot be seen."""
        hidden = _hidden(frame)
        if hidden is None:
            return False
        assert frame.alpha is not None
        self._soft |= bool(((frame.alpha > 0) & (frame.alpha < 255)).any())
        first = not self._is_layer and bool(hidden.any())
        self._is_layer |= first
        return first

    def _held_bytes(self, until: int) -> bytes:
        """The frame that is held, shown until a time in milliseconds."""
        assert self._held is not None
        chunks, frame = self._held
        self._last_ms = min(max(until - self._milliseconds(frame), 1), MAX_MS)
        return frame_bytes(chunks, self._last_ms)

    def _milliseconds(self, frame: IndexFrame) -> int:
        return round(1000 * (frame.index / self._context.fps if frame.time is None else frame.time))

    def _header(self, frame: IndexFrame) -> bytes:
        clear = self._clear if self._is_layer else 0
        return header_bytes(self._size, self._frames, frame.height, frame.width, len(self._colors), clear)


def _hidden(frame: IndexFrame) -> NDArray[np.bool_] | None:
    return None if frame.alpha is None else frame.alpha < 128
