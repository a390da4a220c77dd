"""The plot of a comparison: original, quantized, and their difference."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from streamvq.container.clip import Clip
from streamvq.container.reader import open_svq
from streamvq.frames import LowRankFrame
from streamvq.media.inputs import MediaInput
from streamvq.quantize.metrics import code_bits, compression_rate
from streamvq.quantize.pixels import luma
from streamvq.quantize.similarity import composite
from streamvq.report.comparison import Comparison, FrameComparison
from streamvq.report.pairing import Pair
from streamvq.report.plotting import check_plot_path, reproducible, save_plot
from streamvq.report.swatches import saved_codebook

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROWS = 4  # frames in the plot where none are selected
MAX_ROWS = 12
ERROR_SCALE = 8
_PANEL_INCHES = 4.0
_DPI = 150
_MAX_NAME = 32  # characters in a title


@dataclass(frozen=True)
class Coding:
    """How TEST is coded in `space`: as `n_codes` codes for `block` (height, width) pixels each, or as factors of
    `ranks`, smallest to largest."""

    space: str
    n_codes: int = 0
    block: tuple[int, int] = (1, 1)
    ranks: tuple[int, int] | None = None

    @property
    def bits(self) -> int:
        """Bits of a code stored as a plain number."""
        return code_bits(self.n_codes)

    @property
    def compression_rate(self) -> float | None:
        """Of plain code numbers compared with 8-bit samples, 0 to 1; None for factors."""
        return None if self.ranks else compression_rate(self.n_codes, 1 if self.space == "gray" else 3, self.block)

    @property
    def is_levels(self) -> bool:
        """Whether they are gray levels of single pixels."""
        return self.space == "gray" and self.block == (1, 1) and not self.ranks

    def __str__(self) -> str:
        if self.ranks:
            smallest, largest = self.ranks
            return f"rank {largest}" if smallest == largest else f"ranks {smallest} to {largest}"
        if self.block != (1, 1):
            return f"{self.n_codes} blocks of {self.block[1]}x{self.block[0]}"
        unit = "gray levels" if self.is_levels else "colors"
        if self.n_codes != 2**self.bits:
            return f"{self.n_codes} {unit}"
        return f"{self.n_codes} {unit} ({self.bits} bit{'s' * (self.bits > 1)})"


def coding_of(test: MediaInput, frames: Sequence[int], colors: int) -> Coding | None:
    """How a `.svq` is coded (for factors, the ranks of those `frames`), or an output with its codebook next to it.

    None where that is unknown. A codebook is used only where TEST has no more distinct `colors` than it: one next to
    another file of the same name, or next to a preview with colors of its own, describes something else.
    """
    if test.source_type == "pipe":
        return None
    if test.is_svq:
        with open_svq(test.paths[0], label=test.label) as reader:
            header = reader.header
        if header.n_codes:
            return Coding(header.space, header.n_codes, header.block)
        return Coding(header.space, ranks=_ranks(test.paths[0], frames))
    book = saved_codebook(Path(test.label))
    return Coding(book.space, len(book), book.block) if book and colors <= len(book.palette) else None


def _ranks(path: Path, frames: Sequence[int]) -> tuple[int, int]:
    """The smallest and the largest rank of the frames of a `.svq` of factors."""
    with Clip(path, max_pixels=sys.maxsize) as clip:  # they were read before
        coded = [clip.coded(index) for index in frames]
    ranks = [max(plane.rank for plane in frame.planes) for frame in coded if isinstance(frame, LowRankFrame)]
    return min(ranks), max(ranks)


def evenly_spaced(comparison: Comparison, max_frames: int = ROWS) -> list[int]:
    """The indices of at most `max_frames` of the frames compared, evenly spaced, in order."""
    frames = comparison.frames
    count = min(max_frames, len(frames))
    return [frames[(2 * i + 1) * len(frames) // (2 * count)].index for i in range(count)]


def plot_comparison(
    path: Path, comparison: Comparison, pairs: Iterable[Pair], coding: Coding | None = None, overwrite: bool = False
) -> None:
    """Write a plot with a row for each pair: original | quantized | error x8, under the coding, its rates and PSNR.

    Where TEST is coded as gray levels: original | quantized, in gray.
    Raises UsageError, OutputExists or OutputError, and StreamVQError without matplotlib.
    """
    check_plot_path(path)
    from matplotlib.figure import Figure

    rows = [_panels(pair, coding) for pair in pairs]
    frames = comparison.by_index
    heights = [row.panels[0].shape[0] / row.panels[0].shape[1] for row in rows]
    columns = len(rows[0].panels)
    inches = (_PANEL_INCHES * columns, _PANEL_INCHES * sum(heights) + 0.3 * len(rows) + 0.4)  # 0.3 for titles
    with reproducible():
        figure = Figure(figsize=inches, dpi=_DPI, layout="constrained")
        figure.suptitle(_title(comparison, coding))
        axes = figure.subplots(len(rows), columns, squeeze=False, height_ratios=heights)
        for line, row in zip(axes, rows, strict=True):
            titles = row.titles(frames[row.index], coding, alone=len(rows) == 1)
            for axis, panel, title in zip(line, row.panels, titles, strict=True):
                _show(axis, panel, title)
        save_plot(figure, path, overwrite)


@dataclass(frozen=True, eq=False)
class _Row:
    """The panels of a frame: uint8 [height, width] (gray) or [height, width, 3]."""

    index: int
    panels: Sequence[NDArray[np.uint8]]

    def titles(self, frame: FrameComparison, coding: Coding | None, alone: bool) -> list[str]:
        label = frame.name or f"frame {frame.index}"
        if len(label) > _MAX_NAME:
            label = f"…{label[-_MAX_NAME:]}"
        if frame.time is not None:
            label += f", {frame.time:.2f} s"
        loss = "no error" if frame.psnr_db is None else f"{frame.psnr_db:.2f} dB"
        made = str(coding) if coding is not None and coding.ranks else "quantized"
        titles = [f"original: {label}", made if alone else f"{made}: {loss}", f"error x{ERROR_SCALE}"]
        return titles[: len(self.panels)]


def _panels(pair: Pair, coding: Coding | None) -> _Row:
    (original, _), (quantized, _) = composite(pair.reference.pixels), composite(pair.test.pixels)
    if coding is not None and coding.space == "gray":
        original, quantized = luma(original), luma(quantized)
    if coding is not None and coding.is_levels:
        return _Row(pair.index, (original, quantized))
    error = np.abs(original.astype(np.int16) - quantized)
    return _Row(pair.index, (original, quantized, np.minimum(ERROR_SCALE * error, 255).astype(np.uint8)))


def _title(comparison: Comparison, coding: Coding | None) -> str:
    """TEST over all its frames: coding, rates and PSNR."""
    parts = []
    if coding is not None:
        parts.append(str(coding))
    if coding is not None and coding.compression_rate is not None:
        parts.append(f"compression rate {100 * coding.compression_rate:.4g} %")
    if comparison.bits_per_pixel_test is not None:
        parts.append(f"{comparison.bits_per_pixel_test:.3g} bits per pixel")
    parts.append("no error" if comparison.psnr_db is None else f"PSNR {comparison.psnr_db:.2f} dB")
    return ", ".join(parts)


def _show(axis: Axes, panel: NDArray[np.uint8], title: str) -> None:
    axis.imshow(panel, cmap="gray", vmin=0, vmax=255)
    axis.set_title(title, fontsize="medium", parse_math=False)
    axis.set_axis_off()
