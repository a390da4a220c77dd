"""Fitting from sketch files: the settings that they were made with, and their sum."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

from streamvq.color_names import color_name
from streamvq.container.sketch_file import SketchFile, read_head
from streamvq.container.sketch_head import SketchHead, setting_text, sum_of_heads
from streamvq.errors import UsageError
from streamvq.media.inputs import MediaInput
from streamvq.options import FitOptions, SketchOptions
from streamvq.ordered import ordered_map, worker_count

Fit = TypeVar("Fit", bound=FitOptions)
_READING = ("rank", "energy", "patch", "every", "trim", "width", "alpha")
_SELECTING = ("every", "trim", "fps", "width")  # which a fit has no use for
_AT_ONCE = 4  # sketches that are added to, 64 MB each at most


def settings_of(options: FitOptions | SketchOptions) -> dict[str, Any]:
    """What a sketch depends on besides its inputs: options by name, those that are not the default."""
    settings: dict[str, Any] = {"gray": True} if options.is_gray else {}
    if options.sides != (1, 1):
        settings |= {"block": options.sides, "n_codes": options.code_count}
        settings |= {} if options.is_gray else {"space": options.code_space}
        settings |= {"seed": options.seed} if options.seed else {}
    defaults = {each.name: each.default for each in fields(options)}
    settings |= {name: value for name in _READING if (value := getattr(options, name)) != defaults[name]}
    if options.fps is not None:
        settings["fps"] = str(options.frame_rate)
    if options.background is not None:
        settings["background"] = color_name(options.backdrop)
    return settings


def are_sketches(inputs: Sequence[MediaInput]) -> bool:
    """Whether inputs are sketch files. Raises UsageError where only some are."""
    others = [each.label for each in inputs if each.source_type != "sketch"]
    if others and len(others) < len(inputs):
        raise UsageError(f"{others[0]}: is no sketch, and the others are; make one of it first: streamvq sketch")
    return bool(inputs) and not others


def with_settings_of_sketches(inputs: Sequence[MediaInput], options: Fit) -> Fit:
    """Options to fit sketches as if their inputs were read: with the settings that they were made with.

    Options as they are for other inputs. Raises UsageError for an option that says otherwise.
    """
    if not are_sketches(inputs):
        return options
    settings = read_head(inputs[0].paths[0]).settings
    given = _given(options, settings)
    for name in given:
        if given[name] != settings.get(name):
            asked = setting_text(name, given).partition(" ")[2]
            made = setting_text(name, settings)
            raise UsageError(f"{inputs[0].label}: was made {made}, and {asked} is asked for; drop it, or sketch anew")
    taken = {name: settings[name] for name in settings if name not in given and name not in _SELECTING}
    try:
        return replace(options, **taken)
    except TypeError:
        unknown = sorted(set(taken) - {each.name for each in fields(options)})
        raise UsageError(f"{inputs[0].label}: was made with `{unknown[0]}`, unknown here; upgrade streamvq") from None


def sum_of_sketches(inputs: Sequence[MediaInput]) -> SketchFile:
    """All sketches together, whatever the order of `inputs`: each worker adds files to a sketch of its own, and these
    become one.

    Raises UsageError where shares are missing, come twice, or were made otherwise.
    """
    found = sorted(((read_head(each.paths[0], each.label), each) for each in inputs), key=lambda pair: pair[0].place)
    head = sum_of_heads([(each.label, its) for its, each in found])
    idle = [SketchFile(head, head.empty_sketch()) for _ in range(min(worker_count(0), _AT_ONCE, len(found)))]
    sketches = list(idle)

    def take(pair: tuple[SketchHead, MediaInput]) -> None:
        total = idle.pop()
        total.take(pair[1].paths[0], pair[1].label, pair[0])
        idle.append(total)

    deque(ordered_map(take, found, len(sketches), 2 * len(sketches)), maxlen=0)
    for other in sketches[1:]:
        sketches[0].sketch.merge(other.sketch)  # type: ignore[arg-type]
    return sketches[0]


def check_complete(head: SketchHead, label: str) -> None:
    """Raise UsageError where a share is missing."""
    if missing := head.missing():
        share, of = missing
        raise UsageError(
            f"{label}: share {share} of {of} is missing; give its sketch too (sketch with `shard={share}/{of}`)"
        )


def _given(options: FitOptions, settings: dict[str, Any] | Any) -> dict[str, Any]:
    """The settings that are asked for, as far as sketches with these settings depend on them."""
    given = settings_of(options)
    if "block" in settings:
        if options.n_codes is None and options.bits is None:
            given.pop("n_codes", None)
        else:
            given["n_codes"] = options.code_count
        if options.space is None or options.is_gray:
            given.pop("space", None)
        else:
            given["space"] = options.space
        given |= {"seed": options.seed} if options.seed else {}
    return given
