"""One picture of a GIF: what it changes of the picture before, in the fewest bytes that were found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.media.gif.lzw import compress

CLEAR = 256  # in pictures, a pixel where nothing is shown
_SMALL = 1 << 16  # pixels of a box that is written in every way


class NoFreeCode(Exception):
    """All codes are drawn, and none is left that could stand for transparent pixels."""


@dataclass(frozen=True)
class GifPicture:
    """A box of a picture, `data` being its LZW code with `bits` an index.

    `transparent` is the index that shows what is beneath, or None. `erased`: after it was shown, the box is cleared.
    `redundant`: it changes nothing. `crowded`: most of the box is as it was, and no index is left to say so.
    """

    left: int
    top: int
    width: int
    height: int
    bits: int
    data: bytes
    transparent: int | None = None
    erased: bool = False
    redundant: bool = False
    crowded: bool = False


def erases(picture: NDArray[np.uint16], before: NDArray[np.uint16]) -> bool:
    """Whether something of the picture before is to be seen no more, with nothing drawn in its place."""
    return bool(((picture == CLEAR) & (before != CLEAR)).any())


def difference(
    picture: NDArray[np.uint16], shown: NDArray[np.uint16] | None, n_indices: int, erased: bool = False
) -> GifPicture:
    """What makes `picture` of what is `shown`: uint16 [height, width] of indices below `n_indices`, or CLEAR.

    Where nothing is shown yet (None), the box is the whole picture. A picture that is to be `erased` after it was
    shown has all that it shows in its box. Raises NoFreeCode.
    """
    base = np.full_like(picture, CLEAR) if shown is None else shown
    top, bottom, left, right, drawn = _inspect(picture, base, erased)
    redundant = bottom == 0 and shown is not None
    if shown is None:
        top, left, (bottom, right) = 0, 0, picture.shape
    elif redundant:
        bottom = right = 1
    box = np.s_[top:bottom, left:right]
    indices, is_clear = picture[box], picture[box] == CLEAR
    same = (indices == base[box]) & ~is_clear
    transparent = int(np.argmin(drawn)) if not drawn[:n_indices].all() else None
    flagged = erased or bool(is_clear.any())  # what is erased gets transparent only where an index is
    if flagged:
        if transparent is None:
            raise NoFreeCode
        indices = np.where(is_clear, transparent, indices)
    found = _smallest(indices.astype(np.uint8).ravel(), same.ravel(), transparent, flagged)
    height, width = indices.shape
    crowded = transparent is None and 2 * int(np.count_nonzero(same)) > same.size
    return GifPicture(int(left), int(top), width, height, *found, erased, redundant, crowded)


@njit(nogil=True, cache=True)
def _inspect(picture: Any, base: Any, erased: Any) -> Any:
    """The box (top, bottom, left, right) of what has to be drawn, all 0 where that is nothing, and its indices."""
    height, width = picture.shape
    top, bottom, left, right = height, 0, width, 0
    drawn = np.zeros(CLEAR + 1, np.bool_)
    for y in range(height):
        for x in range(width):
            index = picture[y, x]
            changed = index != base[y, x]
            if changed or (erased and index != CLEAR):
                if changed:
                    drawn[index] = True
                top = min(top, y)
                bottom = y + 1
                left = min(left, x)
                right = max(right, x + 1)
    return (top, bottom, left, right, drawn) if bottom else (0, 0, 0, 0, drawn)


def _smallest(
    indices: NDArray[np.uint8], same: NDArray[np.bool_], transparent: int | None, flagged: bool
) -> tuple[int, bytes, int | None]:
    """The bits of an index, the shortest LZW code found for a box, and the transparent index where one is `flagged`.

    Where it may be, it is where that is shorter.
    """
    highest = int(indices.max())
    small = len(indices) <= _SMALL
    n_same = np.count_nonzero(same)
    ways: list[tuple[NDArray[np.bool_], int, int | None]] = []
    if n_same and transparent is not None:
        ways.append((same, max(highest, transparent), transparent))
    if small or not ways or 2 * n_same < len(indices):
        ways.append((np.zeros_like(same), highest, transparent if flagged else None))
    best: tuple[int, bytes, int | None] | None = None
    for free, top, used in ways:
        bits = max(2, top.bit_length())
        for look_ahead in (0, 3) if small else (0,):
            coded = compress(indices, free, used or 0, bits, look_ahead)
            if best is None or len(coded) < len(best[1]):
                best = bits, coded.tobytes(), used
    assert best is not None
    return best
