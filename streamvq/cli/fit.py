"""`streamvq fit`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamvq.cli.parameters import Inputs, WritePrintOptions, required, with_options
from streamvq.errors import UsageError, codes_text, counted
from streamvq.options import ExistingOptions, FitOptions, OutputOption

if TYPE_CHECKING:
    from streamvq.pipeline.fit import Fitted

EXAMPLES = """\b
Examples:
  streamvq fit sprites/ -r -k 32 -o game.codebook.npz
  streamvq fit 'takes/*.mp4' -k 256 -o film.codebook.npz
  streamvq fit sprites/ -k 32 --reserve '#ff00ff@0' -o game.codebook.npz
  streamvq fit more/ -c game.codebook.npz --extend 8 -o game2.codebook.npz
  streamvq fit scan.tif --gray --bits 4 -o levels.npz
  streamvq fit 'part*.sketch' -k 256 -o film.codebook.npz"""


@with_options()
def fit(
    inputs: Inputs,
    output: Annotated[Path, required(OutputOption, "output", "The codebook file.")],
    options: FitOptions,
    existing: ExistingOptions,
    printing: WritePrintOptions,
) -> None:
    """Learn a codebook from all frames of all inputs, and save it.

    The inputs are read once, so a pipe is learned from in full. Sketches of all shares of inputs
    (streamvq sketch) serve instead of them.
    """
    from time import perf_counter

    from streamvq.cli.printing import print_json, print_remarks, say
    from streamvq.media.inputs import find_inputs
    from streamvq.pipeline.elsewhere import cluster_asked
    from streamvq.pipeline.fit import fewer_colors, fit_inputs
    from streamvq.pipeline.reserved_options import fixed_codes, with_codebook_extended
    from streamvq.pipeline.sketch_files import with_settings_of_sketches
    from streamvq.staging import check_free

    if output.suffix != ".npz":
        raise UsageError(f"{output}: a codebook file ends in .npz")
    options = with_codebook_extended(options)
    found = find_inputs(inputs, options.recursive)
    options = with_settings_of_sketches(found, options)
    fixed_codes(options)
    record = {"inputs": [source.label for source in found], "codebook": str(output), "n_codes": options.code_count}
    if existing.skip_existing and output.exists():
        if printing.json:
            print_json({"codebook": str(output), "skipped": True})
        else:
            say(f"{output}: is there already: skipped")
        return
    check_free(output, existing.overwrite)
    if printing.dry_run:
        if printing.json:
            print_json(record | {"dry_run": True})
        else:
            would = f"would learn {codes_text(options.code_count, options.sides)}"
            print(f"{', '.join(source.label for source in found)} -> {output}\n  {would}")
        return
    start = perf_counter()
    cluster = cluster_asked(options)
    fitted = fit_inputs(found, options) if cluster is None else cluster.fit_on_cluster(inputs, options)
    fitted.codebook.save(output, existing.overwrite)
    seconds = perf_counter() - start
    print_remarks(fitted.failures, [] if printing.quiet else fitted.counted.notes)
    print_remarks([], fewer_colors(fitted.codebook, options))
    if printing.json:
        print_json(record | _figures(fitted, output, seconds))
    elif not printing.quiet:
        book, frames = fitted.codebook, fitted.counted.frames
        learned = f"{codes_text(len(book), book.block)} from {counted(frames, 'frame')}"
        print(f"{output}: {learned}, fingerprint {book.fingerprint[:12]}")
        if printing.verbose:
            print(f"  {seconds:.2f} s, seed {options.seed}")
    if fitted.failures:
        raise typer.Exit(1)


def _figures(fitted: Fitted, output: Path, seconds: float) -> dict[str, Any]:
    """What is known of a codebook when it is fitted and saved, for JSON."""
    book = fitted.codebook
    figures = {"frames": fitted.counted.frames, "n_codes": len(book), "fingerprint": book.fingerprint}
    figures |= {"codebook_bytes": output.stat().st_size, "seconds": seconds}
    return figures | ({"failed": fitted.failures} if fitted.failures else {})
