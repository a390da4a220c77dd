"""`emit_palette`: other colors at the same indices, such as those that a device is told for those that it shows."""

from __future__ import annotations

from dataclasses import replace

from streamvq.errors import UsageError, codes_text, counted
from streamvq.media.codebooks import read_palette
from streamvq.options import CompressOptions
from streamvq.quantize.codebook import Codebook


def emitted(codebook: Codebook, options: CompressOptions) -> Codebook | None:
    """The codebook whose colors are written for those of `codebook`; None where they are its own.

    Raises UsageError where they are not as many, CodebookError or MediaError where there is no such palette.
    """
    if options.emit_palette is None:
        return None
    name = f"`emit_palette={options.emit_palette}`"
    if codebook.block != (1, 1):
        raise UsageError(f"{name}: gives colors, and the codes are {codes_text(len(codebook), codebook.block)}")
    palette = read_palette(options.emit_palette)
    if len(palette) != len(codebook):
        raise UsageError(
            f"{name}: has {counted(len(palette), 'color')}, and {counted(len(codebook), 'color')} are matched; "
            "it is to have a color for each index"
        )
    book = palette.codebook(str(options.emit_palette)).matched_in(codebook.matching)
    return replace(book, alpha=codebook.alpha) if book.alpha is None else book


def naming_matched(codebook: Codebook | None, options: CompressOptions) -> CompressOptions:
    """Options for outputs, which name the codebook that was matched where they hold the colors of another."""
    if codebook is None or options.emit_palette is None:
        return options
    return replace(options, emit_palette=codebook.fingerprint)
