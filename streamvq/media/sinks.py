"""What every sink of coded frames promises, and the way to one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamvq.errors import OutputError
from streamvq.frames import IndexFrame, StreamInfo
from streamvq.media.plan import Target
from streamvq.quantize.codebook import Codebook
from streamvq.settings import OutputSettings

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class FrameSink(ABC):
    """A context manager that coded frames are written to; its output gets its real name only on clean exit.

    Writing has two halves, so that the costly one can run in parallel: `encode(frame)` makes a packet, on any
    thread, and `write(packet)` takes packets in order, on one thread.

    `size_bytes` and `notes` (remarks for the user) are complete after a clean exit.
    """

    holds_audio = False

    def __init__(self, label: str) -> None:
        self.label = label
        self.notes: list[str] = []
        self.size_bytes = 0
        self._stack = ExitStack()  # what must be undone, or made final, when the sink closes

    @abstractmethod
    def encode(self, frame: IndexFrame) -> Any:
        """The packet of a frame. Leaves the sink as it is."""

    @abstractmethod
    def write(self, packet: Any) -> None:
        """Write the packet of the next frame."""

    def finish(self) -> None:
        """Write what is still held back; called once, after the last frame."""

    def check_size(self, size: tuple[int, int], first: tuple[int, int]) -> None:
        """Raise if a frame's width and height differ from the first frame's."""
        if size != first:
            raise OutputError(
                f"{self.label}: the picture size changes from {first[0]}x{first[1]} to {size[0]}x{size[1]}, "
                "and a video has one size; write a folder of images instead"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            try:
                self.finish()
            except BaseException as failure:
                self._stack.__exit__(type(failure), failure, failure.__traceback__)
                raise
        self._stack.__exit__(kind, error, trace)


def open_sink(
    target: Target | str | Path,
    codebook: Codebook,
    info: StreamInfo,
    settings: OutputSettings | None = None,
    audio_from: Path | None = None,
) -> FrameSink:
    """A sink for coded frames of a source that `info` describes.

    `target` is a path whose suffix chooses the kind: a video (.mkv and .avi exact; .mp4, .mov and .webm lossy
    previews), one image, "-" (y4m), or else a folder of images. `audio_from` is the file whose audio is copied
    into videos. Raises UsageError, OutputExists or OutputError.
    """
    settings = settings or OutputSettings()
    if not isinstance(target, Target):
        target = Target.of(target, settings.format)
    if target.kind == "pipe":
        from streamvq.media.y4m import Y4MSink

        return Y4MSink(codebook, info)
    assert target.path is not None
    if target.kind == "video":
        from streamvq.media.video_sink import ExactVideoSink, PreviewVideoSink

        if target.format in ("mkv", "avi"):
            return ExactVideoSink(target, codebook, info, settings, audio_from)
        return PreviewVideoSink(target, codebook, info, settings, audio_from)
    from streamvq.media.image_sink import FolderSink, ImageSink

    kind = ImageSink if target.kind == "image" else FolderSink
    return kind(target, codebook, settings)
