"""The plot of a spectrum: singular values, PSNR by rank, and a frame at several ranks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamvq.frames import Frame
from streamvq.lowrank.low_rank import factorized
from streamvq.lowrank.svd import ROUNDING
from streamvq.options import LowRankOptions
from streamvq.quantize.metrics import psnr_db, visible_error
from streamvq.quantize.pixels import eight_bit, split
from streamvq.report.plotting import check_plot_path, reproducible, save_plot
from streamvq.report.spectrum_stats import Spectrum

_RANKS = 4  # at which the frame is shown, next to the frame itself
_WIDTH, _CURVES = 15.0, 4.2  # in inches: all of it, and the height of its upper half
_MAX_ASPECT = 1.5  # height by width of a picture in it
_DPI = 120


def plot_spectrum(
    path: Path, frame: Frame, spectrum: Spectrum, patch: int, gray: bool, overwrite: bool = False
) -> None:
    """Write the plot; `frame` is shown at several ranks. Raises UsageError, OutputExists or OutputError."""
    check_plot_path(path)
    from matplotlib.figure import Figure

    stats = spectrum.stats
    spaced = {stats[(2 * i + 1) * len(stats) // (2 * _RANKS)].rank for i in range(_RANKS)}
    panels = _panels(frame, sorted(spaced), patch, gray)
    height, width = panels[0][1].shape[:2]
    pictures = _WIDTH / len(panels) * min(height / width, _MAX_ASPECT) + 0.3  # 0.3 for titles
    with reproducible():
        figure = Figure(figsize=(_WIDTH, _CURVES + pictures), dpi=_DPI, layout="constrained")
        curves, below = figure.subfigures(2, 1, height_ratios=(_CURVES, pictures), squeeze=False)[:, 0]
        values, loss = curves.subplots(1, 2)
        singular = spectrum.singular_values
        values.loglog(
            np.arange(1, len(singular) + 1), np.where(singular > ROUNDING * singular[0], singular, np.nan), marker="."
        )
        values.set(xlabel="component", ylabel="singular value", title=_title(spectrum, patch))
        ranks = [row.rank for row in stats]
        for name, label in (("psnr_db", "truncated"), ("stored_psnr_db", "stored with quantized factors")):
            loss.plot(ranks, [getattr(row, name) or np.nan for row in stats], marker="o", label=label)
        loss.set_xscale("log", base=2)
        loss.set_xticks(ranks, labels=map(str, ranks))
        loss.minorticks_off()
        loss.set(xlabel="rank", ylabel="PSNR in dB", title="PSNR by rank")
        loss.legend()
        for axis in (values, loss):
            axis.grid(alpha=0.3)
        for axis, (title, pixels) in zip(below.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            axis.imshow(pixels, cmap="gray", vmin=0, vmax=255)
            axis.set_title(title, fontsize="medium")
            axis.set_axis_off()
        save_plot(figure, path, overwrite)


def _title(spectrum: Spectrum, patch: int) -> str:
    patches = f" of patches of {patch}x{patch}" if patch else ""
    return f"spectrum{patches}" + (f", mean of {spectrum.frames} frames" if spectrum.frames > 1 else "")


def _panels(frame: Frame, ranks: list[int], patch: int, gray: bool) -> list[tuple[str, NDArray[np.uint8]]]:
    """Titles and pixels of the frame at ranks, and as it is."""
    pixels = eight_bit(frame.pixels)
    space = "gray" if gray or pixels.shape[2] == 1 else "rgb"
    panels = []
    for rank in ranks:
        factors = factorized(pixels, LowRankOptions(rank=rank, patch=patch), space, None)
        approximation = split(factors.pixels(), space)[0]
        shaped = approximation.reshape(*pixels.shape[:2], -1)
        psnr = psnr_db(visible_error(pixels, shaped), shaped.size)
        panels.append((f"rank {rank}, " + (f"{psnr:.2f} dB" if psnr else "no error"), approximation))
    return [*panels, ("original", split(pixels, space)[0])]
