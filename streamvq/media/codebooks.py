"""Codebooks wherever they stand: in codebook files, `.svq` files, palettes of other programs, presets, or typed."""

from __future__ import annotations

import os
from pathlib import Path

from streamvq.container.reader import codebook_from
from streamvq.media.palette_files.formats import is_palette_name, read_palette_file, write_palette_file
from streamvq.media.palette_files.palette import Palette, is_color_list, parse_colors
from streamvq.media.palette_files.presets import PREFIX, load_preset
from streamvq.options import AnyCodebook, Source
from streamvq.quantize.codebook import Codebook

CODEBOOK_SUFFIX = ".codebook.npz"


def codebook_path_for(output: Path, is_folder: bool) -> Path:
    """Where `compress` saves the codebook of an output: next to it, under its name."""
    if not is_folder:
        return output.with_suffix(CODEBOOK_SUFFIX)
    folder = output if output.name not in ("", "..") else output.resolve()
    return folder.with_name(folder.name + CODEBOOK_SUFFIX)


def find_codebook(value: AnyCodebook | Source | None) -> Codebook | None:
    """What `codebook=` takes: a `Codebook`, the path of a codebook, of a `.svq` or of a palette, "preset:NAME", or
    colors such as "#000,#fff,tomato".

    Raises CodebookError, MediaError, or UsageError for anything else.
    """
    if isinstance(value, (str, os.PathLike)) and _is_palette(value):
        return read_palette(value).codebook(str(value))
    return codebook_from(value)


def read_palette(source: Source | Codebook) -> Palette:
    """The palette of a palette file, of a codebook, "preset:NAME", or colors such as "#000,#fff,tomato".

    Raises CodebookError, MediaError, or UsageError where the codes are blocks.
    """
    if isinstance(source, Codebook):
        return Palette.of_codebook(source)
    text = str(source)
    if text.startswith(PREFIX):
        return load_preset(text).palette
    if _is_palette(source):
        return parse_colors(text) if is_color_list(text) else read_palette_file(Path(source))
    codebook = codebook_from(source)
    assert codebook is not None
    return Palette.of_codebook(codebook)


def write_palette(palette: Palette, path: Path, overwrite: bool = False) -> list[str]:
    """Write a palette file, or a codebook where the name ends in .npz; returns notes of what it cannot hold.

    Raises UsageError, OutputExists or OutputError.
    """
    if path.suffix.lower() != ".npz":
        return write_palette_file(palette, path, overwrite)
    palette.codebook(path.name).save(path, overwrite)
    return []


def _is_palette(source: Source) -> bool:
    text, path = str(source), Path(source)
    return text.startswith(PREFIX) or is_palette_name(path) or (is_color_list(text) and not path.exists())
