"""Colors with alpha as points, whose squared distances say how differently they look.

Two colors with alpha are as far apart as they are over black and over white, in the mean of both (libimagequant takes
the larger of the two). With P = color x alpha and A = alpha, each of 0 to 1, the mean of (P - Q)^2 over black and
(P - Q - (A - B))^2 over white is ((P - A/2) - (Q - B/2))^2 + (A - B)^2 / 4, a squared distance of points: so k-means
holds for them. Opaque colors are as far apart as in RGB, and fully transparent ones all coincide.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit

_TOP = 255
_ALPHA_SCALE = (3 / 4) ** 0.5  # of three channels
UNIT = 2 * _TOP**2  # what `alpha_distance` has for a squared error of 1 level


def alpha_points(premultiplied: NDArray[np.float64], alpha: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points of colors: float64 [..., 4], of color x alpha / 255 [..., 3] and alpha [...], each 0 to 255."""
    last = alpha[..., None]
    return np.concatenate([premultiplied - last / 2, _ALPHA_SCALE * last], axis=-1)


def colors_at(points: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The translucent colors nearest to points [n, 4]: uint8 [n, 4], R, G, B and an alpha of 1 to 254."""
    alpha = points[:, 3] / _ALPHA_SCALE
    premultiplied = points[:, :3] + alpha[:, None] / 2
    alpha = np.clip(np.rint(alpha), 1, _TOP - 1)
    colors = np.clip(np.rint(premultiplied * _TOP / alpha[:, None]), 0, _TOP)
    return np.concatenate([colors, alpha[:, None]], axis=1).astype(np.uint8)


@njit(nogil=True, inline="always")
def alpha_distance(red, green, blue, alpha, red2, green2, blue2, alpha2):  # type: ignore[no-untyped-def]
    """The squared errors over black and over white together, in `UNIT`s, of two colors with alpha.

    All are int64: colors times alpha, 0 to 255^2, and 255 times alpha.
    """
    white = alpha - alpha2
    r, g, b = red - red2, green - green2, blue - blue2
    error = r * r + g * g + b * b
    r, g, b = r - white, g - white, b - white
    return error + r * r + g * g + b * b
