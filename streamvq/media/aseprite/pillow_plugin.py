"""Aseprite's sprites as images of Pillow, so that they are read wherever images and animations are."""

from __future__ import annotations

import struct
from typing import Any

from PIL import Image, ImageFile

from streamvq.media.aseprite.chunks import MAGIC, MAGIC_AT
from streamvq.media.aseprite.sprite import Sprite

FORMAT = "ASEPRITE"


class AsepriteImageFile(ImageFile.ImageFile):
    """RGB where a background covers every frame, else RGBA."""

    format = FORMAT
    format_description = "Aseprite sprite"
    _close_exclusive_fp_after_loading = False

    def _open(self) -> None:
        assert self.fp is not None
        try:
            self.sprite = Sprite(self.fp.read(), str(self.filename))
        except struct.error as error:  # which Pillow would take for another kind of image
            raise ValueError("it ends too early") from error
        self._size = self.sprite.width, self.sprite.height
        self._mode = "RGB" if self.sprite.is_opaque else "RGBA"
        self.n_frames = len(self.sprite.durations_ms)
        self.is_animated = self.n_frames > 1
        self._number, self._loaded = 0, -1

    def seek(self, frame: int) -> None:
        """Stand at a frame."""
        if not 0 <= frame < self.n_frames:
            raise EOFError(f"there is no frame {frame}")
        self._number = frame

    def tell(self) -> int:
        """The number of the frame that it stands at."""
        return self._number

    def load(self) -> Any:
        """Draw the frame that it stands at."""
        if self._loaded != self._number:
            self.im = self.sprite.rgba(self._number).convert(self.mode).im
            self._loaded = self._number
        return Image.Image.load(self)


def register() -> None:
    """Let Pillow open sprites; to be called before it does."""
    Image.register_open(FORMAT, AsepriteImageFile, lambda prefix: prefix[MAGIC_AT : MAGIC_AT + 2] == MAGIC)
