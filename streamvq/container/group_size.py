"""How many frames a group of a `.svq` has at most.

pipeline/grouping.py makes groups by it, and joins and cuts those of files that have other sizes.
What a reader accepts are larger limits: frame_table.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from streamvq.frames import StreamInfo

TARGET_CODES = 1 << 24  # more would save hardly a byte
TARGET_PIXELS = 1 << 25  # more pictures than that would not fit the memory of each worker
TARGET_VIDEO_FRAMES = 64  # more would be lost where a file is cut off, and wait in a pipe
TARGET_IMAGES = 1024  # more small ones would make one picture slow to reach


@dataclass(frozen=True)
class GroupSize:
    """The largest number of frames of a group, and of their pixels together; one frame may have more."""

    frames: int
    pixels: int

    @classmethod
    def for_stream(cls, info: StreamInfo, block: tuple[int, int] | None) -> GroupSize:
        """The size of groups of a stream. It depends on what the stream is, never on how many workers there are."""
        height, width = block or (1, 1)
        frames = TARGET_VIDEO_FRAMES if info.fps else TARGET_IMAGES
        return cls(frames, min(TARGET_CODES * height * width, TARGET_PIXELS))
