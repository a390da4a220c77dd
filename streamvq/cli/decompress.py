"""`streamvq decompress`."""

from __future__ import annotations

from typing import Annotated

import typer

from streamvq.cli.parameters import WritePrintOptions, required, with_options
from streamvq.options import OUTPUT_KINDS, DecompressOptions, OutputOption

EXAMPLES = """\b
Examples:
  streamvq decompress clip.svq -o clip.mkv              exact colors, audio and times as they were
  streamvq decompress sprites.svq -o sprites            the images, under their names
  streamvq decompress clip.svq --frames 100:150 -o part.mp4
  streamvq decompress clip.svq --time 1.5 -o thumbnail.png
  streamvq decompress clip.svq -o - | ffplay -"""


@with_options()
def decompress(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT", help=".svq files, globs, or -.")],
    output: Annotated[str, required(OutputOption, "output", OUTPUT_KINDS)],
    options: DecompressOptions,
    printing: WritePrintOptions,
) -> None:
    """Turn .svq files back into video, images, or y4m.

    A file that is cut off is decoded up to its last whole group, and the exit code is 1.
    """
    from streamvq.cli.run import run_decompress

    run_decompress(inputs, output, options, printing)
