"""Video of high dynamic range or wide gamut: refused with the command that converts it, and shown by `info`."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from pictures import READY, smooth
from videos import FPS

PQ, HLG, BT709, BT2020_10, BT2020 = 16, 18, 1, 14, 9
FFMPEG = shutil.which("ffmpeg")


def hdr_video(path: Path, transfer: int, primaries: int) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries = transfer, primaries
        context.colorspace, context.color_range = (9 if primaries == BT2020 else 1), 1
        for index in range(3):
            picture = av.VideoFrame.from_ndarray(smooth(shift=index), format="rgb24").reformat(format="yuv420p10le")
            picture.pts, picture.time_base = index, 1 / FPS
            output.mux(stream.encode(picture))
        output.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("transfer", "primaries", "what"),
    [(PQ, BT2020, "PQ, BT.2020"), (HLG, BT2020, "HLG, BT.2020"), (PQ, BT709, "PQ"), (BT2020_10, BT2020, "BT.2020")],
)
def test_it_is_refused_with_what_to_do(
    transfer: int, primaries: int, what: str, tmp_path: Path, refused: Callable, good: Callable
) -> None:
    path = hdr_video(tmp_path / "in.mkv", transfer, primaries)
    line = refused("compress", path, *READY, "-o", tmp_path / "out.mkv")
    assert f"({what})" in line
    assert "convert it first: ffmpeg -i " in line
    assert not (tmp_path / "out.mkv").exists()
    record = json.loads(good("info", path, "--json").stdout)
    assert record["color_range"] == what


def test_usual_video_is_read(tmp_path: Path, good: Callable) -> None:
    path = hdr_video(tmp_path / "in.mkv", BT709, BT709)
    good("compress", path, *READY, "-o", tmp_path / "out.mkv")
    assert json.loads(good("info", path, "--json").stdout)["color_range"] is None


@pytest.mark.skipif(FFMPEG is None, reason="no ffmpeg program here to do what the message says")
@pytest.mark.parametrize(("transfer", "primaries"), [(PQ, BT2020), (BT2020_10, BT2020)])
def test_the_command_does_it(transfer: int, primaries: int, tmp_path: Path, cli: Callable, good: Callable) -> None:
    filters = subprocess.run([FFMPEG, "-hide_banner", "-filters"], capture_output=True, check=True).stdout
    if b" zscale " not in filters:
        pytest.skip("this ffmpeg has no zscale filter")
    path = hdr_video(tmp_path / "in.mkv", transfer, primaries)
    line = cli("compress", path, *READY, "-o", tmp_path / "out.mkv").stderr
    command = shlex.split(line.partition("convert it first: ")[2])
    subprocess.run([FFMPEG, "-v", "error", *command[1:]], check=True, cwd=tmp_path)
    good("compress", tmp_path / "in-sdr.mp4", *READY, "-o", tmp_path / "out.mkv")
