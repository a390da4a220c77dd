"""The options that commands share, and how they become settings."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streamvq.settings import FitSettings

_CODEBOOK, _READ, _WRITE, _REPORT = "Codebook", "Input", "Output", "Running and reporting"

Inputs = Annotated[
    list[str],
    typer.Argument(metavar="INPUT", help="Videos, images, folders, globs (quoted too), or - (y4m)."),
]
Colors = Annotated[
    int | None,
    typer.Option("-k", "--colors", help="Colors to learn, 2 to 65536 (256).", rich_help_panel=_CODEBOOK),
]
Bits = Annotated[
    int | None, typer.Option("--bits", help="The same as -k 2^BITS, 1 to 16.", rich_help_panel=_CODEBOOK)
]
Gray = Annotated[
    bool,
    typer.Option("--gray", help="Gray levels instead of colors (--bits 1 to 8).", rich_help_panel=_CODEBOOK),
]
Seed = Annotated[
    int,
    typer.Option("--seed", help="Where learning starts; the same seed, the same bytes.", rich_help_panel=_CODEBOOK),
]
Book = Annotated[
    Path | None,
    typer.Option("-c", "--codebook", help="Use this codebook and learn nothing.", rich_help_panel=_CODEBOOK),
]
SaveBook = Annotated[
    Path | None,
    typer.Option(
        "--save-codebook",
        help="Write the codebook here (next to the output, as STEM.codebook.npz).",
        rich_help_panel=_CODEBOOK,
    ),
]
Warmup = Annotated[
    int,
    typer.Option("--warmup", help="Frames to learn from when the input is a pipe.", rich_help_panel=_CODEBOOK),
]
Recursive = Annotated[
    bool,
    typer.Option(
        "-r", "--recursive", help="Folders with their subfolders; outputs mirror them.", rich_help_panel=_READ
    ),
]
KeepGoing = Annotated[
    bool,
    typer.Option("--keep-going", help="Keep a damaged video's frames up to the damage.", rich_help_panel=_READ),
]
Fps = Annotated[
    str, typer.Option("--fps", help="Frames per second of images that become a video.", rich_help_panel=_READ)
]
Output = Annotated[
    str,
    typer.Option(
        "-o",
        "--output",
        help="Exact video (.mkv .avi), preview video (.mp4 .mov .webm), image (.png .webp .tiff .bmp .jpg), "
        "folder of images (no suffix), or - (y4m).",
        rich_help_panel=_WRITE,
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="File format inside an output folder: png webp tiff bmp jpg, mkv avi mp4 mov webm.",
        autocompletion=lambda: ["png", "webp", "tiff", "bmp", "jpg", "mkv", "avi", "mp4", "mov", "webm"],
        rich_help_panel=_WRITE,
    ),
]
Crf = Annotated[
    int, typer.Option("--crf", help="Quality of preview videos; smaller is better.", rich_help_panel=_WRITE)
]
Overwrite = Annotated[
    bool, typer.Option("-f", "--overwrite", help="Replace existing outputs.", rich_help_panel=_WRITE)
]
SkipExisting = Annotated[
    bool,
    typer.Option(
        "--skip-existing", help="Leave out what is there already; reuse its codebook.", rich_help_panel=_WRITE
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and stop.", rich_help_panel=_REPORT)]
Jobs = Annotated[int, typer.Option("-j", "--jobs", help="Worker threads; 0 = all cores.", rich_help_panel=_REPORT)]
Json = Annotated[bool, typer.Option("--json", help="One JSON object an input on stdout.", rich_help_panel=_REPORT)]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Errors and surprises only.", rich_help_panel=_REPORT)]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="More detail.", rich_help_panel=_REPORT)]
Debug = Annotated[bool, typer.Option("--debug", help="Show the trace of an error.", rich_help_panel=_REPORT)]


def fit_settings(colors: int | None, bits: int | None, gray: bool, seed: int) -> FitSettings:
    """The fit settings that the options mean. Raises UsageError."""
    from streamvq.errors import UsageError
    from streamvq.settings import FitSettings

    if colors is not None and bits is not None:
        raise UsageError("--colors and --bits say the same thing; give one of them")
    if bits is not None:
        most = 8 if gray else 16
        if not 1 <= bits <= most:
            raise UsageError(f"--bits {bits}: choose 1 to {most}" + (" with --gray" if gray else ""))
        colors = 2**bits
    return FitSettings(256 if colors is None else colors, gray, seed)


def frame_rate(text: str) -> Fraction:
    """Frames per second from "25", "29.97" or "30000/1001". Raises UsageError."""
    from streamvq.errors import UsageError

    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"--fps {text}: give a number or a fraction, such as 25 or 30000/1001") from None
