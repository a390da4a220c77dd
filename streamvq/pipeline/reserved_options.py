"""The codes that options reserve: colors of their own, a palette's, or those of a codebook that is extended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from streamvq.color_names import parse_color
from streamvq.errors import UsageError, codes_text, counted
from streamvq.media.codebooks import find_codebook
from streamvq.options import FitOptions
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.fixed_codes import FixedCodes

Fit = TypeVar("Fit", bound=FitOptions)
_OPAQUE = 255


def with_codebook_extended(options: Fit) -> Fit:
    """Options to extend a codebook as those that learn beside it, its codes first; others as they are.

    Raises CodebookError, MediaError, or UsageError where it cannot have so many codes.
    """
    if not options.extend:
        return options
    book = find_codebook(options.codebook)
    assert book is not None
    space = (options.matching_asked or book.matching) if book.block == (1, 1) else book.space
    return replace(
        options,
        codebook=None,
        extend=0,
        palette=book,
        n_codes=len(book) + options.extend,
        gray=book.space == "gray",
        block=book.block,
        space=None if (book.space, space) == ("gray", "rgb") else space,
    )


def fixed_by(options: FitOptions) -> dict[str, Any]:
    """What a codebook's provenance says of its fixed codes, and of the order and the weights of the others; None
    where an option has its default."""
    extended = options.palette if isinstance(options.palette, Codebook) else None
    return {
        "reserve": list(options.reserve) or None,
        "extends": extended.fingerprint if extended else None,
        "palette": None if extended or options.palette is None else Path(str(options.palette)).name,
        "order": None if options.order == "luma" else options.order,
        "weight": None if options.weight == "count" else options.weight,
    }


def matching_of(options: FitOptions) -> str:
    """Where codes are learned and compared: as is asked for, or else as in the codebook that is extended."""
    extended = options.palette if isinstance(options.palette, Codebook) else None
    return options.matching_asked or (extended.matching if extended else "rgb")


def fixed_codes(options: FitOptions) -> FixedCodes | None:
    """The codes that are not to be learned: the palette's first, then reserved colors; None where there are none.

    A reserved color has the row that it names, or else the lowest that is free; one that has a row already, and
    names none, keeps that. So has the transparent color, where it is given an index. Raises UsageError where rows or
    colors do not fit, CodebookError or MediaError where there is no such palette.
    """
    if options.palette is None and not options.reserve and options.transparent_index is None:
        return None
    codes, names, alpha = _palette(options)
    holders = dict.fromkeys(range(len(codes)), "the palette")  # of rows
    if (row := options.transparent_index) is not None:
        if row in holders:
            raise UsageError(f"`transparent_index={row}`: index {row} is taken by {holders[row]}; choose another")
        holders[row] = "the transparent color"
        codes, alpha = np.concatenate([codes, np.zeros((1, 3), np.uint8)]), [*alpha, 0]
        names.append("")
    reserved = [_reserved(text, options) for text in options.reserve]
    for text, code, row in sorted(reserved, key=lambda each: each[2] is None):
        if row is None:
            if ((codes == code).all(axis=1) & (np.array(alpha) == _OPAQUE)).any():
                continue
            row = next(row for row in range(len(holders) + 1) if row not in holders)
        elif row in holders:
            raise UsageError(f"`reserve={text}`: index {row} is taken by {holders[row]}; choose another")
        holders[row] = text
        codes, alpha = np.concatenate([codes, code]), [*alpha, _OPAQUE]
        names.append("" if text.startswith("#") else text.partition("@")[0])
    if len(codes) > options.code_count:
        asked = codes_text(options.code_count, options.sides)
        raise UsageError(f"{counted(len(codes), 'code')} reserved, and {asked} in all; raise `n_codes`")
    table = None if min(alpha) == _OPAQUE else np.array(alpha, np.uint8)
    return FixedCodes(codes, tuple(holders), tuple(names), table)


def _palette(options: FitOptions) -> tuple[NDArray[np.uint8], list[str], list[int]]:
    """The codes, names and alpha of the palette."""
    book = find_codebook(options.palette)
    channels = 1 if options.is_gray else 3
    if book is None:
        return np.empty((0, channels), np.uint8), [], []
    if book.block != options.sides or (book.block != (1, 1) and book.space != options.code_space):
        ours, theirs = codes_text(len(book), book.block), codes_text(options.code_count, options.sides)
        raise UsageError(f"`palette={_said(options.palette)}`: has {ours}, and {theirs} are asked for")
    codes = book.codes
    if book.block == (1, 1) and channels != codes.shape[1]:
        codes = _as_gray(book.palette, f"`palette={_said(options.palette)}`") if channels == 1 else book.palette
    alpha = [_OPAQUE] * len(book) if book.alpha is None else book.alpha.tolist()
    return codes, list(book.names) or [""] * len(book), alpha


def _reserved(text: str, options: FitOptions) -> tuple[str, NDArray[np.uint8], int | None]:
    """A reserved color as typed, its code [1, 1 or 3], and the row that it names."""
    color, at, index = text.partition("@")
    try:
        code = np.array([parse_color(color.strip())], np.uint8)
    except UsageError:
        message = "no such color; give one such as '#ff8000', tomato, or '#ff8000@0' for index 0"
        raise UsageError(f"`reserve={text}`: {message}") from None
    if at and (not index.isdecimal() or int(index) >= options.code_count):
        raise UsageError(f"`reserve={text}`: the index after @ is 0 to {options.code_count - 1}, below `n_codes`")
    return text, _as_gray(code, f"`reserve={text}`") if options.is_gray else code, int(index) if at else None


def _as_gray(colors: NDArray[np.uint8], what: str) -> NDArray[np.uint8]:
    if (colors != colors[:, :1]).any():
        raise UsageError(
            f"{what}: is colored, and gray levels are learned; give grays such as '#808080', or drop `gray`"
        )
    return colors[:, :1]


def _said(palette: object) -> str:
    return "a Codebook" if isinstance(palette, Codebook) else str(palette)
