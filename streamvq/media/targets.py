"""What an output is, by its name: one file, a folder of images, or the pipe; and the names inside folders."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from streamvq.errors import UsageError
from streamvq.media.inputs import PIPE
from streamvq.options import CODECS, FORMATS, IMAGE_FORMATS, VIDEO_FORMATS

_SUFFIXES = {"c": "h"}  # of formats that are not their own
_PIPE_FORMATS = ("y4m", "svq", "raw")
_FORMAT_OF_SUFFIX = {f".{_SUFFIXES.get(name, name)}": name for name in FORMATS} | {
    ".ase": "aseprite",
    ".jpeg": "jpg",
    ".tif": "tiff",
}


_WITHOUT_ALPHA = frozenset({"mp4", "mov", "webm", "y4m", "jpg", "bmp"})
_CONTAINERS = ("mkv", "avi", "mp4", "mov", "webm")


@dataclass(frozen=True)
class Target:
    """One output: a file of any number of frames ("video"), one image file, a folder of images, or the pipe (without
    path). `codec` is one of `options.CODECS` where a video is to be exact in it."""

    kind: Literal["video", "image", "folder", "pipe"]
    path: Path = Path(PIPE)
    format: str = "y4m"
    codec: str | None = None

    @classmethod
    def from_path(cls, path_given: str | os.PathLike[str], format: str | None = None) -> Target:
        """The target that a path's suffix means; without a known suffix, a folder."""
        if os.fspath(path_given) == PIPE:
            if format not in (None, *_PIPE_FORMATS):
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
            return cls("image" if of_suffix in IMAGE_FORMATS else "video", path, of_suffix)
        if suffix and not folder:
            known = ", ".join(written_suffixes())
            raise UsageError(f"{path}: cannot write {suffix}; choose {known}, a folder name without a dot, or -")
        if format in VIDEO_FORMATS:
            raise UsageError(f"{path}: name the file itself: {path}.{format}")
        return cls("folder", path, format or "png")

    def animated(self, png_too: bool) -> Target:
        """The same as an animation, where its file can be one: .webp, and with `png_too` .png."""
        if self.kind != "image" or self.format not in ("webp", *["png"] * png_too):
            return self
        return Target("video", self.path, "apng" if self.format == "png" else self.format)

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
        return self.kind == "video" and self.format in _CONTAINERS

    @property
    def is_preview(self) -> bool:
        """Whether this is a video that loses something."""
        return self.is_container and self.format not in CODECS["ffv1"] and self.codec is None

    @property
    def named(self) -> str:
        """What messages call what the output is written as: its codec, its suffix, or y4m."""
        return self.codec or (self.format if self.kind == "pipe" else f".{self.format}")

    @property
    def alpha(self) -> str:
        """What becomes of transparency, unless something else is asked for: one of `options.ALPHAS`."""
        without = self.format in _WITHOUT_ALPHA or self.codec == "x264"
        return "binary" if self.format == "gif" else "flatten" if without else "keep"


def suffix_of(format: str) -> str:
    """What the names of files of a format end in, such as ".png"."""
    return f".{_SUFFIXES.get(format, format)}"


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
