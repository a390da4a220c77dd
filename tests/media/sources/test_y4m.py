"""Frame pipes."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from pictures import noise, smooth
from videos import y4m

from streamvq import Frame, MediaDamaged, MediaError, open_source


def piped(data: bytes, monkeypatch: pytest.MonkeyPatch, **options: bool) -> list[Frame]:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    with open_source("-", **options) as source:
        return list(source)


@pytest.mark.parametrize("layout", ["444", "422", "420jpeg", "mono"])
@pytest.mark.parametrize("size", [(32, 48), (17, 33), (1, 1)])
def test_layouts(
    layout: str,
    size: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
    same_picture: Callable[..., None],
) -> None:
    pictures = [np.repeat(smooth(*size, shift)[..., :1], 3, axis=2) for shift in range(5)]
    frames = piped(y4m(pictures, layout, Fraction(30000, 1001)), monkeypatch)
    assert [frame.time for frame in frames] == [i * Fraction(1001, 30000) for i in range(5)]
    for frame, expected in zip(frames, pictures, strict=True):
        assert frame.pixels.shape[2] == (1 if layout == "mono" else 3)
        same_picture(np.broadcast_to(frame.pixels, expected.shape), expected, 4)


def test_colors_survive(monkeypatch: pytest.MonkeyPatch, same_picture: Callable[..., None]) -> None:
    pictures = [noise(seed=seed) for seed in range(3)]
    for frame, expected in zip(piped(y4m(pictures), monkeypatch), pictures, strict=True):
        same_picture(frame.pixels, expected, 3)


@pytest.mark.parametrize("missing", [1, 100, 4607])
def test_a_cut_inside_a_frame_is_noticed(missing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = y4m([noise(seed=seed) for seed in range(5)])[:-missing]
    with pytest.raises(MediaDamaged, match=r"-: frame 4.*`keep_going`"):
        piped(data, monkeypatch)
    assert len(piped(data, monkeypatch, keep_going=True)) == 4


@pytest.mark.parametrize("data", [b"", b"YUV4MPEG2", b"YUV4MPEG2 W0 H0\n", b"RIFF....AVI ", bytes(5000)])
def test_what_is_no_y4m_says_how_to_make_it(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MediaError, match="yuv4mpegpipe"):
        piped(data, monkeypatch)


def test_a_file_is_read_like_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = y4m([noise(seed=seed) for seed in range(3)])
    (tmp_path / "a.y4m").write_bytes(data)
    with open_source(tmp_path / "a.y4m") as source:
        for frame, other in zip(source, piped(data, monkeypatch), strict=True):
            assert (frame.pixels == other.pixels).all()
            assert frame.time == other.time
