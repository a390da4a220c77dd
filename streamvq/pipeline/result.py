"""What came out of a run, in honest numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from streamvq.media.sinks.sink import FrameSink
from streamvq.pipeline.encoders import FrameStats
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.decoder import FrameDecoder
from streamvq.quantize.metrics import compression_rate, psnr_db


@dataclass
class Result:
    """The figures of one input. None means unknown, mixed, or not applicable.

    `psnr_db` compares the codes' samples with the input's as 8 bits (luma for a gray codebook), not what a lossy
    format makes of them, and is None where they are equal. `lossless` says that the output holds the input's very
    pixels. `compression_rate` is that of the codes' plain bits:
    (24 - bits) / 24, gray (8 - bits) / 8, with as many samples a code as it stands for. Of frames of low rank, `rank`
    is the greatest of a frame's channel, `energy` the share of all squared singular values that is kept, and
    `truncation_psnr_db` the PSNR of the frames before they were quantized. `bytes_out` includes copied
    audio; `parts` says what it consists of, where the output is a `.svq` file.
    """

    input: str
    output: str
    codebook: str | None = None
    colors: int | None = None
    block: tuple[int, int] | None = None
    frames: int = 0
    width: int | None = None
    height: int | None = None
    bytes_in: int | None = None
    bytes_out: int | None = None
    codebook_bytes: int | None = None
    bits_per_pixel: float | None = None
    compression_rate: float | None = None
    psnr_db: float | None = None
    rank: int | None = None
    energy: float | None = None
    truncation_psnr_db: float | None = None
    lossless: bool = False
    seconds: float | None = None
    frames_per_second: float | None = None
    parts: dict[str, int] = field(default_factory=dict)
    ignored_files: int = 0
    skipped: bool = False
    failed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    error: str | None = None
    exit_code: int = 0
    compared: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The figures for JSON; what is usually absent (skipped, failed, notes, error) only where it is there."""
        rare: tuple[str, ...] = (
            "skipped",
            "failed",
            "notes",
            "warnings",
            "error",
            "ignored_files",
            "parts",
            "exit_code",
            "compared",
        )
        rare += ("rank", "energy", "truncation_psnr_db")
        loss = () if self.compared or self.skipped or self.error else ("psnr_db", "lossless", "compression_rate")
        return {key: value for key, value in vars(self).items() if (value or key not in rare) and key not in loss}


class StatsAccumulator:
    """Adds up frames on their way to a sink."""

    def __init__(self) -> None:
        self._sizes: set[tuple[int, int]] = set()
        self._pixels = self._samples = self._squared_error = 0
        self._same = True
        self._rank = self._truncation_error = 0
        self._energy = self._cut_off = 0.0
        self._full: tuple[int, int] | None = None  # the size of the first frame that has no such rank
        self._truncated = False
        self.frames = 0

    def add(self, figures: FrameStats, exact: bool) -> None:
        """Count one frame; `exact` says that what is compared is what is written."""
        size, truncated = figures.size, figures.truncated
        self._sizes = (self._sizes | {size}) if len(self._sizes) < 2 else self._sizes
        self._pixels += size[0] * size[1]
        self._samples += figures.samples
        self._squared_error += figures.squared_error
        self._same &= figures.same and exact
        self.frames += 1
        if truncated is not None:
            self._truncated = True
            self._rank = max(self._rank, truncated.rank)
            self._truncation_error += truncated.squared_error
            self._energy += truncated.total
            self._cut_off += truncated.cut_off
            self._full = self._full or (size if truncated.full else None)

    def psnr_db(self) -> float | None:
        """Of all samples so far; None where there is no error."""
        return psnr_db(self._squared_error, self._samples)

    def fill(self, result: Result, sink: FrameSink, decoder: FrameDecoder, seconds: float) -> None:
        """Set the figures that follow from what was counted, and from the finished sink."""
        bytes_out = sink.size_bytes
        result.frames = self.frames
        if len(self._sizes) == 1:
            result.width, result.height = next(iter(self._sizes))
        result.bytes_out = bytes_out
        result.bits_per_pixel = 8 * bytes_out / self._pixels if self._pixels else None
        result.compared = self._samples > 0
        result.psnr_db = self.psnr_db()
        result.lossless = self._same and self._squared_error == 0
        result.parts = sink.parts
        result.seconds = seconds
        result.frames_per_second = self.frames / seconds if seconds else None
        if isinstance(decoder, Codebook):
            result.colors, result.block = len(decoder), decoder.block
            result.compression_rate = compression_rate(len(decoder), decoder.channels, decoder.block)
        if self._truncated:
            result.rank = self._rank
            result.energy = 1 - self._cut_off / self._energy if self._energy else 1.0
            result.truncation_psnr_db = psnr_db(self._truncation_error, self._samples)
            if self._full:
                width, height = self._full
                result.notes.append(f"{result.input}: frames of {width}x{height} have no rank that high: all is kept")
