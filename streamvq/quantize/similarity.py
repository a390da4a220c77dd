"""How similar two pictures are: squared errors, SSIM, flicker, and distinct colors.

SSIM is that of Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural
similarity" (2004): a Gaussian window of 11x11 with sigma 1.5, K1 = 0.01, K2 = 0.03, L = 255, and the mean over all
positions where the whole window is inside the picture.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.quantize.bt601 import luma_of
from streamvq.quantize.pixels import eight_bit, split
from streamvq.quantize.transparency import flatten

WINDOW = 11
BACKDROP = 128  # what transparent pictures are composited on: mid gray
_SIGMA = 1.5
_OFFSETS = np.arange(WINDOW) - WINDOW // 2
_WEIGHTS = np.exp(-(_OFFSETS**2) / (2 * _SIGMA**2))
_WEIGHTS /= _WEIGHTS.sum()
_PEAK = 255  # L
_C1, _C2 = (0.01 * _PEAK) ** 2, (0.03 * _PEAK) ** 2


def composite(pixels: NDArray) -> tuple[NDArray[np.uint8], NDArray[np.bool_] | None]:
    """The pixels of a frame over mid gray, and where it is not fully transparent.

    `pixels` is uint8 or uint16 [height, width, 1, 3 or 4]. Returns uint8 [height, width, 3], contiguous, and bool
    [height, width], None where all of it is visible.
    """
    rgb, alpha = split(pixels, "rgb")
    if alpha is None or alpha.min() == 255:
        return rgb, None
    return flatten(eight_bit(pixels), (BACKDROP, BACKDROP, BACKDROP)), alpha > 0


def squared_errors(
    reference: NDArray[np.uint8], test: NDArray[np.uint8]
) -> tuple[int, int, NDArray[np.uint8], NDArray[np.uint8]]:
    """The sums of squared differences of RGB and of luma, and the lumas: uint8 [height, width] each.

    `reference` and `test` are uint8 [height, width, 3]. Luma is `pixels.luma`.
    """
    height, width = reference.shape[:2]
    lumas = np.empty((2, height * width), np.uint8)
    rgb, luma = _squared_errors(reference.reshape(-1, 3), test.reshape(-1, 3), lumas)
    return int(rgb), int(luma), lumas[0].reshape(height, width), lumas[1].reshape(height, width)


def ssim(reference: NDArray[np.uint8], test: NDArray[np.uint8]) -> float:
    """The mean structural similarity of two planes, uint8 [height, width]; 1 where they are equal.

    Sides below 11 are padded to 11 by replication.
    """
    if np.array_equal(reference, test):
        return 1.0  # rounding would say 0.9999999
    return float(_ssim(_at_least_window_size(reference), _at_least_window_size(test), _WEIGHTS, _C1, _C2))


def _at_least_window_size(plane: NDArray[np.uint8]) -> NDArray[np.float64]:
    """A plane that is at least as large as the window."""
    missing = [max(0, WINDOW - side) for side in plane.shape]
    padded = np.pad(plane, [(n // 2, n - n // 2) for n in missing], "edge") if any(missing) else plane
    return padded.astype(np.float64)  # float32 has no room for the small variances of flat parts


def still_and_changed(
    previous_reference: NDArray[np.uint8],
    reference: NDArray[np.uint8],
    previous_test: NDArray[np.uint8],
    test: NDArray[np.uint8],
) -> tuple[int, int]:
    """How many pixels are the same in both reference frames, and how many of those differ between the test frames.

    All are uint8 [height, width, 3].
    """
    frames = (previous_reference, reference, previous_test, test)
    still, changed = _still_and_changed(*(frame.reshape(-1, 3) for frame in frames))
    return int(still), int(changed)


class ColorCount:
    """Counts distinct colors, of each frame and of all frames together, exactly.

    16 MB of address space, of which only the pages of colors that occur are touched, and 2 MB a call. Threads may
    share it: an entry is one byte that every thread would fill with the same value.
    """

    def __init__(self) -> None:
        self._seen = np.zeros(1 << 24, np.uint8)

    def add(self, rgb: NDArray[np.uint8], visible: NDArray[np.bool_] | None = None) -> int:
        """How many colors the visible pixels of uint8 [height, width, 3] have."""
        pixels = rgb.reshape(-1, 3) if visible is None else rgb[visible]
        return int(_count_colors(pixels, np.zeros(1 << 19, np.uint32), self._seen))

    def total(self) -> int:
        """How many colors all frames so far have."""
        return int(np.count_nonzero(self._seen))


def is_gray(rgb: NDArray[np.uint8]) -> bool:
    """Whether R = G = B in every pixel of uint8 [height, width, 3]."""
    return bool(_is_gray(rgb.reshape(-1, 3)))


@njit(nogil=True, cache=True)
def _squared_errors(reference, test, lumas):  # type: ignore[no-untyped-def]
    total = luma_total = np.int64(0)
    for i in range(reference.shape[0]):
        r, g, b = np.int32(reference[i, 0]), np.int32(reference[i, 1]), np.int32(reference[i, 2])
        s, h, c = np.int32(test[i, 0]), np.int32(test[i, 1]), np.int32(test[i, 2])
        total += (r - s) * (r - s) + (g - h) * (g - h) + (b - c) * (b - c)
        reference_luma, test_luma = luma_of(r, g, b), luma_of(s, h, c)
        lumas[0, i], lumas[1, i] = reference_luma, test_luma
        difference = np.int32(reference_luma) - np.int32(test_luma)
        luma_total += difference * difference
    return total, luma_total


@njit(nogil=True, cache=True, fastmath=True)
def _ssim(a, b, weights, c1, c2):  # type: ignore[no-untyped-def]
    """Columns are filtered into four rows of sums, then these along the row: no plane is ever stored."""
    size = len(weights)
    height, width = a.shape
    mean_a, mean_b, squares, product = np.empty(width), np.empty(width), np.empty(width), np.empty(width)
    total = 0.0
    for y in range(height - size + 1):
        mean_a[:], mean_b[:], squares[:], product[:] = 0, 0, 0, 0
        for k in range(size):
            weight, row_a, row_b = weights[k], a[y + k], b[y + k]
            for x in range(width):
                p, q = row_a[x], row_b[x]
                mean_a[x] += weight * p
                mean_b[x] += weight * q
                squares[x] += weight * (p * p + q * q)
                product[x] += weight * (p * q)
        for x in range(width - size + 1):
            m = n = s = t = 0.0
            for k in range(size):
                weight = weights[k]
                m += weight * mean_a[x + k]
                n += weight * mean_b[x + k]
                s += weight * squares[x + k]
                t += weight * product[x + k]
            structure = (2 * (t - m * n) + c2) / (s - m * m - n * n + c2)
            total += structure * (2 * m * n + c1) / (m * m + n * n + c1)
    return total / ((height - size + 1) * (width - size + 1))


@njit(nogil=True, cache=True)
def _still_and_changed(previous_reference, reference, previous_test, test):  # type: ignore[no-untyped-def]
    still = changed = 0
    for i in range(reference.shape[0]):
        same = True
        test_changed = False
        for c in range(3):
            same &= previous_reference[i, c] == reference[i, c]
            test_changed |= previous_test[i, c] != test[i, c]
        still += same
        changed += same & test_changed
    return still, changed


@njit(nogil=True, cache=True)
def _count_colors(pixels, found, seen):  # type: ignore[no-untyped-def]
    """The number of distinct uint8 pixels [n, 3]; `found` is one bit for each color, all 0; `seen` one byte."""
    count = 0
    for i in range(pixels.shape[0]):
        key = np.uint32(pixels[i, 0]) << np.uint32(16) | np.uint32(pixels[i, 1]) << np.uint32(8)
        key |= np.uint32(pixels[i, 2])
        word, bit = key >> np.uint32(5), np.uint32(1) << (key & np.uint32(31))
        if not found[word] & bit:
            found[word] |= bit
            seen[key] = 1
            count += 1
    return count


@njit(nogil=True, cache=True)
def _is_gray(pixels):  # type: ignore[no-untyped-def]
    for i in range(pixels.shape[0]):  # noqa: SIM110  Numba compiles no generators in any()
        if pixels[i, 0] != pixels[i, 1] or pixels[i, 1] != pixels[i, 2]:
            return False
    return True
