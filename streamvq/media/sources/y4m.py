"""YUV4MPEG2, the format of frame pipes, read through PyAV."""

from __future__ import annotations

import select
import sys
from collections.abc import Iterator
from fractions import Fraction
from typing import IO

import av

from streamvq.container.chunks import SIGNATURE
from streamvq.errors import MediaDamaged, MediaError
from streamvq.media.inputs import MediaInput
from streamvq.media.sources.video import Item, VideoSource

_MAX_HEADER_BYTES = 1024  # up to the end of the first frame's header


class Y4MSource(VideoSource):
    """y4m from standard input or a file: 4:2:0, 4:2:2, 4:4:4 or mono, 8 bits or more."""

    def __init__(self, source: MediaInput, keep_going: bool = False) -> None:
        if source.source_type == "pipe":
            stream: IO[bytes] = sys.stdin.buffer
            if stream.isatty():
                raise MediaError(
                    "-: standard input is a terminal; pipe into it: ffmpeg -i IN -f yuv4mpegpipe - | ..."
                )
            hint = "pipe y4m into it: ffmpeg -i IN -f yuv4mpegpipe - | ..."
        else:
            stream = source.paths[0].open("rb")
            hint = "is it whole?"
        self._pipe = _CountedReads(stream)
        try:
            super().__init__(self._pipe, source.label, keep_going, "yuv4mpegpipe")
        except MediaError as error:
            self._pipe.close()
            self._pipe.check()
            if self._pipe.is_svq:
                hint = "it is .svq: streamvq decompress - -o - | ..."
            raise MediaError(f"{source.label}: not y4m; {hint}") from error

    def waits(self) -> bool:
        return self._pipe.waits()

    def _centered_chroma(self) -> bool:
        """That of C420jpeg, which is also the default."""
        return b"420mpeg2" not in self._pipe.header and b"420paldv" not in self._pipe.header

    def items(self) -> Iterator[Item]:
        try:
            yield from super().items()
        finally:
            self._pipe.check()

    def _check_whole(self, packets: int, last_end: Fraction) -> None:
        """Raise if the stream ended inside a frame."""
        width, height = self._stream.codec_context.width, self._stream.codec_context.height
        planes = av.VideoFormat(self._stream.codec_context.pix_fmt or "yuv420p", width, height).components
        picture_bytes = sum(plane.width * plane.height * (2 if plane.bits > 8 else 1) for plane in planes)
        left_over = self._pipe.after_header() - packets * (len(b"FRAME\n") + picture_bytes)
        if left_over > 0 and self._pipe.plain_frames:
            raise MediaDamaged("the stream ends inside this frame")

    def close(self) -> None:
        super().close()
        self._pipe.close()


class _CountedReads:
    """A file that counts the bytes read from it and keeps the first of them.

    PyAV prints and drops what `read` raises, such as a KeyboardInterrupt while it waits: `check` raises it again.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._read = getattr(stream, "read1", stream.read)  # what is there, without waiting for the rest of `size`
        self._start = b""
        self._count = 0
        self._failure: BaseException | None = None

    def read(self, size: int) -> bytes:
        try:
            data = self._read(size)
        except BaseException as error:  # noqa: BLE001  kept for check()
            self._failure = error
            return b""
        if len(self._start) < _MAX_HEADER_BYTES:
            self._start += data[:_MAX_HEADER_BYTES]
        self._count += len(data)
        return data

    def waits(self) -> bool:
        """Whether a read would wait for the writer, as far as the system tells: Windows does not, for pipes."""
        try:
            return not select.select([self._stream], [], [], 0)[0]
        except (OSError, ValueError):
            return False

    @property
    def header(self) -> bytes:
        """The stream's header line, as far as it was read."""
        return self._start.partition(b"\n")[0]

    def check(self) -> None:
        """Raise what `read` raised, if it did."""
        if self._failure is not None:
            raise self._failure

    def after_header(self) -> int:
        """How many bytes were read after the stream's header line."""
        return self._count - self._start.find(b"\n") - 1

    @property
    def plain_frames(self) -> bool:
        """Whether frame headers carry no parameters, as the first shows."""
        return b"\nFRAME\n" in self._start

    @property
    def is_svq(self) -> bool:
        """Whether it begins like a file of streamvq's own format."""
        return self._start.startswith(SIGNATURE)

    def close(self) -> None:
        if self._stream is not sys.stdin.buffer:
            self._stream.close()
