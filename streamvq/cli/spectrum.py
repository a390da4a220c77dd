"""`streamvq spectrum`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streamvq.cli import options as opt

if TYPE_CHECKING:
    from streamvq.report.spectrum_stats import FrameSpectrum, Spectrum

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
    from streamvq.report import spectrum as computing

    def print_frame(frame: FrameSpectrum) -> None:
        print_json({"input": input} | frame.as_dict())

    found = computing.spectrum(
        input,
        _ranks(ranks),
        patch=patch,
        gray=gray,
        every=every,
        plot=plot,
        overwrite=overwrite,
        recursive=recursive,
        keep_going=keep_going,
        jobs=jobs,
        on_frame=print_frame if json else None,
        progress=progress_bar(quiet),
    )
    if json:
        print_json({"input": input} | found.as_dict())
    elif not quiet:
        print(_table(input, found, patch))


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


def _table(label: str, found: Spectrum, patch: int) -> str:
    """The spectrum for people."""
    from streamvq.cli.printing import bytes_text
    from streamvq.report.spectrum_stats import ENERGY_SHARES

    what = f"patches of {patch}x{patch}" if patch else "whole frames"
    frames = "1 frame" if found.frames == 1 else f"{found.frames} frames"
    lines = [f"{label}: {frames}, {what}"]
    for share, (least, mean, most) in zip(ENERGY_SHARES, found.ranks, strict=True):
        ranks = f"rank {least}" if least == most else f"rank {least} to {most}, {mean:.1f} on average"
        lines.append(f"  {100 * share:g} % of the energy: {ranks}")
    lines.append("")
    lines.append("  rank     energy  PSNR dB      stored  PSNR stored   as float32")
    for row in found.stats:
        psnr, stored = (
            f"{value:.2f}" if value is not None else "exact" for value in (row.psnr_db, row.stored_psnr_db)
        )
        lines.append(
            f"  {row.rank:4d} {100 * row.energy:8.4f} %  {psnr:>7}  {bytes_text(row.stored_bytes):>10}  {stored:>11}"
            f"   {bytes_text(row.float_bytes):>10}"
        )
    raw = found.stats[-1].raw_bytes
    lines.append(f"  the pixels themselves: {bytes_text(raw)}")
    return "\n".join(lines)
