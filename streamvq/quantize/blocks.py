"""Between the pixels of a frame and the vectors that block codes are made of.

A vector holds one block of height x width pixels: in space "gray" its luma, in "rgb" its R, G, B interleaved,
each in row order; in "ycbcr420" its luma in row order, then its Cb, then its Cr, which are full-range BT.601
as in JPEG (JFIF 1.02) and have one sample for each 2x2 pixels.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from streamvq.quantize.metrics import visible_error
from streamvq.quantize.pixels import luma, split

_PLANES = {"gray": 1, "rgb": 3}  # samples a pixel
_CHROMA_SCALE = 2  # a chroma sample errs in 4 pixels, with gains of 3.3 (Cb) and 2.5 (Cr) against luma's 3
_MOST = 1 << 14  # samples a code: so that squared distances in the scaled samples fit 31 bits


def code_length(block: tuple[int, int], space: str) -> int:
    """How many samples a code of `block` (height, width) has. Raises ValueError where the space has no such block."""
    height, width = block
    if space == "ycbcr420":
        if height % 2 or width % 2:
            raise ValueError(f"block {width}x{height}: ycbcr420 needs even sides")
        length = height * width * 3 // 2
    elif space in _PLANES:
        length = height * width * _PLANES[space]
    else:
        raise ValueError(f"space {space!r}: choose one of gray, rgb, ycbcr420")
    if min(block) < 1 or length > _MOST:
        raise ValueError(f"block {width}x{height}: a code has 1 to {_MOST} samples")
    return length


def scales(block: tuple[int, int], space: str) -> NDArray[np.int16]:
    """What the samples of a code are multiplied by before distances are taken: int16 [d].

    All ones, but 2 for chroma: squared distances then are close to a third of those in RGB.
    """
    factors = np.ones(code_length(block, space), np.int16)
    if space == "ycbcr420":
        factors[block[0] * block[1] :] = _CHROMA_SCALE
    return factors


def image_to_blocks(
    pixels: NDArray, block: tuple[int, int], space: str
) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """The blocks of a frame as vectors, uint8 [rows, columns, d], and its alpha, uint8 [height, width] or None.

    `pixels` is uint8 or uint16 [height, width, 1, 3 or 4]. Edges are padded by replication up to whole blocks.
    Fully transparent pixels have no color: they take the mean of the others of their block, or 0 where there
    is none.
    """
    length = code_length(block, space)
    samples, alpha = split(pixels, "gray" if space == "gray" else "rgb")
    samples = samples.reshape(*samples.shape[:2], -1)
    if alpha is not None and not alpha.all():
        samples = samples.copy()
        _fill_hidden(samples, alpha, block[0], block[1])
    height, width = samples.shape[:2]
    vectors = np.empty((-(-height // block[0]), -(-width // block[1]), length), np.uint8)
    (_cut_420 if space == "ycbcr420" else _cut)(samples, block[0], block[1], vectors)
    return vectors, alpha


def blocks_to_image(
    vectors: NDArray[np.uint8], block: tuple[int, int], space: str, height: int, width: int
) -> NDArray[np.uint8]:
    """The picture of uint8 [rows, columns, d], cropped to uint8 [height, width, 1 (gray) or 3 (RGB)]."""
    rows, columns = -(-height // block[0]), -(-width // block[1])
    if vectors.shape != (rows, columns, code_length(block, space)):
        raise ValueError(f"vectors of shape {vectors.shape}: {width}x{height} has {rows} x {columns} blocks")
    picture = np.empty((height, width, 1 if space == "gray" else 3), np.uint8)
    (_join_420 if space == "ycbcr420" else _join)(vectors, block[0], block[1], picture)
    return picture


def visible_blocks(alpha: NDArray[np.uint8], block: tuple[int, int]) -> NDArray[np.bool_]:
    """Which blocks have a pixel that is not fully transparent: bool [rows, columns], of alpha [height, width]."""
    tops, lefts = (np.arange(0, extent, step) for extent, step in zip(alpha.shape, block, strict=True))
    return np.maximum.reduceat(np.maximum.reduceat(alpha, tops, axis=0), lefts, axis=1) > 0


def render_blocks(codes: NDArray, pictures: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """The picture of codes [rows, columns], uint8 [height, width, channels], from what each code looks like.

    `pictures` is uint8 [k, block height, block width, channels]. Raises IndexError for a code that it does not have.
    """
    if codes.size and int(codes.max()) >= len(pictures):
        raise IndexError(f"code {codes.max()}: the codebook has {len(pictures)}")
    picture = np.empty((height, width, pictures.shape[3]), np.uint8)
    _lay(codes, pictures, picture)
    return picture


def block_sse(pixels: NDArray, codes: NDArray, pictures: NDArray[np.uint8]) -> int:
    """The sum of squared differences between a frame's visible samples and the picture of its codes.

    `pixels` is as for `cut`, and is compared with luma or RGB.
    """
    samples, alpha = split(pixels, "gray" if pictures.shape[3] == 1 else "rgb")
    samples = samples.reshape(*samples.shape[:2], -1)
    if alpha is None or alpha.all():
        return int(_laid_error(samples, codes, pictures))
    return visible_error(pixels, render_blocks(codes, pictures, *alpha.shape))


def by_luma(codes: NDArray[np.uint8], block: tuple[int, int], space: str) -> NDArray[np.uint8]:
    """`codes` [k, d] sorted by mean luma, then by their samples in order."""
    if space == "rgb":
        light = luma(codes.reshape(len(codes), -1, 3)).astype(np.int64).sum(axis=1)
    else:
        light = codes[:, : block[0] * block[1]].astype(np.int64).sum(axis=1)
    return codes[np.lexsort([*codes.T[::-1], light])]


@njit(nogil=True, cache=True)
def _lay(codes, pictures, picture):  # type: ignore[no-untyped-def]
    height, width, channels = picture.shape
    high, wide = pictures.shape[1:3]
    for y in range(height):
        line = picture[y]
        row = y // high
        for column in range(codes.shape[1]):
            source = pictures[codes[row, column], y - row * high]
            left = column * wide
            for x in range(min(wide, width - left)):
                for c in range(channels):
                    line[left + x, c] = source[x, c]


@njit(nogil=True, cache=True)
def _laid_error(samples, codes, pictures):  # type: ignore[no-untyped-def]
    height, width, channels = samples.shape
    high, wide = pictures.shape[1:3]
    error = np.int64(0)
    for y in range(height):
        line = samples[y]
        row = y // high
        for column in range(codes.shape[1]):
            source = pictures[codes[row, column], y - row * high]
            left = column * wide
            part = np.int32(0)
            for x in range(min(wide, width - left)):
                for c in range(channels):
                    difference = np.int32(line[left + x, c]) - np.int32(source[x, c])
                    part += difference * difference
            error += part
    return error


@njit(nogil=True, cache=True)
def _cut(samples, high, wide, vectors):  # type: ignore[no-untyped-def]
    height, width, channels = samples.shape
    for row in range(vectors.shape[0]):
        for y in range(high):
            line = samples[min(row * high + y, height - 1)]
            for column in range(vectors.shape[1]):
                left = column * wide
                at = y * wide * channels
                for x in range(wide):
                    source = min(left + x, width - 1)
                    for c in range(channels):
                        vectors[row, column, at] = line[source, c]
                        at += 1


@njit(nogil=True, cache=True)
def _join(vectors, high, wide, picture):  # type: ignore[no-untyped-def]
    height, width, channels = picture.shape
    for y in range(height):
        for x in range(width):
            at = (y % high * wide + x % wide) * channels
            for c in range(channels):
                picture[y, x, c] = vectors[y // high, x // wide, at + c]


@njit(nogil=True, cache=True)
def _cut_420(rgb, high, wide, vectors):  # type: ignore[no-untyped-def]
    height, width = rgb.shape[:2]
    for row in range(vectors.shape[0]):
        for column in range(vectors.shape[1]):
            vector = vectors[row, column]
            blue = high * wide
            red = blue + high * wide // 4
            for top in range(0, high, 2):
                for left in range(0, wide, 2):
                    r = g = b = np.int32(0)
                    for i in range(4):
                        y, x = top + (i >> 1), left + (i & 1)
                        pixel = rgb[min(row * high + y, height - 1), min(column * wide + x, width - 1)]
                        r += np.int32(pixel[0])
                        g += np.int32(pixel[1])
                        b += np.int32(pixel[2])
                        light = np.int32(pixel[0]) * 299 + np.int32(pixel[1]) * 587 + np.int32(pixel[2]) * 114
                        vector[y * wide + x] = (light + 500) // 1000
                    # four times 128 + (B - Y) / 1.772 and 128 + (R - Y) / 1.402, in 2^-16
                    vector[blue] = min((-11058 * r - 21710 * g + 32768 * b + (512 << 16) + (1 << 17)) >> 18, 255)
                    vector[red] = min((32768 * r - 27439 * g - 5329 * b + (512 << 16) + (1 << 17)) >> 18, 255)
                    blue += 1
                    red += 1


@njit(nogil=True, cache=True)
def _join_420(vectors, high, wide, picture):  # type: ignore[no-untyped-def]
    height, width = picture.shape[:2]
    for y in range(height):
        for x in range(width):
            vector = vectors[y // high, x // wide]
            inner_y, inner_x = y % high, x % wide
            light = np.int32(vector[inner_y * wide + inner_x]) << 16
            chroma = high * wide + (inner_y >> 1) * (wide >> 1) + (inner_x >> 1)
            blue = np.int32(vector[chroma]) - 128
            red = np.int32(vector[chroma + high * wide // 4]) - 128
            picture[y, x, 0] = _byte(light + 91881 * red)
            picture[y, x, 1] = _byte(light - 22554 * blue - 46802 * red)
            picture[y, x, 2] = _byte(light + 116130 * blue)


@njit(nogil=True, cache=True)
def _byte(value):  # type: ignore[no-untyped-def]
    """A sample in 2^-16, rounded and clipped to 8 bits."""
    return np.uint8(max(0, min(255, (value + (1 << 15)) >> 16)))


@njit(nogil=True, cache=True)
def _fill_hidden(samples, alpha, high, wide):  # type: ignore[no-untyped-def]
    """Give the pixels without alpha the mean of the others of their block, or 0."""
    height, width, channels = samples.shape
    for top in range(0, height, high):
        for left in range(0, width, wide):
            bottom, right = min(top + high, height), min(left + wide, width)
            for c in range(channels):
                total = seen = 0
                for y in range(top, bottom):
                    for x in range(left, right):
                        if alpha[y, x]:
                            total += samples[y, x, c]
                            seen += 1
                mean = (total + seen // 2) // max(seen, 1)
                for y in range(top, bottom):
                    for x in range(left, right):
                        if not alpha[y, x]:
                            samples[y, x, c] = mean
