"""`streamvq info`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamvq.cli.parameters import JsonOption, with_options
from streamvq.errors import UsageError
from streamvq.keywords import Options, option
from streamvq.options import REPORT, RecursiveOption

if TYPE_CHECKING:
    from streamvq.quantize.codebook import Codebook

EXAMPLES = """\b
Examples:
  streamvq info clip.mp4
  streamvq info clip.svq
  streamvq info clip.codebook.npz --json"""


class FormatsOption(Options):
    """What `info` says of no file in particular."""

    formats: bool = option(REPORT, "--formats", "List the kinds of files that are read and written.", default=False)


@with_options()
def info(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE", help="Media files, folders, or codebooks.", default_factory=list)
    ],
    options: RecursiveOption,
    formats: FormatsOption,
    printing: JsonOption,
) -> None:
    """Say what a media file, a folder of images, a .svq file, or a codebook holds."""
    from streamvq.cli.printing import say
    from streamvq.errors import StreamVQError

    if formats.formats:
        _print(_formats(), printing.json)
    elif not files:
        raise UsageError("no input: name a file, or use --formats")
    failed = False
    for file in files:
        try:
            records = [_codebook(file)] if Path(file).suffix == ".npz" else _media(file, options.recursive)
        except StreamVQError as error:
            failed = True
            say(f"error: {error}")
            continue
        for record in records:
            _print(record, printing.json)
            failed |= record.get("truncation") is not None
    if failed:
        raise typer.Exit(1)


def _print(record: dict[str, Any], json: bool) -> None:
    from streamvq.cli.printing import print_json

    if json:
        print_json(record)
        return
    if "file" in record:
        print(record["file"])
    for name, value in record.items():
        if name != "file" and value is not None:
            print(f"  {name.replace('_', ' ')}: {_text(value)}")


def _formats() -> dict[str, Any]:
    from streamvq.media.file_type import IMAGE_KINDS
    from streamvq.media.targets import written_suffixes

    return {
        "images": {kind.name: " ".join(kind.suffixes) for kind in IMAGE_KINDS},
        "animations_and_pages": [kind.name for kind in IMAGE_KINDS if kind.several],
        "videos": "whatever FFmpeg's libraries decode: .mp4 .mkv .webm .mov .avi .ts .mpg .ogv .wmv .flv and more",
        "pipes": "y4m .svq",
        "written": written_suffixes(),
    }


def _image(path: Path) -> dict[str, Any]:
    """What the header of an image file says, and the timing of an animation."""
    from streamvq.media.reading.picture_delays import about

    found = about(path)
    shown = found.durations
    return {
        "format": found.format,
        "width": found.width,
        "height": found.height,
        "channels": found.channels,
        ("frames" if shown else "pages"): found.pictures if found.pictures > 1 else None,
        "seconds": float(sum(shown)) if shown else None,
        "seconds_a_frame": [float(each) for each in sorted({min(shown), max(shown)})] if shown else None,
    }


def _codebook(path: str) -> dict[str, Any]:
    from streamvq.quantize.codebook import Codebook

    book = Codebook.load(path)
    return {
        "file": path,
        "kind": "codebook",
        "n_codes": len(book),
        "space": book.space,
        "compared_in": None if book.matching == "rgb" else book.matching,
        "block": list(book.block),
        "fingerprint": book.fingerprint,
        "bytes": Path(path).stat().st_size,
        "reserved": list(book.reserved) or None,
        "provenance": dict(book.provenance),
        "transparent": book.transparent,
        "codes": _colors(book) if book.block == (1, 1) else None,
        "names": list(book.names) or None,
    }


def _colors(book: Codebook) -> list[str]:
    """The colors of single pixels as CSS has them: with alpha, where one is not opaque."""
    if book.alpha is None:
        return ["#" + bytes(color).hex() for color in book.palette.tolist()]
    opacities = book.alpha.tolist()
    return [
        "#" + bytes(color if alpha == 255 else [*color, alpha]).hex()
        for color, alpha in zip(book.palette.tolist(), opacities, strict=True)
    ]


def _svq(path: str) -> dict[str, Any]:
    from streamvq.cli.video_info import title_and_chapters
    from streamvq.container.inspect import inspect
    from streamvq.options import EFFORTS

    about = inspect(Path(path))
    header, info = about.header, about.header.info
    pictures: dict[str, Any] = {
        "n_codes": header.n_codes,
        "block": list(header.block),
        "codebook": "inside" if about.parts["codebook"] else "external: decompress needs -c",
        "fingerprint": header.fingerprint,
    }
    if header.low_rank:
        pictures = {"method": "svd", "patch": header.patch}
    return {
        "file": path,
        "kind": "svq",
        "bytes": about.size,
        "width": info.width,
        "height": info.height,
        "frames": about.n_frames,
        "frames_per_second": float(info.fps) if info.fps else None,
        "seconds": about.seconds,
        "audio_streams": info.audio_streams,
        **title_and_chapters(info),
        "groups": about.n_groups,
        "space": header.space,
        **pictures,
        "effort": None if header.low_rank else next(name for name, coder in EFFORTS.items() if coder == header.coder),
        "bytes_by_part": {name: count for name, count in about.parts.items() if count},
        "bits_per_pixel": 8 * about.size / about.pixels if about.pixels else None,
        "truncation": about.truncation,
    }


def _sketch(path: Path) -> dict[str, Any]:
    from streamvq.container.sketch_file import read_head

    head = read_head(path)
    settings = {name: "x".join(map(str, value[::-1])) if name == "block" else value
        for name, value in head.settings.items()}  # fmt: skip
    return {
        "file": str(path),
        "kind": "sketch",
        "bytes": path.stat().st_size,
        "frames": head.frames,
        "settings": settings or None,
        "shares": {digest: f"{len(shares)} of {of}" for (digest, of), shares in head.runs.items()},
        "not_read": len(head.failed) or None,
    }


def _media(path: str, recursive: bool) -> list[dict[str, Any]]:
    from streamvq.media.file_type import content_of
    from streamvq.media.inputs import find_inputs

    records = []
    for item in find_inputs([path], recursive):
        if item.source_type == "sketch":
            records.append(_sketch(item.paths[0]))
            continue
        if item.is_svq:
            records.append(_svq(str(item.paths[0])))
            continue
        if item.source_type != "images" and content_of(item.paths[0]).source in ("image", "foreign"):
            kind = "image" if item.source_type == "image" else "animation"
            records.append({"file": item.label, "kind": kind, "bytes": item.size_bytes} | _image(item.paths[0]))
            continue
        from streamvq.cli.video_info import video_record
        from streamvq.media.opening import open_source

        with open_source(item) as source:
            record: dict[str, Any] = {"file": item.label, "kind": item.source_type, "bytes": item.size_bytes}
            if item.source_type == "images":
                record |= {"images": len(item.paths), "ignored_files": item.ignored_files}
            else:
                record |= video_record(source)
            records.append(record)
    return records


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        from streamvq.errors import shortened

        return ", ".join(f"{shortened(key)} {shortened(item)}" for key, item in value.items())
    if isinstance(value, list):
        first = " ".join(map(_text, value[:16]))
        return first if len(value) <= 16 else f"{first} ... ({len(value)} in all; --json shows them)"
    return str(value)
