"""What an output is, by its name: one file, a folder of images, or the pipe; and the names inside folders."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from streamvq.errors import UsageError
from streamvq.media.inputs import PIPE
from streamvq.options import CODECS, EXACT_VIDEO, FORMATS, IMAGE, OUTPUT_FORMATS, PREVIEW_VIDEO, OutputFormat


def suffix_of(format: str) -> str:
    """What the names of files of a format end in, such as ".png"."""
    return OUTPUT_FORMATS[format].suffix


_FORMAT_OF_SUFFIX = {
    suffix: name for name in FORMATS for suffix in OUTPUT_FORMATS[name].suffixes or [suffix_of(name)]
}


@dataclass(frozen=True)
class Target:
    """One output: a file of any number of frames, one image file, a folder of images, or the pipe (without path).
    `codec` is one of `options.CODECS` where a video is to be exact in it."""

    kind: Literal["file", "image", "folder", "pipe"]
    path: Path = Path(PIPE)
    format: str = "y4m"
    codec: str | None = None

    @classmethod
    def from_path(cls, path_given: str | os.PathLike[str], format: str | None = None) -> Target:
        """The target that a path's suffix means; without a known suffix, a folder."""
        if os.fspath(path_given) == PIPE:
            if format is not None and not OUTPUT_FORMATS[format].is_piped:
                raise UsageError(f"-: carries y4m, or what `format=svq` and `format=raw` make; not {format}")
            return cls("pipe", format=format or "y4m")
        path = Path(path_given)
        suffix = path.suffix.lower()
        folder = path.is_dir() or os.fspath(path_given).endswith(("/", os.sep))
        if suffix in _FORMAT_OF_SUFFIX and not folder:
            of_suffix = _FORMAT_OF_SUFFIX[suffix]
            if format not in (None, of_suffix):
                raise UsageError(
                    f"{path}: its suffix says {of_suffix}, and `format={format}` another; drop one of them"
                )
            return cls("image" if OUTPUT_FORMATS[of_suffix].family == IMAGE else "file", path, of_suffix)
        if suffix and not folder:
            known = ", ".join(written_suffixes())
            raise UsageError(f"{path}: cannot write {suffix}; choose {known}, a folder name without a dot, or -")
        if format is not None and OUTPUT_FORMATS[format].is_clip:
            raise UsageError(f"{path}: name the file itself: {path}.{format}")
        return cls("folder", path, format or "png")

    def animated(self, png_too: bool) -> Target:
        """The same as an animation, where its file can be one: .webp, and with `png_too` .png."""
        moving = self.traits.moving
        if self.kind != "image" or moving is None or (moving != self.format and not png_too):
            return self
        return Target("file", self.path, moving)

    def in_codec(self, codec: str | None) -> Target:
        """The same in a codec, where it is a video file of one. Raises UsageError for one that cannot hold it."""
        if codec is None or not self.is_container:
            return self
        if self.format not in CODECS[codec]:
            holding = ", ".join(f".{name}" for name in CODECS[codec])
            raise UsageError(f"{self.path}: `codec={codec}` does not go into .{self.format}; choose one of {holding}")
        return replace(self, codec=codec)

    @property
    def is_container(self) -> bool:
        """Whether this is a video file with a codec of its own choice."""
        return self.traits.family in (EXACT_VIDEO, PREVIEW_VIDEO)

    @property
    def is_preview(self) -> bool:
        """Whether this is a video that loses something."""
        return self.is_container and self.traits.is_lossy and self.codec is None

    @property
    def named(self) -> str:
        """What messages call what the output is written as: its codec, its suffix, or y4m."""
        return self.codec or (self.format if self.kind == "pipe" else f".{self.format}")

    @property
    def traits(self) -> OutputFormat:
        """What its format can hold."""
        return OUTPUT_FORMATS[self.format]

    @property
    def alphas(self) -> tuple[str, ...]:
        """What it can make of transparency, of `options.ALPHAS`, the default first."""
        return ("flatten",) if self.codec == "x264" else self.traits.alphas

    @property
    def alpha(self) -> str:
        """What becomes of transparency, unless something else is asked for."""
        return self.alphas[0]


def format_of(path: Path) -> str | None:
    """The format that a file's suffix means; None for any other suffix."""
    return _FORMAT_OF_SUFFIX.get(path.suffix.lower())


def written_suffixes() -> list[str]:
    """The endings of all files that are written."""
    return [suffix_of(name) for name in FORMATS]


def frame_name(index: int, format: str) -> str:
    """The file name of a video's frame."""
    return f"frame{index:06d}{suffix_of(format)}"


def numbered_frames(folder: Path, format: str) -> list[Path]:
    """The files in a folder that are named as `frame_name` names them."""
    return [path for path in folder.glob(f"frame*{suffix_of(format)}") if re.fullmatch(r"frame\d{6,}", path.stem)]


def image_name(name: str, format: str) -> str:
    """An image's name inside a folder with the suffix of the format that it gets."""
    return str(PurePosixPath(name).with_suffix(suffix_of(format)))
