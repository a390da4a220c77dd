"""Factors of low-rank frames as whole numbers, and pictures from them, exact on every machine.

A channel A ~ sum of s_i u_i v_i^T is stored as L_i = s_i u_i / step and R_i = v_i 2^(b_i), rounded. An error e of one
number of R_i counts s_i^2 e^2 4^(-b_i) in the picture, one of L_i counts e^2 step^2; so b_i follows the singular
value, s_i 2^(-b_i) ~ step, and all numbers err equally in the picture, which gives the least error for the bits
(reverse water-filling: Cover and Thomas, "Elements of Information Theory", 10.3.3). R is rounded first, and then L
solved for it anew by least squares.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.frames import LowRankFrame, PlaneFactors
from streamvq.lowrank.low_rank import LowRank
from streamvq.lowrank.planes import from_patches, patches_of, plane_sizes
from streamvq.lowrank.svd import Truncation
from streamvq.quantize.bt601 import FRACTION_BITS, fixed_point_rgb

MAX_BITS = 20
MAX_VALUE = 1 << 20
MAX_STEP = 1 << 16
STEP_UNIT = 256  # quantizer steps and rendered planes are in 256ths of a level
_LEVEL_BITS = 8  # of 256ths
_MAX_LEVEL = float(
    1 << 24
)  # of rendered planes, in 256ths: far out of range, and products with constants fit 64 bits
_ERROR_SHARE = 0.75  # of the error of truncation: with it, factors add a half to nine tenths of that
_MIN_ERROR = 0.02  # of a sample, squared: less than what rounding to levels makes
_UNIFORM_VARIANCE = 12  # rounding to a step errs by step^2 / 12
_STEPS_PER_OCTAVE = 4  # so few that from frame to frame the step seldom changes
_CHROMA_SCALE = 2  # a chroma sample of ycbcr420 errs in 4 pixels
_REGULARIZATION = 1e-9  # of components that are all zeros


def quantize_factors(
    approximation: LowRank, planes: list[NDArray[np.float32]], space: str, coarse: bool = True
) -> tuple[tuple[PlaneFactors, ...], int]:
    """The factors of `planes` as whole numbers, and their step in 256ths of a level.

    With `coarse`, the step is the largest with which they would add the share `_ERROR_SHARE` of the error of
    truncation, if all numbers erred evenly. (For the same PSNR, fewer components with finer steps take more bytes.)
    Else they add less than rounding to levels does.
    """
    scales = _scales(len(planes), space)
    numbers = sum(channel.left.size + channel.right.size for channel in approximation.channels)
    error_share = _ERROR_SHARE if coarse else 0
    error = sum(
        scale**2 * max(error_share * channel.error, _MIN_ERROR * plane.size)
        for channel, plane, scale in zip(approximation.channels, planes, scales, strict=True)
    )
    octaves = math.log2(STEP_UNIT * (_UNIFORM_VARIANCE * error / max(1, numbers)) ** 0.5)
    step = round(min(max(1, 2 ** (math.floor(_STEPS_PER_OCTAVE * octaves) / _STEPS_PER_OCTAVE)), MAX_STEP))
    return tuple(
        _quantized(channel, plane, step / STEP_UNIT / scale, approximation.patch)
        for channel, plane, scale in zip(approximation.channels, planes, scales, strict=True)
    ), step


def _quantized(channel: Truncation, plane: NDArray[np.float32], step: float, patch: int) -> PlaneFactors:
    """One channel's factors with a step in levels; components that are all zeros go."""
    bits = np.rint(np.log2(np.maximum(channel.singular_values / step, 1))).clip(0, MAX_BITS).astype(int)
    right = np.rint(channel.right * np.exp2(bits)[:, None])
    matrix = patches_of(plane, patch) if patch else plane
    basis = (right / np.exp2(bits)[:, None]).astype(np.float32)
    gram = basis.astype(np.float64) @ basis.T.astype(np.float64)
    gram[np.diag_indices_from(gram)] += _REGULARIZATION
    left = np.rint(np.linalg.solve(gram, basis @ matrix.T) / step).clip(-MAX_VALUE, MAX_VALUE)
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


def render_factors(frame: LowRankFrame, space: str, patch: int) -> NDArray[np.uint8]:
    """The pixels of a frame, without its alpha: uint8 [height, width, 1 (gray) or 3 (RGB)]."""
    sizes, scales = plane_sizes(frame.height, frame.width, space), _scales(len(frame.planes), space)
    parts = zip(frame.planes, sizes, scales, strict=True)
    return render_planes([_levels(plane, frame.step / scale, patch, *size) for plane, size, scale in parts], space)


def _levels(plane: PlaneFactors, step: float, patch: int, height: int, width: int) -> NDArray[np.int32]:
    """The channel [height, width] that quantized factors stand for, in 256ths of a level, around 0 for chroma.

    All sums are of whole numbers below 2^53, so every machine gives the same.
    """
    if not plane.rank:
        return np.zeros((height, width), np.int32)
    max_bits = max(plane.bits)
    scale = np.exp2(max_bits - np.array(plane.bits, np.float64))[:, None]
    right = plane.right.reshape(plane.rank, -1) * scale
    product = plane.left.reshape(plane.rank, -1).T.astype(np.float64) @ right
    values = np.empty(product.shape, np.int32)
    _scale(product, step, 2.0**-max_bits, values)
    return from_patches(values, patch, height, width) if patch else values


def render_planes(planes: list[NDArray[np.int32]], space: str) -> NDArray[np.uint8]:
    """Planes in 256ths of a level as pixels: uint8 [height, width, 1 (gray) or 3 (RGB)]."""
    picture = np.empty((*planes[0].shape, 1 if space == "gray" else 3), np.uint8)
    if space == "ycbcr420":
        luma, cb, cr = planes
        _render_420(luma, cb, cr, picture)
    else:
        for channel, values in enumerate(planes):
            _render_channel(values, picture, channel)
    return picture


@njit(nogil=True, cache=True)
def _scale(product, step, unit, values):  # type: ignore[no-untyped-def]
    for y in range(product.shape[0]):
        for x in range(product.shape[1]):
            value = np.floor(product[y, x] * step * unit + 0.5)
            values[y, x] = np.int32(min(max(value, -_MAX_LEVEL), _MAX_LEVEL))


@njit(nogil=True, cache=True)
def _render_channel(values, picture, channel):  # type: ignore[no-untyped-def]
    for y in range(values.shape[0]):
        for x in range(values.shape[1]):
            picture[y, x, channel] = min(max((values[y, x] + STEP_UNIT // 2) >> _LEVEL_BITS, 0), 255)


@njit(nogil=True, cache=True)
def _render_420(luma, cb, cr, picture):  # type: ignore[no-untyped-def]
    bits = FRACTION_BITS + _LEVEL_BITS
    half = np.int64(1) << (bits - 1)
    for y in range(luma.shape[0]):
        for x in range(luma.shape[1]):
            chroma = np.int64(cb[y >> 1, x >> 1]), np.int64(cr[y >> 1, x >> 1])
            r, g, b = fixed_point_rgb(np.int64(luma[y, x]), chroma[0], chroma[1])
            picture[y, x, 0] = min(max((r + half) >> bits, 0), 255)
            picture[y, x, 1] = min(max((g + half) >> bits, 0), 255)
            picture[y, x, 2] = min(max((b + half) >> bits, 0), 255)
