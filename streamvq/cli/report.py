"""`streamvq report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streamvq.cli.parameters import PrintOptions, Reference, command_line, given_words, with_options
from streamvq.options import ReportOptions

if TYPE_CHECKING:
    from streamvq.report.comparison import Comparison

EXAMPLES = """\b
Examples:
  streamvq report clip.mp4 clip.svq                       clip.svq's page: clip.html
  streamvq report clip.mp4 k16.svq k64.svq k256.svq -o rates.html
  streamvq report photos/ build/ -o photos.html --max-frames 6"""

_SHOWN = ("max_frames", "codebook", "resize", "recursive", "keep_going")  # what changes the page


@with_options(json="One JSON object a TEST on stdout.", recursive="Folders with their subfolders.")
def report(
    reference: Reference,
    tests: Annotated[list[str], typer.Argument(metavar="TEST", help="What became of it; one or several.")],
    options: ReportOptions,
    printing: PrintOptions,
) -> None:
    """Show one or several results beside their original, in one HTML page that needs no network.

    It has a slider between both, the codes and where they occur, curves over time, and all figures.
    """
    from streamvq.cli.printing import print_json, print_remarks
    from streamvq.errors import bytes_text
    from streamvq.report.page import page_path_for, write_report

    output = Path(options.output or page_path_for(tests))
    words = ["streamvq", "report", reference, *tests, "-o", str(output), *given_words(options, _SHOWN)]
    command = command_line(words)
    found = write_report(reference, tests, **vars(options) | {"output": output, "command": command})
    failed = list(dict.fromkeys(reason for comparison in found for reason in comparison.failed))
    notes = dict.fromkeys(note for comparison in found for note in comparison.notes)
    print_remarks(failed, [] if printing.quiet else notes)
    if printing.json:
        for comparison in found:
            print_json({"report": str(output)} | _overall(comparison))
    elif not printing.quiet:
        print(f"{output}: {bytes_text(output.stat().st_size)}; open it in a browser")
    if failed:
        raise typer.Exit(1)


def _overall(comparison: Comparison) -> dict[str, object]:
    record = comparison.as_dict()
    del record["per_frame"]
    return record
