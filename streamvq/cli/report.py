"""`streamvq report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streamvq.cli import options as opt
from streamvq.report import MAX_FRAMES

if TYPE_CHECKING:
    from streamvq.report.comparison import Comparison

EXAMPLES = """\b
Examples:
  streamvq report clip.mp4 clip.svq                       clip.svq's page: clip.html
  streamvq report clip.mp4 k16.svq k64.svq k256.svq -o rates.html
  streamvq report photos/ build/ -o photos.html --max-frames 6"""


def report(
    reference: Annotated[str, typer.Argument(metavar="REF", help="The original: anything that compress takes.")],
    tests: Annotated[list[str], typer.Argument(metavar="TEST", help="What became of it; one or several.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="The page (.html). Without it: TEST's name with .html.", rich_help_panel="Output"
        ),
    ] = None,
    max_frames: Annotated[
        int, typer.Option("--max-frames", help="Pictures in the page, at most.", rich_help_panel="Output")
    ] = MAX_FRAMES,
    overwrite: opt.Overwrite = False,
    codebook: Annotated[
        Path | None,
        typer.Option("-c", "--codebook", help="For a .svq without its codebook inside.", rich_help_panel="Input"),
    ] = None,
    resize: Annotated[
        bool, typer.Option("--resize", help="Scale TEST to the size of REF.", rich_help_panel="Input")
    ] = False,
    recursive: Annotated[
        bool, typer.Option("-r", "--recursive", help="Folders with their subfolders.", rich_help_panel="Input")
    ] = False,
    keep_going: opt.KeepGoing = False,
    jobs: opt.Jobs = 0,
    json: Annotated[
        bool,
        typer.Option("--json", help="One JSON object a TEST on stdout.", rich_help_panel="Running and reporting"),
    ] = False,
    quiet: opt.Quiet = False,
    debug: opt.Debug = False,
) -> None:
    """Show one or several results beside their original, in one HTML page that needs no network.

    It has a slider between both, the codes and where they occur, curves over time, and all figures.
    """
    from streamvq.cli.printing import bytes_text, print_json, progress_bar, say
    from streamvq.report.page import write_report

    output = output or _default_output(tests)
    found = write_report(
        reference,
        tests,
        output,
        max_frames=max_frames,
        command=_command(reference, tests, output, max_frames, codebook, resize, recursive, keep_going),
        overwrite=overwrite,
        recursive=recursive,
        resize=resize,
        codebook=codebook,
        jobs=jobs,
        keep_going=keep_going,
        progress=progress_bar(quiet),
    )
    failed = list(dict.fromkeys(reason for comparison in found for reason in comparison.failed))
    for reason in failed:
        say(f"error: {reason}")
    if not quiet:
        for note in dict.fromkeys(note for comparison in found for note in comparison.notes):
            say(f"note: {note}")
    if json:
        for comparison in found:
            print_json({"report": str(output)} | _overall(comparison))
    elif not quiet:
        print(f"{output}: {bytes_text(output.stat().st_size)}; open it in a browser")
    if failed:
        raise typer.Exit(1)


def _default_output(tests: list[str]) -> Path:
    """The page beside a single result. Raises UsageError."""
    from streamvq.errors import UsageError

    if len(tests) != 1:
        raise UsageError(f"{len(tests)} results: name the page with -o")
    path = Path(tests[0]).resolve()
    return Path(tests[0]).parent / f"{path.name if path.is_dir() else path.stem}.html"


def _command(
    reference: str,
    tests: list[str],
    output: Path,
    max_frames: int,
    codebook: Path | None,
    resize: bool,
    recursive: bool,
    keep_going: bool,
) -> str:
    """The command line that makes this page, as a shell takes it; what does not change the page is left out."""
    import shlex

    words = ["streamvq", "report", reference, *tests, "-o", str(output)]
    words += ["--max-frames", str(max_frames)] if max_frames != MAX_FRAMES else []
    words += ["-c", str(codebook)] if codebook else []
    words += ["--resize"] * resize + ["-r"] * recursive + ["--keep-going"] * keep_going
    return shlex.join(words)


def _overall(comparison: Comparison) -> dict[str, object]:
    record = comparison.as_dict()
    del record["per_frame"]
    return record
