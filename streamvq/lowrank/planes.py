"""From the pixels of a frame to the matrices that are truncated, its channels or their patches, and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.quantize.bt601 import LUMA_B, LUMA_G, LUMA_R, LUMA_UNIT

_R, _G, _B = LUMA_R / LUMA_UNIT, LUMA_G / LUMA_UNIT, LUMA_B / LUMA_UNIT  # see `color`
_CB, _CR = 0.5 / (1 - _B), 0.5 / (1 - _R)


def planes_of(pixels: NDArray, space: str) -> list[NDArray[np.float32]]:
    """The channels of uint8 or uint16 `pixels` [height, width, 1, 3 or 4] as float32 matrices, without alpha.

    "gray": one [height, width], of color the luma, not rounded. "rgb": three. "ycbcr420": luma, and the differences
    Cb and Cr around 0, each the mean of 2 x 2 pixels; odd edges are repeated. Gray pixels count as R=G=B.
    """
    channels = [np.ascontiguousarray(pixels[..., min(i, pixels.shape[2] - 1)], np.float32) for i in range(3)]
    if space == "rgb":
        return channels
    if space == "gray" and pixels.shape[2] == 1:
        return channels[:1]
    red, green, blue = channels
    luma = np.float32(_R) * red + np.float32(_G) * green + np.float32(_B) * blue
    if space == "gray":
        return [luma]
    return [luma, _halved((blue - luma) * np.float32(_CB)), _halved((red - luma) * np.float32(_CR))]


def plane_sizes(height: int, width: int, space: str) -> list[tuple[int, int]]:
    """The heights and widths of the matrices that `planes_of` gives."""
    if space == "gray":
        return [(height, width)]
    half = (-(-height // 2), -(-width // 2)) if space == "ycbcr420" else (height, width)
    return [(height, width), half, half]


def patches_of(plane: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """The matrix whose rows are the patches of `side` x `side`: float32 [patches, side * side].

    Edges are padded by replication up to whole patches.
    """
    height, width = plane.shape
    plane = np.pad(plane, ((0, -height % side), (0, -width % side)), mode="edge")
    rows, columns = plane.shape[0] // side, plane.shape[1] // side
    patches = plane.reshape(rows, side, columns, side).swapaxes(1, 2)
    return np.ascontiguousarray(patches).reshape(rows * columns, side * side)


def from_patches(patches: NDArray, side: int, height: int, width: int) -> NDArray:
    """The plane [height, width] that `patches_of` cut, without its padding."""
    rows, columns = -(-height // side), -(-width // side)
    plane = patches.reshape(rows, columns, side, side).swapaxes(1, 2).reshape(rows * side, columns * side)
    return np.ascontiguousarray(plane[:height, :width])


def rounded(planes: list[NDArray[np.float32]], dtype: np.dtype) -> NDArray:
    """Gray or RGB planes float32 [height, width] as pixels of uint8 or uint16 [height, width, 1 or 3]."""
    pixels = np.empty((*planes[0].shape, len(planes)), dtype)
    peak = np.float32(np.iinfo(dtype).max)
    for channel, plane in enumerate(planes):
        _round(np.ascontiguousarray(plane), peak, pixels, channel)
    return pixels


def _halved(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = plane.shape
    if height % 2 or width % 2:
        plane = np.pad(plane, ((0, height % 2), (0, width % 2)), mode="edge")
    return (plane[::2, ::2] + plane[1::2, ::2] + plane[::2, 1::2] + plane[1::2, 1::2]) * np.float32(0.25)


@njit(nogil=True, cache=True)
def _round(plane, peak, pixels, channel):  # type: ignore[no-untyped-def]
    for y in range(plane.shape[0]):
        for x in range(plane.shape[1]):
            pixels[y, x, channel] = min(max(plane[y, x] + np.float32(0.5), np.float32(0)), peak)
