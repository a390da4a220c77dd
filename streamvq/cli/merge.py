"""`streamvq merge`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streamvq.cli.parameters import PrintOptions, required, with_options
from streamvq.options import OutputOption, OverwriteOption

EXAMPLES = """\b
Examples:
  streamvq merge 'part*.svq' -o film.svq
  streamvq merge out/ -o out/
  streamvq merge 'part*.sketch' -o film.sketch"""


@with_options()
def merge(
    parts: Annotated[list[str], typer.Argument(metavar="PART", help="What the shares of a run made.")],
    output: Annotated[Path, required(OutputOption, "output", "What they become together.")],
    options: OverwriteOption,
    printing: PrintOptions,
) -> None:
    """Put together what the shares of a run made, with the bytes of a run on one machine."""
    from dataclasses import asdict

    from streamvq.cli.printing import print_json, print_remarks
    from streamvq.cluster import merge as merging
    from streamvq.errors import bytes_text, counted

    made = merging.merge(parts, output, **vars(options))
    print_remarks(made.failed, [])
    if printing.json:
        print_json(asdict(made))
    elif not printing.quiet:
        frames = counted(made.frames, "frame")
        print(f"{output}: {frames} of {counted(made.parts, 'part')}, {bytes_text(made.bytes_out)}")
    if made.failed:
        raise typer.Exit(1)
