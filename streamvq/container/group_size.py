"""How many frames a group of a `.svq` has: decided here, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

from streamvq.frames import StreamInfo

MAX_CODES = 1 << 24  # a group this large costs hardly more than one of any size
MAX_PIXELS = 1 << 25  # but its pictures must fit the memory of each worker
MAX_VIDEO_FRAMES = 64  # is what is lost where a file is cut off, and what waits in a pipe
MAX_IMAGES = 1024


@dataclass(frozen=True)
class GroupSize:
    """The largest number of frames of a group, and of their pixels together; one frame may have more."""

    frames: int
    pixels: int

    @classmethod
    def for_stream(cls, info: StreamInfo, block: tuple[int, int] | None) -> GroupSize:
        """The size of groups of a stream. It depends on what the stream is, never on how many workers there are."""
        high, wide = block or (1, 1)
        return cls(MAX_VIDEO_FRAMES if info.fps else MAX_IMAGES, min(MAX_CODES * high * wide, MAX_PIXELS))
