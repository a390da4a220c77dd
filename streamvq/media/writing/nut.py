"""NUT, the form of audio inside `.svq` files: it keeps any codec and exact times."""

from __future__ import annotations

import io
from typing import Any

import av
import av.error

DELAY_SECONDS = 60  # added to times, which NUT does not let be negative; rounded up to a tick of each stream


class NutPieces:
    """A NUT file that is written to memory, and taken away piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.container: Any = av.open(
            self, "w", format="nut", options={"fflags": "+bitexact", "avoid_negative_ts": "disabled"}
        )

    def write(self, data: bytes) -> int:
        """What libav calls with the next bytes of the file."""
        self._pieces.append(bytes(data))
        return len(data)

    def take(self, min_bytes: int = 1) -> bytes | None:
        """The bytes written since the last call; None, and they stay, where they are fewer than `min_bytes`."""
        if sum(map(len, self._pieces)) < min_bytes:
            return None
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data

    def close(self) -> None:
        """Write the end of the file; a second call does nothing."""
        self.container.close()


def nut_holds(stream: Any) -> bool:
    """Whether NUT has a name for a stream's codec. Its writer does not say so: a packet is written and read back."""
    file = io.BytesIO()
    try:
        with av.open(file, "w", format="nut") as output:
            packet = av.Packet(bytes(64))
            packet.stream = output.add_stream_from_template(stream)
            packet.pts = packet.dts = 0
            packet.time_base = stream.time_base
            output.mux(packet)
        with av.open(io.BytesIO(file.getvalue()), format="nut") as written:
            return bool(written.streams[0].codec_context.name == stream.codec_context.name)
    except (av.error.FFmpegError, ValueError, AttributeError):
        return False
