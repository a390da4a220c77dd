"""How frames are redrawn: with a codebook, first truncated to low rank or not, or as factors of low rank."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from streamvq.frames import CodedFrame, Frame
from streamvq.lowrank.codec import LowRankCodec
from streamvq.lowrank.low_rank import LowRank, cold_start_interval, truncate_frames
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.decoder import FrameDecoder
from streamvq.quantize.metrics import visible_error
from streamvq.quantize.pixels import split
from streamvq.settings import LowRankSettings

_LOSSY_PIXELS = 1 << 24  # codes are kept from frame to frame within so many pixels


@dataclass(frozen=True)
class Truncated:
    """What truncating a frame did: the greatest `rank` of a channel, the squares of all singular values and of
    those cut off, the squared error of the visible samples, and whether the frame has no rank as high as is asked."""

    rank: int
    total: float
    cut_off: float
    squared_error: int
    full: bool

    @classmethod
    def of(cls, near: LowRank, how: LowRankSettings, squared_error: int) -> Truncated:
        """The figures of a picture of low rank."""
        cut_off = sum(channel.error for channel in near.channels)
        most = min(min(channel.left.shape[0], channel.right.shape[1]) for channel in near.channels[:1])
        return cls(near.rank, sum(c.total for c in near.channels), cut_off, squared_error, (how.rank or 0) > most)


@dataclass(frozen=True)
class FrameStats:
    """What is counted of one frame: width and height, its visible samples, their squared error, and whether they are
    compared as they were (no color turned gray, no 16 bits cut to 8)."""

    size: tuple[int, int]
    samples: int = 0
    squared_error: int = 0
    same: bool = False
    truncated: Truncated | None = None


class Method(Protocol):
    """Draws the frames of a group. Within runs of `run`, frames are drawn from each other; groups are whole runs,
    with about `group_pixels` where that is not 0. `decoder` turns what is drawn into pictures."""

    @property
    def decoder(self) -> FrameDecoder: ...
    @property
    def run(self) -> int: ...
    @property
    def group_pixels(self) -> int: ...
    def drawn(self, frames: Iterable[Frame]) -> Iterator[tuple[CodedFrame, FrameStats]]: ...


class VectorQuantization:
    """Codes of a codebook, of frames or of what is left of them at low rank. `pixels` are those of a video's frame.

    The error is that against the frames as they were.
    """

    def __init__(
        self, codebook: Codebook, lossy: float = 0, low_rank: LowRankSettings | None = None, pixels: int | None = None
    ) -> None:
        self.decoder = codebook
        self._lossy = lossy
        self._low_rank = low_rank
        self.run = cold_start_interval(pixels) if low_rank else 1
        self.group_pixels = _LOSSY_PIXELS if lossy else 0

    def drawn(self, frames: Iterable[Frame]) -> Iterator[tuple[CodedFrame, FrameStats]]:
        """The frames of a group as codes, and their figures."""
        before = None
        if self._low_rank is None:
            for frame in frames:
                before, error = self.decoder.quantize_frame(frame, before, self._lossy)
                yield before, _figures(frame, before, self.decoder.channels, error)
            return
        kind = "gray" if self.decoder.channels == 1 else "rgb"
        for frame, near, truncated in truncate_frames(frames, self._low_rank, self.run, kind == "gray"):
            before, _ = self.decoder.quantize_frame(truncated, before, self._lossy)
            height, width = frame.pixels.shape[:2]
            picture = split(truncated.pixels, kind)[0].reshape(height, width, -1)
            of_truncation = Truncated.of(near, self._low_rank, visible_error(frame.pixels, picture))
            error = visible_error(frame.pixels, self.decoder.render(before))
            yield before, _figures(frame, before, self.decoder.channels, error, of_truncation)


class Factorization:
    """Factors of low rank, to be `stored` or else only drawn; `pixels` are those of a video's frame.

    Without a space in its settings, frames are stored as ycbcr420, which at equal bytes is nearer than rgb.
    """

    group_pixels = 0

    def __init__(self, how: LowRankSettings, stored: bool, pixels: int | None = None) -> None:
        self._how = how
        self.decoder = LowRankCodec(how.space or ("ycbcr420" if stored else "rgb"), how.patch, stored)
        self.run = cold_start_interval(pixels)

    def drawn(self, frames: Iterable[Frame]) -> Iterator[tuple[CodedFrame, FrameStats]]:
        """The frames of a group as factors, and their figures."""
        near = None
        for number, frame in enumerate(frames):
            found = self.decoder.factor_frame(frame, self._how, near if number % self.run else None)
            near = found.near
            of_truncation = Truncated.of(near, self._how, found.truncation_error)
            yield (
                found.coded,
                _figures(frame, found.coded, self.decoder.channels, found.squared_error, of_truncation),
            )


def _figures(
    frame: Frame, coded: CodedFrame, channels: int, squared_error: int, truncated: Truncated | None = None
) -> FrameStats:
    visible = coded.height * coded.width if coded.alpha is None else int(np.count_nonzero(coded.alpha))
    same = frame.pixels.dtype == np.uint8 and (channels == 3 or frame.pixels.shape[2] == 1)
    return FrameStats((coded.width, coded.height), visible * channels, squared_error, same, truncated)
