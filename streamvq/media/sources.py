"""What every source of frames promises, and the way to one."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamvq.errors import UsageError
from streamvq.frames import Frame, StreamInfo
from streamvq.media.inputs import MediaInput, find_inputs

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class FrameSource(ABC):
    """A context manager over frames. It ends by ending, and raises MediaError if it dies early.

    Reading has two halves, so that the costly one can run in parallel: `items()` is read in order on one
    thread, and `load(item)` makes a frame of an item, on any thread. Iterating does both.

    `info` says what is known before reading. `skips_bad_items` is true where a bad item (one image of many)
    leaves the others intact. `notes` are remarks for the user, complete after reading.
    """

    info: StreamInfo = StreamInfo()
    skips_bad_items = False
    codec: str | None = None  # a video's codec, by its FFmpeg name
    audio_from: Path | None = None  # the file whose audio streams belong to these frames

    def __init__(self, label: str) -> None:
        self.label = label
        self.notes: list[str] = []

    @abstractmethod
    def items(self) -> Iterator[Any]:
        """What there is to load, in order. Can be read once."""

    @abstractmethod
    def load(self, item: Any) -> Frame:
        """The frame of an item. Raises MediaError where it cannot be decoded."""

    def close(self) -> None:
        """Let go of files; a second call does nothing."""

    def __iter__(self) -> Iterator[Frame]:
        return map(self.load, self.items())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_source(
    source: MediaInput | str | os.PathLike[str], recursive: bool = False, keep_going: bool = False
) -> FrameSource:
    """Open a video, an image, a folder of images, a glob of images, or "-" (y4m on standard input).

    With `keep_going`, a damaged video ends where the damage begins, with a remark in `notes`, instead of
    raising. Raises InputMissing, MediaError, or UsageError where the name stands for several inputs.

    >>> import streamvq
    >>> with streamvq.open_source("samples/photos") as source:
    ...     sizes = [frame.pixels.shape for frame in source]
    >>> len(sizes) > 1
    True
    """
    if not isinstance(source, MediaInput):
        found = find_inputs([source], recursive)
        if len(found) != 1:
            raise UsageError(f"{source}: names {len(found)} inputs; open them one by one")
        source = found[0]
    if source.kind in ("image", "images"):
        from streamvq.media.image_source import ImageSource

        return ImageSource(source)
    if source.kind == "pipe" or source.paths[0].suffix.lower() == ".y4m":
        from streamvq.media.y4m import Y4MSource

        return Y4MSource(source, keep_going)
    from streamvq.media.video_source import VideoSource

    return VideoSource(source.paths[0], source.label, keep_going)
