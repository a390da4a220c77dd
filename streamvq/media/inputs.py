"""From what the user names to inputs: files, folders and globs are found and sorted here, nothing is decoded."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Literal

from streamvq.errors import InputMissing, UsageError
from streamvq.media.file_type import IMAGE_SUFFIXES, content_of
from streamvq.media.image_sequences import find_sequence
from streamvq.media.names import distinct_names
from streamvq.media.reading.picture_delays import has_several_pictures

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".mkv", ".avi", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".ogv", ".y4m", ".svq"}
)
PIPE = "-"
SourceType = Literal["video", "y4m", "svq", "animation", "image", "images", "sketch", "pipe"]


@dataclass(frozen=True)
class MediaInput:
    """One input: a video, an animation (or pages) in an image file, one image, a set of images, or the pipe.

    `label` is the argument that names the input, in messages. `root` is the folder that a set's names are relative
    to. `ignored_files` counts the files of a folder that are no images. `renamed` has new names of images that could
    not be told apart otherwise (`distinct_names`). `gaps` are lines on numbers that a sequence lacks. `pipes_svq` is
    true where the pipe carries `.svq` instead of y4m.
    """

    label: str
    source_type: SourceType
    paths: tuple[Path, ...] = ()
    root: Path | None = None
    ignored_files: int = 0
    renamed: dict[str, str] = field(default_factory=dict, hash=False)
    gaps: tuple[str, ...] = ()
    pipes_svq: bool = False

    @property
    def stem(self) -> str:
        """The name without folder and suffix, for naming outputs."""
        if self.source_type == "pipe":
            return "stdin"
        if self.source_type == "images":
            return self.root.resolve().name if self.root else "images"
        return self.paths[0].stem

    @property
    def size_bytes(self) -> int | None:
        """Bytes on disk, None for the pipe."""
        return None if self.source_type == "pipe" else sum(path.stat().st_size for path in self.paths)

    @property
    def is_svq(self) -> bool:
        """Whether it is in streamvq's own format."""
        return self.pipes_svq or self.source_type == "svq"

    def names(self) -> list[str]:
        """The path of each image inside the set, with forward slashes, or its new one."""
        return [self.renamed.get(name, name) for name in self._own_names()]

    def _own_names(self) -> list[str]:
        return [path.relative_to(self.root).as_posix() if self.root else path.name for path in self.paths]

    def with_distinct_names(self) -> MediaInput:
        """The same, with new names for images that could not be told apart in some folder."""
        return replace(self, renamed=distinct_names(self._own_names()))


def find_inputs(
    arguments: Sequence[str | os.PathLike[str]], recursive: bool = False, leave_out: Path | None = None
) -> list[MediaInput]:
    """The inputs that paths, folders, globs and patterns such as frame%04d.png name, in the order given, each once.

    Single images that are named together (also by a glob) become one set, in the position of the first of them.
    `leave_out` is a folder that folders are searched without: that of the outputs.
    Raises InputMissing where nothing is found, UsageError where no argument is given or the pipe comes twice.
    """
    if not arguments:
        raise UsageError("no input: name a video, an image, a folder, a glob, or - for a pipe")
    texts = [os.fspath(argument) for argument in arguments]
    if texts.count(PIPE) > 1:
        raise UsageError("-: standard input can be read once only; name it once")
    found: dict[Path | str, MediaInput | None] = {}  # None stands for the set of images
    images: list[Path] = []
    gaps: list[str] = []
    for path in chain.from_iterable(_matches(text, gaps) for text in texts):
        if path == Path(PIPE):
            found[PIPE] = MediaInput(PIPE, "pipe")
        elif path.is_dir():
            found.setdefault(path.resolve(), _folder(path, recursive, leave_out))
        elif (source_type := source_type_of(path)) == "image":
            images.append(path)
            found.setdefault("images", None)
        else:
            found.setdefault(path.resolve(), MediaInput(str(path), source_type, (path,)))
    return [item or replace(_images(images, texts), gaps=tuple(gaps)) for item in found.values()]


def source_type_of(path: Path) -> SourceType:
    """What a file is, by its content. Pictures that cannot be read are images: reading them says what to do."""
    content = content_of(path)
    if content.image is None:
        return "image" if content.source == "foreign" else content.source
    if not content.image.several or not has_several_pictures(path, content.image):
        return "image"
    return "video" if content.image.name == "GIF" else "animation"


def natural_key(name: str) -> list[tuple[int, int | str, str]]:
    """Sorts frame2 before frame10, in every folder of a path."""
    parts = re.split(r"(\d+)", name.replace(os.sep, "/"))
    return [(1, part.casefold(), part) if i % 2 == 0 else (0, int(part), part) for i, part in enumerate(parts)]


def _matches(argument: str, notes: list[str]) -> list[Path]:
    """The files of a path, a glob (naturally sorted), or a pattern of numbers; `notes` gets its gaps."""
    path = Path(argument)
    if argument == PIPE or os.path.exists(path):  # noqa: PTH110  unlike Path's, it takes names that are too long
        return [path]
    if glob.has_magic(argument):
        matches = sorted(glob.glob(argument, recursive=True), key=natural_key)
        if matches:
            return [Path(match) for match in matches]
    if sequence := find_sequence(argument):
        notes.extend([sequence.gaps] if sequence.gaps else [])
        return sequence.paths
    if glob.has_magic(argument):
        raise InputMissing(f"{argument}: no file matches this pattern, seen from {Path.cwd()}")
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", argument):
        raise InputMissing(f"{argument}: is a URL, and inputs are files; download it first: curl -LO {argument}")
    raise InputMissing(f"{argument}: no such file or folder; check the spelling, seen from {Path.cwd()}")


def _folder(folder: Path, recursive: bool, leave_out: Path | None) -> MediaInput:
    files = []
    for path in folder.rglob("*") if recursive else folder.iterdir():
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        left_out = leave_out is not None and leave_out != folder and leave_out in path.parents
        if not hidden and not left_out and path.is_file():
            files.append(path)
    images = [path for path in files if path.suffix.lower() in IMAGE_SUFFIXES]
    if not images:
        raise InputMissing(f"{folder}: {_why_empty(folder, files, recursive)}")
    images.sort(key=lambda path: natural_key(path.relative_to(folder).as_posix()))
    found = MediaInput(str(folder), "images", tuple(images), folder, len(files) - len(images))
    return found.with_distinct_names()


def _why_empty(folder: Path, files: list[Path], recursive: bool) -> str:
    videos = [path for path in files if path.suffix.lower() in VIDEO_SUFFIXES]
    if videos:
        return f"no images in this folder; for its {len(videos)} videos, name them: '{folder}/*{videos[0].suffix}'"
    if not recursive and any(path.is_dir() for path in folder.iterdir()):
        return "no images in this folder; with `recursive` its subfolders are searched too"
    return f"no images in this folder; known are {', '.join(sorted(IMAGE_SUFFIXES))}"


def _images(images: list[Path], arguments: list[str]) -> MediaInput:
    """One image, or the set of those named."""
    images = list(dict.fromkeys(path.absolute() for path in images)) if len(images) > 1 else images
    if len(images) == 1:
        return MediaInput(str(images[0]), "image", (images[0],)).with_distinct_names()
    root = Path(os.path.commonpath([path.parent for path in images]))
    label = arguments[0] if len(arguments) == 1 else f"{len(images)} images"
    return MediaInput(label, "images", tuple(images), root).with_distinct_names()
