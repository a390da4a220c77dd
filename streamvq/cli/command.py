"""How every command behaves: grouped plain help, and errors as one line with the right exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from streamvq.cli.memory import check_memory
from streamvq.cli.usage import ClickException, one_line


class Command(TyperCommand):
    """Help without the second start-up that rich costs, and `--debug` for the trace behind an error."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        with one_line(ctx):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        _print_notes_of_library(quiet=bool(ctx.params.get("quiet")))
        try:
            check_memory(ctx.command.name, ctx.params)
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            kept = "--resume goes on" if ctx.params.get("resume") else "nothing unfinished was kept"
            print(f"streamvq: interrupted; {kept}", file=sys.stderr)
            raise typer.Exit(130) from None
        except BrokenPipeError:  # whoever reads our standard output has had enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(1) from None
        except Exception as error:
            from streamvq.cli.messages import in_flags
            from streamvq.errors import StreamVQError

            if isinstance(error, ClickException):
                raise  # usage errors
            if ctx.params.get("debug"):
                traceback.print_exc()
            text = in_flags(str(error)) if isinstance(error, StreamVQError) else _told(error)
            print(f"streamvq: error: {' '.join(text.split())}", file=sys.stderr)
            raise typer.Exit(getattr(error, "exit_code", 1)) from None

    def format_options(self, ctx: Any, formatter: Any) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            row = parameter.get_help_record(ctx)
            if row is not None:
                default = "Arguments" if parameter.param_type_name == "argument" else "Other"
                groups.setdefault(getattr(parameter, "rich_help_panel", None) or default, []).append(row)
        for title, rows in groups.items():
            with formatter.section(title):
                formatter.write_dl(rows)


def _print_notes_of_library(quiet: bool) -> None:
    """What the library logs goes to stderr as notes; what only explains a wait, to terminals alone."""
    import logging

    from streamvq.cli.printing import say

    class Notes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            say(f"note: {record.getMessage()}")

    logger = logging.getLogger("streamvq")
    logger.handlers = [Notes()]
    logger.setLevel(logging.ERROR if quiet else logging.INFO if sys.stderr.isatty() else logging.WARNING)


_NO_MEMORY = ("start new thread", "shared object", "annot allocate memory")


def _told(error: Exception) -> str:
    """What kept us from working that is nobody's mistake here; else the bare error, for a report."""
    try:
        Path.cwd()
    except OSError:
        return "the current folder was deleted; change to another one, such as with: cd ~"
    behind: list[BaseException | None] = [error, error.__cause__, error.__context__]
    if isinstance(error, MemoryError) or any(word in str(each) for word in _NO_MEMORY for each in behind):
        return "too little memory for the work, or to start threads; try --jobs 1, or a higher ulimit -v"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EIO) and not error.filename:
        return f"standard output cannot be written: {error.strerror}"
    return f"{type(error).__name__}: {error}; see --debug"
