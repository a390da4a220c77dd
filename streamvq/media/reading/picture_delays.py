"""Image files with several pictures: which have them, and how long each is shown; nothing is decoded.

Times are from the files' own tables, and exact, where Pillow gives rounded milliseconds.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from PIL import Image

from streamvq.media.aseprite.sprite import Sprite
from streamvq.media.file_type import ImageKind
from streamvq.media.libav import url
from streamvq.media.reading.image_reading import channels_of, open_image, picture_numbers, reading, upright_size

_AT_ONCE = Fraction(1, 10)  # seconds that players show a picture whose delay is 0


def has_several_pictures(path: Path, kind: ImageKind) -> bool:
    """Whether an image file holds an animation or pages; False where it is broken, as reading it will say."""
    try:
        if kind.name == "PNG" and not any(True for _ in _png_delays(path)):
            return False  # nearly all are this, and known without Pillow
        with warnings.catch_warnings(), Image.open(path, formats=kind.formats) as image:
            return len(picture_numbers(image)) > 1
    except Exception:  # noqa: BLE001  Pillow's plugins raise what they like
        return False


@dataclass(frozen=True)
class AboutImage:
    """What an image file holds: its kind, the size of its first picture, how many there are, and how long each is
    shown in seconds (empty for pages and stills)."""

    format: str
    height: int
    width: int
    channels: int
    pictures: int
    durations: list[Fraction]


def about(path: Path) -> AboutImage:
    """What the headers of an image file say; no picture is decoded. Raises MediaError."""
    with reading(path, sys.maxsize), open_image(path, sys.maxsize) as image:
        numbers = picture_numbers(image)
        if numbers[0]:
            image.seek(numbers[0])
        durations = delays(path, image.format or "") if len(numbers) > 1 else []
        return AboutImage(image.format or "", *upright_size(image), channels_of(image), len(numbers), durations)


def delays(path: Path, format: str) -> list[Fraction]:
    """The seconds that each picture of a PNG, WebP, AVIF or GIF is shown, in order; for other formats none."""
    readers = {
        "PNG": _png_delays, "WEBP": _webp_delays, "AVIF": _packet_delays, "GIF": _packet_delays,
        "ASEPRITE": _sprite_delays,
    }  # fmt: skip
    return [delay or _AT_ONCE for delay in readers[format](path)] if format in readers else []


def _png_delays(path: Path) -> Iterator[Fraction]:
    """By the frame control chunks (PNG, 11.3.6)."""
    with path.open("rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            size, chunk_type = int.from_bytes(head[:4]), head[4:]
            control = file.read(min(size, 26)) if chunk_type == b"fcTL" else b""
            if len(control) == 26:
                yield Fraction(int.from_bytes(control[20:22]), int.from_bytes(control[22:24]) or 100)
            file.seek(size - len(control) + 4, 1)


def _webp_delays(path: Path) -> Iterator[Fraction]:
    """By the animation frame chunks (RFC 9649)."""
    with path.open("rb") as file:
        file.seek(12)
        while len(head := file.read(8)) == 8:
            size = int.from_bytes(head[4:], "little")
            frame = file.read(min(size, 16)) if head[:4] == b"ANMF" else b""
            if len(frame) == 16:
                yield Fraction(int.from_bytes(frame[12:15], "little"), 1000)
            file.seek(size + size % 2 - len(frame), 1)


def _sprite_delays(path: Path) -> Iterator[Fraction]:
    """By the headers of its frames."""
    for milliseconds in Sprite(path.read_bytes(), str(path)).durations_ms:
        yield Fraction(milliseconds, 1000)


def _packet_delays(path: Path) -> Iterator[Fraction]:
    """By libav: of the first track with several pictures, since the one before it in an AVIF is a still."""
    import av

    with av.open(url(path)) as container:
        streams: list[Any] = list(container.streams.video)
        stream = next((stream for stream in streams if stream.frames > 1), streams[0])
        for packet in container.demux(stream):
            if packet.size:
                yield Fraction((packet.duration or 0) * packet.time_base)
