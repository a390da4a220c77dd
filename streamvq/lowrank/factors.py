"""Factors of low-rank frames as whole numbers, and pictures from them, exact on every machine.

A channel A ~ sum of s_i u_i v_i^T is stored as L_i = s_i u_i / step and R_i = v_i 2^(b_i), rounded. An error e of one
number of R_i counts s_i^2 e^2 4^(-b_i) in the picture, one of L_i counts e^2 step^2; so b_i follows the singular
value, s_i 2^(-b_i) ~ step, and all numbers err alike in the picture, which gives the least error for the bits
(reverse water-filling: Cover and Thomas, "Elements of Information Theory", 10.3.3). R is rounded first, and then L
solved for it anew by least squares.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from streamvq.frames import LowRankFrame, PlaneFactors
from streamvq.lowrank.low_rank import LowRank
from streamvq.lowrank.planes import from_patches, patches_of, plane_sizes
from streamvq.lowrank.svd import Truncation

BITS_MOST = 20
VALUE_MOST = 1 << 20
STEP_MOST = 1 << 16
_SHARE = 0.75  # of the error of truncation: with it, factors add a half to nine tenths of that
_LEAST_ERROR = 0.02  # of a sample, squared: less than what rounding to levels makes
_STEPS = 4  # an octave: from frame to frame the step seldom changes
_CHROMA_SCALE = 2  # a chroma sample of ycbcr420 errs in 4 pixels


def quantized(
    near: LowRank, planes: list[NDArray[np.float32]], space: str, coarse: bool = True
) -> tuple[tuple[PlaneFactors, ...], int]:
    """The factors of `planes` as whole numbers, and their step in 256ths of a level.

    With `coarse`, the step is the greatest with which they would add the share `_SHARE` of the truncation's error, if
    all numbers erred evenly. (For the same PSNR, fewer components with finer steps take more bytes.) Else they add
    less than rounding to levels does.
    """
    scales = _scales(len(planes), space)
    numbers = sum(channel.left.size + channel.right.size for channel in near.channels)
    share = _SHARE if coarse else 0
    error = sum(
        scale**2 * max(share * channel.error, _LEAST_ERROR * plane.size)
        for channel, plane, scale in zip(near.channels, planes, scales, strict=True)
    )
    octaves = math.log2(256 * (12 * error / max(1, numbers)) ** 0.5)
    step = round(min(max(1, 2 ** (math.floor(_STEPS * octaves) / _STEPS)), STEP_MOST))
    return tuple(
        _quantized(channel, plane, step / 256 / scale, near.patch)
        for channel, plane, scale in zip(near.channels, planes, scales, strict=True)
    ), step


def _quantized(channel: Truncation, plane: NDArray[np.float32], step: float, patch: int) -> PlaneFactors:
    """One channel's factors with a step in levels; components that are all zeros go."""
    bits = np.rint(np.log2(np.maximum(channel.singular_values / step, 1))).clip(0, BITS_MOST).astype(int)
    right = np.rint(channel.right * np.exp2(bits)[:, None])
    matrix = patches_of(plane, patch) if patch else plane
    basis = (right / np.exp2(bits)[:, None]).astype(np.float32)
    gram = basis.astype(np.float64) @ basis.T.astype(np.float64)
    gram[np.diag_indices_from(gram)] += 1e-9  # of components that are all zeros
    left = np.rint(np.linalg.solve(gram, basis @ matrix.T) / step).clip(-VALUE_MOST, VALUE_MOST)
    used = right.any(axis=1) & left.any(axis=1)
    rank = int(used.sum())
    left_shape, right_shape = factor_shapes(plane.shape[0], plane.shape[1], patch)
    return PlaneFactors(
        left[used].astype(np.int32).reshape(rank, *left_shape),
        right[used].astype(np.int32).reshape(rank, *right_shape),
        tuple(bits[used].tolist()),
    )


def factor_shapes(height: int, width: int, patch: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """The rows and columns of one component's left and right factors, for a channel of a size."""
    if patch:
        return (-(-height // patch), -(-width // patch)), (patch, patch)
    return (height, 1), (1, width)


def _scales(count: int, space: str) -> list[int]:
    """What each channel's step is divided by."""
    return [_CHROMA_SCALE if i and space == "ycbcr420" else 1 for i in range(count)]


def picture(frame: LowRankFrame, space: str, patch: int) -> NDArray[np.uint8]:
    """The pixels of a frame, without its alpha: uint8 [height, width, 1 (gray) or 3 (RGB)]."""
    sizes, scales = plane_sizes(frame.height, frame.width, space), _scales(len(frame.planes), space)
    parts = zip(frame.planes, sizes, scales, strict=True)
    return drawn([_levels(plane, frame.step / scale, patch, *size) for plane, size, scale in parts], space)


def _levels(plane: PlaneFactors, step: float, patch: int, height: int, width: int) -> NDArray[np.int32]:
    """The channel [height, width] that quantized factors stand for, in 256ths of a level, around 0 for chroma.

    All sums are of whole numbers below 2^53, so every machine gives the same.
    """
    if not plane.rank:
        return np.zeros((height, width), np.int32)
    most = max(plane.bits)
    scale = np.exp2(most - np.array(plane.bits, np.float64))[:, None]
    right = plane.right.reshape(plane.rank, -1) * scale
    product = plane.left.reshape(plane.rank, -1).T.astype(np.float64) @ right
    values = np.empty(product.shape, np.int32)
    _scale(product, step, 2.0**-most, values)
    return from_patches(values, patch, height, width) if patch else values


def drawn(planes: list[NDArray[np.int32]], space: str) -> NDArray[np.uint8]:
    """Planes in 256ths of a level as pixels: uint8 [height, width, 1 (gray) or 3 (RGB)]."""
    picture = np.empty((*planes[0].shape, 1 if space == "gray" else 3), np.uint8)
    if space == "ycbcr420":
        luma, cb, cr = planes
        _draw_420(luma, cb, cr, picture)
    else:
        for channel, values in enumerate(planes):
            _draw(values, picture, channel)
    return picture


@njit(nogil=True, cache=True)
def _scale(product, step, unit, values):  # type: ignore[no-untyped-def]
    for y in range(product.shape[0]):
        for x in range(product.shape[1]):
            value = np.floor(product[y, x] * step * unit + 0.5)
            values[y, x] = np.int32(min(max(value, -16777216.0), 16777216.0))


@njit(nogil=True, cache=True)
def _draw(values, picture, channel):  # type: ignore[no-untyped-def]
    for y in range(values.shape[0]):
        for x in range(values.shape[1]):
            picture[y, x, channel] = min(max((values[y, x] + 128) >> 8, 0), 255)


@njit(nogil=True, cache=True)
def _draw_420(luma, cb, cr, picture):  # type: ignore[no-untyped-def]
    for y in range(luma.shape[0]):
        for x in range(luma.shape[1]):
            gray = np.int64(luma[y, x]) << 16
            b, r = np.int64(cb[y >> 1, x >> 1]), np.int64(cr[y >> 1, x >> 1])
            half = np.int64(1) << 23
            picture[y, x, 0] = min(max((gray + 91881 * r + half) >> 24, 0), 255)
            picture[y, x, 1] = min(max((gray - 22554 * b - 46802 * r + half) >> 24, 0), 255)
            picture[y, x, 2] = min(max((gray + 116130 * b + half) >> 24, 0), 255)
