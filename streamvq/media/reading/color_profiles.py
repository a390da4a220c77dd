"""Color profiles (ICC): the conversion to sRGB, which all colors in here are meant in."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageCms

_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}  # of a profile, by the mode of the pixels that it is for
_SAME_LEVELS = 2  # a profile that changes no color by more than this is sRGB: rounding alone takes 1 or 2


class ProfileError(ValueError):
    """A profile that is broken, or made for other pixels."""


@lru_cache(maxsize=8)
def to_srgb(profile: bytes, mode: str) -> Any | None:
    """The transform of pixels of a mode (L, RGB or CMYK) to RGB as sRGB; None where the profile is sRGB itself.

    Relative colorimetric with black point compensation. `ImageCms.applyTransform` applies it, on any thread.
    Raises ProfileError.
    """
    try:
        source = ImageCms.getOpenProfile(BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if space != _SPACES[mode]:
            raise ProfileError(f"is for {space}")
        target = ImageCms.createProfile("sRGB")
        intent, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
        if mode == "L":
            flags |= ImageCms.Flags.NOOPTIMIZE  # the shortcut is up to 9 levels off in the dark, and no faster
        transform = ImageCms.buildTransform(source, target, mode, "RGB", intent, flags)
        return None if _changes_nothing(transform, mode) else transform
    except (ImageCms.PyCMSError, ImportError, OSError, TypeError) as error:
        raise ProfileError("is broken") from error


def _changes_nothing(transform: Any, mode: str) -> bool:
    """Whether a transform keeps all colors, up to rounding."""
    levels = np.arange(256, dtype=np.uint8)
    if mode == "L":
        samples = levels[None]
        expected = np.repeat(samples[..., None], 3, axis=2)
    elif mode == "RGB":
        steps = levels[::15]
        samples = expected = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    else:
        return False
    made = np.asarray(ImageCms.applyTransform(Image.fromarray(samples), transform), int)
    return bool((np.abs(made - expected) <= _SAME_LEVELS).all())
