"""`streamvq palette`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamvq.cli.parameters import PrintOptions, with_options
from streamvq.errors import UsageError, counted
from streamvq.options import PaletteOptions

if TYPE_CHECKING:
    from streamvq.media.palette_files.palette import Palette

EXAMPLES = """\b
Examples:
  streamvq palette art.aseprite -o art.gpl           GIMP's format, with names
  streamvq palette clip.codebook.npz -o clip.act     from a codebook, for Photoshop
  streamvq palette preset:c64 --show                 in the terminal
  streamvq palette '#000,#fff,tomato' -o three.hex
  streamvq palette --list"""


@with_options(
    output="The palette to write: .gpl, .hex, .act, .pal (JASC; .riff.pal for RIFF), .ase (Adobe), .aseprite, .txt "
    "(paint.net), .png (swatches), or .npz (a codebook)."
)
def palette(
    options: PaletteOptions,
    printing: PrintOptions,
    source: Annotated[
        str,
        typer.Argument(metavar="[IN]", help="A palette, a codebook, a .svq, preset:NAME, or colors ('#000,#fff')."),
    ] = "",
) -> None:
    """Convert palettes between the files of many programs and codebooks, and show them.

    Index i stays index i. Read are also indexed PNGs and GIFs (their palette), and swatch pictures.
    """
    from streamvq.cli.printing import print_json, print_remarks
    from streamvq.media.codebooks import read_palette, write_palette

    if options.list:
        _list()
        return
    if not source:
        raise UsageError("no palette; name a file, preset:NAME, or colors, or see --list")
    colors = read_palette(source)
    if options.output is not None:
        notes = write_palette(colors, Path(options.output), options.overwrite)
        print_remarks([], [] if printing.quiet else notes)
        if not (printing.quiet or printing.json or options.show):
            print(f"{source} -> {options.output}\n  {counted(len(colors), 'color')}")
    if printing.json:
        print_json({"palette": source, "output": options.output and str(options.output), "colors": _records(colors)})
    elif options.show or options.output is None:
        _show(colors)


def _records(colors: Palette) -> list[dict[str, Any]]:
    """Each color for JSON."""
    return [
        {
            "index": index,
            "hex": f"#{bytes(color[:3]).hex()}",
            "alpha": color[3],
            "name": colors.name(index) or None,
            "reserved": index in colors.reserved,
        }
        for index, color in enumerate(colors.colors.tolist())
    ]


def _show(colors: Palette) -> None:
    """Each color on a line; the swatch only where a terminal can show it."""
    for record, (red, green, blue, alpha) in zip(_records(colors), colors.colors.tolist(), strict=True):
        swatch = f"\x1b[48;2;{red};{green};{blue}m   \x1b[0m" if sys.stdout.isatty() else ""
        seen = "" if alpha == 255 else f"alpha {alpha}" if alpha else "transparent"
        reserved = "reserved" if record["reserved"] else ""
        words = [f"{record['index']:5d}", swatch, record["hex"], seen, record["name"], reserved]
        print("  ".join(word for word in words if word))


def _list() -> None:
    from streamvq.media.palette_files.presets import PREFIX, load_preset, preset_names

    for name in preset_names():
        preset = load_preset(name)
        print(f"{PREFIX}{name}  {preset.title}, {counted(len(preset.palette), 'color')}\n  {preset.source}")
