"""`streamvq compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streamvq.cli import options as opt

if TYPE_CHECKING:
    from streamvq.report.comparison import Comparison

_WRITE = "Output"

EXAMPLES = """\b
Examples:
  streamvq compare clip.mp4 clip.svq
  streamvq compare photos/ build/ --csv figures.csv
  streamvq compare clip.mp4 clip.svq --frames 50 --plot frame50.png
  streamvq compare clip.mp4 clip.svq --json | jq .psnr_db"""


def compare(
    reference: Annotated[str, typer.Argument(metavar="REF", help="The original: anything that compress takes.")],
    test: Annotated[str, typer.Argument(metavar="TEST", help="What became of it; a .svq too.")],
    codebook: Annotated[
        Path | None,
        typer.Option("-c", "--codebook", help="For a .svq without its codebook inside.", rich_help_panel="Input"),
    ] = None,
    frames: Annotated[
        str | None,
        typer.Option(
            "--frames",
            help="Frames A:B only (A to B - 1, from 0); also A:, :B, A, and A:B:STEP.",
            rich_help_panel="Input",
        ),
    ] = None,
    resize: Annotated[
        bool, typer.Option("--resize", help="Scale TEST to the size of REF.", rich_help_panel="Input")
    ] = False,
    recursive: Annotated[
        bool, typer.Option("-r", "--recursive", help="Folders with their subfolders.", rich_help_panel="Input")
    ] = False,
    keep_going: opt.KeepGoing = False,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Write a table with a row a frame.", rich_help_panel=_WRITE)
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            help="Draw original, quantized, and error x8 of the frames chosen, or of four (.png .svg .pdf).",
            rich_help_panel=_WRITE,
        ),
    ] = None,
    overwrite: opt.Overwrite = False,
    jobs: opt.Jobs = 0,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object on stdout.", rich_help_panel="Running and reporting")
    ] = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
    debug: opt.Debug = False,
) -> None:
    """Measure how near TEST comes to REF: PSNR, SSIM, flicker, distinct colors, bytes and bits per pixel.

    Image folders are paired by name, all else in order and by time. Flicker is the share of the pixels that are still
    in REF and change in TEST.
    """
    from streamvq.cli.printing import print_json, progress_bar, say
    from streamvq.report import compare as comparing

    found = comparing.compare(
        reference,
        test,
        resize=resize,
        recursive=recursive,
        frames=_chosen_frames(frames),
        codebook=codebook,
        csv=csv,
        plot=plot,
        overwrite=overwrite,
        jobs=jobs,
        keep_going=keep_going,
        progress=progress_bar(quiet),
    )
    for reason in found.failed:
        say(f"error: {reason}")
    if not quiet:
        for note in found.notes:
            say(f"note: {note}")
    if json:
        print_json(found.as_dict())
    elif not quiet:
        print(_summary(found, verbose))
    if found.failed:
        raise typer.Exit(1)


def _chosen_frames(text: str | None) -> range | None:
    """Frames from what `opt.frame_range` takes, or "A:B:STEP". Raises UsageError."""
    from streamvq.errors import UsageError

    if text is None or text.count(":") < 2:
        return opt.frame_range(text)
    ends, _, step = text.rpartition(":")
    if not step.isdecimal() or not int(step):
        raise UsageError(f"--frames {text}: give A:B, or A:B:STEP for every STEP-th, counted from 0")
    frames = opt.frame_range(ends)
    return frames and frames[:: int(step)]


def _summary(found: Comparison, verbose: bool) -> str:
    """A comparison for people, several lines."""
    from streamvq.cli.printing import bytes_text

    sizes = {(frame.width, frame.height) for frame in found.frames}
    size = "{}x{}".format(*next(iter(sizes))) if len(sizes) == 1 else "mixed sizes"
    frames = "1 frame" if len(found.frames) == 1 else f"{len(found.frames)} frames"
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
