"""Video files made and read back with PyAV alone, so that independent code checks the package."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from pictures import bands

ENCODERS: dict[str, tuple[str, str, dict[str, str]]] = {  # suffix: codec, pixel format, options
    ".mkv": ("ffv1", "bgr0", {"level": "3", "slices": "1"}),
    ".avi": ("ffv1", "bgr0", {"level": "3", "slices": "1"}),
    ".mp4": ("libx264", "yuv420p", {"crf": "10"}),
    ".mov": ("libx264", "yuv420p", {"crf": "10"}),
    ".webm": ("libvpx-vp9", "yuv420p", {"crf": "10", "b": "0", "deadline": "realtime", "cpu-used": "8"}),
    ".gif": ("gif", "rgb8", {}),
}
FPS = Fraction(25)
MILLISECOND = Fraction(1, 1000)


def write_video(
    path: Path,
    pictures: Sequence[NDArray],
    ticks: Sequence[int] | None = None,
    tick: Fraction = 1 / FPS,
    *,
    codec: str | None = None,
    pixel_format: str | None = None,
    colorspace: int | None = None,
    color_range: int | None = None,
    rotation: int = 0,
    durations: Sequence[int] | None = None,
    audio: str | None = None,
    container_options: dict[str, str] | None = None,
    **codec_options: str,
) -> Path:
    """A video of RGB (or RGBA, or gray) pictures, frame i at `ticks[i] * tick` seconds, with a beep in `audio`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    default_codec, default_format, options = ENCODERS[path.suffix]
    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w", options=container_options or {}) as output:
        stream: Any = output.add_stream(codec or default_codec, rate=FPS, options=options | codec_options)
        stream.width, stream.height = width, height
        stream.pix_fmt = pixel_format or default_format
        context = stream.codec_context
        context.time_base = stream.time_base = tick
        if colorspace is not None:
            context.colorspace = colorspace
        if color_range is not None:
            context.color_range = color_range
        sound = _add_audio(output, audio) if audio else None
        for index, pixels in enumerate(pictures):
            picture = _picture(pixels, stream.pix_fmt, colorspace, color_range)
            picture.time_base, picture.pts = tick, ticks[index] if ticks else index
            _mux(output, stream.encode(picture), ticks, durations, tick)
        _mux(output, stream.encode(), ticks, durations, tick)
        if sound is not None:
            _beep(output, sound, len(pictures) / float(FPS))
    if rotation:
        _rotate(path, rotation)
    return path


def _rotate(path: Path, degrees: int) -> None:
    """Counterclockwise, by the matrix of the track header of a .mp4 or .mov (PyAV writes none before version 18)."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 44  # after the name, and 40 bytes of a header of version 0
    cos, sin = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    data[matrix : matrix + 20] = struct.pack(">5i", cos << 16, -sin << 16, 0, sin << 16, cos << 16)
    path.write_bytes(data)


def _mux(
    output: Any, packets: Any, ticks: Sequence[int] | None, durations: Sequence[int] | None, tick: Fraction
) -> None:
    """Encoders do not know durations: they are set here, in ticks."""
    for packet in packets:
        if durations is not None and ticks is not None:
            duration = durations[list(ticks).index(round(packet.pts * packet.time_base / tick))]
            packet.duration = round(duration * tick / packet.time_base)
        output.mux(packet)


def write_smooth_video(folder: Path, count: int = 20, **options: Any) -> Path:
    """`in.mkv` in a folder: soft gradients that wander, in bands of few colors, 64x48."""
    return write_video(folder / "in.mkv", [bands(48, 64, shift) for shift in range(count)], **options)


def with_audio_twice(source: Path, path: Path) -> Path:
    """A copy of a video whose audio stream is there twice."""
    with av.open(str(source)) as one, av.open(str(source)) as again, av.open(str(path), "w") as output:
        streams = {0: output.add_stream_from_template(one.streams.video[0])}
        streams[1] = output.add_stream_from_template(one.streams.audio[0])
        extra = output.add_stream_from_template(again.streams.audio[0])
        packets: list[Any] = [(packet, streams[packet.stream.index]) for packet in one.demux() if packet.size]
        packets += [(packet, extra) for packet in again.demux(audio=0) if packet.size]
        for packet, stream in sorted(packets, key=lambda pair: pair[0].dts * pair[0].time_base):
            packet.stream = stream
            output.mux(packet)
    return path


def _picture(pixels: NDArray, pix_fmt: str, colorspace: int | None, color_range: int | None) -> av.VideoFrame:
    if pix_fmt.startswith("yuv444p") and pixels.dtype == np.float64:  # planes given as they shall be stored
        return av.VideoFrame.from_ndarray(np.moveaxis(pixels, 2, 0).astype(np.uint8).copy(), format=pix_fmt)
    names = {1: "gray", 3: "rgb24", 4: "rgba"}
    channels = pixels.shape[2]
    plain = np.ascontiguousarray(pixels[..., 0] if channels == 1 else pixels)
    picture = av.VideoFrame.from_ndarray(plain, format=names[channels])
    if pix_fmt == names[channels]:
        return picture
    return picture.reformat(format=pix_fmt, dst_colorspace=colorspace, dst_color_range=color_range)


def _add_audio(output: Any, codec: str) -> Any:
    stream = output.add_stream(codec, rate=48000)
    stream.codec_context.layout = "mono"
    return stream


def _beep(output: Any, stream: Any, seconds: float) -> None:
    count = max(2048, int(48000 * seconds))
    wave = (8000 * np.sin(np.arange(count) * 2 * np.pi * 440 / 48000)).astype(np.int16)[None]
    frame = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = 48000, 0, Fraction(1, 48000)
    fifo, resampler = av.AudioFifo(), av.AudioResampler(stream.codec_context.format, "mono", 48000)
    for part in resampler.resample(frame):
        fifo.write(part)
    for part in fifo.read_many(stream.codec_context.frame_size or 1024, partial=True):
        output.mux(stream.encode(part))
    output.mux(stream.encode())


def read_video(path: Path | bytes, pix_fmt: str | None = None) -> list[NDArray]:
    """All pictures of a video (or of y4m bytes): RGB, or RGBA where the video has alpha, gray where it is gray."""
    source = io.BytesIO(path) if isinstance(path, bytes) else str(path)
    with av.open(source, format="yuv4mpegpipe" if isinstance(path, bytes) else None) as container:
        return [_pixels(picture, pix_fmt) for picture in container.decode(video=0)]


def _pixels(picture: av.VideoFrame, pix_fmt: str | None) -> NDArray:
    if pix_fmt is None:
        alpha = any(part.is_alpha for part in picture.format.components)
        pix_fmt = "rgba" if alpha else "gray" if picture.format.name == "gray" else "rgb24"
    pixels = picture.to_ndarray(format=pix_fmt)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def frame_times(path: Path) -> list[Fraction]:
    """The exact time stamp of each picture."""
    with av.open(str(path)) as container:
        return [picture.pts * Fraction(picture.time_base) for picture in container.decode(video=0)]


def audio_packets(path: Path) -> list[bytes]:
    """The payload of every audio packet."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def timed_audio_packets(path: Path) -> list[tuple[int, bytes, Fraction, Fraction]]:
    """Stream, payload, and exact presentation and decoding time of every audio packet, in the order of the file."""
    with av.open(str(path)) as container:
        packets: list[Any] = [packet for packet in container.demux(*container.streams.audio) if packet.size]
        return [
            (
                packet.stream.index,
                bytes(packet),
                *(Fraction(time * packet.time_base) for time in (packet.pts, packet.dts)),
            )
            for packet in packets
        ]


def y4m(pictures: Sequence[NDArray], layout: str = "444", fps: Fraction = FPS) -> bytes:
    """Pictures as y4m, limited-range BT.601; `layout` 444, 422, 420jpeg or mono."""
    pix_fmt = {"444": "yuv444p", "422": "yuv422p", "420jpeg": "yuv420p", "mono": "gray"}[layout]
    height, width = pictures[0].shape[:2]
    parts = [f"YUV4MPEG2 W{width} H{height} F{fps.numerator}:{fps.denominator} Ip A1:1 C{layout}\n".encode()]
    for pixels in pictures:
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        picture = picture.reformat(format=pix_fmt, dst_colorspace="ITU601", dst_color_range="MPEG")
        planes = [_plane(plane) for plane in picture.planes]
        parts += [b"FRAME\n", *planes]
    return b"".join(parts)


def _plane(plane: Any) -> bytes:
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width].tobytes()
