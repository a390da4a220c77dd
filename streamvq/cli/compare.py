"""`streamvq compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from streamvq.cli.parameters import Reference, VerboseOptions, with_options
from streamvq.errors import counted
from streamvq.options import CompareOptions

if TYPE_CHECKING:
    from streamvq.report.comparison import Comparison

EXAMPLES = """\b
Examples:
  streamvq compare clip.mp4 clip.svq
  streamvq compare photos/ build/ --csv figures.csv
  streamvq compare clip.mp4 clip.svq --frames 50 --plot frame50.png
  streamvq compare clip.mp4 clip.svq --json | jq .psnr_db"""


@with_options(json="One JSON object on stdout.", recursive="Folders with their subfolders.")
def compare(
    reference: Reference,
    test: Annotated[str, typer.Argument(metavar="TEST", help="What became of it; a .svq too.")],
    options: CompareOptions,
    printing: VerboseOptions,
) -> None:
    """Measure how near TEST comes to REF: PSNR, SSIM, flicker, distinct colors, bytes and bits per pixel.

    Image folders are paired by name, all else in order and by time. Flicker is the share of the pixels that are still
    in REF and change in TEST.
    """
    from streamvq.cli.printing import print_json, print_remarks
    from streamvq.report import compare as comparing

    found = comparing.compare(reference, test, **vars(options))
    print_remarks(found.failed, [] if printing.quiet else found.notes)
    if printing.json:
        print_json(found.as_dict())
    elif not printing.quiet:
        print(_summary(found, printing.verbose))
    if found.failed:
        raise typer.Exit(1)


def _summary(found: Comparison, verbose: bool) -> str:
    """A comparison for people, several lines."""
    from streamvq.errors import bytes_text

    sizes = {(frame.width, frame.height) for frame in found.frames}
    size = "{}x{}".format(*next(iter(sizes))) if len(sizes) == 1 else "mixed sizes"
    frames = counted(len(found.frames), "frame")
    loss = "no error at all"
    if found.psnr_db is not None:
        loss = f"PSNR {_decibels(found.psnr_db)}, of luma {_decibels(found.psnr_luma_db)}, SSIM {found.ssim:.4f}"
    lines = [f"{found.reference} -> {found.test}", f"  {frames}, {size}, {loss}"]
    if found.flicker is not None:
        lines.append(f"  flicker {100 * found.flicker:.3g} % of the pixels that are still in the original")
    lines.append(f"  {found.colors_reference} distinct colors, then {found.colors_test}")
    both = [
        bytes_text(count) + (f", {bits:.3g} bits per pixel" if bits is not None else "")
        for count, bits in (
            (found.bytes_reference, found.bits_per_pixel_reference),
            (found.bytes_test, found.bits_per_pixel_test),
        )
    ]
    lines.append(f"  {both[0]}; then {both[1]}")
    if verbose:
        lines += [
            f"  {frame.name or frame.index}: PSNR {_decibels(frame.psnr_db)}, SSIM {frame.ssim:.4f}"
            for frame in found.frames
        ]
    elif len(found.frames) > 1:
        worst = min(found.frames, key=lambda frame: frame.ssim)
        lines.append(
            f"  least like it: {worst.name or f'frame {worst.index}'}, PSNR {_decibels(worst.psnr_db)}, "
            f"SSIM {worst.ssim:.4f}"
        )
    return "\n".join(lines)


def _decibels(psnr: float | None) -> str:
    return "without error" if psnr is None else f"{psnr:.2f} dB"
