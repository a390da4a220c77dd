"""How frames are encoded: with a codebook, first truncated to low rank or not, or as factors of low rank."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from streamvq.frames import CodedFrame, Frame
from streamvq.lowrank.codec import LowRankCodec
from streamvq.lowrank.low_rank import LowRank, cold_start_interval, truncate_frames
from streamvq.options import LowRankOptions
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.decoder import FrameDecoder
from streamvq.quantize.metrics import visible_error
from streamvq.quantize.pixels import split


@dataclass(frozen=True)
class TruncationStats:
    """What truncating a frame did: the largest `rank` of a channel, the squares of all singular values and of those
    cut off, the squared error of the visible samples, and whether the frame has no rank as high as is asked for."""

    rank: int
    total: float
    cut_off: float
    squared_error: int
    full: bool

    @classmethod
    def from_factors(cls, factors: LowRank, options: LowRankOptions, squared_error: int) -> TruncationStats:
        """The figures of a picture of low rank."""
        cut_off = sum(channel.error for channel in factors.channels)
        full = min(min(channel.left.shape[0], channel.right.shape[1]) for channel in factors.channels[:1])
        total = sum(channel.total for channel in factors.channels)
        return cls(factors.rank, total, cut_off, squared_error, (options.rank or 0) > full)


@dataclass(frozen=True)
class FrameStats:
    """What is counted of one frame: height and width, its visible samples, their squared error, and whether they are
    compared as they were (no color turned gray, no 16 bits cut to 8)."""

    size: tuple[int, int]
    samples: int = 0
    squared_error: int = 0
    unconverted: bool = False
    truncation: TruncationStats | None = None


@dataclass(frozen=True, eq=False)
class EncodedFrame:
    """A coded frame and its figures."""

    coded: CodedFrame
    stats: FrameStats


class FrameEncoder(Protocol):
    """Encodes frames. Those of a batch of `batch_length` may be encoded from each other, the first of them never.

    `decoder` turns what comes out into pictures.
    """

    @property
    def decoder(self) -> FrameDecoder: ...
    @property
    def batch_length(self) -> int: ...
    def encode(self, frames: Iterable[Frame]) -> Iterator[EncodedFrame]: ...


class VectorQuantization:
    """Codes of a codebook, of frames or of what is left of them at low rank. `pixels` are those of a video's frame.

    The error is that against the frames as they were.
    """

    def __init__(
        self, codebook: Codebook, lossy: float = 0, low_rank: LowRankOptions | None = None, pixels: int | None = None
    ) -> None:
        self.decoder = codebook
        self._lossy = lossy
        self._low_rank = low_rank
        self.batch_length = cold_start_interval(pixels) if low_rank else 1

    def encode(self, frames: Iterable[Frame]) -> Iterator[EncodedFrame]:
        """The frames of a batch as codes."""
        book = self.decoder
        if self._low_rank is None:
            for frame in frames:
                coded, error = book.quantize_frame(frame)
                yield EncodedFrame(coded, _stats(frame, coded, book.channels, error))
            return
        space = "gray" if book.channels == 1 else "rgb"
        for frame, factors, truncated in truncate_frames(frames, self._low_rank, self.batch_length, space == "gray"):
            coded, _ = book.quantize_frame(truncated)
            height, width = frame.pixels.shape[:2]
            picture = split(truncated.pixels, space)[0].reshape(height, width, -1)
            truncation = TruncationStats.from_factors(factors, self._low_rank, visible_error(frame.pixels, picture))
            error = visible_error(frame.pixels, book.render(coded))
            yield EncodedFrame(coded, _stats(frame, coded, book.channels, error, truncation))


class Factorization:
    """Factors of low rank in `space`, to be `stored` or else only drawn; `pixels` are those of a video's frame.

    Without a space, frames are stored as ycbcr420, which at equal bytes is nearer than rgb.
    """

    def __init__(self, options: LowRankOptions, space: str | None, stored: bool, pixels: int | None = None) -> None:
        self._options = options
        self.decoder = LowRankCodec(space or ("ycbcr420" if stored else "rgb"), options.patch, stored)
        self.batch_length = cold_start_interval(pixels)

    def encode(self, frames: Iterable[Frame]) -> Iterator[EncodedFrame]:
        """The frames of a batch as factors; the first starts cold, each other one from the one before."""
        factors = None
        for frame in frames:
            found = self.decoder.factor_frame(frame, self._options, factors)
            factors = found.near
            truncation = TruncationStats.from_factors(factors, self._options, found.truncation_error)
            stats = _stats(frame, found.coded, self.decoder.channels, found.squared_error, truncation)
            yield EncodedFrame(found.coded, stats)


def _stats(
    frame: Frame, coded: CodedFrame, channels: int, squared_error: int, truncation: TruncationStats | None = None
) -> FrameStats:
    alpha = coded.alpha
    visible = coded.height * coded.width if alpha is None else int(np.count_nonzero(alpha))
    unconverted = frame.pixels.dtype == np.uint8 and (channels == 3 or frame.pixels.shape[2] == 1)
    return FrameStats((coded.height, coded.width), visible * channels, squared_error, unconverted, truncation)
