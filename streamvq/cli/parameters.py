"""Typer parameters made from option classes: a command names a class, and gets an instance of it."""

from __future__ import annotations

import inspect
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import typer

from streamvq.cli.messages import flag_of
from streamvq.errors import UsageError
from streamvq.keywords import Option, Options, option, options_of
from streamvq.options import CODEBOOK, GRID, LOW_RANK, READ, REPORT, WRITE, Block, Source

PANELS = (WRITE, GRID, CODEBOOK, LOW_RANK, READ, REPORT)  # in the order of help
Inputs = Annotated[
    list[str], typer.Argument(metavar="INPUT", help="Videos, images, folders, globs, frame%04d.png, or - (y4m).")
]
Reference = Annotated[str, typer.Argument(metavar="REF", help="The original: anything that compress takes.")]


class JsonOption(Options):
    """Whether results are JSON."""

    json: bool = option(REPORT, "--json", "One JSON object an input on stdout.", default=False)


class PrintOptions(JsonOption):
    """What is printed."""

    quiet: bool = option(REPORT, "-q --quiet", "Errors and surprises only.", default=False)


class VerboseOptions(PrintOptions):
    """What is printed, and how much of it."""

    verbose: bool = option(REPORT, "-v --verbose", "More detail.", default=False)


class WritePrintOptions(VerboseOptions):
    """What commands that write files print."""

    dry_run: bool = option(REPORT, "--dry-run", "Say what would come out, and write nothing.", default=False)


class DebugOption(Options):
    """What `Command` prints of errors, for every command."""

    debug: bool = option(REPORT, "--debug", "Show the trace of an error.", default=False)


def with_options(**helps: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Turns `command(inputs, options: SomeOptions)` into a function with a typer parameter for each option.

    Parameters that are no option class stay as they are. `helps` are a command's own help texts of options by name.
    """
    return lambda function: _with_options(function, helps)


def required(options: type[Options], name: str, help: str) -> Any:
    """A typer parameter with the flags and panel of an option, which this command cannot do without."""
    found = options_of(options)[name]
    return typer.Option(*found.flags.split(), help=help, rich_help_panel=found.panel, metavar="<path>")


def _with_options(function: Callable[..., None], helps: dict[str, str]) -> Callable[..., None]:
    hints = get_type_hints(function, include_extras=True)
    del hints["return"]
    classes = {name: hint for name, hint in hints.items() if isinstance(hint, type) and issubclass(hint, Options)}
    given = inspect.signature(function).parameters
    parameters = [
        _keyword_only(name, hint, given[name].default) for name, hint in hints.items() if name not in classes
    ]
    for options in (*classes.values(), DebugOption):
        parameters += _parameters(options, helps)

    @wraps(function)
    def call(**given: Any) -> None:
        made = {name: _made(options, given) for name, options in classes.items()}
        function(**made, **{name: given[name] for name in hints if name not in made})

    del call.__wrapped__  # typer is to see this signature only
    parameters.sort(key=_place)
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return call


def _keyword_only(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _place(parameter: inspect.Parameter) -> int:
    """Arguments first, then options by panel."""
    info = parameter.annotation.__metadata__[0]
    return PANELS.index(info.rich_help_panel) if isinstance(info, typer.models.OptionInfo) else -1


def _parameters(options: type[Options], helps: dict[str, str]) -> list[inspect.Parameter]:
    """A parameter for each option of a class."""
    types, defaults = _types(options), {each.name: each.default for each in fields(options)}  # type: ignore[arg-type]
    made = []
    for name, found in options_of(options).items():
        kind, default = types[name], defaults[name]
        repeated = kind == Sequence[str]
        if kind not in (bool, int, float, str):
            default = None if repeated else _text_of(default)
        info = typer.Option(
            *found.flags.split(),
            help=helps.get(name, found.help),
            rich_help_panel=found.panel,
            autocompletion=_completion(found.choices) if found.choices else None,
            metavar="<path>" if kind == Source else None,
        )
        simple: Any = kind if kind in (bool, int, float) else list[str] if repeated else str
        made.append(_keyword_only(name, Annotated[simple if default is not None else simple | None, info], default))
    return made


def _completion(choices: tuple[str, ...]) -> Callable[[], list[str]]:
    return lambda: list(choices)


def _types(options: type[Options]) -> dict[str, Any]:
    """The types of a class's fields, without None."""
    hints = get_type_hints(options, localns={"Codebook": str, "Progress": object})
    return {name: _not_none(hint) for name, hint in hints.items()}


def _not_none(hint: Any) -> Any:
    left = tuple(part for part in get_args(hint) if part is not type(None))
    if len(left) == len(get_args(hint)):
        return hint
    made = left[0]
    for part in left[1:]:
        made |= part
    return made


def _made(options: type[Options], given: dict[str, Any]) -> Options:
    """An instance from what typer gives. Raises UsageError."""
    types = _types(options)
    values = {name: _parsed(given[name], types[name], found) for name, found in options_of(options).items()}
    if "progress" in types:
        from streamvq.cli.printing import progress_bar

        values["progress"] = progress_bar(given["quiet"])
    return options(**values)


def _text_of(value: Any) -> str | None:
    """A value as it would be typed."""
    if isinstance(value, (list, tuple)):
        return ",".join(_side_text(part) if isinstance(part, tuple) else str(part) for part in value) or None
    return None if value is None else str(value)


def _side_text(sides: tuple[int, int]) -> str:
    height, width = sides
    return str(height) if height == width else f"{width}x{height}"


def given_words(options: Options, names: Sequence[str], always: Sequence[str] = ()) -> list[str]:
    """The words of a command line that give these options; those that are the default are left out."""
    words = []
    for name in names:
        value = _text_of(getattr(options, name))
        default = _text_of(next(each.default for each in fields(options) if each.name == name))  # type: ignore[arg-type]
        if value != default or name in always:
            words += [flag_of(name), value or ""] if value != "True" else [flag_of(name)]
    return words


def command_line(words: Sequence[str]) -> str:
    """Words as a command line that others may see: absolute paths without their folders."""
    return shlex.join(Path(word).name or word if Path(word).is_absolute() else word for word in words)


def _parsed(value: Any, kind: Any, found: Option) -> Any:
    """The library's value of what was typed. Raises UsageError."""
    flag = found.flags.split()[-1]
    if kind == Block:
        return block_sides(value)
    if kind == Sequence[Block]:
        return [block_sides(part) for part in _split(value)]
    if kind == Sequence[int]:
        return numbers(value, flag)
    if kind == Sequence[str]:
        return tuple(value or ())
    if kind is range:
        return frame_range(value)
    return value


def _split(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def numbers(text: str | None, flag: str) -> list[int]:
    """Numbers from "16,64,256". Raises UsageError."""
    try:
        return [int(part) for part in _split(text)]
    except ValueError:
        raise UsageError(f"{flag} {text}: give numbers with commas between, such as 16,64") from None


def block_sides(text: str) -> tuple[int, int]:
    """A block's height and width from "4" or "8x4" (width first). Raises UsageError."""
    wide, times, high = text.lower().partition("x")
    try:
        return int(high if times else wide), int(wide)
    except ValueError:
        raise UsageError(f"--block {text}: give a side such as 4, or WIDTHxHEIGHT such as 8x4") from None


def frame_range(text: str | None) -> range | None:
    """Frames from "A:B" (A to B - 1), "A:", ":B", "A", or "A:B:STEP" for every STEP-th. Raises UsageError."""
    if text is None:
        return None
    ends, step = text, "1"
    if text.count(":") > 1:
        ends, _, step = text.rpartition(":")
        if not step.isdecimal() or not int(step):
            raise UsageError(f"--frames {text}: give A:B, or A:B:STEP for every STEP-th, counted from 0")
    first, colon, end = ends.partition(":")
    try:
        start = min(int(first or "0" if colon else first), sys.maxsize - 1)
        frames = range(start, min(int(end), sys.maxsize) if end else sys.maxsize if colon else start + 1)
    except ValueError:
        frames = range(0)
    if frames.start < 0 or not frames:
        raise UsageError(f"--frames {text}: give A:B (A to B - 1), A:, :B or A, counted from 0")
    return frames[:: int(step)]
