"""The bytes of each frame in a file, from its packets, chunks or image files; nothing is decoded."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import av
import av.error
import numpy as np

from streamvq.container.reader import open_svq
from streamvq.frames import Frame
from streamvq.media.inputs import MediaInput
from streamvq.media.libav import url


class FrameBytes(Protocol):
    """Bytes of a frame, without the rest of the file; None where the file does not say."""

    def of(self, frame: Frame) -> float | None: ...


def frame_bytes(source: MediaInput) -> FrameBytes:
    """The bytes of the frames of an input. Memory: 8 or 16 bytes a frame."""
    if source.source_type in ("pipe", "animation"):
        return _Unknown()
    if source.source_type in ("image", "images"):
        return _Files([path.stat().st_size for path in source.paths])
    try:
        return _Groups(source.paths[0]) if source.is_svq else _Packets(source.paths[0])
    except (av.error.FFmpegError, ValueError, OSError):
        return _Unknown()  # reading the frames reports the error


class _Unknown:
    def of(self, frame: Frame) -> float | None:
        return None


class _Files:
    """The size of each image file."""

    def __init__(self, sizes: list[int]) -> None:
        self._sizes = sizes

    def of(self, frame: Frame) -> float | None:
        return float(self._sizes[frame.index])


class _Groups:
    """Frames of a group of a `.svq` share its chunk in equal parts."""

    def __init__(self, path: Path) -> None:
        self._firsts: list[int] = []
        self._shares: list[float] = []
        with open_svq(path) as reader:
            for group in reader.groups():
                self._firsts.append(group.first)
                self._shares.append(group.chunk.size / group.n_frames)

    def of(self, frame: Frame) -> float | None:
        return self._shares[int(np.searchsorted(self._firsts, frame.index, "right")) - 1] if self._shares else None


class _Packets:
    """The packet of a video whose time stamp a frame has."""

    def __init__(self, path: Path) -> None:
        with av.open(url(path)) as container:
            stream = container.streams.video[0]
            self._base = stream.time_base
            packets = ((packet.pts, packet.size) for packet in container.demux(stream) if packet.pts is not None)
            self._packets = np.sort(np.fromiter(packets, [("stamp", np.int64), ("size", np.int64)]), order="stamp")

    def of(self, frame: Frame) -> float | None:
        if frame.time is None or not self._base:
            return None
        stamp = frame.time / self._base
        if stamp.denominator != 1:
            return None
        stamps = self._packets["stamp"]
        at = int(np.searchsorted(stamps, stamp.numerator))
        return float(self._packets["size"][at]) if at < len(stamps) and stamps[at] == stamp.numerator else None
