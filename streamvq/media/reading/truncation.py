"""Whether a media file ends before its own structure says that it does: then it was cut off.

Only sizes, flags and trailers are looked at, nothing is decoded. MPEG program streams and raw streams declare
nothing, transport streams only that they consist of whole packets.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from pathlib import Path

Data = bytes | mmap.mmap

_SEGMENT = 0x18538067  # Matroska's root element, and its children with frames (RFC 9559)
_CLUSTER = 0x1F43B675
_UNKNOWN = (0, 0xFFFFFFFF)  # sizes in AVI that was written as a stream
_OGG_VIDEO = (b"\x80theora", b"OVP80", b"BBCD", b"\x01video")  # how the first packet of such a stream begins
_ASF_FILE = bytes.fromhex("A1DCAB8C47A9CF118EE400C00C205365")  # its File Properties object
_IN_A_CHUNK = "the file ends inside a chunk"


def truncation(path: Path) -> str | None:
    """What shows that a media file was cut off, None where nothing does; a file that cannot be read shows nothing."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return truncation_of(data)
    except (OSError, ValueError):  # a pipe, or an empty file
        return None


def truncation_of(data: Data) -> str | None:
    """The same of a file's content."""
    if len(data) < 16:
        return None
    for magic, at, check in _CHECKS:
        if data[at : at + len(magic)] == magic:
            return check(data)
    return _transport_stream(data)


def _short(data: Data, declared: int) -> str | None:
    return f"the file has {len(data)} of {declared} bytes" if len(data) < declared else None


def _matroska(data: Data) -> str | None:
    """The segment declares its size; where it does not, being written as a stream, its last element does."""
    at = 0
    while at < len(data):
        first = data[at]
        width = 9 - first.bit_length()
        if not 1 <= width <= 4:
            return None  # no element's id
        if at + width >= len(data):
            return _IN_A_CHUNK
        element = int.from_bytes(data[at : at + width], "big")
        at += width
        width = 9 - data[at].bit_length()
        if width > 8:
            return None
        if at + width > len(data):
            return _IN_A_CHUNK
        unknown = (1 << 7 * width) - 1
        size = int.from_bytes(data[at : at + width], "big") & unknown
        at += width
        if size in (0, unknown):
            if element not in (_SEGMENT, _CLUSTER) and size:
                return None
            continue  # its children follow
        at += size
        if element == _SEGMENT:
            return _short(data, at)
    return _IN_A_CHUNK if at > len(data) else None


def _avi(data: Data) -> str | None:
    """Every RIFF list declares its size; where the first does not, being written as a stream, its chunks do."""
    at = 0
    while data[at : at + 4] == b"RIFF" and at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if size in _UNKNOWN:
            return _avi_chunks(data, at + 12)
        if short := _short(data, at + 8 + size):
            return short
        at += 8 + size + size % 2
    return None


def _avi_chunks(data: Data, at: int) -> str | None:
    while at + 8 <= len(data):
        if not data[at : at + 4].isalnum():
            return None
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] == b"LIST" and size in _UNKNOWN:
            at += 12
            continue
        if at + 8 + size > len(data):
            return _IN_A_CHUNK
        at += 8 + size + size % 2
    return _IN_A_CHUNK if at < len(data) else None


def _mp4(data: Data) -> str | None:
    """Boxes declare their sizes, and the header of a fragment is followed by its data."""
    at, kind = 0, b""
    while at + 8 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size < 8:
            return None  # to the end of the file, or no box
        at += size
        if at > len(data) and kind in (b"mdat", b"moof", b"moov", b"mfra"):
            return _short(data, at)
    return "the file ends before the data of its last fragment" if kind == b"moof" else None


def _ogg(data: Data) -> str | None:
    """Pages declare their sizes, and the last of a stream is marked as such."""
    at = 0
    unfinished: set[bytes] = set()  # serial numbers of streams of pictures
    while data[at : at + 4] == b"OggS":
        segments = at + 27
        if segments > len(data) or segments + data[at + 26] > len(data):
            return _IN_A_CHUNK
        body = segments + data[at + 26]
        end = body + sum(data[segments:body])
        if end > len(data):
            return _IN_A_CHUNK
        flags, serial = data[at + 5], data[at + 14 : at + 18]
        if flags & 2 and data[body : body + 8].startswith(_OGG_VIDEO):
            unfinished.add(serial)
        if flags & 4:
            unfinished.discard(serial)
        at = end
    return "the file ends before the page that is marked as its last" if unfinished else None


def _gif(data: Data) -> str | None:
    """Blocks declare their sizes, and a trailer follows the last."""
    at = 13 + _color_table(data[10])
    while at < len(data):
        kind = data[at]
        if kind == 0x3B:
            return None
        if kind == 0x2C and at + 9 < len(data):
            at += 11 + _color_table(data[at + 9])
        elif kind == 0x21:
            at += 2
        elif kind:
            return None  # no block of a GIF
        else:
            at += 1  # between blocks, zeros are of no use and of no harm
            continue
        while at < len(data) and data[at]:
            at += 1 + data[at]
        at += 1
    return "the file ends before its trailer"


def _color_table(flags: int) -> int:
    """Its size in bytes."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _flv(data: Data) -> str | None:
    """Tags declare their sizes."""
    at = int.from_bytes(data[5:9], "big") + 4
    while at + 11 <= len(data) and data[at] in (8, 9, 18):
        at += 11 + int.from_bytes(data[at + 1 : at + 4], "big") + 4
    return _IN_A_CHUNK if at > len(data) + 4 else None  # some leave out the very last field


def _asf(data: Data) -> str | None:
    """The header declares the file's size, unless it was broadcast."""
    at = data[:4096].find(_ASF_FILE)
    if at < 0 or at + 92 > len(data) or data[at + 88] & 1:
        return None
    return _short(data, int.from_bytes(data[at + 40 : at + 48], "little"))


def _transport_stream(data: Data) -> str | None:
    """Whether a transport stream, which consists of packets of one size, ends with part of one."""
    for size, lead in ((188, 0), (192, 4), (204, 0)):
        if len(data) > 4 * size and all(data[lead + i * size] == 0x47 for i in range(4)):
            return "the file ends inside a packet" if len(data) % size else None
    return None


_CHECKS: tuple[tuple[bytes, int, Callable[[Data], str | None]], ...] = (  # by what a file has at an offset
    (b"\x1a\x45\xdf\xa3", 0, _matroska),
    (b"RIFF", 0, _avi),
    (b"ftyp", 4, _mp4),
    (b"moov", 4, _mp4),
    (b"mdat", 4, _mp4),
    (b"wide", 4, _mp4),
    (b"free", 4, _mp4),
    (b"skip", 4, _mp4),
    (b"OggS", 0, _ogg),
    (b"GIF8", 0, _gif),
    (b"FLV", 0, _flv),
    (bytes.fromhex("3026B2758E66CF11A6D900AA0062CE6C"), 0, _asf),
)
