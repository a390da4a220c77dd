"""What came out of a run, in honest numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from streamvq.pipeline.encoders import FrameStats
from streamvq.quantize.decoder import FrameDecoder
from streamvq.quantize.metrics import compression_rate, psnr_db

_ONLY_IF_SET = (
    "skipped", "failed", "notes", "warnings", "error", "ignored_files", "parts", "exit_code", "compared", "rank",
    "energy", "truncation_psnr_db", "lossy", "tries",
)  # fmt: skip
_OF_COMPARISON = ("psnr_db", "lossless", "compression_rate")


@dataclass(frozen=True)
class Try:
    """A setting that was tried for `max_size` or `min_psnr`: what it makes of all frames, or (not `whole`) what so
    many `frames` of a sample say that it would make."""

    n_codes: int | None
    lossy: float
    width: int | None
    size_bytes: int
    psnr_db: float | None
    frames: int
    whole: bool


@dataclass(frozen=True, kw_only=True)
class Result:
    """The figures of one input. None means unknown, mixed, or not applicable.

    `psnr_db` compares the codes' samples with the input's as 8 bits (luma for a gray codebook), not what a lossy
    format makes of them, and is None where they are equal. `lossless` says that the output holds the input's very
    pixels. `compression_rate` is that of the codes' plain bits:
    (24 - bits) / 24, gray (8 - bits) / 8, with as many samples a code as it stands for. Of frames of low rank, `rank`
    is the largest of a frame's channel, `energy` the share of all squared singular values that is kept, and
    `truncation_psnr_db` the PSNR of the frames before they were quantized. `bytes_out` includes copied
    audio; `parts` says what it consists of, where the output is a `.svq` file. `ignored_files` counts the files of a
    folder that are no images. `tries` are those of `max_size` and `min_psnr`, and `lossy` is what was used.
    """

    input: str
    output: str
    codebook: str | None = None
    n_codes: int | None = None
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
    lossy: float = 0
    seconds: float | None = None
    frames_per_second: float | None = None
    parts: dict[str, int] = field(default_factory=dict, hash=False)
    ignored_files: int = 0
    skipped: bool = False
    failed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str | None = None
    exit_code: int = 0
    tries: tuple[Try, ...] = ()
    compared: bool = False

    @property
    def status(self) -> str:
        """What became of the input: "done", "skipped" or "failed"."""
        return "skipped" if self.skipped else "failed" if self.error else "done"

    def as_dict(self) -> dict[str, Any]:
        """The figures for JSON, with `status`; what is usually absent (failed, notes, error) only where it is."""
        absent = () if self.compared or self.skipped or self.error else _OF_COMPARISON
        listed = {
            key: value
            for key, value in vars(self).items()
            if (value or key not in _ONLY_IF_SET) and key not in absent
        }
        if self.tries:
            listed["tries"] = [vars(each) for each in self.tries]
        return {"input": self.input, "output": self.output, "status": self.status} | listed


class StatsAccumulator:
    """Adds up the figures of frames on their way to a sink; `exact` says that what is compared is what is written."""

    def __init__(self, exact: bool = False) -> None:
        self._exact = exact
        self._sizes: set[tuple[int, int]] = set()
        self._pixels = self._samples = self._squared_error = 0
        self._unconverted = True
        self._rank = self._truncation_error = 0
        self._energy = self._cut_off = 0.0
        self._full: tuple[int, int] | None = None  # the size of the first frame that has no such rank
        self._truncated = False
        self.frames = 0

    def add(self, stats: FrameStats) -> None:
        """Count one frame."""
        size, truncation = stats.size, stats.truncation
        self._sizes = (self._sizes | {size}) if len(self._sizes) < 2 else self._sizes
        self._pixels += size[0] * size[1]
        self._samples += stats.samples
        self._squared_error += stats.squared_error
        self._unconverted &= stats.unconverted
        self.frames += 1
        if truncation is not None:
            self._truncated = True
            self._rank = max(self._rank, truncation.rank)
            self._truncation_error += truncation.squared_error
            self._energy += truncation.total
            self._cut_off += truncation.cut_off
            self._full = self._full or (size if truncation.full else None)

    def psnr_db(self) -> float | None:
        """Of all samples so far; None where there is no error."""
        return psnr_db(self._squared_error, self._samples)

    def notes(self, label: str) -> list[str]:
        """What to tell of the frames counted."""
        if self._full is None:
            return []
        height, width = self._full
        return [f"{label}: frames of {width}x{height} have no rank that high: all is kept"]

    def result_fields(self, decoder: FrameDecoder, bytes_out: int, seconds: float) -> dict[str, Any]:
        """The fields of a `Result` that follow from what was counted, and from the finished output."""
        result: dict[str, Any] = {
            "frames": self.frames,
            "bytes_out": bytes_out,
            "bits_per_pixel": 8 * bytes_out / self._pixels if self._pixels else None,
            "compared": self._samples > 0,
            "psnr_db": self.psnr_db(),
            "lossless": self._unconverted and self._exact and self._squared_error == 0,
            "seconds": seconds,
            "frames_per_second": self.frames / seconds if seconds else None,
        }
        if len(self._sizes) == 1:
            result["height"], result["width"] = next(iter(self._sizes))
        if decoder.n_codes is not None and decoder.block is not None:
            rate = compression_rate(decoder.n_codes, decoder.channels, decoder.block)
            result |= {"n_codes": decoder.n_codes, "block": decoder.block, "compression_rate": rate}
        if self._truncated:
            result["rank"] = self._rank
            result["energy"] = 1 - self._cut_off / self._energy if self._energy else 1.0
            result["truncation_psnr_db"] = psnr_db(self._truncation_error, self._samples)
        return result
