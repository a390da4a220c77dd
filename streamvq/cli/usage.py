"""Usage errors: one line each, with the option or command of ours for what other tools call otherwise."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from streamvq.errors import UsageError

ClickException: type[Exception] = typer.BadParameter.__mro__[2]  # typer has a click of its own, or imports it

_COMMANDS = {
    "compress": ("convert", "encode", "optimize", "pack", "quantise", "quantize", "reduce", "transcode", "vq"),
    "decompress": ("decode", "expand", "export", "extract", "unpack"),
    "fit": ("codebook", "learn", "palettegen", "train"),
    "apply": ("map", "paletteuse", "remap"),
    "compare": ("diff", "measure", "psnr", "ssim"),
    "info": ("identify", "inspect", "list", "probe", "show"),
    "spectrum": ("pca", "svd"),
}
_INPUT = "inputs stand without an option: streamvq compress clip.mp4 -o clip.mkv"
_OUTPUT = "-o names the output, and its suffix or a folder chooses the kind: -o clip.mkv, -o frames"
_QUALITY = "quality comes from the number of colors (-k), the size of blocks (--block) and --lossy"
_SIZE = "compress, apply and fit scale with --width 480; the height follows"
_CUT = "compress, apply and fit take a part with --trim 5:15 (seconds), decompress with --time 5:15 or --frames A:B"
_DITHER = "compress and apply have --dither: floyd-steinberg, yliluoma, bayer8 and more"
_OPTIONS = {  # of ffmpeg, gifski, gifsicle, pngquant, ImageMagick and cwebp
    "-i": _INPUT,
    "--input": _INPUT,
    "-y": "existing files are replaced with -f (--overwrite)",
    "--force": "existing files are replaced with -f (--overwrite)",
    "--quality": _QUALITY,
    "-Q": _QUALITY,
    "--speed": "--effort fast or max, for .svq; -j sets how many cores work",
    "--fast": "--effort fast, for .svq; -j sets how many cores work",
    "--threads": "-j (--jobs) sets how many cores work",
    "--ext": _OUTPUT,
    "--out": _OUTPUT,
    "--width": _SIZE,
    "--height": _SIZE,
    "--scale": _SIZE,
    "--size": _SIZE,
    "--resize": _SIZE,
    "--frames": _CUT,
    "--trim": _CUT,
    "--start": _CUT,
    "--time": _CUT,
    "--ncolors": "-k (--colors) sets the number of colors",
    "--num-colors": "-k (--colors) sets the number of colors",
    "--max-colors": "-k (--colors) sets the number of colors",
    "--palette": "-c (--codebook) takes a palette or a saved codebook",
    "--map": "-c (--codebook) takes a palette or a saved codebook",
    "--remap": "-c (--codebook) takes a palette or a saved codebook",
    "--dither": _DITHER,
    "--floyd": _DITHER,
    "--ordered": _DITHER,
    "--nofs": "without --dither there is none",
    "--lossless": "colors come through exactly where the input has no more than -k of them",
    "--codec": _OUTPUT,
}


@contextmanager
def one_line(context: Any) -> Iterator[None]:
    """Print a usage error as one line, as other errors are, and exit with 2."""
    try:
        yield
    except ClickException as error:
        text = _text(error, context)
        if text is None:  # the help, where nothing was given
            raise
        typer.echo(f"streamvq: error: {' '.join(text.split())}", err=True)
        raise typer.Exit(2) from None


def _text(error: Any, context: Any) -> str | None:
    if type(error).__name__ == "NoArgsIsHelpError":
        return None
    told = f"see {context.command_path} --help"
    option: str = getattr(error, "option_name", "")
    if type(error).__name__ != "NoSuchOption":
        text = error.format_message().rstrip(".")
        return f"{text[:1].lower()}{text[1:]}; {told}"
    if Path(option).exists() or any(Path().glob(f"{option}*")):
        return f"{option} is a file here, and reads as an option: put -- before the names, or write ./*.png for *.png"
    if option in _OPTIONS:
        return f"{context.command_path} has no {option}: {_OPTIONS[option]}"
    near = get_close_matches(option, error.possibilities or (), n=1)
    return f"{context.command_path} has no {option}{f'; {near[0]}?' if near else ''}; {told}"


class Commands(TyperGroup):
    """The group of commands: a file or another tool's word in place of a command names the command meant."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        with one_line(ctx):
            return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        word = args[0]
        if self.get_command(ctx, word) is None and not word.startswith("-"):
            typer.echo(f"streamvq: error: {_command_meant(word, args, list(self.commands))}", err=True)
            raise typer.Exit(2)
        return super().resolve_command(ctx, args)


def _command_meant(word: str, args: Sequence[str], commands: Sequence[str]) -> str:
    if Path(word).suffix or Path(word).exists() or "*" in word or "/" in word:
        command = "decompress" if word.endswith(".svq") else "compress"
        return f"the command is missing: streamvq {command} {shlex.join(args)}"
    meant = [ours for ours, others in _COMMANDS.items() if word.lower() in others]
    meant += get_close_matches(word.lower(), commands)
    return f"streamvq has no command {word}; {f'{meant[0]}?' if meant else 'see streamvq --help'}"


def check_output_option(inputs: Sequence[str], output: object) -> None:
    """Refuse a second name that is no file where no output was given. Raises UsageError."""
    if output is not None or len(inputs) != 2:
        return
    first, last = inputs
    if Path(last).suffix and not Path(last).exists() and "*" not in last:
        raise UsageError(f"{last} is no file; to write it: streamvq compress {shlex.join((first, '-o', last))}")
