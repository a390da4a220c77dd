"""`streamvq apply`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streamvq.cli import options as opt

EXAMPLES = """\b
Examples:
  streamvq apply new-sprites/ -r -c game.codebook.npz -o build
  streamvq apply 'takes/*.mp4' -c brand.codebook.npz -o out
  ffmpeg -i in.mkv -f yuv4mpegpipe - | streamvq apply - -c brand.codebook.npz -o - | ffplay -"""


def apply(
    inputs: opt.Inputs,
    codebook: Annotated[Path, typer.Option("-c", "--codebook", help="The codebook.", rich_help_panel="Codebook")],
    output: opt.OutputOrBeside = None,
    rank: opt.Rank = None,
    energy: opt.Energy = None,
    patch: opt.Patch = 0,
    recursive: opt.Recursive = False,
    keep_going: opt.KeepGoing = False,
    fps: opt.Fps = "25",
    format: opt.Format = None,
    crf: opt.Crf = 18,
    lossy: opt.Lossy = 0,
    external_codebook: opt.External = False,
    skip_if_larger: opt.SkipIfLarger = False,
    min_psnr: opt.MinPsnr = None,
    overwrite: opt.Overwrite = False,
    skip_existing: opt.SkipExisting = False,
    jobs: opt.Jobs = 0,
    dry_run: opt.DryRun = False,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
    debug: opt.Debug = False,
) -> None:
    """Write inputs with a saved codebook, which never changes.

    Color inputs become luma for a gray codebook; gray inputs become R=G=B for a color one.
    """
    from streamvq.cli.run import Request, run_compress
    from streamvq.options import RunSettings, WriteOptions

    writing = WriteOptions(
        format,
        crf,
        opt.frame_rate(fps),
        overwrite,
        skip_existing,
        lossy,
        not external_codebook,
        skip_if_larger,
        min_psnr,
    )
    run = RunSettings(jobs, keep_going=keep_going)
    run_compress(
        Request(inputs, output, run, writing, dry_run, json, quiet, verbose),
        codebook,
        None,
        recursive,
        rank=rank,
        energy=energy,
        patch=patch,
    )
