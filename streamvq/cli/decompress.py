"""`streamvq decompress`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streamvq.cli import options as opt

EXAMPLES = """\b
Examples:
  streamvq decompress clip.svq -o clip.mkv              exact colors, audio and times as they were
  streamvq decompress sprites.svq -o sprites            the images, under their names
  streamvq decompress clip.svq --frames 100:150 -o part.mp4
  streamvq decompress clip.svq -o - | ffplay -"""


def decompress(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT", help=".svq files, globs, or -.")],
    output: opt.Output,
    codebook: Annotated[
        Path | None,
        typer.Option("-c", "--codebook", help="For files without their codebook inside.", rich_help_panel="Input"),
    ] = None,
    frames: Annotated[
        str | None,
        typer.Option(
            "--frames", help="Frames A:B only (A to B - 1, from 0); also A:, :B, A.", rich_help_panel="Input"
        ),
    ] = None,
    keep_going: opt.KeepGoing = False,
    fps: opt.Fps = "25",
    format: opt.Format = None,
    crf: opt.Crf = 18,
    overwrite: opt.Overwrite = False,
    skip_existing: opt.SkipExisting = False,
    jobs: opt.Jobs = 0,
    dry_run: opt.DryRun = False,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
    debug: opt.Debug = False,
) -> None:
    """Turn .svq files back into video, images, or y4m.

    A file that is cut off is decoded up to its last whole group, and the exit code is 1.
    """
    from streamvq.cli.run import Request, run_decompress
    from streamvq.options import RunSettings, WriteOptions

    writing = WriteOptions(format, crf, opt.frame_rate(fps), overwrite, skip_existing)
    run = RunSettings(jobs, keep_going=keep_going)
    request = Request(inputs, output, run, writing, dry_run, json, quiet, verbose)
    run_decompress(request, codebook, opt.frame_range(frames))
