"""The size that a media file declares in its first bytes: a smaller file was cut off."""

from __future__ import annotations

HEAD_BYTES = 4096
_EBML = b"\x1a\x45\xdf\xa3"  # how Matroska files start
_SEGMENT = b"\x18\x53\x80\x67"  # Matroska's root element (RFC 9559)


def declared_size(head: bytes) -> int | None:
    """The size in bytes that a Matroska, WebM or AVI file declares, None where it does not.

    `head` is the first `HEAD_BYTES` of the file, or all of a smaller one.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        size = int.from_bytes(head[4:8], "little")
        return None if size in (0, 0xFFFFFFFF) else size + 8  # those: written as a stream
    at = head.find(_SEGMENT)
    if head[:4] != _EBML or at < 0 or at + 12 > len(head):
        return None
    start = at + len(_SEGMENT)
    length = 9 - head[start].bit_length()  # in bytes: the first set bit of a number tells it
    unknown = (1 << 7 * length) - 1  # all ones: written as a stream
    size = int.from_bytes(head[start : start + length], "big") & unknown
    return None if size == unknown else start + length + size
