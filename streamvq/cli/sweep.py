"""`streamvq sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streamvq.cli import options as opt
from streamvq.report import MAX_FRAMES

if TYPE_CHECKING:
    from streamvq.report.sweep import SweepResult

_GRID = "Grid"

EXAMPLES = """\b
Examples:
  streamvq sweep clip.mp4 -o rates/                       16, 64 and 256 colors
  streamvq sweep clip.mp4 --colors 16,64,256 --block 1,4 --rank 0,32 -o rates/
  streamvq sweep clip.mp4 --colors 256,1024 --block 2,8x4 -o rates/ --json"""


def sweep(
    source: Annotated[str, typer.Argument(metavar="INPUT", help="A video, an image, or a folder or glob of images.")],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            help="Folder for results, sweep.csv and report.html; what is there of the same input is kept.",
            rich_help_panel="Output",
        ),
    ],
    colors: Annotated[
        str, typer.Option("-k", "--colors", help="Numbers of colors or blocks to learn.", rich_help_panel=_GRID)
    ] = "16,64,256",
    block: Annotated[
        str, typer.Option("--block", help="What codes stand for: 1 pixel, 2, 4, 8 or WxH.", rich_help_panel=_GRID)
    ] = "1",
    rank: Annotated[
        str, typer.Option("--rank", help="Ranks to truncate frames to; 0: not at all.", rich_help_panel=_GRID)
    ] = "0",
    max_frames: Annotated[
        int, typer.Option("--max-frames", help="Pictures in the report, at most.", rich_help_panel="Output")
    ] = MAX_FRAMES,
    jobs: opt.Jobs = 0,
    json: Annotated[
        bool,
        typer.Option("--json", help="One JSON object a result on stdout.", rich_help_panel="Running and reporting"),
    ] = False,
    quiet: opt.Quiet = False,
    debug: opt.Debug = False,
) -> None:
    """Compress INPUT with every combination of colors, block and rank, and show what each costs and loses.

    It writes a .svq for each, a table (sweep.csv), and one page (report.html) with the rate-distortion plot. Stopped
    and started again, it goes on where it was.
    """
    from streamvq.cli.printing import print_json, progress_bar, say
    from streamvq.report import sweep as sweeping

    found = sweeping.sweep(
        source,
        output,
        _numbers(colors, "--colors"),
        [opt.block_sides(text) for text in _split(block)],
        _numbers(rank, "--rank"),
        max_frames=max_frames,
        command=_command(source, output, colors, block, rank, max_frames),
        jobs=jobs,
        progress=progress_bar(quiet),
    )
    comparisons = [result.comparison for result in found.results]
    failed = list(dict.fromkeys(reason for comparison in comparisons for reason in comparison.failed))
    for reason in failed:
        say(f"error: {reason}")
    if not quiet:
        kept = [f"{found.kept} of {len(found.results)} results were there and are kept"] if found.kept else []
        remarks = found.notes + [note for comparison in comparisons for note in comparison.notes]
        for note in dict.fromkeys(kept + remarks):
            say(f"note: {note}")
    if json:
        for result in found.results:
            print_json({"output": str(result.path), "report": str(found.page)} | result.as_dict())
    elif not quiet:
        print(_table(found.results))
        print(f"{found.page}: open it in a browser")
    if failed:
        raise typer.Exit(1)


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _numbers(text: str, option: str) -> list[int]:
    """Numbers from "16,64,256". Raises UsageError."""
    from streamvq.errors import UsageError

    try:
        return [int(part) for part in _split(text)]
    except ValueError:
        raise UsageError(f"{option} {text}: give numbers with commas between, such as 16,64") from None


def _command(source: str, output: Path, colors: str, block: str, rank: str, max_frames: int) -> str:
    """The command line that makes this folder, as a shell takes it; what does not change it is left out."""
    import shlex

    words = ["streamvq", "sweep", source, "--colors", colors]
    words += ["--block", block] * (block != "1") + ["--rank", rank] * (rank != "0")
    words += ["-o", str(output)] + ["--max-frames", str(max_frames)] * (max_frames != MAX_FRAMES)
    return shlex.join(words)


def _table(results: list[SweepResult]) -> str:
    """Results for people, a line each."""
    from streamvq.cli.printing import bytes_text

    width = max(len(result.cell.name) for result in results)
    lines = []
    for result in results:
        found = result.comparison
        size, bits = bytes_text(found.bytes_test), f"{found.bits_per_pixel_test or 0:.3g} bits per pixel"
        loss = "without error" if found.psnr_db is None else f"PSNR {found.psnr_db:.2f} dB"
        lines.append(f"{result.cell.name:{width}}  {size:>10}  {bits:21}  {loss:13}  SSIM {found.ssim:.4f}")
    return "\n".join(lines)
