"""Sizes that files declare: of files as libav writes them, and of beginnings made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from pictures import smooth
from videos import write_video

from streamvq.media.declared_size import HEAD_BYTES, declared_size

MATROSKA = b"\x1a\x45\xdf\xa3" + bytes(20) + b"\x18\x53\x80\x67"  # an EBML head, and the segment's id


@pytest.mark.parametrize("suffix", [".mkv", ".webm", ".avi"])
def test_whole_files(suffix: str, tmp_path: Path) -> None:
    data = write_video(tmp_path / f"a{suffix}", [smooth()] * 3).read_bytes()
    assert declared_size(data[:HEAD_BYTES]) == len(data)


@pytest.mark.parametrize(
    ("size_field", "expected"),
    [
        (b"\x85", 28 + 1 + 5),
        (b"\x40\x05", 28 + 2 + 5),
        (b"\x01\0\0\0\0\0\0\x05", 28 + 8 + 5),
        (b"\xff", None),
        (b"\x01" + bytes([255]) * 7, None),
    ],
    ids=["1 byte", "2 bytes", "8 bytes", "unknown", "unknown in 8 bytes"],
)
def test_matroska(size_field: bytes, expected: int | None) -> None:
    assert declared_size(MATROSKA + size_field + bytes(12)) == expected


@pytest.mark.parametrize(("size", "expected"), [(1000, 1008), (0, None), (0xFFFFFFFF, None)])
def test_avi(size: int, expected: int | None) -> None:
    assert declared_size(b"RIFF" + size.to_bytes(4, "little") + b"AVI LIST") == expected


@pytest.mark.parametrize("head", [b"", b"RIFF", MATROSKA, MATROSKA + b"\x85", b"ftypisom" * 20])
def test_other_beginnings_declare_nothing(head: bytes) -> None:
    assert declared_size(head) is None
