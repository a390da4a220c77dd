"""What the packets of a video say of its frames without decoding them, so that a stretch of frames can be reached.

A table is only used where each packet can be taken for one frame: shares that start inside a video must number its
frames as one that decodes all of them does.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from streamvq.media.libav import url
from streamvq.media.video_contents import main_video

# Codecs in whose streams, as files have them, a packet is a frame, and a key frame needs none before it. Others have
# packets that show nothing (VP8, Theora), or several frames.
_FRAME_A_PACKET = frozenset(
    [
        "h264",
        "hevc",
        "av1",
        "vp9",
        "ffv1",
        "mjpeg",
        "prores",
        "dnxhd",
        "rawvideo",
        "huffyuv",
        "ffvhuff",
        "utvideo",
        "mpeg1video",
        "mpeg2video",
        "mpeg4",
    ]
)
Packet = tuple[int | None, int, bool]  # time stamp, size in bytes, and whether it is a key frame


@dataclass(frozen=True, eq=False)
class PacketTable:
    """The packets of a video stream as the file has them: time stamps, int64 [n], sizes, int64 [n], and which are key
    frames, bool [n]; and `shown`, int64 [n], the time stamps in the order in which frames are shown."""

    times: NDArray[np.int64]
    sizes: NDArray[np.int64]
    keys: NDArray[np.bool_]
    shown: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.times)

    def packet(self, number: int) -> Packet:
        """A packet by its number."""
        return int(self.times[number]), int(self.sizes[number]), bool(self.keys[number])

    def key_before(self, frame: int) -> int:
        """The last packet that decoding may start at to get a frame and all that follow it: a key frame that is shown
        no later. 0 is the start of the file."""
        return int(np.flatnonzero(self.keys & (self.times <= self.shown[frame]))[-1])


def packet_table(path: Path) -> PacketTable | None:
    """The table of a video file; None where its packets do not tell its frames."""
    try:
        status = path.stat()
        return _table(path, status.st_size, status.st_mtime_ns)
    except (av.error.FFmpegError, OSError, ValueError):
        return None


@lru_cache(maxsize=4)  # it is asked for to find the borders of shares, and then to read one
def _table(path: Path, size: int, changed: int) -> PacketTable | None:
    times, sizes, keys = array("q"), array("q"), array("b")
    with av.open(url(path), metadata_errors="replace") as container:
        stream: Any = main_video(container)
        if stream is None or stream.codec_context is None or stream.codec_context.name not in _FRAME_A_PACKET:
            return None
        for packet in container.demux(stream):
            if not packet.size:
                continue
            if packet.pts is None or packet.is_corrupt or packet.is_discard:
                return None
            times.append(packet.pts)
            sizes.append(packet.size)
            keys.append(packet.is_keyframe)
    shown = np.sort(np.array(times))
    if not times or not keys[0] or times[0] != shown[0] or not np.diff(shown).all():
        return None  # pictures before the first key frame may or may not be shown
    return PacketTable(np.array(times), np.array(sizes), np.array(keys, np.bool_), shown)
