"""Video as frames, through PyAV: any format it decodes, with exact times, rotation and the stream's own colors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

import av
import av.error

from streamvq.errors import InputMissing, MediaDamaged, MediaError, counted
from streamvq.frames import Frame, StreamInfo
from streamvq.media.ffv1.slices import SliceChecks
from streamvq.media.libav import reason, url
from streamvq.media.packet_table import PacketTable, packet_table
from streamvq.media.reading.picture_pixels import PicturePixels
from streamvq.media.reading.truncation import truncation
from streamvq.media.reading.video_look import VideoLook
from streamvq.media.sources.source import FrameSource, Window
from streamvq.media.video_contents import VideoContents, chapters_of, main_video, title_of

# A file whose header declares its length was cut off where it ends this much before, in seconds and as a share.
_MIN_SECONDS_LOST = Fraction(1, 2)
_MIN_SHARE_LOST = Fraction(1, 50)
_DECLARE_LENGTH = ("asf", "flv", "ivf")  # of others, libav's duration is what it found in the file itself
_CENTERED_CHROMA = ("mjpeg", "mpeg1video", "theora")  # codecs with chroma between two columns of pixels
_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}  # codecs, and their decoders that read alpha

Item = tuple[int, av.VideoFrame, Fraction]  # index, decoded picture, time base


class _NotItsFrames(MediaDamaged):
    """Packets are not what they were taken for: numbers of frames that were counted by them are wrong."""


class BytesReader(Protocol):
    """A file of which only reading forward is asked."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, none at the end."""


class VideoSource(FrameSource):
    """The frames of a file's first video stream; cover pictures are none.

    A video without a color matrix tag is read as BT.601, as the ffmpeg program does. Alpha is kept. Raises
    MediaError where the file is no video, MediaDamaged where it breaks off (`keep_going` ends there instead).
    `contents` says what else is in the file, and `look` how its pictures are to be shown (None for pipes).
    """

    def __init__(
        self, path: Path | BytesReader, label: str, keep_going: bool = False, format: str | None = None
    ) -> None:
        super().__init__(label)
        self._keep_going = keep_going
        self._path = path if isinstance(path, Path) else None
        self._container, self._stream = self._begun(path, format)
        self.codec = self._stream.codec_context.name
        self.contents = VideoContents.of(self._container)
        self.look = VideoLook.of(self._path) if self._path else None
        self.info = self._stream_info(self.look is not None and self.look.rotation % 180 != 0)
        if self.info.audio_streams:
            self.audio_from = self._path
        if left_out := self.contents.left_out():
            self.notes.append(f"{label}: {left_out}")
        self._pixels = PicturePixels(self._centered_chroma())
        self._alpha_decoder = self._decoder_of_alpha()
        with_slices = self.codec == "ffv1" and self._stream.codec_context.extradata
        self._slice_checks = SliceChecks() if with_slices else None

    def _begun(self, path: Path | BytesReader, format: str | None = None) -> tuple[Any, Any]:
        """The container, opened, and the stream whose pictures are read. Raises InputMissing or MediaError."""
        container = self._opened(path, format)
        stream: Any = main_video(container)
        if stream is None or stream.codec_context is None:
            container.close()
            what = "no video stream" if stream is None else "video of a kind that cannot be decoded"
            raise MediaError(f"{self.label}: holds {what}")
        stream.thread_type = "AUTO"
        return container, stream

    def _opened(self, path: Path | BytesReader, format: str | None) -> Any:
        try:
            source = url(path) if isinstance(path, Path) else path
            return av.open(source, format=format, metadata_errors="replace")
        except av.error.FileNotFoundError as error:
            raise InputMissing(f"{self.label}: no such file; check the spelling") from error
        except (PermissionError, IsADirectoryError) as error:
            raise MediaError(f"{self.label}: cannot be read: {reason(error)}") from error
        except (av.error.FFmpegError, OSError, UnicodeError, ValueError) as error:
            raise MediaError(
                f"{self.label}: not a video that can be read ({reason(error)}); is it whole, and what its name says?"
            ) from error

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
            title_of(self._container.metadata),
            chapters_of(self._container),
        )

    @property
    def seconds(self) -> float | None:
        """How long the file plays, as its header says; None where it does not."""
        return self._container.duration / av.time_base if self._container.duration else None

    def _centered_chroma(self) -> bool:
        """Whether chroma samples lie between two columns of pixels, as those of JPEG do."""
        return self.codec in _CENTERED_CHROMA

    def _decoder_of_alpha(self) -> Any:
        """What decodes the pictures of a VP8 or VP9 stream that says that it has alpha, None for other streams."""
        name = _WITH_ALPHA.get(self.codec or "")
        if name is None or self._stream.metadata.get("alpha_mode") != "1":
            return None
        try:
            decoder = av.CodecContext.create(name, "r")
        except (av.error.FFmpegError, ValueError):
            self.notes.append(f"{self.label}: its transparency cannot be read here, and is left out")
            return None
        decoder.extradata = self._stream.codec_context.extradata
        return decoder

    def items(self) -> Iterator[Item]:
        yield from self._numbered(self._pictures(), 0)

    def items_from(self, window: Window) -> Iterator[Item]:
        pictures = self._pictures_from(window.start) if window.start else None
        if pictures is None:
            return super().items_from(window)
        count = None if window.stop is None else window.stop - window.start
        return islice(self._numbered(pictures, window.start), count)

    def count_frames(self) -> int:
        if self._stream.frames or self._path is None:
            return super().count_frames()
        table = packet_table(self._path)
        return len(table) if table else super().count_frames()

    def _pictures_from(self, start: int) -> Iterator[av.VideoFrame] | None:
        """Those from number `start` on, decoded from the key frame before; None where all are to be decoded."""
        usable = self._path and self._alpha_decoder is None and not self._keep_going
        table = packet_table(self._path) if usable and self._path else None
        if table is not None and start >= len(table):
            return iter(())
        key = table.key_before(start) if table else 0
        if table is not None and key == 0:
            return None  # the file starts with it
        if table is not None:
            pictures = self._after_seeking(table, key, start)
            with suppress(av.error.FFmpegError, MediaDamaged, OSError):
                return chain([next(pictures)], pictures)
            assert self._path is not None
            self._container.close()
            self._container, self._stream = self._begun(self._path)
        self.notes.append(f"{self.label}: its packets do not tell its frames: shares decode it from its start")
        return None

    def _after_seeking(self, table: PacketTable, key: int, start: int) -> Iterator[av.VideoFrame]:
        """The pictures from number `start` on, decoded from packet `key` on; each is where the table has it.

        Raises MediaDamaged where one is not, the first before anything is given.
        """
        self._container.seek(int(table.times[key]), stream=self._stream, backward=True)
        number = start
        for picture in self._pictures(table, key):
            if picture.pts == table.times[key] and not picture.key_frame:
                raise _NotItsFrames("no key frame is where its packets have one")
            if picture.pts is None or picture.pts < table.shown[start]:
                continue
            if picture.pts != table.shown[number]:
                raise _NotItsFrames("its packets are not its frames")
            yield picture
            number += 1
        if number < len(table):
            raise _NotItsFrames(f"it ends before frame {number} of {len(table)}")

    def _numbered(self, pictures: Iterator[av.VideoFrame], index: int) -> Iterator[Item]:
        """The pictures from number `index` on as items. Raises MediaError."""
        if self.look is not None and (refusal := self.look.refusal(self.label)):
            raise MediaError(refusal)
        failure: Exception | None = None
        try:
            for picture in pictures:
                yield index, picture, Fraction(picture.time_base or self._stream.time_base or 1)
                index += 1
        except (av.error.FFmpegError, MediaDamaged, OSError) as error:
            failure = error
        if isinstance(failure, _NotItsFrames):
            raise MediaDamaged(f"{self.label}: at frame {index}, {failure}; do it without shares") from failure
        if failure is not None:
            for picture in self._held_back():
                yield index, picture, Fraction(picture.time_base or self._stream.time_base or 1)
                index += 1
            self._damaged(index, reason(failure), failure)
        if index == 0:
            raise MediaError(f"{self.label}: holds no frames; is the file whole?")

    def _pictures(self, table: PacketTable | None = None, key: int = 0) -> Iterator[av.VideoFrame]:
        """What is decoded, in the order that it is shown, of a `table` from packet `key` on.

        Raises MediaDamaged or libav's errors.
        """
        packets, begun = key, table is None
        last_end = Fraction(0)
        for packet in self._container.demux(*self._timed_streams()):
            if packet.is_corrupt:
                raise MediaDamaged("a packet is corrupt")
            if packet.pts is not None and packet.time_base:
                last_end = max(last_end, (packet.pts + (packet.duration or 0)) * Fraction(packet.time_base))
            if packet.stream is not self._stream:
                continue
            if packet.size and table is not None:
                found = (packet.pts, packet.size, packet.is_keyframe)
                if not begun and found != table.packet(key) and (packet.pts or 0) < table.times[key]:
                    continue  # the file was read from an earlier place on
                if packets >= len(table) or found != table.packet(packets):
                    raise _NotItsFrames("its packets are not where they were found before")
                begun = True
            if packet.size:
                packets += 1
                if self._slice_checks and (damage := self._slice_checks.damage(bytes(packet))):
                    raise MediaDamaged(damage)
            for picture in self._alpha_decoder.decode(packet) if self._alpha_decoder else packet.decode():
                if getattr(picture, "is_corrupt", False):
                    raise MediaDamaged("a picture is corrupt")
                yield picture
        self._check_whole(packets, last_end)

    def _held_back(self) -> list[av.VideoFrame]:
        """The pictures before a damage that the decoder still holds."""
        decoder = self._alpha_decoder or self._stream.codec_context
        try:
            return [picture for picture in decoder.decode(None) if not getattr(picture, "is_corrupt", False)]
        except av.error.FFmpegError:
            return []

    def _timed_streams(self) -> list[Any]:
        return [self._stream, *self._container.streams.audio]

    def _check_whole(self, packets: int, last_end: Fraction) -> None:
        """Raise if the file ended before its own index, size or duration says."""
        formats = self._container.format.name.split(",")
        indexed = len(self._stream.index_entries) if "mp4" in formats else 0
        if packets < indexed:
            raise MediaDamaged(f"the file ends after {packets} of {indexed} frames")
        if self._path and (cut := truncation(self._path)):
            raise MediaDamaged(cut)
        if self._container.duration and set(formats) & set(_DECLARE_LENGTH):
            start = Fraction(self._container.start_time or 0, av.time_base)
            end = start + Fraction(self._container.duration, av.time_base)
            if end - last_end > max(_MIN_SECONDS_LOST, _MIN_SHARE_LOST * (end - start)):
                raise MediaDamaged(
                    f"the file ends at {float(last_end):.2f} s, and its header says {float(end):.2f} s"
                )

    def _damaged(self, frames: int, why: str, error: Exception) -> None:
        if self._keep_going and frames:
            self.notes.append(
                f"{self.label}: damaged after {counted(frames, 'frame')} ({why}); what comes before is kept"
            )
            return
        hint = "use `keep_going` to keep the frames before it" if frames else "is the file whole?"
        raise MediaDamaged(f"{self.label}: frame {frames} cannot be read: {why}; {hint}") from error

    def time_of(self, item: Item) -> Fraction | None:
        _, picture, time_base = item
        return picture.pts * time_base if picture.pts is not None else None

    def item_bytes(self, item: Item) -> int:
        return sum(plane.buffer_size for plane in item[1].planes)

    def load(self, item: Item) -> Frame:
        index, picture, time_base = item
        time = self.time_of(item)
        duration = picture.duration * time_base if picture.duration else None
        return Frame(self._pixels.of(picture), index, time, duration)

    def close(self) -> None:
        self._container.close()
