"""How option classes work: an `Option` with each field, checks, and functions that take the fields as keywords."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields
from difflib import get_close_matches
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, dataclass_transform

from streamvq.errors import UsageError

First = TypeVar("First")
Second = TypeVar("Second")
Made = TypeVar("Made")
Returned = TypeVar("Returned")
Keywords = ParamSpec("Keywords")


@dataclass(frozen=True)
class Option:
    """What the command line and checks know of an option besides its name, type and default.

    `flags` are those of the command line. Numbers go from `low` to `high`. `choices` are the words that it takes.
    `changes` says what differs where its value does, by which outputs and codebooks that are there are compared:
    the "output" of any codes, the "codes" that are learned of the same frames, what "factors" are of; or what is not
    compared: the "input" that is read, and "nothing". A "file" tells by itself.
    """

    flags: str
    help: str
    panel: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    changes: frozenset[str] = frozenset()


def option(
    panel: str, flags: str, help: str, low: float | None = None, high: float | None = None,
    *, default: Any = None, kw_only: bool = True, choices: tuple[str, ...] = (), changes: str = "",
) -> Any:  # fmt: skip
    """A field of an option class, with its `Option`; `changes` has its words with spaces between them."""
    made = Option(flags, help, panel, low, high, choices, frozenset(changes.split()))
    return field(default=default, kw_only=kw_only, metadata={"option": made})


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(option,))
class Options:
    """Base of all option classes, which become frozen dataclasses; checks types, ranges and choices, then
    whatever each class says in `check`."""

    def __init_subclass__(cls) -> None:
        dataclass(frozen=True, kw_only=True)(cls)

    def __post_init__(self) -> None:
        kind: Any = type(self)
        for each in fields(kind):
            if "option" in each.metadata:
                value = _plain(each, getattr(self, each.name))
                object.__setattr__(self, each.name, value)
                _check(each.name, value, each.metadata["option"])
        for part in reversed(kind.__mro__):
            if "check" in vars(part):
                part.check(self)


def options_of(options: Any) -> dict[str, Option]:
    """The options of a class by name, in order; keywords of the library alone are left out."""
    return {each.name: each.metadata["option"] for each in fields(options) if "option" in each.metadata}


def _plain(each: Field[Any], value: Any) -> Any:
    """The value of a field as Python's own number where its type says so. Raises UsageError for other things."""
    kind = str(each.type).removesuffix(" | None")
    if value is None and each.default is not None:
        raise UsageError(f"`{each.name}=None`: give a value")
    if value is None or kind not in ("int", "float"):
        return value
    try:
        return operator.index(value) if kind == "int" else float(value)
    except (TypeError, ValueError):
        raise UsageError(f"`{each.name}={value}`: give a {'whole ' * (kind == 'int')}number") from None


def _check(name: str, value: Any, option: Option) -> None:
    low, high = option.low, option.high
    if value is None:
        return
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        to = "or more" if high is None else f"to {high:g}"
        raise UsageError(f"`{name}={value}`: choose {low:g} {to}")
    if option.choices and value not in option.choices:
        raise UsageError(f"`{name}={value}`: choose one of {', '.join(option.choices)}")


def keywords(
    options: Callable[Keywords, Made],
) -> Callable[[Callable[[First, Made], Returned]], Callable[Concatenate[First, Keywords], Returned]]:
    """Turns `function(source, options)` into `function(source, keyword=..., ...)` with the keywords of a class.

    An unknown keyword raises TypeError, which names the one that was probably meant.
    """
    return lambda function: _with_keywords(function, options)


def keywords_after_two(
    options: Callable[Keywords, Made],
) -> Callable[[Callable[[First, Second, Made], Returned]], Callable[Concatenate[First, Second, Keywords], Returned]]:
    """The same for `function(first, second, options)`."""
    return lambda function: _with_keywords(function, options)


def _with_keywords(function: Any, options: Any) -> Any:
    signature = inspect.signature(function)
    leading = list(signature.parameters.values())[:-1]
    signature = signature.replace(parameters=[*leading, *inspect.signature(options).parameters.values()])

    @wraps(function)
    def call(*arguments: Any, **given: Any) -> Any:
        for name in given:
            if name not in signature.parameters:
                raise TypeError(f"{function.__name__}() has no keyword {name!r}{_meant(name, options)}")
        bound = signature.bind(*arguments, **given).arguments
        head = [bound.pop(parameter.name) for parameter in leading]
        return function(*head, options(**bound))

    call.__signature__ = signature  # type: ignore[attr-defined]
    return call


def _meant(name: str, options: Any) -> str:
    """The keyword that is probably meant, as a question."""
    by_flag = {
        flag.lstrip("-").replace("-", "_"): keyword
        for keyword, option in options_of(options).items()
        for flag in option.flags.split()
    }
    close = get_close_matches(name, by_flag.keys() | by_flag.values(), 1)
    return f"; did you mean {by_flag.get(close[0], close[0])!r}?" if close else ""
