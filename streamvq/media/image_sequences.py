"""Numbered files by a pattern such as frame%04d.png, as FFmpeg takes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from streamvq.errors import InputMissing, counted

_NUMBER = re.compile(r"%(?:0?(\d+))?d")
_SHOWN_GAPS = 5


@dataclass(frozen=True)
class ImageSequence:
    """The files of a pattern in the order of their numbers; `gaps` says in a line which are missing between them."""

    paths: list[Path]
    gaps: str | None


def find_sequence(pattern: str) -> ImageSequence | None:
    """The files that a pattern means, whatever their first number; None for a text that is no pattern.

    In the name one %d stands for numbers without leading zeros, %04d for those of four digits and more, and %% for %.
    Raises InputMissing where there are none.
    """
    path = Path(pattern)
    name = path.name.replace("%%", "\0")
    numbers = list(_NUMBER.finditer(name))
    if len(numbers) != 1:
        return None
    digits = int(numbers[0][1] or 1)
    around = (name[: numbers[0].start()], name[numbers[0].end() :])
    named = re.compile(r"(\d+)".join(re.escape(part.replace("\0", "%")) for part in around), re.ASCII)
    found: dict[int, Path] = {}
    other = ""
    for file in path.parent.iterdir() if path.parent.is_dir() else ():
        if match := named.fullmatch(file.name):
            if match[1] == f"{int(match[1]):0{digits}d}":
                found[int(match[1])] = path.parent / file.name
            else:
                other = max(other, file.name)
    if not found:
        there = f"; {other} is there: are its digits as many as the pattern's?" if other else ""
        raise InputMissing(f"{pattern}: no file has such a name, seen from {Path.cwd()}{there}")
    order = sorted(found)
    return ImageSequence([found[number] for number in order], _gaps(pattern, order))


def _gaps(pattern: str, order: list[int]) -> str | None:
    """A line on the numbers that are missing between the first and the last."""
    gaps = [(one + 1, other - 1) for one, other in pairwise(order) if other > one + 1]
    if not gaps:
        return None
    shown = ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in gaps[:_SHOWN_GAPS])
    more = f" and {counted(len(gaps) - _SHOWN_GAPS, 'more gap')}" if len(gaps) > _SHOWN_GAPS else ""
    missing = order[-1] - order[0] + 1 - len(order)
    return (
        f"{pattern}: of {order[0]} to {order[-1]}, {counted(missing, 'number')} {'is' if missing == 1 else 'are'} "
        f"missing ({shown}{more}); what is there follows without a pause"
    )
