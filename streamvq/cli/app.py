"""The `streamvq` command: its parts."""

from __future__ import annotations

from typing import Annotated

import typer

from streamvq.cli import (
    apply,
    compare,
    compress,
    decompress,
    fit,
    info,
    merge,
    palette,
    plan,
    report,
    sketch,
    spectrum,
    sweep,
)
from streamvq.cli.command import Command
from streamvq.cli.usage import Commands

app = typer.Typer(
    name="streamvq",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Quantize video, image folders and frame pipes with one shared, reusable codebook.",
    epilog="streamvq COMMAND --help shows a command's options and examples.",
)
for module in (
    compress,
    fit,
    apply,
    decompress,
    palette,
    compare,
    report,
    sweep,
    spectrum,
    sketch,
    merge,
    plan,
    info,
):
    name = module.__name__.rpartition(".")[2]
    app.command(name, cls=Command, epilog=module.EXAMPLES)(getattr(module, name))


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Show the version; with -v, of all parts.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="With --version: libraries and codecs.")] = False,
) -> None:
    if version:
        from streamvq.cli.version import print_version

        print_version(verbose)
        raise typer.Exit
