"""`Job`: one input and its output; and what a call names as inputs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from streamvq.media.inputs import MediaInput
from streamvq.media.sources.source import WHOLE, Window
from streamvq.media.targets import Target, image_name
from streamvq.options import Source


@dataclass(frozen=True)
class Job:
    """One input and its output."""

    source: MediaInput
    target: Target
    window: Window = WHOLE  # what of the source, where the work is shared

    def named(self) -> bool:
        """Whether the outputs take the names of the input's images."""
        return self.target.kind == "folder" and self.source.source_type in ("image", "images")

    def files(self) -> list[Path]:
        """The output files whose names are known beforehand; for numbered frames their folder."""
        if self.named():
            return [self.target.path / image_name(name, self.target.format) for name in self.source.names()]
        return [] if self.target.kind == "pipe" else [self.target.path]


def listed(sources: Source | Sequence[Source]) -> Sequence[Source]:
    """One source as a list of one."""
    return [sources] if isinstance(sources, (str, os.PathLike)) else sources
