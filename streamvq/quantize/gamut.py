"""`GamutMap`: colors moved into what a palette can show, as e-paper with its gray white and dull inks needs.

In linear light, black and white become the palette's own, as by black point compensation. Then, in OKLab, chroma is
compressed into the convex hull of the palette's colors: as it is up to three quarters of what the hull holds in that
direction from gray, and above that ever less, so that colors that differ go on to differ.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.frames import Frame
from streamvq.quantize.color_spaces import LIGHT, LIGHT_BITS, ONE, color_at, lab_of, points_of
from streamvq.quantize.pixels import split, with_alpha

_KNEE = 0.75  # the share of the hull's room up to which colors keep their chroma
_MIDDLE_GRAY = 18 * (1 << LIGHT_BITS) // 100  # strong colors move half toward it, where the hull is wider
_DIGITS = 9  # of the hull's planes: what lies behind depends on how a library adds up
_KNOWN = 1 << 24


class GamutMap:
    """Moves colors into the gamut of a palette, uint8 [k, 3]; each color is computed once, and remembered.

    The memory is 64 MB of address space, of which only the pages of colors that occur are touched. Threads may share
    it: each would fill in the same.
    """

    def __init__(self, palette: NDArray[np.uint8]) -> None:
        points = points_of(palette, "oklab") / ONE
        lightness, chroma = points[:, 0], np.hypot(points[:, 1], points[:, 2])
        black, white = palette[(lightness + chroma).argmin()], palette[(lightness - chroma).argmax()]
        self._tables = (np.zeros(1 << 24, np.uint32), LIGHT[black], LIGHT[white], _hull(points))

    def map_frame(self, frame: Frame) -> Frame:
        """A frame of any kind within the gamut, its alpha as it was: uint8 [height, width, 3 or 4]."""
        rgb, alpha = split(frame.pixels, "rgb")
        return replace(frame, pixels=with_alpha(self.map(rgb), alpha))

    def map(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The pixels uint8 [height, width, 3] within the gamut, in a new array."""
        mapped = np.empty_like(pixels)
        _map(pixels.reshape(-1, 3), *self._tables, mapped.reshape(-1, 3))
        return mapped


def _hull(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The planes of the convex hull, [n, 4]: their outward normal, and the distance to add; none where it is flat."""
    from scipy.spatial import ConvexHull, QhullError

    try:
        planes: NDArray[np.float64] = np.unique(np.round(ConvexHull(points).equations, _DIGITS), axis=0)
    except (QhullError, ValueError):  # too few points, or all in a plane, which a palette of one hue is about
        return np.empty((0, 4))
    return planes


@njit(nogil=True, cache=True)
def _map(pixels, known, black, white, planes, mapped):  # type: ignore[no-untyped-def]
    for i in range(len(pixels)):
        red, green, blue = pixels[i, 0], pixels[i, 1], pixels[i, 2]
        key = np.uint32(red) << np.uint32(16) | np.uint32(green) << np.uint32(8) | np.uint32(blue)
        entry = known[key]
        if entry == 0:
            entry = np.uint32(_moved(red, green, blue, black, white, planes) | _KNOWN)
            known[key] = entry
        mapped[i, 0], mapped[i, 1], mapped[i, 2] = entry >> np.uint32(16), entry >> np.uint32(8), entry


@njit(nogil=True, cache=True)
def _moved(red, green, blue, black, white, planes):  # type: ignore[no-untyped-def]
    """The RGB24 key of a color within the gamut."""
    light = (LIGHT[red], LIGHT[green], LIGHT[blue])
    luminance = (2126 * light[0] + 7152 * light[1] + 722 * light[2]) // 10000
    luminance += (_MIDDLE_GRAY - luminance) * (max(light) - min(light)) // (2 * max(light[0], light[1], light[2], 1))
    color, gray = np.empty(3), np.empty(3)
    color[0], color[1], color[2] = _between(black, white, light[0], light[1], light[2])
    gray[0], gray[1], gray[2] = _between(black, white, luminance, luminance, luminance)
    way = color - gray
    room = np.inf if len(planes) else 0.0  # how many times the way from gray to the color there may be
    for i in range(len(planes)):
        outward = planes[i, 0] * way[0] + planes[i, 1] * way[1] + planes[i, 2] * way[2]
        if outward > 0:
            inside = planes[i, 0] * gray[0] + planes[i, 1] * gray[1] + planes[i, 2] * gray[2] + planes[i, 3]
            room = min(room, max(-inside, 0.0) / outward)
    kept = 1.0
    if room * _KNEE < 1:  # of the room, x becomes 1 - (1 - k)^2 / (x + 1 - 2k)
        kept = room * (1 - (1 - _KNEE) * (1 - _KNEE) * room / (1 + (1 - 2 * _KNEE) * room))
    red, green, blue = color_at(gray[0] + kept * way[0], gray[1] + kept * way[1], gray[2] + kept * way[2])
    return red << 16 | green << 8 | blue


@njit(nogil=True, cache=True)
def _between(black, white, red, green, blue):  # type: ignore[no-untyped-def]
    """The point in OKLab of light, 24 bits for 1, where black is 0 and white is 1."""
    lightness, a, b = lab_of(
        black[0] + ((white[0] - black[0]) * red >> LIGHT_BITS),
        black[1] + ((white[1] - black[1]) * green >> LIGHT_BITS),
        black[2] + ((white[2] - black[2]) * blue >> LIGHT_BITS),
    )
    return lightness / ONE, a / ONE, b / ONE
