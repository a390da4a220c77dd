"""What came out of a run, in honest numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from streamvq.quantize.codebook import Codebook
from streamvq.quantize.metrics import psnr_db


@dataclass
class Result:
    """The figures of one input. None means unknown, mixed, or not applicable.

    `psnr_db` compares the codes' samples with the input's as 8 bits (luma for a gray codebook), not what a lossy
    format makes of them, and is None where they are equal. `lossless` says that the output holds the input's very
    pixels. `compression_rate` is that of the codes' plain bits:
    (24 - bits) / 24, gray (8 - bits) / 8. `bytes_out` includes copied audio.
    """

    input: str
    output: str
    codebook: str | None = None
    colors: int | None = None
    frames: int = 0
    width: int | None = None
    height: int | None = None
    bytes_in: int | None = None
    bytes_out: int | None = None
    codebook_bytes: int | None = None
    bits_per_pixel: float | None = None
    compression_rate: float | None = None
    psnr_db: float | None = None
    lossless: bool = False
    seconds: float | None = None
    frames_per_second: float | None = None
    left_alone: int = 0
    skipped: bool = False
    failed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The figures for JSON; what is usually absent (skipped, failed, notes, error) only where it is there."""
        rare = ("skipped", "failed", "notes", "warnings", "error", "left_alone")
        return {key: value for key, value in vars(self).items() if value or key not in rare}


class Tally:
    """Adds up frames on their way to a sink."""

    def __init__(self, codebook: Codebook) -> None:
        self._codebook = codebook
        self._sizes: set[tuple[int, int]] = set()
        self._pixels = self._samples = self._squared_error = 0
        self._same = True
        self.frames = 0

    def add(self, size: tuple[int, int], samples: int, squared_error: int, same: bool) -> None:
        """Count one frame: width and height, visible samples, their sum of squared errors, and whether they are
        written as they were compared."""
        self._sizes = (self._sizes | {size}) if len(self._sizes) < 2 else self._sizes
        self._pixels += size[0] * size[1]
        self._samples += samples
        self._squared_error += squared_error
        self._same &= same
        self.frames += 1

    def fill(self, result: Result, bytes_out: int, seconds: float) -> None:
        """Set the figures that follow from what was counted."""
        full = 8 if self._codebook.space == "gray" else 24
        bits = max(1, math.ceil(math.log2(len(self._codebook))))
        result.frames = self.frames
        if len(self._sizes) == 1:
            result.width, result.height = next(iter(self._sizes))
        result.colors = len(self._codebook)
        result.bytes_out = bytes_out
        result.bits_per_pixel = 8 * bytes_out / self._pixels if self._pixels else None
        result.compression_rate = (full - bits) / full
        result.psnr_db = psnr_db(self._squared_error, self._samples)
        result.lossless = self._same and self._squared_error == 0
        result.seconds = seconds
        result.frames_per_second = self.frames / seconds if seconds else None
