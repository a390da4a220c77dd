"""Exact nearest codes of pixels with alpha, for codes with alpha.

Opaque pixels take opaque codes alone, by the table of RGB colors of `nearest`: what was opaque stays so. The others,
which are few in most pictures, take the code that looks most like them (see `alpha_points`), remembered in a small
cache.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.quantize.alpha_points import UNIT, alpha_distance, alpha_points
from streamvq.quantize.nearest import ColorFinder
from streamvq.quantize.outward_search import two_nearest
from streamvq.quantize.pixels import stripes

_CACHE_BITS = 16
_HASH = 0x9E3779B1  # 2^32 / golden ratio (Knuth)
_ROW_BITS = 16
_OPAQUE = 255
_FAR = 1 << 59  # above any distance, 6 x 255^4


class AlphaFinder:
    """Nearest rows of codes uint8 [k, 3] with their alpha uint8 [k], for whole frames.

    Opaque pixels take the codes of the highest alpha, compared in the space `matching`, fully transparent ones the
    first of the lowest. Threads may share a finder: entries of its cache are single words, and each says what it is
    for.
    """

    def __init__(self, codes: NDArray[np.uint8], alpha: NDArray[np.uint8], matching: str = "rgb") -> None:
        self._rows = np.flatnonzero(alpha == alpha.max()).astype(np.uint8 if len(codes) <= 256 else np.uint16)
        self.opaque_codes = codes[self._rows]
        self._opaque = ColorFinder(self.opaque_codes, matching)
        wide = alpha.astype(np.int64)[:, None]
        self._products = np.concatenate([codes * wide, _OPAQUE * wide], axis=1)  # of `alpha_distance`
        looks = np.concatenate([codes * wide, (codes - np.int64(_OPAQUE)) * wide], axis=1)  # over black and white
        sums = looks.sum(axis=1)
        order = np.argsort(sums, kind="stable")
        self._tables = (order, sums[order], looks[order])
        self._cache = np.zeros(1 << _CACHE_BITS, np.uint64)  # R, G, B, alpha and row; 0 = nothing, as no alpha is 0
        self.code_points = _small_points(codes, alpha)
        self.transparent_row = int(_search(0, 0, 0, 0, self._tables))

    def find(self, rgb: NDArray[np.uint8], alpha: NDArray[np.uint8] | None, opaque: NDArray | None = None) -> NDArray:
        """Rows for uint8 [height, width, 3] and [height, width] (None: all opaque): uint8 or uint16 [height, width].

        `opaque` are the rows of `opaque_codes` for the opaque pixels, where something else has chosen them.
        """
        found = self._opaque.find(rgb) if opaque is None else opaque
        rows: NDArray = self._rows[found]
        if alpha is not None:
            _find(
                rgb.reshape(-1, 3),
                alpha.reshape(-1),
                self._tables,
                self.transparent_row,
                self._cache,
                rows.reshape(-1),
            )
        return rows

    def points(self, rgb: NDArray[np.uint8], alpha: NDArray[np.uint8] | None) -> NDArray[np.int16]:
        """Colors as points in whole levels, as are the codes in `code_points` [k, 4]: int16 [height, width, 4]."""
        opacity = _opacity(rgb, alpha)
        points = np.empty((*opacity.shape, 4), np.int16)
        for part in stripes(points.shape):
            points[part] = _small_points(rgb[part], opacity[part])
        return points

    def squared_error(self, rgb: NDArray[np.uint8], alpha: NDArray[np.uint8] | None, rows: NDArray) -> int:
        """The sum of squared differences to the codes at `rows`: the mean of those over black and over white."""
        opacity = _opacity(rgb, alpha)
        error = _squared_error(rgb.reshape(-1, 3), opacity.reshape(-1), rows.reshape(-1), self._products)
        return (int(error) + UNIT // 2) // UNIT


def _opacity(rgb: NDArray[np.uint8], alpha: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    return np.full(rgb.shape[:2], _OPAQUE, np.uint8) if alpha is None else alpha


def _small_points(rgb: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.int16]:
    opacity = alpha.astype(np.float64)
    points = alpha_points(rgb * (opacity[..., None] / _OPAQUE), opacity)
    return np.floor(points + 0.5).astype(np.int16)


@njit(nogil=True, cache=True)
def _find(pixels, alpha, tables, transparent_row, cache, rows):  # type: ignore[no-untyped-def]
    for i in range(len(alpha)):
        if alpha[i] == _OPAQUE:
            continue
        if alpha[i] == 0:
            rows[i] = transparent_row
            continue
        key = np.uint32(pixels[i, 0]) << np.uint32(24) | np.uint32(pixels[i, 1]) << np.uint32(16)
        key |= np.uint32(pixels[i, 2]) << np.uint32(8) | np.uint32(alpha[i])
        slot = np.uint32(key * np.uint32(_HASH)) >> np.uint32(32 - _CACHE_BITS)
        entry = cache[slot]
        if entry >> np.uint64(_ROW_BITS) != np.uint64(key):
            row = _search(pixels[i, 0], pixels[i, 1], pixels[i, 2], alpha[i], tables)
            entry = np.uint64(key) << np.uint64(_ROW_BITS) | np.uint64(row)
            cache[slot] = entry
        rows[i] = entry & np.uint64((1 << _ROW_BITS) - 1)


@njit(nogil=True, cache=True)
def _search(red, green, blue, alpha, tables):  # type: ignore[no-untyped-def]
    """The row of the code that looks most like a color; of several the lowest."""
    order, sums, looks = tables
    a = np.int64(alpha)
    r, g, b, opacity = red * a, green * a, blue * a, _OPAQUE * a
    look = (r, g, b, r - opacity, g - opacity, b - opacity)
    far = np.int64(_FAR)
    return two_nearest(look, looks, order, sums, np.int64(0), far, far, far, False)[0]


@njit(nogil=True, cache=True)
def _squared_error(pixels, alpha, rows, products):  # type: ignore[no-untyped-def]
    error = np.int64(0)
    for i in range(len(alpha)):
        a, code = np.int64(alpha[i]), products[rows[i]]
        r, g, b = pixels[i, 0] * a, pixels[i, 1] * a, pixels[i, 2] * a
        error += alpha_distance(r, g, b, _OPAQUE * a, code[0], code[1], code[2], code[3])
    return error
