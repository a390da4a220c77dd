"""From the pixels of a frame to the vectors that block codes are made of, and back.

A vector holds one block of height x width pixels: in space "gray" its luma, in "rgb" its R, G, B interleaved,
each in row order; in "ycbcr420" its luma in row order, then its Cb, then its Cr (see `color`), which have one
sample for each 2x2 pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.errors import shortened
from streamvq.quantize.bt601 import (
    B_TO_CB,
    B_TO_CR,
    FRACTION_BITS,
    G_TO_CB,
    G_TO_CR,
    R_TO_CB,
    R_TO_CR,
    fixed_point_rgb,
    luma_of,
)
from streamvq.quantize.metrics import visible_error
from streamvq.quantize.pixels import luma, split

_CHANNELS = {"gray": 1, "rgb": 3}
_CHROMA_SCALE = 2  # a chroma sample errs in 4 pixels, with gains of 3.3 (Cb) and 2.5 (Cr) against luma's 3
_CHROMA_ZERO = 128
_MAX_CODE_LENGTH = 1 << 14  # samples: so that squared distances in the scaled samples fit 31 bits


def code_length(block: tuple[int, int], space: str) -> int:
    """How many samples a code of `block` (height, width) has. Raises ValueError where the space has no such block."""
    height, width = block
    if space == "ycbcr420":
        if height % 2 or width % 2:
            raise ValueError(f"block {width}x{height}: ycbcr420 needs even sides")
        length = height * width * 3 // 2
    elif space in _CHANNELS:
        length = height * width * _CHANNELS[space]
    else:
        raise ValueError(f"space {shortened(repr(space))}: choose one of gray, rgb, ycbcr420")
    if min(block) < 1 or length > _MAX_CODE_LENGTH:
        raise ValueError(f"block {width}x{height}: a code has 1 to {_MAX_CODE_LENGTH} samples")
    return length


def scales(block: tuple[int, int], space: str) -> NDArray[np.int16]:
    """What the samples of a code are multiplied by before distances are taken: int16 [d].

    All ones, but 2 for chroma: squared distances then are close to a third of those in RGB.
    """
    scale = np.ones(code_length(block, space), np.int16)
    if space == "ycbcr420":
        scale[block[0] * block[1] :] = _CHROMA_SCALE
    return scale


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
    (_image_to_blocks_420 if space == "ycbcr420" else _image_to_blocks)(samples, block[0], block[1], vectors)
    return vectors, alpha


def blocks_to_image(
    vectors: NDArray[np.uint8], block: tuple[int, int], space: str, height: int, width: int
) -> NDArray[np.uint8]:
    """The picture of uint8 [rows, columns, d], cropped to uint8 [height, width, 1 (gray) or 3 (RGB)]."""
    rows, columns = -(-height // block[0]), -(-width // block[1])
    if vectors.shape != (rows, columns, code_length(block, space)):
        raise ValueError(f"vectors of shape {vectors.shape}: {width}x{height} has {rows} x {columns} blocks")
    picture = np.empty((height, width, 1 if space == "gray" else 3), np.uint8)
    (_blocks_to_image_420 if space == "ycbcr420" else _blocks_to_image)(vectors, block[0], block[1], picture)
    return picture


def visible_blocks(alpha: NDArray[np.uint8], block: tuple[int, int]) -> NDArray[np.bool_]:
    """Which blocks have a pixel that is not fully transparent: bool [rows, columns], of alpha [height, width]."""
    tops, lefts = (np.arange(0, extent, side) for extent, side in zip(alpha.shape, block, strict=True))
    return np.maximum.reduceat(np.maximum.reduceat(alpha, tops, axis=0), lefts, axis=1) > 0


def render_blocks(codes: NDArray, pictures: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """The picture of codes [rows, columns], uint8 [height, width, channels], from what each code looks like.

    `pictures` is uint8 [k, block height, block width, channels]. Raises IndexError for a code that it does not have.
    """
    if codes.size and int(codes.max()) >= len(pictures):
        raise IndexError(f"code {codes.max()}: the codebook has {len(pictures)}")
    picture = np.empty((height, width, pictures.shape[3]), np.uint8)
    _render(codes, pictures, picture)
    return picture


def block_sse(pixels: NDArray, codes: NDArray, pictures: NDArray[np.uint8]) -> int:
    """The sum of squared differences between a frame's visible samples and the picture of its codes.

    `pixels` is as for `image_to_blocks`, and is compared with luma or RGB.
    """
    samples, alpha = split(pixels, "gray" if pictures.shape[3] == 1 else "rgb")
    samples = samples.reshape(*samples.shape[:2], -1)
    if alpha is None or alpha.all():
        return int(_render_sse(samples, codes, pictures))
    return visible_error(pixels, render_blocks(codes, pictures, *alpha.shape))


def by_luma(codes: NDArray[np.uint8], block: tuple[int, int], space: str) -> NDArray[np.uint8]:
    """`codes` [k, d] sorted by mean luma, then by their samples in order."""
    if space == "rgb":
        brightness = luma(codes.reshape(len(codes), -1, 3)).astype(np.int64).sum(axis=1)
    else:
        brightness = codes[:, : block[0] * block[1]].astype(np.int64).sum(axis=1)
    return codes[np.lexsort([*codes.T[::-1], brightness])]


@njit(nogil=True, cache=True)
def _render(codes, pictures, picture):  # type: ignore[no-untyped-def]
    height, width, channels = picture.shape
    block_height, block_width = pictures.shape[1:3]
    for y in range(height):
        row_pixels = picture[y]
        row = y // block_height
        for column in range(codes.shape[1]):
            source = pictures[codes[row, column], y - row * block_height]
            left = column * block_width
            for x in range(min(block_width, width - left)):
                for c in range(channels):
                    row_pixels[left + x, c] = source[x, c]


@njit(nogil=True, cache=True)
def _render_sse(samples, codes, pictures):  # type: ignore[no-untyped-def]
    height, width, channels = samples.shape
    block_height, block_width = pictures.shape[1:3]
    error = np.int64(0)
    for y in range(height):
        row_pixels = samples[y]
        row = y // block_height
        for column in range(codes.shape[1]):
            source = pictures[codes[row, column], y - row * block_height]
            left = column * block_width
            part = np.int32(0)
            for x in range(min(block_width, width - left)):
                for c in range(channels):
                    difference = np.int32(row_pixels[left + x, c]) - np.int32(source[x, c])
                    part += difference * difference
            error += part
    return error


@njit(nogil=True, cache=True)
def _image_to_blocks(samples, block_height, block_width, vectors):  # type: ignore[no-untyped-def]
    height, width, channels = samples.shape
    for row in range(vectors.shape[0]):
        for y in range(block_height):
            row_pixels = samples[min(row * block_height + y, height - 1)]
            for column in range(vectors.shape[1]):
                left = column * block_width
                at = y * block_width * channels
                for x in range(block_width):
                    source = min(left + x, width - 1)
                    for c in range(channels):
                        vectors[row, column, at] = row_pixels[source, c]
                        at += 1


@njit(nogil=True, cache=True)
def _blocks_to_image(vectors, block_height, block_width, picture):  # type: ignore[no-untyped-def]
    height, width, channels = picture.shape
    for y in range(height):
        for x in range(width):
            at = (y % block_height * block_width + x % block_width) * channels
            for c in range(channels):
                picture[y, x, c] = vectors[y // block_height, x // block_width, at + c]


@njit(nogil=True, cache=True)
def _image_to_blocks_420(rgb, block_height, block_width, vectors):  # type: ignore[no-untyped-def]
    height, width = rgb.shape[:2]
    for row in range(vectors.shape[0]):
        for column in range(vectors.shape[1]):
            vector = vectors[row, column]
            cb = block_height * block_width
            cr = cb + block_height * block_width // 4
            for top in range(0, block_height, 2):
                for left in range(0, block_width, 2):
                    r = g = b = np.int32(0)
                    for i in range(4):
                        y, x = top + (i >> 1), left + (i & 1)
                        pixel = rgb[min(row * block_height + y, height - 1), min(column * block_width + x, width - 1)]
                        r += np.int32(pixel[0])
                        g += np.int32(pixel[1])
                        b += np.int32(pixel[2])
                        vector[y * block_width + x] = luma_of(
                            np.int32(pixel[0]), np.int32(pixel[1]), np.int32(pixel[2])
                        )
                    # r, g and b are sums of four: they have two more fractional bits
                    vector[cb] = _chroma_byte(R_TO_CB * r + G_TO_CB * g + B_TO_CB * b)
                    vector[cr] = _chroma_byte(R_TO_CR * r + G_TO_CR * g + B_TO_CR * b)
                    cb += 1
                    cr += 1


@njit(nogil=True, cache=True)
def _blocks_to_image_420(vectors, block_height, block_width, picture):  # type: ignore[no-untyped-def]
    height, width = picture.shape[:2]
    for y in range(height):
        for x in range(width):
            vector = vectors[y // block_height, x // block_width]
            inner_y, inner_x = y % block_height, x % block_width
            chroma = block_height * block_width + (inner_y >> 1) * (block_width >> 1) + (inner_x >> 1)
            cb = np.int32(vector[chroma]) - _CHROMA_ZERO
            cr = np.int32(vector[chroma + block_height * block_width // 4]) - _CHROMA_ZERO
            r, g, b = fixed_point_rgb(np.int32(vector[inner_y * block_width + inner_x]), cb, cr)
            picture[y, x, 0], picture[y, x, 1], picture[y, x, 2] = _byte(r), _byte(g), _byte(b)


@njit(nogil=True, cache=True)
def _byte(value):  # type: ignore[no-untyped-def]
    """A sample with 16 fractional bits, rounded and clipped to 8 bits."""
    return np.uint8(max(0, min(255, (value + (1 << FRACTION_BITS - 1)) >> FRACTION_BITS)))


@njit(nogil=True, cache=True)
def _chroma_byte(value):  # type: ignore[no-untyped-def]
    """A chroma sample around 0 with 18 fractional bits, moved to 128, rounded and clipped (none is below 0)."""
    bits = FRACTION_BITS + 2
    return min((value + (_CHROMA_ZERO << bits) + (1 << bits - 1)) >> bits, 255)


@njit(nogil=True, cache=True)
def _fill_hidden(samples, alpha, block_height, block_width):  # type: ignore[no-untyped-def]
    """Give the pixels without alpha the mean of the others of their block, or 0."""
    height, width, channels = samples.shape
    for top in range(0, height, block_height):
        for left in range(0, width, block_width):
            bottom, right = min(top + block_height, height), min(left + block_width, width)
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
