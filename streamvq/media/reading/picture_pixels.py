"""The pixels of decoded pictures: gray, RGB or RGBA of 8 bits, by the picture's own color matrix and range."""

from __future__ import annotations

import threading
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from streamvq.media.reading.chroma import can_convert, to_rgb

# libav's accurate conversion: bicubic, rounded rightly, with chroma for every pixel (SWS_BICUBIC, _ACCURATE_RND,
# _FULL_CHR_H_INP and _FULL_CHR_H_INT)
_ACCURATE = 0x4 | 0x40000 | 0x4000 | 0x2000
_FULL_RANGE = 2  # libav's AVCOL_RANGE_JPEG
_SUBSAMPLED = {  # by the beginning of a format's name: bits that follow are those of a sample
    f"{name}{suffix}": bits
    for name in ("yuv420p", "yuv422p", "yuva420p", "yuva422p", "yuvj420p", "yuvj422p")
    for suffix, bits in (("", 8), ("9le", 9), ("10le", 10), ("12le", 12))
}


class PicturePixels:
    """Makes pixels of pictures, on any thread; chroma is `centered` between columns, or on the left one."""

    def __init__(self, centered: bool = False) -> None:
        self._thread = threading.local()
        self._centered = centered

    def of(self, picture: av.VideoFrame) -> NDArray[np.uint8]:
        """uint8 [height, width, 1, 3 or 4], turned as the picture is to be shown."""
        bits = _SUBSAMPLED.get(picture.format.name)
        upright = all(plane.line_size > 0 for plane in picture.planes)
        if bits is not None and upright and can_convert(picture.colorspace):
            pixels = self._interpolated(picture, bits)
        else:
            pixels = self._reformatted(picture)
        if picture.rotation % 360:
            pixels = np.ascontiguousarray(np.rot90(pixels, round(picture.rotation / 90)))
        return pixels

    def _interpolated(self, picture: av.VideoFrame, bits: int) -> NDArray[np.uint8]:
        """The pixels of a picture with subsampled chroma."""
        y, cb, cr, *alpha = (_rows(picture, index, bits) for index in range(len(picture.planes)))
        rgb = to_rgb(
            (y, cb, cr),
            picture.width,
            bits=bits,
            matrix=picture.colorspace,
            full_range=picture.color_range == _FULL_RANGE or picture.format.name.startswith("yuvj"),
            centered=self._centered,
            interlaced=picture.interlaced_frame,
        )
        if not alpha:
            return rgb
        top = (1 << bits) - 1
        opacity = (alpha[0][:, : picture.width].astype(np.uint32) * 255 + top // 2) // top
        return np.dstack([rgb, opacity.astype(np.uint8)])

    def _reformatted(self, picture: av.VideoFrame) -> NDArray[np.uint8]:
        """The pixels of any other picture, by libav."""
        if not hasattr(self._thread, "reformatter"):
            self._thread.reformatter = VideoReformatter()  # one a thread: it keeps its tables
        pix_fmt = _pixel_format(picture)
        if picture.format.name != pix_fmt:
            picture = self._thread.reformatter.reformat(
                picture, format=pix_fmt, dst_color_range="JPEG", interpolation=_ACCURATE
            )
        pixels = np.asarray(picture.to_ndarray(), np.uint8)
        return pixels[..., None] if pixels.ndim == 2 else pixels


def _rows(picture: av.VideoFrame, index: int, bits: int) -> NDArray:
    """A plane with all of its bytes: uint8 or uint16 [height, at least width]."""
    plane: Any = picture.planes[index]
    rows: NDArray = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    return rows if bits == 8 else rows.view("<u2")


def _pixel_format(picture: av.VideoFrame) -> str:
    """libav's name of the 8-bit pixel format with the picture's channels: gray, RGB or RGBA."""
    components = picture.format.components
    if any(component.is_alpha for component in components):
        return "rgba"
    return "gray" if len(components) == 1 and not picture.format.name.startswith("pal") else "rgb24"
