"""`streamvq spectrum`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamvq.cli import options as opt

if TYPE_CHECKING:
    from streamvq.frames import Frame
    from streamvq.report.spectrum import FrameSpectrum, RankFigures, Spectrum

EXAMPLES = """\b
Examples:
  streamvq spectrum photo.jpg
  streamvq spectrum clip.mp4 --every 25 --patch 8
  streamvq spectrum photo.jpg --ranks 5,20,50 --plot photo-ranks.png"""


def spectrum(
    input: Annotated[str, typer.Argument(metavar="INPUT", help="A video, an image, a folder, a .svq, or - (y4m).")],
    ranks: Annotated[
        str | None, typer.Option("--ranks", help="The ranks to show, such as 5,20,50 (1,2,4,...).")
    ] = None,
    patch: Annotated[int, typer.Option("--patch", help="Of the matrix of PxP patches, not of whole frames.")] = 0,
    gray: Annotated[bool, typer.Option("--gray", help="Of the luma.")] = False,
    every: Annotated[int, typer.Option("--every", help="Look at each N-th frame only.")] = 1,
    recursive: opt.Recursive = False,
    keep_going: opt.KeepGoing = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            help="Draw singular values, PSNR by rank, and the first frame at several ranks (.png .svg .pdf).",
            rich_help_panel="Output",
        ),
    ] = None,
    overwrite: opt.Overwrite = False,
    jobs: opt.Jobs = 0,
    json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="One JSON object a frame, then one of them all.",
            rich_help_panel="Running and reporting",
        ),
    ] = False,
    quiet: opt.Quiet = False,
    debug: opt.Debug = False,
) -> None:
    """Show what low rank keeps: singular values, and PSNR and bytes by rank, before compressing with --rank.

    Ranks and PSNR are of the channels R, G, B; bytes are those of a frame's factors as --method svd stores it.
    """
    from streamvq.cli.printing import print_json, progress_bar
    from streamvq.errors import UsageError
    from streamvq.media.opening import open_source
    from streamvq.options import LowRankOptions, RunSettings
    from streamvq.report.figure import check_figure_name
    from streamvq.report.spectrum import Spectrum, spectra
    from streamvq.staging import check_free

    chosen = _ranks(ranks)
    LowRankOptions(rank=1, patch=patch)  # checks
    if every < 1:
        raise UsageError(f"--every {every}: choose 1 or more")
    if plot is not None:
        check_figure_name(plot)
        check_free(plot, overwrite)
    run = RunSettings(jobs, keep_going=keep_going)
    total = Spectrum()
    first: list[Frame] = []
    with open_source(input, recursive, keep_going) as source:
        for frame, found in spectra(source, chosen, patch, gray, every, run, progress_bar(quiet)):
            total.add(found)
            first = first or [frame]
            if json:
                print_json({"input": source.label} | _frame_record(frame, found))
    if json:
        print_json({"input": input, "frames": total.frames, "ranks": _shares(total), "at": _rows(total.figures)})
    elif not quiet:
        print(_table(input, total, patch))
    if plot is not None:
        from streamvq.report.spectrum_figure import draw

        draw(plot, first[0], total, patch, gray, overwrite)


def _ranks(text: str | None) -> list[int]:
    """Ranks from "5,20,50". Raises UsageError."""
    from streamvq.errors import UsageError

    try:
        ranks = [int(part) for part in text.split(",")] if text else []
    except ValueError:
        ranks = [0]
    if min(ranks, default=1) < 1:
        raise UsageError(f"--ranks {text}: give ranks from 1, such as 5,20,50")
    return ranks


def _frame_record(frame: Frame, found: FrameSpectrum) -> dict[str, Any]:
    from streamvq.report.spectrum import SHARES

    height, width = frame.pixels.shape[:2]
    return {
        "frame": frame.index,
        "name": frame.name,
        "time": None if frame.time is None else float(frame.time),
        "width": width,
        "height": height,
        "ranks": dict(zip(map(str, SHARES), found.ranks, strict=True)),
        "at": _rows(found.figures),
        "singular_values": [[float(f"{value:.6g}") for value in values] for values in found.singular_values],
    }


def _shares(total: Spectrum) -> dict[str, dict[str, float]]:
    """By share of the energy the least, mean and greatest rank of a frame."""
    from streamvq.report.spectrum import SHARES

    names = ("least", "mean", "greatest")
    return {
        str(share): dict(zip(names, ranks, strict=True)) for share, ranks in zip(SHARES, total.ranks, strict=True)
    }


def _rows(figures: list[RankFigures]) -> list[dict[str, Any]]:
    return [vars(figure) for figure in figures]


def _table(label: str, total: Spectrum, patch: int) -> str:
    """The spectrum for people."""
    from streamvq.cli.printing import bytes_text
    from streamvq.report.spectrum import SHARES

    what = f"patches of {patch}x{patch}" if patch else "whole frames"
    frames = "1 frame" if total.frames == 1 else f"{total.frames} frames"
    lines = [f"{label}: {frames}, {what}"]
    for share, (least, mean, most) in zip(SHARES, total.ranks, strict=True):
        ranks = f"rank {least}" if least == most else f"rank {least} to {most}, {mean:.1f} on average"
        lines.append(f"  {100 * share:g} % of the energy: {ranks}")
    lines.append("")
    lines.append("  rank     energy  PSNR dB      stored  PSNR stored   as float32")
    for row in total.figures:
        psnr, stored = (
            f"{value:.2f}" if value is not None else "exact" for value in (row.psnr_db, row.stored_psnr_db)
        )
        lines.append(
            f"  {row.rank:4d} {100 * row.energy:8.4f} %  {psnr:>7}  {bytes_text(row.stored_bytes):>10}  {stored:>11}"
            f"   {bytes_text(row.float_bytes):>10}"
        )
    raw = total.figures[-1].raw_bytes
    lines.append(f"  the pixels themselves: {bytes_text(raw)}")
    return "\n".join(lines)
