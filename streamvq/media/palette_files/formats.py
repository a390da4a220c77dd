"""The formats of palettes in one table: chosen by suffix when written, by content when read."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

from streamvq.errors import CodebookError, UsageError
from streamvq.media.aseprite.chunks import MAGIC, MAGIC_AT
from streamvq.media.palette_files.aseprite import read_aseprite, write_aseprite
from streamvq.media.palette_files.binary_formats import (
    ADOBE_MAGIC,
    RIFF_MAGIC,
    read_act,
    read_adobe,
    read_riff,
    write_act,
    write_adobe,
    write_riff,
)
from streamvq.media.palette_files.palette import Palette
from streamvq.media.palette_files.picture import MAGICS, read_picture, write_picture
from streamvq.media.palette_files.text_formats import (
    GPL_MAGIC,
    JASC_MAGIC,
    read_gpl,
    read_hex,
    read_jasc,
    read_paint_net,
    write_gpl,
    write_hex,
    write_jasc,
    write_paint_net,
)
from streamvq.staging import staged_file

Reader = Callable[[bytes], Palette]
Writer = Callable[[Palette, str], bytes]
_MAX_BYTES = 1 << 26  # of a palette file
READERS: dict[str, Reader] = {  # by suffix, where the content has no mark of its own
    ".act": read_act,
    ".hex": read_hex,
    ".txt": read_paint_net,
    ".gpl": read_gpl,
    ".pal": read_jasc,
    ".png": read_picture,
    ".gif": read_picture,
    ".bmp": read_picture,
    ".ase": read_aseprite,
    ".aseprite": read_aseprite,
}
WRITERS: dict[str, Writer] = {
    ".act": write_act,
    ".ase": write_adobe,
    ".aseprite": write_aseprite,
    ".gpl": write_gpl,
    ".hex": write_hex,
    ".pal": write_jasc,
    ".png": write_picture,
    ".txt": write_paint_net,
}
RIFF_SUFFIX = ".riff.pal"
_MARKS: tuple[tuple[int, bytes, Reader], ...] = (  # where in a file, and what stands there
    (0, GPL_MAGIC.encode(), read_gpl),
    (0, JASC_MAGIC.encode(), read_jasc),
    (0, RIFF_MAGIC, read_riff),
    (0, ADOBE_MAGIC, read_adobe),
    (MAGIC_AT, MAGIC, read_aseprite),
    *((0, magic, read_picture) for magic in MAGICS),
)
_WITHOUT_ALPHA = (".ase", ".hex", RIFF_SUFFIX)
_WITHOUT_NAMES = (".act", ".hex", ".pal", ".png", ".txt", RIFF_SUFFIX)


def is_palette_name(path: Path) -> bool:
    """Whether a file's name is that of a palette."""
    return path.suffix.lower() in READERS


def read_palette_file(path: Path) -> Palette:
    """Read a palette file of any kind. Raises CodebookError with what is wrong."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise CodebookError(f"{path}: no such palette") from error
    except OSError as error:
        raise CodebookError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(data) > _MAX_BYTES:
        raise CodebookError(f"{path}: is too large for a palette")
    marked = (reader for at, mark, reader in _MARKS if data[at : at + len(mark)] == mark)
    read = next(marked, READERS.get(path.suffix.lower()))
    if read is None:
        raise CodebookError(f"{path}: no palette; those end in {', '.join(sorted(WRITERS))}, or .npz")
    try:
        return read(data)
    except (ValueError, struct.error, IndexError) as error:
        reason = str(error) if type(error) is ValueError else "it ends too early"
        raise CodebookError(f"{path}: not the palette that it seems: {reason}") from error


def write_palette_file(palette: Palette, path: Path, overwrite: bool = False) -> list[str]:
    """Write a palette file of the kind that the suffix names; returns notes of what it cannot hold.

    Raises UsageError for other suffixes and for more colors than the kind holds, OutputExists or OutputError.
    """
    suffix = RIFF_SUFFIX if path.name.lower().endswith(RIFF_SUFFIX) else path.suffix.lower()
    write = write_riff if suffix == RIFF_SUFFIX else WRITERS.get(suffix)
    if write is None:
        raise UsageError(f"{path}: palettes end in {', '.join(sorted([*WRITERS, RIFF_SUFFIX]))}, or .npz")
    try:
        data = write(palette, path.name[: -len(suffix)])
    except ValueError as error:
        raise UsageError(f"{path}: {error}; choose .gpl, .hex or .npz") from error
    with staged_file(path, overwrite) as part:
        part.write_bytes(data)
    notes, alpha = [], palette.colors[:, 3]
    if suffix == ".act" and ((alpha > 0) & (alpha < 255)).any():
        notes.append(f"{path}: holds one transparent color and no soft alpha, so the others are opaque in it")
    if suffix in _WITHOUT_ALPHA and (alpha < 255).any():
        notes.append(f"{path}: holds no alpha, so the transparent colors are opaque in it")
    if suffix in _WITHOUT_NAMES and palette.names:
        notes.append(f"{path}: holds no names of colors, so they are left out")
    return notes
