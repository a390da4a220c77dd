"""`streamvq sketch`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streamvq.cli.parameters import Inputs, PrintOptions, required, with_options
from streamvq.options import OutputOption, SketchOptions

EXAMPLES = """\b
Examples:
  streamvq sketch film.mkv --shard 3/10 -o part3.sketch
  streamvq sketch photos/ -r --block 4 -k 4096 --shard auto -o part$SLURM_ARRAY_TASK_ID.sketch
  streamvq fit 'part*.sketch' -k 256 -o film.codebook.npz"""


@with_options()
def sketch(
    inputs: Inputs,
    output: Annotated[Path, required(OutputOption, "output", "The sketch file.")],
    options: SketchOptions,
    printing: PrintOptions,
) -> None:
    """Count the colors or blocks of inputs, or of a share of them, into a small file.

    fit makes of the sketches of all shares the codebook that it makes of the inputs, byte for byte.
    """
    from dataclasses import asdict

    from streamvq.cli.printing import print_json, print_remarks
    from streamvq.errors import bytes_text, counted
    from streamvq.pipeline import sketching

    made = sketching.sketch(inputs, output, **vars(options))
    print_remarks(made.failed, [] if printing.quiet else made.notes)
    if printing.json:
        print_json(asdict(made))
    elif not printing.quiet:
        number, of = made.share
        share = f" of share {number} of {of}" if of > 1 else ""
        print(f"{output}: {counted(made.frames, 'frame')}{share}, {bytes_text(made.bytes_out)}")
    if made.failed:
        raise typer.Exit(1)
