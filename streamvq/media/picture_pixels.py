"""The pixels of decoded pictures: gray, RGB or RGBA of 8 bits, by the picture's own color matrix and range."""

from __future__ import annotations

import threading

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray


class PicturePixels:
    """Makes pixels of pictures, on any thread."""

    def __init__(self) -> None:
        self._thread = threading.local()

    def of(self, picture: av.VideoFrame) -> NDArray[np.uint8]:
        """uint8 [height, width, 1, 3 or 4], turned as the picture is to be shown."""
        pixels = self._reformatted(picture)
        if picture.rotation % 360:
            pixels = np.ascontiguousarray(np.rot90(pixels, round(picture.rotation / 90)))
        return pixels

    def _reformatted(self, picture: av.VideoFrame) -> NDArray[np.uint8]:
        """The pixels of a picture."""
        if not hasattr(self._thread, "reformatter"):
            self._thread.reformatter = VideoReformatter()  # one a thread: it keeps its tables
        pix_fmt = _pixel_format(picture)
        if picture.format.name != pix_fmt:
            picture = self._thread.reformatter.reformat(picture, format=pix_fmt, dst_color_range="JPEG")
        pixels = np.asarray(picture.to_ndarray(), np.uint8)
        return pixels[..., None] if pixels.ndim == 2 else pixels


def _pixel_format(picture: av.VideoFrame) -> str:
    """libav's name of the 8-bit pixel format with the picture's channels: gray, RGB or RGBA."""
    components = picture.format.components
    if any(component.is_alpha for component in components):
        return "rgba"
    return "gray" if len(components) == 1 and not picture.format.name.startswith("pal") else "rgb24"
