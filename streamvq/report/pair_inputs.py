"""The two inputs of a comparison: found, opened, image sets in the same order, frames of the same size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from streamvq.errors import UsageError
from streamvq.frames import Frame
from streamvq.media.inputs import MediaInput, find_inputs
from streamvq.options import Source


def find_one(source: Source, recursive: bool) -> MediaInput:
    """The one input that a name stands for. Raises UsageError where it names several."""
    found = find_inputs([source], recursive)
    if len(found) != 1:
        raise UsageError(f"{source}: names {len(found)} inputs; compare them one by one")
    return found[0]


def reordered(reference: MediaInput, test: MediaInput) -> MediaInput:
    """TEST's images in the order of REF's names. Raises UsageError where the names differ."""
    names = [[stem(name) for name in source.names()] for source in (reference, test)]
    for source, other, missing in (
        (test, reference, _not_in(names[0], names[1])),
        (reference, test, _not_in(names[1], names[0])),
    ):
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise UsageError(
                f"{source.label}: has no image named {missing[0]}{more}, and {other.label} has; use the same names"
            )
    files = dict(zip(names[1], test.paths, strict=True))
    return replace(test, paths=tuple(files[name] for name in names[0]))


def _not_in(names: list[str], others: list[str]) -> list[str]:
    known = set(others)
    return [name for name in names if name not in known]


def stem(name: str) -> str:
    """A path without its suffix: what an output keeps of its input's name."""
    return PurePosixPath(name).with_suffix("").as_posix()


def resized(frame: Frame, size: tuple[int, int]) -> Frame:
    """A frame scaled to a height and width: by area where it shrinks, else cubic."""
    import cv2  # only here: it does not load everywhere

    cv2.setNumThreads(1)
    smaller = size[0] <= frame.pixels.shape[0] and size[1] <= frame.pixels.shape[1]
    pixels: Any = cv2.resize(frame.pixels, size[::-1], interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    return replace(frame, pixels=np.atleast_3d(pixels))
