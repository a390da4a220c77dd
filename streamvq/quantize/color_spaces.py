"""Where colors are compared: as they are stored (rgb), in linear light, or in OKLab.

Colors become points of integers, computed by integer arithmetic from tables that are exact, so that nearest codes are
the same on every machine, whatever its math library. The points of "rgb" are the levels themselves; those of the
others have 16 fractional bits. OKLab: B. Ottosson, "A perceptual color space for image processing", 2020. The curve
of linear light: IEC 61966-2-1 (sRGB).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.options import MATCHINGS
from streamvq.quantize.pixels import stripes

RGB, LINEAR, OKLAB = range(len(MATCHINGS))  # places in MATCHINGS
POINT_BITS = 16
ONE = 1 << POINT_BITS
_LEVELS = 255
SMALL_PARTS = 16  # of a level, in points of 16 bits
LIGHT_BITS = 24  # of linear light on the way to OKLab
_FINE = 1 << LIGHT_BITS
_TABLE_BITS = 12  # of the argument of cube roots that are looked up; between them they are interpolated
_ROOT_BITS = 20
_REST_BITS = LIGHT_BITS - _TABLE_BITS
_TO_LMS = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_TO_LAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)
_FROM_LAB = (  # and all of the lightness
    (0.3963377774, 0.2158037573),
    (-0.1055613458, -0.0638541728),
    (-0.0894841775, -1.2914855480),
)
_FROM_LMS = (
    (4.0767416621, -3.3077115913, 0.2309699292),
    (-1.2684380046, 2.6097574011, -0.3413193965),
    (-0.0041960863, -0.7034186147, 1.7076147010),
)


def _root(degree: int, value: int) -> int:
    """The `degree`-th root of a whole number, rounded down."""
    root = int(value ** (1 / degree))  # a guess, which may differ from machine to machine
    while root**degree > value:
        root -= 1
    while (root + 1) ** degree <= value:
        root += 1
    return root


def _linear_light(level: int) -> int:
    """The light of an sRGB level, 0 to _FINE, rounded to nearest: exact, since x^2.4 is the fifth root of x^12."""
    if level <= 10:  # 0.04045
        return (level * 100 * _FINE * 2 // (_LEVELS * 1292) + 1) // 2
    numerator, denominator = level * 1000 + 55 * _LEVELS, 1055 * _LEVELS
    doubled = _root(5, (2 * _FINE) ** 5 * numerator**12 // denominator**12)
    return (doubled + 1) // 2


def _whole(row: tuple[float, ...], total: int) -> tuple[int, ...]:
    """A row of a matrix in fixed point, its largest term such that the sum is `total`: gray then has no color."""
    terms = [round(_FINE * term) for term in row]
    terms[int(np.argmax(np.abs(row)))] += total - sum(terms)
    return tuple(terms)


LIGHT = np.array([_linear_light(level) for level in range(_LEVELS + 1)], np.int64)
_LIGHT_POINTS = (LIGHT + (1 << LIGHT_BITS - POINT_BITS - 1)) >> (LIGHT_BITS - POINT_BITS)
_BORDERS = (LIGHT[1:] + LIGHT[:-1]) / (2 * _FINE)  # of light that rounds to one level and to the next
_ROOTS = np.array([_root(3, i << 3 * _ROOT_BITS - _TABLE_BITS) for i in range((1 << _TABLE_BITS) + 1)], np.int64)
(_LR, _LG, _LB), (_MR, _MG, _MB), (_SR, _SG, _SB) = (_whole(row, _FINE) for row in _TO_LMS)
(_L1, _L2, _L3), (_A1, _A2, _A3), (_B1, _B2, _B3) = (
    _whole(row, total) for row, total in zip(_TO_LAB, (_FINE, 0, 0), strict=True)
)
_NEAR_BITS = 16  # of the light of cones, for roots that are looked up alone
_LMS_BITS, _LMS_FIELD_BITS = 20, 21  # of that light while it is added up, three in one number
_LMS_FIELD = (1 << _LMS_FIELD_BITS) - 1


def _lms_of_level(*parts: int) -> NDArray[np.int64]:
    """What a level of red, green or blue gives the three cones, in one number: int64 [256]."""
    shift = 2 * LIGHT_BITS - _LMS_BITS
    long, medium, short = (LIGHT * part + (1 << shift - 1) >> shift for part in parts)
    return long | medium << _LMS_FIELD_BITS | short << 2 * _LMS_FIELD_BITS


def _near_roots() -> NDArray[np.int64]:
    """Cube roots of the light of cones, from the middle of each step of it, rounded down: int64 [2 ** 16 + 1]."""
    light = (2 * np.arange((1 << _NEAR_BITS) + 1) + 1) << 3 * _ROOT_BITS - _NEAR_BITS - 1
    roots: NDArray[np.int64] = np.cbrt(light).astype(np.int64)  # a guess, which may differ from machine to machine
    roots -= roots**3 > light
    roots += (roots + 1) ** 3 <= light
    roots[0] = 0  # black: no other color is in that step
    return roots


_LMS_OF_RED, _LMS_OF_GREEN, _LMS_OF_BLUE = (
    _lms_of_level(*parts) for parts in ((_LR, _MR, _SR), (_LG, _MG, _SG), (_LB, _MB, _SB))
)
_NEAR_ROOTS = _near_roots()
(_LONG_A, _LONG_B), (_MEDIUM_A, _MEDIUM_B), (_SHORT_A, _SHORT_B) = _FROM_LAB
(_RL, _RM, _RS), (_GL, _GM, _GS), (_BL, _BM, _BS) = _FROM_LMS


@njit(nogil=True, inline="always")
def _cube_root(light: Any) -> Any:
    """Of a number with 24 fractional bits, one with 20; within 2^-19."""
    halvings = 0
    while 0 < light < 1 << 21:  # the table is fine enough above an eighth
        light <<= 3
        halvings += 1
    at, rest = light >> _REST_BITS, light & (1 << _REST_BITS) - 1
    root = _ROOTS[at]
    if rest:
        root += (_ROOTS[at + 1] - root) * rest >> _REST_BITS
    return root >> halvings


@njit(nogil=True, inline="always")
def point_of(space: Any, red: Any, green: Any, blue: Any) -> Any:
    """The point of one color, levels of 0 to 255, in a space by its place in MATCHINGS: three int64."""
    if space == RGB:
        return np.int64(red), np.int64(green), np.int64(blue)
    if space == LINEAR:
        return _LIGHT_POINTS[red], _LIGHT_POINTS[green], _LIGHT_POINTS[blue]
    return lab_of(LIGHT[red], LIGHT[green], LIGHT[blue])


@njit(nogil=True, inline="always")
def near_point_of(space: Any, red: Any, green: Any, blue: Any) -> Any:
    """The point of a color for dither: as `point_of`, but in OKLab in half the time, to about a tenth of a level."""
    if space != OKLAB:
        return point_of(space, red, green, blue)
    parts = _LMS_OF_RED[red] + _LMS_OF_GREEN[green] + _LMS_OF_BLUE[blue]
    rest = _LMS_BITS - _NEAR_BITS
    long = _NEAR_ROOTS[(parts & _LMS_FIELD) >> rest]
    medium = _NEAR_ROOTS[(parts >> _LMS_FIELD_BITS & _LMS_FIELD) >> rest]
    short = _NEAR_ROOTS[parts >> 2 * _LMS_FIELD_BITS + rest]
    shift = LIGHT_BITS + _ROOT_BITS - POINT_BITS
    return (
        _L1 * long + _L2 * medium + _L3 * short >> shift,
        _A1 * long + _A2 * medium + _A3 * short >> shift,
        _B1 * long + _B2 * medium + _B3 * short >> shift,
    )


@njit(nogil=True, inline="always")
def lab_of(r: Any, g: Any, b: Any) -> Any:
    """The point in OKLab of linear light with 24 fractional bits."""
    long = _cube_root(_LR * r + _LG * g + _LB * b >> LIGHT_BITS)
    medium = _cube_root(_MR * r + _MG * g + _MB * b >> LIGHT_BITS)
    short = _cube_root(_SR * r + _SG * g + _SB * b >> LIGHT_BITS)
    shift = LIGHT_BITS + _ROOT_BITS - POINT_BITS
    half = 1 << shift - 1
    return (
        _L1 * long + _L2 * medium + _L3 * short + half >> shift,
        _A1 * long + _A2 * medium + _A3 * short + half >> shift,
        _B1 * long + _B2 * medium + _B3 * short + half >> shift,
    )


def points_of(colors: NDArray[np.uint8], matching: str) -> NDArray[np.int64]:
    """The points of colors, uint8 [n, 3], in a space by its name: int64 [n, 3]."""
    if matching == "rgb":
        return colors.astype(np.int64)
    if matching == "linear":
        return _LIGHT_POINTS[colors]
    points = np.empty((len(colors), 3), np.int64)
    _fill_points(np.ascontiguousarray(colors), MATCHINGS.index(matching), points)
    return points


def level_points(matching: str) -> NDArray[np.int64]:
    """The points of the 256 gray levels, ascending: linear light, or OKLab's lightness; int64 [256]."""
    return points_of(np.repeat(np.arange(_LEVELS + 1, dtype=np.uint8)[:, None], 3, axis=1), matching)[:, 0]


def small_points(samples: NDArray[np.uint8], matching: str) -> NDArray[np.int16]:
    """The points of colors [..., 3], or of gray levels [..., 1], in parts of a level, of which it has `SMALL_PARTS`:
    int16 [..., 3 or 1]."""
    part = unit(matching) / SMALL_PARTS
    if samples.shape[-1] == 1:
        return np.rint(level_points(matching) / part).astype(np.int16)[samples]
    points = np.empty(samples.shape, np.int16)
    for rows in stripes(samples.shape):
        found = points_of(samples[rows].reshape(-1, 3), matching) / part
        points[rows] = np.rint(found).reshape(points[rows].shape)
    return points


def unit(matching: str) -> float:
    """How far points of a space go for 1 of 255 levels."""
    return 1 if matching == "rgb" else ONE / _LEVELS


def colors_at(points: NDArray[np.float64], matching: str) -> NDArray[np.uint8]:
    """The colors at points [n, 3], those out of the gamut clipped: uint8 [n, 3].

    By sums and products alone, which have one result everywhere, as powers and roots have not.
    """
    if matching == "rgb":
        return np.clip(np.rint(points), 0, _LEVELS).astype(np.uint8)
    if matching == "linear":
        return np.searchsorted(_BORDERS, points / ONE, side="right").astype(np.uint8)
    colors = np.empty(points.shape, np.uint8)
    _fill_colors(points / ONE, colors)
    return colors


@njit(nogil=True, cache=True)
def color_at(lightness, a, b):  # type: ignore[no-untyped-def]
    """The color of OKLab, 1 for white, clipped to the gamut: three levels."""
    long = lightness + _LONG_A * a + _LONG_B * b
    medium = lightness + _MEDIUM_A * a + _MEDIUM_B * b
    short = lightness + _SHORT_A * a + _SHORT_B * b
    long, medium, short = long * long * long, medium * medium * medium, short * short * short
    return (
        np.searchsorted(_BORDERS, _RL * long + _RM * medium + _RS * short, side="right"),
        np.searchsorted(_BORDERS, _GL * long + _GM * medium + _GS * short, side="right"),
        np.searchsorted(_BORDERS, _BL * long + _BM * medium + _BS * short, side="right"),
    )


@njit(nogil=True, cache=True)
def _fill_points(colors, space, points):  # type: ignore[no-untyped-def]
    for i in range(len(colors)):
        points[i, 0], points[i, 1], points[i, 2] = point_of(space, colors[i, 0], colors[i, 1], colors[i, 2])


@njit(nogil=True, cache=True)
def _fill_colors(lab, colors):  # type: ignore[no-untyped-def]
    for i in range(len(lab)):
        colors[i, 0], colors[i, 1], colors[i, 2] = color_at(lab[i, 0], lab[i, 1], lab[i, 2])
