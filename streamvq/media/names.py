"""Names of images that can be told apart in any folder: without their suffix, in any case, on any system."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import PurePosixPath

_WINDOWS_DEVICE = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9¹²³])\s*(\.|$)", re.IGNORECASE)


def distinct_names(names: Sequence[str]) -> dict[str, str]:
    """New names for those that some system, or an output whose format changes their suffix, could not tell apart.

    Of several such names the first stays, and the others get a number: of a.jpg, a.png and A.tif the last two become
    a-2.png and A-3.tif. What Windows takes for a device gets an underscore: nul.png becomes nul_.png.
    """
    safe = {name: "/".join(map(_no_device, name.split("/"))) for name in names}
    reserved = {_key(name) for name in safe.values()}
    taken: set[str] = set()
    for name, new in safe.items():
        if _key(new) in taken:
            new = next(each for each in _numbered(new) if _key(each) not in reserved)
            reserved.add(_key(new))
            safe[name] = new
        taken.add(_key(new))
    return {name: new for name, new in safe.items() if new != name}


def renaming_note(label: str, renamed: dict[str, str]) -> str:
    """One line that says what `distinct_names` did."""
    (old, new), *more = renamed.items()
    others = f" (and {len(more)} more)" if more else ""
    return f"{label}: {old} becomes {new}{others}, so that outputs can be told apart on every system"


def _no_device(part: str) -> str:
    match = _WINDOWS_DEVICE.match(part)
    return part if match is None else f"{part[: match.end(1)]}_{part[match.end(1) :]}"


def _numbered(name: str) -> Iterator[str]:
    path = PurePosixPath(name)
    return (str(path.with_name(f"{path.stem}-{number}{path.suffix}")) for number in count(2))


def _key(name: str) -> str:
    """The same for names that are the same file somewhere, whatever their suffixes."""
    return unicodedata.normalize("NFC", str(PurePosixPath(name).with_suffix("")).casefold())
