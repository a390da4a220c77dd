"""`streamvq sweep`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from streamvq.cli.parameters import PrintOptions, command_line, given_words, required, with_options
from streamvq.options import OutputOption, SweepOptions

if TYPE_CHECKING:
    from streamvq.report.sweep import SweepResult

EXAMPLES = """\b
Examples:
  streamvq sweep clip.mp4 -o rates/                       16, 64 and 256 colors
  streamvq sweep clip.mp4 --colors 16,64,256 --block 1,4 --rank 0,32 -o rates/
  streamvq sweep clip.mp4 --colors 256,1024 --block 2,8x4 -o rates/ --json"""

_OUTPUT = "Folder for results, sweep.csv and report.html; what is there of the same input is kept."


@with_options(json="One JSON object a result on stdout.", max_frames="Pictures in the report, at most.")
def sweep(
    source: Annotated[str, typer.Argument(metavar="INPUT", help="A video, an image, or a folder or glob of images.")],
    output: Annotated[str, required(OutputOption, "output", _OUTPUT)],
    options: SweepOptions,
    printing: PrintOptions,
) -> None:
    """Compress INPUT with every combination of colors, block and rank, and show what each costs and loses.

    It writes a .svq for each, a table (sweep.csv), and one page (report.html) with the rate-distortion plot. Stopped
    and started again, it goes on where it was.
    """
    from streamvq.cli.printing import print_json, print_remarks
    from streamvq.report import sweep as sweeping

    words = ["streamvq", "sweep", source, *given_words(options, ("n_codes", "block", "rank"), always=("n_codes",))]
    command = command_line([*words, "-o", output, *given_words(options, ("max_frames",))])
    found = sweeping.sweep(source, output, **vars(options) | {"command": command})
    comparisons = [result.comparison for result in found.results]
    failed = list(dict.fromkeys(reason for comparison in comparisons for reason in comparison.failed))
    kept = [f"{found.kept} of {len(found.results)} results were there and are kept"] if found.kept else []
    remarks = [*kept, *found.notes, *(note for comparison in comparisons for note in comparison.notes)]
    print_remarks(failed, [] if printing.quiet else dict.fromkeys(remarks))
    if printing.json:
        for result in found.results:
            print_json({"output": str(result.path), "report": str(found.page)} | result.as_dict())
    elif not printing.quiet:
        print(_table(found.results))
        print(f"{found.page}: open it in a browser")
    if failed:
        raise typer.Exit(1)


def _table(results: list[SweepResult]) -> str:
    """Results for people, a line each."""
    from streamvq.errors import bytes_text

    width = max(len(result.cell.name) for result in results)
    lines = []
    for result in results:
        found = result.comparison
        size, bits = bytes_text(found.bytes_test), f"{found.bits_per_pixel_test or 0:.3g} bits per pixel"
        loss = "without error" if found.psnr_db is None else f"PSNR {found.psnr_db:.2f} dB"
        lines.append(f"{result.cell.name:{width}}  {size:>10}  {bits:21}  {loss:13}  SSIM {found.ssim:.4f}")
    return "\n".join(lines)
