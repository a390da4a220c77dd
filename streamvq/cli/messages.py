"""The library's messages in the command line's words: `overwrite=True` becomes --overwrite."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from streamvq import options
from streamvq.keywords import Options, options_of

_KEYWORD = re.compile(r"`([a-z_]+)(?:=([^`]*))?`")
_SHORT = ("codebook", "output")  # -c and -o are better known than their long names
_REMARKS = ("error", "failed", "notes", "truncation", "warnings")  # of JSON objects


def in_flags(text: str) -> str:
    """A message with each keyword in backticks as an option: `rank=32` as --rank 32, `jobs` as --jobs."""
    return _KEYWORD.sub(_flag, text)


def record_in_flags(record: dict[str, Any]) -> dict[str, Any]:
    """A JSON object whose remarks name options."""
    return {key: _remarks(value) if key in _REMARKS else value for key, value in record.items()}


def _remarks(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_remarks(each) for each in value]
    return in_flags(value) if isinstance(value, str) else value


def _flag(match: re.Match[str]) -> str:
    name, value = match.groups()
    flag = flag_of(name)
    return flag if value in (None, "True") else f"{flag} {value}"


def flag_of(keyword: str) -> str:
    """The option of a keyword; a keyword that has none stays as it is."""
    return _flags().get(keyword, keyword)


@cache
def _flags() -> dict[str, str]:
    """The option of each keyword."""
    found = (value for value in vars(options).values() if isinstance(value, type) and issubclass(value, Options))
    return {
        name: option.flags.split()[0 if name in _SHORT else -1]
        for each in found
        if each is not Options
        for name, option in options_of(each).items()
    }
