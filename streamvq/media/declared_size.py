"""How long a media file says it is, read from its first bytes: the way to notice one that was cut."""

from __future__ import annotations

HEAD_BYTES = 4096
_SEGMENT = b"\x18\x53\x80\x67"  # Matroska's root element (RFC 9559)


def declared_size(head: bytes) -> int | None:
    """The size in bytes that a Matroska, WebM or AVI file's beginning announces; None where it does not."""
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        size = int.from_bytes(head[4:8], "little")
        return None if size in (0, 0xFFFFFFFF) else size + 8  # those: written as a stream
    at = head.find(_SEGMENT)
    if head[:4] != b"\x1a\x45\xdf\xa3" or at < 0 or at + 12 > len(head):
        return None
    start = at + len(_SEGMENT)
    width = 9 - head[start].bit_length()  # the first set bit tells how many bytes the number has
    size = int.from_bytes(head[start : start + width], "big") & ((1 << 7 * width) - 1)
    unknown = size == (1 << 7 * width) - 1  # all ones: written as a stream
    return None if unknown else start + width + size
