"""`draw`: original, quantized, and what is between them, as one figure for people."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from streamvq.container.clip import Clip
from streamvq.container.reader import open_svq
from streamvq.errors import CodebookError, StreamVQError, UsageError
from streamvq.frames import LowRankFrame
from streamvq.media.inputs import MediaInput
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.metrics import code_bits, compression_rate
from streamvq.quantize.pixels import luma
from streamvq.quantize.similarity import composite
from streamvq.report.comparison import Comparison, FrameFigures
from streamvq.report.pairing import Pair
from streamvq.report.swatches import beside
from streamvq.staging import staged_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".png", ".svg", ".pdf")
ROWS = 4  # frames shown where none are chosen
ROWS_MOST = 12
ERROR_SCALE = 8
_PANEL_INCHES = 4.0
_DPI = 150
_NAME_MOST = 32  # characters of a title


@dataclass(frozen=True)
class Coding:
    """What TEST is written as: `codes` codes for `block` (height, width) pixels each, or factors of the least and the
    greatest of `ranks`. `space` is where."""

    space: str
    codes: int = 0
    block: tuple[int, int] = (1, 1)
    ranks: tuple[int, int] | None = None

    @property
    def bits(self) -> int:
        """Bits of a plain code number."""
        return code_bits(self.codes)

    @property
    def compression_rate(self) -> float | None:
        """That of plain code numbers against 8-bit samples; None for factors."""
        return None if self.ranks else compression_rate(self.codes, 1 if self.space == "gray" else 3, self.block)

    @property
    def is_levels(self) -> bool:
        """Whether they are gray levels of single pixels."""
        return self.space == "gray" and self.block == (1, 1) and not self.ranks

    def __str__(self) -> str:
        if self.ranks:
            least, most = self.ranks
            return f"rank {most}" if least == most else f"ranks {least} to {most}"
        if self.block != (1, 1):
            return f"{self.codes} blocks of {self.block[1]}x{self.block[0]}"
        kind = "gray levels" if self.is_levels else "colors"
        if self.codes != 2**self.bits:
            return f"{self.codes} {kind}"
        return f"{self.codes} {kind} ({self.bits} bit{'s' * (self.bits > 1)})"


def coding_of(test: MediaInput, frames: Sequence[int], colors: int) -> Coding | None:
    """How a `.svq` is written (of factors, the ranks of those `frames`), or another output by the codebook beside it.

    None where that is unknown. A codebook is believed only where TEST shows no more `colors` than it has: one that
    lies beside another file of the same name, or beside a preview with colors of its own, says nothing of what is
    seen.
    """
    if test.source_type == "pipe":
        return None
    if test.is_svq:
        with open_svq(test.paths[0], label=test.label) as reader:
            header = reader.header
        if header.n_codes:
            return Coding(header.space, header.n_codes, header.block)
        return Coding(header.space, ranks=_ranks(test.paths[0], frames))
    try:
        book = Codebook.load(beside(Path(test.label)))
    except CodebookError:
        return None
    return Coding(book.space, len(book), book.block) if colors <= len(book.palette) else None


def _ranks(path: Path, frames: Sequence[int]) -> tuple[int, int]:
    """The least and the greatest rank of the frames of a `.svq` of factors."""
    with Clip(path) as clip:
        coded = [clip.coded(index) for index in frames]
    ranks = [max(plane.rank for plane in frame.planes) for frame in coded if isinstance(frame, LowRankFrame)]
    return min(ranks), max(ranks)


def shown(comparison: Comparison, most: int = ROWS) -> list[int]:
    """The indices of at most so many of the frames compared, evenly spaced, in order."""
    frames = comparison.frames
    count = min(most, len(frames))
    return [frames[(2 * i + 1) * len(frames) // (2 * count)].index for i in range(count)]


def check_figure_name(path: Path) -> None:
    """Raise UsageError where a figure cannot be named so, and StreamVQError where matplotlib is missing."""
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"{path}: a figure ends in {', '.join(FORMATS)}")
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise StreamVQError(f"{path}: figures need matplotlib: pip install 'streamvq[report]'") from error


def draw(
    path: Path, comparison: Comparison, pairs: Iterable[Pair], coding: Coding | None = None, overwrite: bool = False
) -> None:
    """Write a figure with a row for each pair: original | quantized | error x8.

    Where TEST is gray levels, in gray: original | quantized | side by side under the compression rate.
    Raises UsageError, OutputExists or OutputError, and StreamVQError without matplotlib.
    """
    check_figure_name(path)
    import matplotlib
    from matplotlib.figure import Figure

    rows = [_panels(pair, coding) for pair in pairs]
    frames = {frame.index: frame for frame in comparison.frames}
    widths = [panel.shape[1] / rows[0].panels[0].shape[1] for panel in rows[0].panels]
    heights = [row.panels[0].shape[0] / row.panels[0].shape[1] for row in rows]
    inches = (_PANEL_INCHES * sum(widths), _PANEL_INCHES * sum(heights) + 0.3 * len(rows) + 0.4)  # 0.3 for titles
    with matplotlib.rc_context({"svg.hashsalt": "streamvq", "font.size": 9}):  # the same bytes every time
        figure = Figure(figsize=inches, dpi=_DPI, layout="constrained")
        figure.suptitle(_title(comparison, coding))
        axes = figure.subplots(len(rows), 3, squeeze=False, width_ratios=widths, height_ratios=heights)
        for line, row in zip(axes, rows, strict=True):
            titles = row.titles(frames[row.index], coding, alone=len(rows) == 1)
            for axis, panel, title in zip(line, row.panels, titles, strict=True):
                _show(axis, panel, title)
        save(figure, path, overwrite)


@dataclass(frozen=True, eq=False)
class _Row:
    """The three pictures of a frame: uint8 [height, width] (gray) or [height, width, 3]."""

    index: int
    panels: Sequence[NDArray[np.uint8]]

    def titles(self, frame: FrameFigures, coding: Coding | None, alone: bool) -> tuple[str, str, str]:
        place = frame.name or f"frame {frame.index}"
        if len(place) > _NAME_MOST:
            place = f"…{place[-_NAME_MOST:]}"
        if frame.time is not None:
            place += f", {frame.time:.2f} s"
        loss = "no error" if frame.psnr_db is None else f"{frame.psnr_db:.2f} dB"
        if coding is not None and coding.is_levels:
            third = f"compression rate {100 * (coding.compression_rate or 0):.4g} %"
        else:
            third = f"error x{ERROR_SCALE}"
        return f"original: {place}", "quantized" if alone else f"quantized: {loss}", third


def _panels(pair: Pair, coding: Coding | None) -> _Row:
    (original, _), (quantized, _) = composite(pair.reference.pixels), composite(pair.test.pixels)
    if coding is not None and coding.space == "gray":
        original, quantized = luma(original), luma(quantized)
    if coding is not None and coding.is_levels:
        return _Row(pair.index, (original, quantized, np.hstack([original, quantized])))
    error = np.abs(original.astype(np.int16) - quantized)
    return _Row(pair.index, (original, quantized, np.minimum(ERROR_SCALE * error, 255).astype(np.uint8)))


def _title(comparison: Comparison, coding: Coding | None) -> str:
    """What is known of TEST over all its frames; the compression rate unless a panel has it."""
    parts = []
    if coding is not None:
        parts.append(str(coding))
    if coding is not None and coding.compression_rate is not None and not coding.is_levels:
        parts.append(f"compression rate {100 * coding.compression_rate:.4g} %")
    if comparison.bits_per_pixel_test is not None:
        parts.append(f"{comparison.bits_per_pixel_test:.3g} bits per pixel")
    parts.append("no error" if comparison.psnr_db is None else f"PSNR {comparison.psnr_db:.2f} dB")
    return ", ".join(parts)


def _show(axis: Axes, picture: NDArray[np.uint8], title: str) -> None:
    axis.imshow(picture, cmap="gray", vmin=0, vmax=255)
    axis.set_title(title, fontsize="medium", parse_math=False)
    axis.set_axis_off()


def save(figure: Any, path: Path, overwrite: bool) -> None:
    """Write without the date, which would make every run differ."""
    kind = path.suffix[1:].lower()
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    with staged_file(path, overwrite) as part, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of glyphs that names have and the font has not
        figure.savefig(part, format=kind, metadata=metadata, bbox_inches="tight", pad_inches=0.1)
