"""The frames that a page shows: which ones they are, and their pixels as pictures that fit into text."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from streamvq.quantize.pixels import eight_bit

TEXT_MOST = 7_000_000  # characters of all pictures in a page
FRAMES_LEAST = 5  # large frames are thinned out, pixel by pixel, rather than fewer than these shown
_WEBP_SIDE_MOST = 16_383


@dataclass(frozen=True, eq=False)
class Candidate:
    """A frame as the reference and each result have it: pixels [height, width, channels], uint8 or uint16.

    `index` is that of the pair. `codes` are the code numbers of each result, [rows, columns] or None.
    """

    index: int
    pixels: Sequence[NDArray]
    codes: Sequence[NDArray | None]


@dataclass(frozen=True, eq=False)
class Shown:
    """A frame in the page: pictures as data URIs, the reference's first.

    They have every `step`-th pixel of every `step`-th row, not averaged: 1 is all of them. `codes` are as in
    `Candidate`, those of single pixels thinned out like the pictures; `maps` are the same as text.
    """

    index: int
    step: int
    pictures: tuple[str, ...]
    codes: tuple[NDArray | None, ...]
    maps: tuple[str | None, ...]

    @property
    def text_length(self) -> int:
        """Characters that it takes in the page."""
        return sum(len(text) for text in (*self.pictures, *self.maps) if text)


def choose(worst: Sequence[int], count: int, most: int) -> list[int]:
    """At most `most` of the positions 0 to `count` - 1, evenly spread, the most telling first.

    Those of `worst` come before all others, in their order. Any beginning of the list is spread, too.

    >>> choose([7], 100, 5)
    [7, 99, 50, 74, 25]
    """
    kept = list(dict.fromkeys(worst))[:most] or [0]
    spread = range(count) if count <= most else {round(i * (count - 1) / max(1, most - 1)) for i in range(most)}
    rest = set(spread) - set(kept)
    while rest and len(kept) + len(rest) > most:  # those beside the worst make room for them
        rest.remove(min(rest, key=lambda other: min(abs(other - worse) for worse in kept if worse not in spread)))
    while rest:
        farthest = max(rest, key=lambda other: (min(abs(other - position) for position in kept), other))
        kept.append(farthest)
        rest.remove(farthest)
    return kept


def fitting(candidates: Iterator[Candidate], ranked: Sequence[int], text_most: int = TEXT_MOST) -> list[Shown]:
    """The candidates as pictures of at most `text_most` characters in all, in the order of their indices.

    `ranked` has their indices, the most telling first. Where not all fit, the least telling are left out, and
    below `FRAMES_LEAST` frames pixels are. Memory holds one candidate and the text.
    """
    rank = {index: number for number, index in enumerate(ranked)}
    share = text_most // min(FRAMES_LEAST, len(ranked))
    held: list[Shown] = []  # the most telling first
    for candidate in candidates:
        held.append(_within(candidate, share))
        held.sort(key=lambda shown: rank[shown.index])
        while len(held) > 1 and sum(shown.text_length for shown in held) > text_most:
            held.pop()
    return sorted(held, key=lambda shown: shown.index)


def _within(candidate: Candidate, text_most: int) -> Shown:
    """A candidate as pictures of at most `text_most` characters."""
    side = max(max(pixels.shape[:2]) for pixels in candidate.pixels)
    step = -(-side // _WEBP_SIDE_MOST)
    while True:
        pictures = tuple(picture(pixels[::step, ::step]) for pixels in candidate.pixels)
        codes = tuple(
            rows if rows is None or rows.shape != pixels.shape[:2] else rows[::step, ::step]
            for rows, pixels in zip(candidate.codes, candidate.pixels[1:], strict=True)
        )
        maps = tuple(None if rows is None else packed(rows) for rows in codes)
        shown = Shown(candidate.index, step, pictures, codes, maps)
        if shown.text_length <= text_most or step >= side:
            return shown
        step += 1


def picture(pixels: NDArray) -> str:
    """Pixels [height, width, 1, 3 or 4] as the data URI of a lossless WebP; 16 bits are rounded to 8."""
    plain = eight_bit(pixels)
    image = Image.fromarray(np.ascontiguousarray(plain[..., 0] if plain.shape[2] == 1 else plain))
    file = io.BytesIO()
    # As small as higher settings at a fifth of their time; exact: colors below full transparency are kept.
    image.save(file, "WEBP", lossless=True, exact=True, method=2, quality=50)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def packed(codes: NDArray) -> str:
    """Codes [rows, columns] as text: deflated low bytes, followed by the high bytes of uint16."""
    planes = [(codes >> 8 * byte).astype(np.uint8).tobytes() for byte in range(codes.itemsize)]
    return base64.b64encode(zlib.compress(b"".join(planes), 9)).decode("ascii")
