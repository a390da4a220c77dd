"""The options that commands share, and how they become settings."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

_CODEBOOK, _LOW_RANK, _READ, _WRITE, _REPORT = "Codebook", "Low rank", "Input", "Output", "Running and reporting"

Inputs = Annotated[
    list[str],
    typer.Argument(metavar="INPUT", help="Videos, images, folders, globs (quoted too), or - (y4m)."),
]
Colors = Annotated[
    int | None,
    typer.Option(
        "-k", "--colors", help="Colors or blocks to learn, 2 to 65536 (256; blocks: 4096).", rich_help_panel=_CODEBOOK
    ),
]
Bits = Annotated[
    int | None, typer.Option("--bits", help="The same as -k 2^BITS, 1 to 16.", rich_help_panel=_CODEBOOK)
]
Gray = Annotated[
    bool,
    typer.Option("--gray", help="Gray levels instead of colors (--bits 1 to 8).", rich_help_panel=_CODEBOOK),
]
Block = Annotated[
    str | None,
    typer.Option(
        "--block",
        help="Codes of 2, 4, 8 or WxH pixels instead of one; -k is their number.",
        rich_help_panel=_CODEBOOK,
    ),
]
Space = Annotated[
    str | None,
    typer.Option(
        "--space",
        help="Where blocks are compared, or factors stored: ycbcr420 (the default; blocks of even sides) or rgb.",
        autocompletion=lambda: ["rgb", "ycbcr420"],
        rich_help_panel=_CODEBOOK,
    ),
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
Method = Annotated[
    str,
    typer.Option(
        "--method",
        help="vq: codes; svd-vq: codes of frames of low rank (as --rank with vq); svd: factors, without a codebook.",
        autocompletion=lambda: ["vq", "svd", "svd-vq"],
        rich_help_panel=_LOW_RANK,
    ),
]
Rank = Annotated[
    int | None,
    typer.Option("--rank", help="Truncate each frame's channels to this rank (SVD).", rich_help_panel=_LOW_RANK),
]
Energy = Annotated[
    float | None,
    typer.Option(
        "--energy",
        help="To the least rank that keeps this share of the squared singular values, such as 0.99.",
        rich_help_panel=_LOW_RANK,
    ),
]
Patch = Annotated[
    int,
    typer.Option(
        "--patch", help="Truncate the matrix of PxP patches instead of whole frames.", rich_help_panel=_LOW_RANK
    ),
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
_OUTPUT = typer.Option(
    "-o",
    "--output",
    help="Compressed (.svq), exact video (.mkv .avi), preview video (.mp4 .mov .webm), image (.png .webp .tiff .bmp "
    ".jpg), folder of images (no suffix), or - (y4m).",
    rich_help_panel=_WRITE,
)
Output = Annotated[str, _OUTPUT]
OutputOrBeside = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--output",
        help=f"{_OUTPUT.help} Without it: INPUT's name with .svq, beside it.",
        rich_help_panel=_WRITE,
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="File format inside an output folder: png webp tiff bmp jpg, svq mkv avi mp4 mov webm; of -: svq.",
        autocompletion=lambda: ["png", "webp", "tiff", "bmp", "jpg", "svq", "mkv", "avi", "mp4", "mov", "webm"],
        rich_help_panel=_WRITE,
    ),
]
Crf = Annotated[
    int, typer.Option("--crf", help="Quality of preview videos; smaller is better.", rich_help_panel=_WRITE)
]
Lossy = Annotated[
    float,
    typer.Option(
        "--lossy",
        help="Keep the code of a neighbor or of the frame before where it costs little: 0 (off) to 100.",
        rich_help_panel=_WRITE,
    ),
]
External = Annotated[
    bool,
    typer.Option(
        "--external-codebook", help=".svq without the codebook inside; decompress needs -c.", rich_help_panel=_WRITE
    ),
]
SkipIfLarger = Annotated[
    bool,
    typer.Option(
        "--skip-if-larger", help="Keep no output that is larger than its input (exit 98).", rich_help_panel=_WRITE
    ),
]
MinPsnr = Annotated[
    float | None,
    typer.Option("--min-psnr", help="Keep no output below so many dB (exit 99).", rich_help_panel=_WRITE),
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


def color_count(colors: int | None, bits: int | None, gray: bool, sides: tuple[int, int]) -> int | None:
    """The number of codes that --colors or --bits mean. Raises UsageError."""
    from streamvq.errors import UsageError

    if colors is not None and bits is not None:
        raise UsageError("--colors and --bits say the same thing; give one of them")
    if bits is not None:
        most = 8 if gray and sides == (1, 1) else 16
        if not 1 <= bits <= most:
            raise UsageError(f"--bits {bits}: choose 1 to {most}" + (" with --gray" if most == 8 else ""))
        return int(2**bits)
    return colors


def block_sides(text: str | None) -> tuple[int, int]:
    """A block's height and width from "4" or "8x4" (width first). Raises UsageError."""
    from streamvq.errors import UsageError

    wide, times, high = ("1" if text is None else text).lower().partition("x")
    try:
        return int(high if times else wide), int(wide)
    except ValueError:
        raise UsageError(f"--block {text}: give a side such as 4, or WIDTHxHEIGHT such as 8x4") from None


def frame_range(text: str | None) -> range | None:
    """Frames from "A:B" (A to B - 1), "A:", ":B" or "A". Raises UsageError."""
    from streamvq.errors import UsageError

    if text is None:
        return None
    first, colon, end = text.partition(":")
    try:
        start = min(int(first or "0" if colon else first), sys.maxsize - 1)
        frames = range(start, min(int(end), sys.maxsize) if end else sys.maxsize if colon else start + 1)
    except ValueError:
        frames = range(0)
    if frames.start < 0 or not frames:
        raise UsageError(f"--frames {text}: give A:B (A to B - 1), A:, :B or A, counted from 0")
    return frames


def frame_rate(text: str) -> Fraction:
    """Frames per second from "25", "29.97" or "30000/1001". Raises UsageError."""
    from streamvq.errors import UsageError

    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"--fps {text}: give a number or a fraction, such as 25 or 30000/1001") from None
