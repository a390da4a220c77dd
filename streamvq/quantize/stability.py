"""Still areas stay still: a code is kept until what it stands for has moved.

Noise makes the nearest code of a still pixel change from frame to frame, and error diffusion carries each such change
into all pixels after it. So what a code was chosen for is remembered, and the code stays while the source is within a
threshold of that: not of the previous frame, from which a slow fade would never be far.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.frames import IndexFrame


class Stability:
    """Frames in order, each with the codes of the one before where its samples are within `threshold` of those that
    the codes were chosen for.

    The distance is the root mean square of a code's samples, in levels of 8 bits: three channels of one pixel, or all
    samples of a block. A frame of another size starts anew.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._codes: NDArray = np.empty(0, np.uint8)
        self._points: NDArray = np.empty(0, np.uint8)  # samples and alpha that codes were chosen for
        self._alpha: NDArray = np.empty(0, np.uint8)

    def hold(
        self, samples: NDArray[np.uint8], coded: IndexFrame, alpha: NDArray[np.uint8] | None = None
    ) -> IndexFrame:
        """The next frame; `samples`, uint8 [rows, columns] or [rows, columns, d], and `alpha` are what it was `coded`
        for.

        Where pixels have alpha, one that appears, goes, or whose alpha moves as far takes its new code.
        """
        codes, alpha = coded.codes, coded.alpha if alpha is None else alpha
        points = samples.reshape(*codes.shape, -1)
        if alpha is None or alpha.shape != codes.shape:  # a block's samples say what of it is hidden
            alpha = np.full(codes.shape, 255, np.uint8)
        if self._points.shape != points.shape:
            self._points, self._alpha, self._codes = points.copy(), alpha.copy(), codes.copy()
            return coded
        _hold(points, alpha, codes, self._threshold, self._points, self._alpha, self._codes)
        return replace(coded, codes=self._codes.copy())


@njit(nogil=True, cache=True)
def _hold(points, alpha, codes, threshold, old_points, old_alpha, kept):  # type: ignore[no-untyped-def]
    """Bring codes that are `kept`, and what they were chosen for, up to date where the source has moved."""
    rows, columns, length = points.shape
    limit = threshold * threshold * length
    for y in range(rows):
        for x in range(columns):
            opacity, old_opacity = np.int64(alpha[y, x]), np.int64(old_alpha[y, x])
            moved = opacity == 0 or old_opacity == 0 or (opacity == 255) != (old_opacity == 255)
            moved = moved or abs(opacity - old_opacity) >= threshold
            if not moved:
                distance = np.int64(0)
                for i in range(length):
                    difference = np.int64(points[y, x, i]) - np.int64(old_points[y, x, i])
                    distance += difference * difference
                moved = distance >= limit
            if moved:
                for i in range(length):
                    old_points[y, x, i] = points[y, x, i]
                old_alpha[y, x] = opacity
                kept[y, x] = codes[y, x]
