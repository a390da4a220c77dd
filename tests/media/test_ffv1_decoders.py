"""Our own FFV1 as whole files: what other decoders read back is right to the last bit."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pictures import codebook, coded, noise, smooth
from videos import read_video

from streamvq import Codebook, Frame, IndexFrame, StreamInfo, open_sink
from streamvq.options import WriteOptions

FFMPEG = shutil.which("ffmpeg")


def written(path: Path, book: Codebook, frames: list[IndexFrame]) -> Path:
    with open_sink(path, book, StreamInfo(), WriteOptions(overwrite=True)) as sink:
        for frame in frames:
            sink.write(sink.encode(frame))
    return path


def shown(book: Codebook, frame: IndexFrame) -> NDArray:
    colors = book.palette[frame.codes] if book.space == "rgb" or frame.alpha is not None else book.codes[frame.codes]
    return colors if frame.alpha is None else np.dstack([colors, frame.alpha])


@settings(max_examples=80)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 400),
    st.sampled_from(["rgb", "gray"]),
    st.booleans(),
    st.integers(0, 99),
)
def test_any_size_any_codebook(
    tmp_path: Path, height: int, width: int, count: int, space: str, clear: bool, seed: int
) -> None:
    book = codebook(min(count, 256) if space == "gray" else count, space, seed)
    alpha = noise(height, width, 1, seed)[..., 0] if clear else None
    frames = [coded(book, height, width, seed + index, alpha) for index in range(2)]
    for actual, frame in zip(read_video(written(tmp_path / "a.mkv", book, frames)), frames, strict=True):
        assert (actual == shown(book, frame)).all()


@pytest.mark.parametrize("count", [2, 16, 256, 5000])
def test_film_like_pictures(count: int, tmp_path: Path) -> None:
    """Runs, edges and extremes in one picture, larger than any slice."""
    picture = np.concatenate([smooth(100, 150), np.zeros((50, 150, 3), np.uint8), noise(50, 150)])
    picture[60:70] = 255
    book = codebook(count)
    frame, _ = book.quantize_frame(Frame(picture))
    (actual,) = read_video(written(tmp_path / "a.mkv", book, [frame]))
    assert (actual == shown(book, frame)).all()


@pytest.mark.skipif(FFMPEG is None, reason="no ffmpeg program here; PyAV compares above")
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 3), (33, 47), (200, 320)])
@pytest.mark.parametrize(
    ("space", "clear", "pix_fmt"), [("rgb", False, "rgb24"), ("rgb", True, "rgba"), ("gray", False, "gray")]
)
def test_the_ffmpeg_program_agrees(
    size: tuple[int, int], space: str, clear: bool, pix_fmt: str, tmp_path: Path
) -> None:
    """With checksums verified, and any doubt an error."""
    book = codebook(100, space)
    alpha = noise(*size, 1)[..., 0] if clear else None
    frames = [coded(book, *size, index, alpha) for index in range(3)]
    path = written(tmp_path / "a.mkv", book, frames)
    strict = ["-xerror", "-err_detect", "crccheck+bitstream+buffer+explode"]
    command = [FFMPEG, "-v", "error", *strict, "-i", path, "-f", "rawvideo", "-pix_fmt", pix_fmt, "-"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stderr == b""
    expected = np.stack([shown(book, frame) for frame in frames])
    assert (np.frombuffer(done.stdout, np.uint8).reshape(expected.shape) == expected).all()
