"""`Palette`: what palette files hold, colors in order with alpha and names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

from streamvq.color_names import parse_rgba
from streamvq.errors import UsageError
from streamvq.quantize.codebook import Codebook

MAX_COLORS = 65_536
MAX_NAME = 200  # characters of a color's name


@dataclass(frozen=True, eq=False)
class Palette:
    """Colors in order: `colors` is uint8 [k, 4], R, G, B and alpha; `names` has a text for each, or is empty;
    `reserved` are the rows that a codebook was given and did not learn, ascending."""

    colors: NDArray[np.uint8]
    names: tuple[str, ...] = ()
    reserved: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.colors)

    @property
    def transparent(self) -> int | None:
        """The first entry that is fully transparent."""
        found = np.flatnonzero(self.colors[:, 3] == 0)
        return int(found[0]) if len(found) else None

    def name(self, index: int) -> str:
        """The name of a color; empty where it has none."""
        return self.names[index] if self.names else ""

    def codebook(self, source: str) -> Codebook:
        """The colors as a codebook of single pixels, in order, with their alpha."""
        codes, alpha = np.ascontiguousarray(self.colors[:, :3]), self.colors[:, 3]
        return Codebook(codes, provenance={"palette": source}, names=self.names, reserved=self.reserved, alpha=alpha)

    @classmethod
    def of_codebook(cls, codebook: Codebook) -> Palette:
        """The colors of a codebook. Raises UsageError where its codes are blocks."""
        if codebook.block != (1, 1):
            height, width = codebook.block
            raise UsageError(f"its codes are blocks of {width}x{height} pixels: only single colors make a palette")
        alpha = None if codebook.alpha is None else codebook.alpha.tolist()
        palette = palette_of(codebook.palette, codebook.names, alpha)
        return replace(palette, reserved=tuple(codebook.reserved))


def palette_of(
    colors: NDArray[np.integer] | Sequence[Sequence[int]],
    names: Sequence[str] = (),
    alpha: Sequence[int] | None = None,
) -> Palette:
    """A palette of [k, 3] or [k, 4] values from 0 to 255. Raises ValueError for other values, and for none at all."""
    table = np.asarray(colors)
    if not len(table):
        raise ValueError("it has no color")
    if len(table) > MAX_COLORS:
        raise ValueError(f"it has {len(table)} colors: a palette has at most {MAX_COLORS}")
    if table.min() < 0 or table.max() > 255:
        raise ValueError(f"a value of {table.max() if table.max() > 255 else table.min()}: colors are 0 to 255")
    rgba = np.full((len(table), 4), 255, np.uint8)
    rgba[:, : table.shape[1]] = table
    if alpha is not None:
        rgba[:, 3] = alpha
    rgba.setflags(write=False)
    texts = tuple(" ".join(name.split())[:MAX_NAME] for name in names)
    return Palette(rgba, texts if any(texts) else ())


def parse_colors(text: str) -> Palette:
    """A palette from "#000,#fff8,tomato": colors of CSS with commas between. Raises UsageError."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return palette_of([parse_rgba(part) for part in parts])


def is_color_list(text: str) -> bool:
    """Whether a text is meant as colors and not as a file's name."""
    first = text.split(",")[0].strip()
    return first.startswith("#") or first.lower() in ImageColor.colormap
