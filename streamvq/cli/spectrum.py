"""`streamvq spectrum`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamvq.cli.parameters import PrintOptions, with_options
from streamvq.errors import counted
from streamvq.options import SpectrumOptions

if TYPE_CHECKING:
    from streamvq.report.spectrum_stats import FrameSpectrum, Spectrum

EXAMPLES = """\b
Examples:
  streamvq spectrum photo.jpg
  streamvq spectrum clip.mp4 --every 25 --patch 8
  streamvq spectrum photo.jpg --ranks 5,20,50 --plot photo-ranks.png"""


@with_options(json="One JSON object a frame, then one of them all.")
def spectrum(
    input: Annotated[str, typer.Argument(metavar="INPUT", help="A video, an image, a folder, a .svq, or - (y4m).")],
    options: SpectrumOptions,
    printing: PrintOptions,
) -> None:
    """Show what low rank keeps: singular values, and PSNR and bytes by rank, before compressing with --rank.

    Ranks and PSNR are of the channels R, G, B; bytes are those of a frame's factors as --method svd stores it.
    """
    from streamvq.cli.printing import print_json
    from streamvq.report import spectrum as computing

    def print_frame(frame: FrameSpectrum) -> None:
        print_json({"input": input} | frame.as_dict())

    watched: dict[str, Any] = {"on_frame": print_frame} if printing.json else {}
    found = computing.spectrum(input, **vars(options) | watched)
    if printing.json:
        print_json({"input": input} | found.as_dict())
    elif not printing.quiet:
        print(_table(input, found, options.patch))


def _table(label: str, found: Spectrum, patch: int) -> str:
    """The spectrum for people."""
    from streamvq.errors import bytes_text
    from streamvq.report.spectrum_stats import ENERGY_SHARES

    what = f"patches of {patch}x{patch}" if patch else "whole frames"
    frames = counted(found.frames, "frame")
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
