"""The frames in a page: which ones, and their pixels and codes as text within a budget."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from streamvq.quantize.pixels import eight_bit

MAX_TEXT = 7_000_000  # characters of all pictures in a page
MIN_FRAMES = 5  # large frames are subsampled before fewer frames than these are shown
_MAX_WEBP_SIDE = 16_383


@dataclass(frozen=True, eq=False)
class Candidate:
    """A frame of the reference and of each result: pixels [height, width, channels], uint8 or uint16.

    `index` is that of the pair. `codes` are those of each result, uint8 or uint16 [rows, columns], or None.
    """

    index: int
    pixels: Sequence[NDArray[Any]]
    codes: Sequence[NDArray[Any] | None]


@dataclass(frozen=True, eq=False)
class ReportFrame:
    """A frame in the page: pictures as data URIs, the reference's first.

    They have every `stride`-th pixel of every `stride`-th row, not averaged: 1 is all of them. `codes` are as in
    `Candidate`, those of single pixels subsampled like the pictures; `deflated` are the same as text.
    """

    index: int
    stride: int
    pictures: tuple[str, ...]
    codes: tuple[NDArray[Any] | None, ...]
    deflated: tuple[str | None, ...]

    @property
    def text_length(self) -> int:
        """How many characters it takes in the page."""
        return sum(len(text) for text in (*self.pictures, *self.deflated) if text)


def spread(worst: Sequence[int], count: int, limit: int) -> list[int]:
    """At most `limit` of the positions 0 to `count` - 1, evenly spread, the most informative first.

    Those of `worst` come before all others, in their order. Any beginning of the list is spread, too.

    >>> spread([7], 100, 5)
    [7, 99, 50, 74, 25]
    """
    selected = list(dict.fromkeys(worst))[:limit] or [0]
    even = range(count) if count <= limit else {round(i * (count - 1) / max(1, limit - 1)) for i in range(limit)}
    rest = set(even) - set(selected)
    while rest and len(selected) + len(rest) > limit:  # those next to the worst make room for them
        rest.remove(min(rest, key=lambda other: min(abs(other - worse) for worse in selected if worse not in even)))
    while rest:
        farthest = max(rest, key=lambda other: (min(abs(other - position) for position in selected), other))
        selected.append(farthest)
        rest.remove(farthest)
    return selected


def fit_to_budget(
    candidates: Iterator[Candidate], ranked: Sequence[int], max_text: int = MAX_TEXT
) -> list[ReportFrame]:
    """The candidates as pictures of at most `max_text` characters in all, in the order of their indices.

    `ranked` has their indices, the most informative first. Where not all fit, frames are left out from the end of it,
    and below `MIN_FRAMES` frames are subsampled. Memory holds one candidate and the text.
    """
    rank = {index: number for number, index in enumerate(ranked)}
    share = max_text // min(MIN_FRAMES, len(ranked))
    kept: list[ReportFrame] = []  # the most informative first
    for candidate in candidates:
        kept.append(_subsampled(candidate, share))
        kept.sort(key=lambda frame: rank[frame.index])
        while len(kept) > 1 and sum(frame.text_length for frame in kept) > max_text:
            kept.pop()
    return sorted(kept, key=lambda frame: frame.index)


def _subsampled(candidate: Candidate, max_text: int) -> ReportFrame:
    """A candidate as pictures of at most `max_text` characters, with the smallest stride that does it."""
    side = max(max(pixels.shape[:2]) for pixels in candidate.pixels)
    stride = -(-side // _MAX_WEBP_SIDE)
    while True:
        pictures = tuple(webp_data_uri(pixels[::stride, ::stride]) for pixels in candidate.pixels)
        codes = tuple(
            rows if rows is None or rows.shape != pixels.shape[:2] else rows[::stride, ::stride]
            for rows, pixels in zip(candidate.codes, candidate.pixels[1:], strict=True)
        )
        deflated = tuple(None if rows is None else deflated_codes(rows) for rows in codes)
        frame = ReportFrame(candidate.index, stride, pictures, codes, deflated)
        if frame.text_length <= max_text or stride >= side:
            return frame
        stride += 1


def webp_data_uri(pixels: NDArray[Any]) -> str:
    """Pixels [height, width, 1, 3 or 4] as the data URI of a lossless WebP; 16 bits are rounded to 8."""
    rounded = eight_bit(pixels)
    image = Image.fromarray(np.ascontiguousarray(rounded[..., 0] if rounded.shape[2] == 1 else rounded))
    file = io.BytesIO()
    # As small as higher settings at a fifth of their time; exact: colors below full transparency are kept.
    image.save(file, "WEBP", lossless=True, exact=True, method=2, quality=50)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def deflated_codes(codes: NDArray[Any]) -> str:
    """Codes [rows, columns] as base64 of deflated bytes: all low bytes, then the high bytes of uint16."""
    planes = [(codes >> 8 * byte).astype(np.uint8).tobytes() for byte in range(codes.itemsize)]
    return base64.b64encode(zlib.compress(b"".join(planes), 9)).decode("ascii")
