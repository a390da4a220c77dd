"""Video as frames, through PyAV: any format it decodes, with exact times, rotation and the stream's own colors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av
import av.error
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from streamvq.errors import InputMissing, MediaDamaged, MediaError
from streamvq.frames import Frame, StreamInfo
from streamvq.media.declared_size import HEAD_BYTES, declared_size
from streamvq.media.libav import reason, url
from streamvq.media.sources.source import FrameSource

# A file that ends this much before its declared end, in seconds and as a share of its length, was cut off.
_MIN_SECONDS_LOST = Fraction(1, 2)
_MIN_SHARE_LOST = Fraction(1, 50)

Item = tuple[int, av.VideoFrame, Fraction]  # index, decoded picture, time base


class BytesReader(Protocol):
    """A file of which only reading forward is asked."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, none at the end."""


class VideoSource(FrameSource):
    """The frames of a file's first video stream.

    A video without a color matrix tag is read as BT.601, as the ffmpeg program does. Alpha is kept. Raises
    MediaError where the file is no video, MediaDamaged where it breaks off (`keep_going` ends there instead).
    """

    def __init__(
        self, path: Path | BytesReader, label: str, keep_going: bool = False, format: str | None = None
    ) -> None:
        super().__init__(label)
        self._keep_going = keep_going
        self._thread = threading.local()
        try:
            self._container: Any = av.open(url(path) if isinstance(path, Path) else path, format=format)
        except av.error.FileNotFoundError as error:
            raise InputMissing(f"{label}: no such file; check the spelling") from error
        except (av.error.FFmpegError, OSError, UnicodeError, ValueError) as error:
            raise MediaError(
                f"{label}: not a video that can be read ({reason(error)}); is it whole, and what its name says?"
            ) from error
        if not self._container.streams.video:
            self._container.close()
            raise MediaError(f"{label}: holds no video stream")
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self.codec = self._stream.codec_context.name
        self.info = self._stream_info(isinstance(path, Path) and _shown_sideways(path))
        self._head = b""
        if isinstance(path, Path):
            with path.open("rb") as file:
                self._head = file.read(HEAD_BYTES)
            self.audio_from = path if self.info.audio_streams else None

    def _stream_info(self, sideways: bool) -> StreamInfo:
        stream = self._stream
        fps = stream.guessed_rate or stream.average_rate  # the finer one where the rate varies
        count = stream.frames
        if not count and stream.average_rate and self._container.duration:
            count = round(self._container.duration / av.time_base * stream.average_rate)
        aspect = stream.sample_aspect_ratio
        width, height = stream.codec_context.width or None, stream.codec_context.height or None
        if sideways:
            width, height, aspect = height, width, 1 / aspect if aspect else None
        return StreamInfo(
            width,
            height,
            Fraction(fps) if fps else None,
            count or None,
            Fraction(stream.time_base) if stream.time_base else None,
            Fraction(aspect) if aspect and aspect != 1 else None,
            len(self._container.streams.audio),
        )

    def items(self) -> Iterator[Item]:
        index = 0
        packets = 0
        last_end = Fraction(0)
        try:
            for packet in self._container.demux(*self._timed_streams()):
                if packet.is_corrupt:
                    raise MediaDamaged("a packet is corrupt")
                if packet.pts is not None and packet.time_base:
                    last_end = max(last_end, (packet.pts + (packet.duration or 0)) * Fraction(packet.time_base))
                if packet.stream is not self._stream:
                    continue
                packets += packet.size > 0
                for picture in packet.decode():
                    if getattr(picture, "is_corrupt", False):
                        raise MediaDamaged("a picture is corrupt")
                    yield index, picture, Fraction(picture.time_base or packet.time_base)
                    index += 1
            self._check_whole(packets, last_end)
        except (av.error.FFmpegError, MediaDamaged, OSError) as error:
            for picture in self._held_back() if self._keep_going else ():
                yield index, picture, Fraction(picture.time_base or self._stream.time_base or 1)
                index += 1
            self._damaged(index, reason(error), error)
        if index == 0:
            raise MediaError(f"{self.label}: holds no frames; is the file whole?")

    def _held_back(self) -> list[av.VideoFrame]:
        """The pictures before a damage that the decoder still holds."""
        try:
            return [picture for picture in self._stream.decode(None) if not getattr(picture, "is_corrupt", False)]
        except av.error.FFmpegError:
            return []

    def _timed_streams(self) -> list[Any]:
        return [self._stream, *self._container.streams.audio]

    def _check_whole(self, packets: int, last_end: Fraction) -> None:
        """Raise if the file ended before its own index, size or duration says."""
        size = self._container.size
        indexed = len(self._stream.index_entries) if "mp4" in self._container.format.name else 0
        if packets < indexed:
            raise MediaDamaged(f"the file ends after {packets} of {indexed} frames")
        declared = declared_size(self._head)
        if declared and declared > size:
            raise MediaDamaged(f"the file has {size} of {declared} bytes")
        if not declared and not indexed and size > 0 and self._container.duration:
            start = Fraction(self._container.start_time or 0, av.time_base)
            end = start + Fraction(self._container.duration, av.time_base)
            if end - last_end > max(_MIN_SECONDS_LOST, _MIN_SHARE_LOST * (end - start)):
                raise MediaDamaged(
                    f"the file ends at {float(last_end):.2f} s, and its header says {float(end):.2f} s"
                )

    def _damaged(self, frames: int, why: str, error: Exception) -> None:
        if self._keep_going and frames:
            self.notes.append(f"{self.label}: damaged after {frames} frames ({why}); those frames are kept")
            return
        hint = "use `keep_going` to keep the frames before it" if frames else "is the file whole?"
        raise MediaDamaged(f"{self.label}: frame {frames} cannot be read: {why}; {hint}") from error

    def load(self, item: Item) -> Frame:
        index, picture, time_base = item
        time = picture.pts * time_base if picture.pts is not None else None
        duration = picture.duration * time_base if picture.duration else None
        return Frame(self._pixels(picture), index, time, duration)

    def _pixels(self, picture: av.VideoFrame) -> NDArray[np.uint8]:
        """uint8 [height, width, 1, 3 or 4], with the stream's rotation applied."""
        if not hasattr(self._thread, "reformatter"):
            self._thread.reformatter = VideoReformatter()  # one a thread: it keeps its tables
        pix_fmt = _pixel_format(picture)
        if picture.format.name != pix_fmt:
            picture = self._thread.reformatter.reformat(picture, format=pix_fmt, dst_color_range="JPEG")
        pixels = np.asarray(picture.to_ndarray(), np.uint8)
        if pixels.ndim == 2:
            pixels = pixels[..., None]
        if picture.rotation % 360:
            pixels = np.ascontiguousarray(np.rot90(pixels, round(picture.rotation / 90)))
        return pixels

    def close(self) -> None:
        self._container.close()


def _pixel_format(picture: av.VideoFrame) -> str:
    """libav's name of the 8-bit pixel format with the picture's channels: gray, RGB or RGBA."""
    components = picture.format.components
    if any(component.is_alpha for component in components):
        return "rgba"
    return "gray" if len(components) == 1 and not picture.format.name.startswith("pal") else "rgb24"


def _shown_sideways(path: Path) -> bool:
    """Whether a video is shown rotated by 90 or 270 degrees, which only a decoded picture tells."""
    try:
        with av.open(url(path)) as container:
            return next(container.decode(video=0)).rotation % 180 != 0
    except (av.error.FFmpegError, OSError, StopIteration):
        return False  # reading will say what is wrong
