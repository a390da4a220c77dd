"""Audio copied packet by packet from one file into another, untouched."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer


class AudioCopy:
    """Copies the audio streams of `path` that `output` can hold.

    Make it before anything is written to `output`; call `up_to` with the time of each picture, so that the
    streams interleave, and with None at the end. Holds one packet at a time.

    Encoders put priming samples before time 0. MP4 says so in its edit list, Matroska does only for Opus; other
    codecs' priming packet goes to time 0 there, or the whole file would have to be shifted.
    """

    def __init__(self, path: Path, output: OutputContainer) -> None:
        self._input = av.open(str(path))
        self._output = output
        self._no_negative_times = output.format.name in ("matroska", "webm")
        self.left_out: list[str] = []  # codecs that the output cannot hold
        self._streams = {}
        for stream in self._input.streams.audio:
            if stream.codec_context.name in output.supported_codecs:
                self._streams[stream.index] = output.add_stream_from_template(stream)
            else:
                self.left_out.append(stream.codec_context.name)
        self._packets = self._read()
        self._waiting: av.Packet | None = None

    def _read(self) -> Iterator[av.Packet]:
        if not self._streams:
            return
        for packet in self._input.demux([self._input.streams[index] for index in self._streams]):
            if packet.dts is not None and packet.size:
                yield packet

    def up_to(self, time: Fraction | None) -> None:
        """Copy what plays before `time` seconds; all that is left where it is None."""
        while True:
            packet = self._waiting or next(self._packets, None)
            self._waiting = packet
            if packet is None or (time is not None and packet.dts * Fraction(packet.time_base) > time):  # type: ignore[operator, arg-type]
                return
            packet.stream = self._streams[packet.stream.index]
            if self._no_negative_times and packet.stream.codec_context.name != "opus":
                packet.pts = packet.dts = max(0, packet.dts or 0)
            self._output.mux(packet)
            self._waiting = None

    def close(self) -> None:
        self._input.close()
