"""How frames are encoded: with a codebook, first truncated to low rank or not, or as factors of low rank."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from streamvq.frames import CodedFrame, Failed, Frame, IndexFrame
from streamvq.lowrank.codec import LowRankCodec
from streamvq.lowrank.low_rank import LowRank, cold_start_interval, truncate_frames
from streamvq.options import LowRankOptions
from streamvq.pipeline.strict import check_exact
from streamvq.quantize.codebook import Codebook, NearestFrame
from streamvq.quantize.decoder import FrameDecoder
from streamvq.quantize.dither.dithering import Dither
from streamvq.quantize.gamut import GamutMap
from streamvq.quantize.metrics import visible_error
from streamvq.quantize.pixels import split
from streamvq.quantize.stability import Stability


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
        full = min(factors.channels[0].left.shape[0], factors.channels[0].right.shape[1])
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


@dataclass(frozen=True, eq=False)
class UnmeasuredFrame:
    """A frame with codes, before its error is taken: `original` is compared, `nearest` is what codes were found for,
    and `factors` are those of a truncated frame."""

    original: Frame
    nearest: NearestFrame
    coded: IndexFrame
    factors: LowRank | None = None


Outcome = EncodedFrame | UnmeasuredFrame | Failed


class FrameEncoder(ABC):
    """Encodes frames. Those of a batch of `batch_length` may be encoded from each other, the first of them never.

    `decoder` turns what comes out into pictures. Where it `scans`, frames pass through `scan` in order, each seeing
    what became of the one before, and are then measured.
    """

    decoder: FrameDecoder
    batch_length = 1
    scans = False

    @abstractmethod
    def encode(self, frames: Iterable[Frame]) -> Iterator[Outcome]:
        """The frames of a batch, encoded; not yet measured where the encoder scans. Runs on any thread."""

    def scan(self, batches: Iterable[Sequence[Outcome]]) -> Iterator[Sequence[Outcome]]:
        """All frames in order, on one thread."""
        yield from batches

    def measure(self, batch: Sequence[Outcome]) -> list[Outcome]:
        """The frames of a batch with their figures. Runs on any thread."""
        return list(batch)


class VectorQuantization(FrameEncoder):
    """Codes of a codebook, of frames or of what is left of them at low rank. `pixels` are those of a video's frame.

    The error is that against the frames as they were; `dither` chooses other codes than the nearest. With `lossy`, a
    scan over all frames keeps codes of neighbors and of the previous frame where they cost little; with `stability`,
    those of what has moved by less than that many levels, whatever `lossy` would choose. `emitted` is what the codes
    become colors with, where that is another codebook. With `strict_about`, the input's name, a pixel that no code
    has exactly raises MediaError. `gamut` moves colors before codes are chosen. `for_lzw`: `lossy` chooses for GIF.
    """

    def __init__(
        self,
        codebook: Codebook,
        lossy: float = 0,
        low_rank: LowRankOptions | None = None,
        pixels: int | None = None,
        dither: Dither | None = None,
        stability: float = 0,
        emitted: Codebook | None = None,
        strict_about: str | None = None,
        gamut: GamutMap | None = None,
        for_lzw: bool = False,
    ) -> None:
        codebook.prepare()
        self.decoder = emitted or codebook
        self._codebook = codebook
        self._strict_about = strict_about
        self.scans = lossy > 0 or stability > 0
        self._lossy = lossy
        self._for_lzw = for_lzw
        self._stability = stability
        self._dither = dither
        self._gamut = gamut
        self._low_rank = low_rank
        self._space = "gray" if codebook.channels == 1 else "rgb"
        self.batch_length = cold_start_interval(pixels) if low_rank else 1

    def encode(self, frames: Iterable[Frame]) -> Iterator[Outcome]:
        """The frames of a batch as their nearest codes."""
        for unmeasured in self._nearest(frames):
            yield unmeasured if self.scans else self._measured(unmeasured)

    def _nearest(self, frames: Iterable[Frame]) -> Iterator[UnmeasuredFrame]:
        book = self._codebook
        if self._low_rank is None:
            for frame in frames:
                nearest = book.nearest_frame(self._shown(frame), self._dither)
                yield UnmeasuredFrame(frame, nearest, nearest.coded)
            return
        gray = self._space == "gray"
        for frame, factors, truncated in truncate_frames(frames, self._low_rank, self.batch_length, gray):
            nearest = book.nearest_frame(self._shown(truncated), self._dither)
            yield UnmeasuredFrame(frame, nearest, nearest.coded, factors)

    def _shown(self, frame: Frame) -> Frame:
        return frame if self._gamut is None else self._gamut.map_frame(frame)

    def scan(self, batches: Iterable[Sequence[Outcome]]) -> Iterator[Sequence[Outcome]]:
        """The codes of all frames as `lossy` and then `stability` change them, by those of the frame before."""
        previous: IndexFrame | None = None
        stability = Stability(self._stability) if self._stability else None
        for batch in batches:
            changed: list[Outcome] = []
            for outcome in batch:
                if isinstance(outcome, UnmeasuredFrame):
                    coded = outcome.coded
                    if self._lossy:
                        coded = self._codebook.optimized_frame(outcome.nearest, previous, self._lossy, self._for_lzw)
                    previous = (
                        coded
                        if stability is None
                        else stability.hold(outcome.nearest.samples, coded, outcome.nearest.alpha)
                    )
                    outcome = replace(outcome, coded=previous)
                changed.append(outcome)
            yield changed

    def measure(self, batch: Sequence[Outcome]) -> list[Outcome]:
        """The frames of a batch with their figures."""
        return [self._measured(each) if isinstance(each, UnmeasuredFrame) else each for each in batch]

    def _measured(self, unmeasured: UnmeasuredFrame) -> EncodedFrame:
        book, frame, coded = self._codebook, unmeasured.original, unmeasured.coded
        alpha = unmeasured.nearest.alpha
        if unmeasured.factors is None or self._low_rank is None:
            error = (
                book.squared_error(unmeasured.nearest, coded) if self._gamut is None else _error(book, frame, coded)
            )
            if self._strict_about is not None:
                check_exact(self._strict_about, frame, coded, book)
            return EncodedFrame(coded, _stats(frame, coded, alpha, book.channels, error))
        picture = split(unmeasured.nearest.frame.pixels, self._space)[0].reshape(coded.height, coded.width, -1)
        truncation = TruncationStats.from_factors(
            unmeasured.factors, self._low_rank, visible_error(frame.pixels, picture)
        )
        error = _error(book, frame, coded)
        return EncodedFrame(coded, _stats(frame, coded, alpha, book.channels, error, truncation))


class Factorization(FrameEncoder):
    """Factors of low rank in `space`, to be `stored` or else only drawn; `pixels` are those of a video's frame.

    Without a space, frames are stored as ycbcr420, which at equal bytes is nearer than rgb.
    """

    decoder: LowRankCodec

    def __init__(self, options: LowRankOptions, space: str | None, stored: bool, pixels: int | None = None) -> None:
        self._options = options
        self.decoder = LowRankCodec(space or ("ycbcr420" if stored else "rgb"), options.patch, stored)
        self.batch_length = cold_start_interval(pixels)

    def encode(self, frames: Iterable[Frame]) -> Iterator[Outcome]:
        """The frames of a batch as factors; the first starts cold, each other one from the one before."""
        factors = None
        for frame in frames:
            found = self.decoder.factor_frame(frame, self._options, factors)
            factors = found.factors
            truncation = TruncationStats.from_factors(factors, self._options, found.truncation_error)
            channels, alpha = self.decoder.channels, found.coded.alpha
            stats = _stats(frame, found.coded, alpha, channels, found.squared_error, truncation)
            yield EncodedFrame(found.coded, stats)


def _error(book: Codebook, frame: Frame, coded: IndexFrame) -> int:
    """The squared error of a frame that its codes were not chosen for."""
    if book.alpha is None:
        return visible_error(frame.pixels, book.render(coded))
    return book.squared_error(NearestFrame(frame, coded, *book.samples(frame.pixels)), coded)


def _stats(
    frame: Frame,
    coded: CodedFrame,
    alpha: NDArray[np.uint8] | None,
    channels: int,
    squared_error: int,
    truncation: TruncationStats | None = None,
) -> FrameStats:
    visible = coded.height * coded.width if alpha is None else int(np.count_nonzero(alpha))
    unconverted = frame.pixels.dtype == np.uint8 and (channels == 3 or frame.pixels.shape[2] == 1)
    return FrameStats((coded.height, coded.width), visible * channels, squared_error, unconverted, truncation)
