"""`streamvq fit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streamvq.cli import options as opt

EXAMPLES = """\b
Examples:
  streamvq fit sprites/ -r -k 32 -o game.codebook.npz
  streamvq fit 'takes/*.mp4' -k 256 -o film.codebook.npz
  streamvq fit scan.tif --gray --bits 4 -o levels.npz"""


def fit(
    inputs: opt.Inputs,
    output: Annotated[Path, typer.Option("-o", "--output", help="The codebook file.", rich_help_panel="Output")],
    colors: opt.Colors = None,
    bits: opt.Bits = None,
    gray: opt.Gray = False,
    block: opt.Block = None,
    space: opt.Space = None,
    seed: opt.Seed = 0,
    rank: opt.Rank = None,
    energy: opt.Energy = None,
    patch: opt.Patch = 0,
    recursive: opt.Recursive = False,
    keep_going: opt.KeepGoing = False,
    overwrite: opt.Overwrite = False,
    skip_existing: opt.SkipExisting = False,
    jobs: opt.Jobs = 0,
    dry_run: opt.DryRun = False,
    json: opt.Json = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
    debug: opt.Debug = False,
) -> None:
    """Learn a codebook from all frames of all inputs, and save it.

    The inputs are read once, so a pipe is learned from in full.
    """
    import time

    from streamvq.cli.printing import print_json, progress_bar, say
    from streamvq.errors import UsageError
    from streamvq.media.inputs import find_inputs
    from streamvq.options import FitSettings, LowRankOptions, RunSettings
    from streamvq.pipeline import fit as learning
    from streamvq.staging import check_free

    if output.suffix != ".npz":
        raise UsageError(f"{output}: a codebook file ends in .npz")
    sides = opt.block_sides(block)
    count = opt.color_count(colors, bits, gray, sides)
    low_rank = LowRankOptions.of(rank, energy, patch)
    settings = FitSettings.of(count, gray, seed, sides, space or "", low_rank)
    kind = learning.codes_name(settings.block)
    found = find_inputs(inputs, recursive)
    if skip_existing and output.exists():
        if json:
            print_json({"codebook": str(output), "skipped": True})
        else:
            say(f"{output}: is there already: skipped")
        return
    check_free(output, overwrite)
    record = {
        "inputs": [source.label for source in found],
        "codebook": str(output),
        "colors": settings.colors,
    }
    if dry_run:
        if json:
            print_json(record | {"dry_run": True})
        else:
            print(f"{', '.join(record['inputs'])} -> {output}\n  would learn {settings.colors} {kind}")  # type: ignore[arg-type]
        return
    start = time.perf_counter()
    fitted = learning.fit(found, settings, RunSettings(jobs, keep_going=keep_going), progress_bar(quiet))
    book = fitted.codebook
    book.save(output, overwrite)
    bad = [reason for reasons in fitted.failed.values() for reason in reasons]
    for reason in bad:
        say(f"error: {reason}")
    if not quiet:
        for note in fitted.notes:
            say(f"note: {note}")
    for note in learning.fewer_colors(book, settings):
        say(f"note: {note}")
    if json:
        figures = {"frames": fitted.frames, "colors": len(book), "fingerprint": book.fingerprint}
        figures |= {"codebook_bytes": output.stat().st_size, "seconds": time.perf_counter() - start}
        print_json(record | figures | ({"failed": bad} if bad else {}))
    elif not quiet:
        print(f"{output}: {len(book)} {kind} from {fitted.frames} frames, fingerprint {book.fingerprint[:12]}")
        if verbose:
            print(f"  {time.perf_counter() - start:.2f} s, seed {seed}")
    if bad:
        raise typer.Exit(1)
