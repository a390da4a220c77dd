"""Headers made to deceive, with checksums that are right: refused soon, and in little memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from containers import (
    TICK,
    assert_refused,
    assert_same,
    joined,
    pieces,
    read_all,
    saved,
    small_file,
    svq_bytes,
    timed_frames,
    with_header,
)
from pictures import codebook, snapshot

from streamvq import StreamInfo

DATA, FRAMES = small_file()

HEADERS: dict[str, dict[str, object]] = {
    "huge sides": {"width": 2**31, "height": 2**31},
    "sides over the limit": {"width": 65536, "height": 1},
    "large sides that the frames take over": {"width": 65535, "height": 65535},
    "no sides": {"width": 0, "height": 0},
    "negative sides": {"width": -1, "height": -1},
    "width alone": {"height": None},
    "many frames": {"frames": 2**80},
    "frames as text": {"frames": "7"},
    "sides as floats": {"width": 8.0, "height": 6.0},
    "sides as booleans": {"width": True, "height": True},
    "no codes": {"codes": 0},
    "codes missing": {"codes": None},
    "too many codes": {"codes": 65537},
    "more codes than there are": {"codes": 65536},
    "fewer codes": {"codes": 15},
    "codes as a list": {"codes": [16]},
    "unknown space": {"space": "cmyk"},
    "space as a list": {"space": []},
    "another space": {"space": "gray"},
    "block of nothing": {"block": [0, 1]},
    "block of one side": {"block": [1]},
    "block as text": {"block": "11"},
    "block as a number": {"block": 1},
    "block as an object": {"block": {"0": 1, "1": 1}},
    "huge block": {"block": [2**40, 2**40]},
    "large blocks of many codes": {"block": [32, 32], "codes": 65536},
    "the largest blocks": {"block": [64, 64], "codes": 65536},
    "odd blocks of 4:2:0": {"block": [3, 3], "space": "ycbcr420"},
    "wrong fingerprint": {"fingerprint": "0" * 64},
    "fingerprint as a number": {"fingerprint": 7},
    "alpha of more codes": {"alpha": "00" * 17},
    "alpha of half a code": {"alpha": "000"},
    "alpha as a list": {"alpha": [0, 255]},
    "alpha in capitals": {"alpha": "AB"},
    "alpha that the fingerprint does not know": {"alpha": "00"},
    "alpha of gray codes": {"alpha": "00", "space": "gray"},
    "frame rate of 0": {"fps": "0/1"},
    "frame rate over 0": {"fps": "1/0"},
    "endless frame rate": {"fps": "9" * 40 + "/1"},
    "frame rate as a number": {"fps": 25},
    "frame rate as text": {"fps": "fast"},
    "negative clock": {"time_base": "-1/25"},
    "clock as a list": {"time_base": [1, 25]},
    "aspect with a sign": {"pixel_aspect": "+4/3"},
    "many sounds": {"audio_streams": 10**9},
    "sounds as text": {"audio_streams": "one"},
}


@pytest.mark.parametrize("changes", HEADERS.values(), ids=HEADERS)
def test_headers(changes: dict[str, object], bounded: None) -> None:
    assert_refused(with_header(DATA, **changes))


def with_json(data: bytes) -> bytes:
    (chunk_type, _), *rest = pieces(DATA)
    return joined([(chunk_type, data), *rest])


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'"text"',
        b"7",
        b"{",
        b"\xff\xfe\xfd",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"1" * 5000,
        b"NaN",
        b'{"block":[[]]}',
        b'\xef\xbb\xbf{"codes":16}',
        b'{"codes":1e999}',
    ],
    ids=lambda text: repr(text[:12]),
)
def test_headers_that_are_no_headers(text: bytes, bounded: None) -> None:
    assert_refused(with_json(text))


def test_what_goes_without_saying_may_be_missing() -> None:
    whole = with_header(DATA, space="rgb", block=[1, 1], fingerprint=codebook(16).fingerprint)
    for data in (whole, with_header(whole, space=None, block=None, fingerprint=None)):
        assert_same(read_all(data)[0], FRAMES)
    external = svq_bytes(codebook(16), FRAMES, embed=False)
    assert "no codebook, and names none" in assert_refused(with_header(external, fingerprint=None))


def test_a_header_with_more_in_it_is_read() -> None:
    """Later versions may say more."""
    assert_same(read_all(with_header(DATA, encoder="streamvq 9.9", more=[{"a": 1}]))[0], FRAMES)


@pytest.mark.parametrize("field", ["space", "fingerprint"])
def test_header_texts_do_not_reach_the_terminal_as_they_are(field: str, tmp_path: Path, cli: Callable) -> None:
    """Control characters and halves of surrogate pairs in a file without codebook, which `info` shows."""
    data = svq_bytes(codebook(16), FRAMES, embed=False)
    path = saved(tmp_path / "x.svq", with_header(data, **{field: "\x1b[31m\ud800\n"}))
    for options in ([], ["--json"]):
        result = cli("info", path, *options)
        assert "\x1b" not in result.output
        assert "see --debug" not in result.stderr


TERMS = ["1/9223372036854775807", "9223372036854775807/1", "1/2147483647", "2147483647/1"]


@pytest.mark.parametrize("field", ["fps", "time_base", "pixel_aspect"])
@pytest.mark.parametrize("value", TERMS)
def test_numbers_that_libav_cannot_take(field: str, value: str, tmp_path: Path, cli: Callable) -> None:
    """No trace, no error of another library."""
    book = codebook(16)
    path = saved(tmp_path / "x.svq", with_header(svq_bytes(book, timed_frames(book)), **{field: value}))
    for out in ("out.mkv", "out.avi", "out.mp4", "again.svq", "-"):
        target = out if out == "-" else tmp_path / out
        result = cli("decompress", path, "-o", target)
        assert result.exit_code in (0, 1)
        assert "see --debug" not in result.stderr, (out, result.stderr)


@pytest.mark.parametrize(
    "pieces_of", [[], [b""], [b"no NUT file at all" * 50], [b"\0" * 5000]], ids=["none", "empty", "text", "zeros"]
)
@pytest.mark.parametrize("streams", [1, 3])
def test_audio_that_is_none(pieces_of: list[bytes], streams: int, tmp_path: Path, cli: Callable) -> None:
    """The pictures come out, or one line says why not."""
    book = codebook(16)
    info = StreamInfo(8, 6, 1 / TICK, 7, TICK, None, streams)
    path = saved(tmp_path / "x.svq", svq_bytes(book, timed_frames(book), info=info, audio=pieces_of))
    for out in ("out.mkv", "out.mp4", "again.svq"):
        result = cli("decompress", path, "-o", tmp_path / out)
        assert result.exit_code in (0, 1)
        assert "see --debug" not in result.stderr, result.stderr
        assert "audio" in result.stderr, out
    assert not [name for name in snapshot(tmp_path) if ".part" in name]
