"""Every option says what it changes, and `skip_existing` tells outputs and codebooks apart by it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from streamvq.keywords import Option, options_of
from streamvq.media.codebooks import find_codebook
from streamvq.media.made_with import made_with
from streamvq.options import ApplyOptions, CompressOptions, DecompressOptions, FitOptions
from streamvq.pipeline.existing import asked_of_codebook
from streamvq.pipeline.reserved_options import with_codebook_extended

WORDS = {"output", "codes", "factors", "file", "input", "nothing"}
CLASSES = (CompressOptions, ApplyOptions, FitOptions, DecompressOptions)
# Other values than the default of options that are no bool, have no choices and no lowest value.
VALUES: dict[str, Any] = {
    "n_codes": 5, "bits": 3, "block": 2, "reserve": ("#f00",), "palette": "#000,#fff", "codebook": "#000,#f0f",
    "energy": 0.5, "background": "white", "fps": 10, "trim": "0:1", "frames": range(2, 5), "pack_bits": 16,
    "emit_palette": "#000,#fff", "min_psnr": 3.0, "output": "a.svq", "save_codebook": "b.npz", "crf": 7,
    "patch": 4, "method": "svd", "shard": "2/3", "cluster": "local:2", "time": "0:1", "max_size": "500kB",
}  # fmt: skip
RANK: dict[str, Any] = {"rank": 3}
BESIDE: dict[str, dict[str, Any]] = {  # what options need
    "patch": RANK, "method": RANK, "extend": {"codebook": "#000,#f0f"}, "codebook": {"extend": 1},
    "shard": {"codebook": "#000,#fff"},
}  # fmt: skip

OPTIONS = options_of(CompressOptions)
REFUSED = {"block", "rank", "energy", "patch", "codebook"}  # by `per=image`
OF_OWN_PALETTES = [
    name for name, each in OPTIONS.items() if "codes" in each.changes and name not in {"per", *REFUSED}
]


def cases(*words: str) -> list[Any]:
    """The options of all classes that change one of these."""
    found = [(options, name, option) for options in CLASSES for name, option in options_of(options).items()]
    found = [case for case in found if case[2].changes & set(words)]
    return [pytest.param(*case, id=f"{case[0].__name__}-{case[1]}") for case in found]


def other(options: type, name: str, option: Option) -> Any:
    """A value that is not the default."""
    default = next(each.default for each in fields(options) if each.name == name)
    if name in VALUES:
        return VALUES[name]
    if isinstance(default, bool):
        return not default
    if option.choices:
        return next(choice for choice in option.choices[::-1] if choice != default)
    return default + 1 if default == option.low else option.low


def said(options: Any) -> tuple[str, dict[str, object]]:
    """What an output and the codebook that is learned, if any, say of options."""
    options = with_codebook_extended(options) if isinstance(options, FitOptions) else options
    given = find_codebook(getattr(options, "codebook", None))
    learns = isinstance(options, FitOptions) and given is None
    line = made_with(given, options) if hasattr(options, "crf") else ""
    return line, asked_of_codebook(options) if learns else {}


@pytest.mark.parametrize("options", CLASSES)
def test_every_option_says_what_it_changes(options: type) -> None:
    silent = [name for name, option in options_of(options).items() if not option.changes or option.changes - WORDS]
    assert not silent, "give `changes=` (see keywords.Option)"


@pytest.mark.parametrize(("options", "name", "option"), cases("output", "codes"))
def test_what_changes_something_is_said(options: type, name: str, option: Option) -> None:
    beside = BESIDE.get(name, {})
    changed = said(options(**beside, **{name: other(options, name, option)}))
    before = said(options(**beside if beside is RANK else {}))
    if "output" in option.changes and options is not FitOptions:
        assert changed[0] != before[0]
    if "codes" in option.changes and options is not ApplyOptions:
        assert changed != before


@pytest.mark.parametrize(("options", "name", "option"), cases("file", "input", "nothing"))
def test_what_changes_nothing_that_is_compared_is_not_said(options: type, name: str, option: Option) -> None:
    value = None if (options, name) == (DecompressOptions, "codebook") else other(options, name, option)
    beside = {each: value for each, value in BESIDE.get(name, {}).items() if each in options_of(options)}
    assert said(options(**beside, **{name: value})) == said(options(**beside))


@pytest.mark.parametrize("name", OF_OWN_PALETTES)
def test_images_with_palettes_of_their_own_say_what_changes_these(name: str) -> None:
    value = {"space": "gray", "order": "count"}.get(name) or other(CompressOptions, name, OPTIONS[name])
    options = CompressOptions(per="image", **BESIDE.get(name, {}), **{name: value})
    assert said(options)[0] != said(CompressOptions(per="image"))[0]


@pytest.mark.parametrize(("name", "value"), [("gray", True), ("space", "rgb")])
def test_factors_say_what_they_are_of(name: str, value: Any) -> None:
    assert "factors" in OPTIONS[name].changes
    given = made_with(None, CompressOptions(method="svd", **RANK, **{name: value}))
    assert given == f"factors method=svd rank=3 {name}={value}"
