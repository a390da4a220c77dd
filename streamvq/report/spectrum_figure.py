"""The spectrum of an input as a figure: singular values, PSNR by rank, and a frame at several ranks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamvq.frames import Frame
from streamvq.lowrank.low_rank import factorized
from streamvq.options import LowRankOptions
from streamvq.quantize.metrics import psnr_db, visible_error
from streamvq.quantize.pixels import eight_bit, split
from streamvq.report.figure import check_figure_name, save
from streamvq.report.spectrum import Spectrum

_PICTURES = 4  # at falling ranks, beside the frame itself
_INCHES = (15.0, 8.0)
_DPI = 120


def draw(path: Path, frame: Frame, spectrum: Spectrum, patch: int, gray: bool, overwrite: bool = False) -> None:
    """Write the figure; `frame` is what is shown. Raises UsageError, OutputExists or OutputError."""
    check_figure_name(path)
    import matplotlib
    from matplotlib.figure import Figure

    figures = spectrum.figures
    shown = [figures[(2 * i + 1) * len(figures) // (2 * _PICTURES)].rank for i in range(_PICTURES)]
    pictures = _pictures(frame, sorted(set(shown)), patch, gray)
    with matplotlib.rc_context({"svg.hashsalt": "streamvq", "font.size": 9}):  # the same bytes every time
        figure = Figure(figsize=_INCHES, dpi=_DPI, layout="constrained")
        halves = figure.subfigures(2, 1, height_ratios=(1.1, 1), squeeze=False)[:, 0]
        values, loss = halves[0].subplots(1, 2)
        values.loglog(np.arange(1, len(spectrum.singular_values) + 1), np.maximum(spectrum.singular_values, 1e-3))
        values.set(xlabel="component", ylabel="singular value", title="spectrum" + _of(spectrum, patch))
        ranks = [row.rank for row in figures]
        for name, label in (("psnr_db", "truncated"), ("stored_psnr_db", "stored with quantized factors")):
            loss.plot(ranks, [getattr(row, name) or np.nan for row in figures], marker="o", label=label)
        loss.set_xscale("log", base=2)
        loss.set(xlabel="rank", ylabel="PSNR in dB", title="PSNR by rank")
        loss.legend()
        for axis in (values, loss):
            axis.grid(alpha=0.3)
        for axis, (title, pixels) in zip(
            halves[1].subplots(1, len(pictures), squeeze=False)[0], pictures, strict=True
        ):
            axis.imshow(pixels, cmap="gray", vmin=0, vmax=255)
            axis.set_title(title, fontsize="medium")
            axis.set_axis_off()
        save(figure, path, overwrite)


def _of(spectrum: Spectrum, patch: int) -> str:
    what = f" of patches of {patch}x{patch}" if patch else ""
    return what + (f", mean of {spectrum.frames} frames" if spectrum.frames > 1 else "")


def _pictures(frame: Frame, ranks: list[int], patch: int, gray: bool) -> list[tuple[str, NDArray[np.uint8]]]:
    """Titles and pixels of the frame at ranks, and as it is."""
    pixels = eight_bit(frame.pixels)
    space = "gray" if gray or pixels.shape[2] == 1 else "rgb"
    shown = []
    for rank in ranks:
        near = split(factorized(pixels, LowRankOptions(rank=rank, patch=patch), space, None).pixels(), space)[0]
        drawn = near.reshape(*pixels.shape[:2], -1)
        psnr = psnr_db(visible_error(pixels, drawn), drawn.size)
        shown.append((f"rank {rank}, " + (f"{psnr:.2f} dB" if psnr else "no error"), near))
    return [*shown, ("original", split(pixels, space)[0])]
