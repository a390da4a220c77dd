"""A y4m pipe that is shown as it comes: every frame is out before the next one is in."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pictures import codebook, smooth
from videos import read_video, y4m

SECONDS = 60  # of patience; what waits for a later frame waits for ever


def read_within(process: subprocess.Popen[bytes], size: int) -> bytes:
    """The next `size` bytes of the standard output."""
    assert process.stdout is not None
    data = b""
    while len(data) < size:
        ready, _, _ = select.select([process.stdout], [], [], SECONDS)
        assert ready, f"only {len(data)} of {size} bytes have come"
        part = os.read(process.stdout.fileno(), size - len(data))
        assert part, process.stderr.read() if process.stderr else ""
        data += part
    return data


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell whether a pipe has data")
@pytest.mark.parametrize(
    ("height", "width", "options"),
    [(16, 24, ()), (180, 320, ()), (16, 24, ("--lossy", "4")), (16, 24, ("-j", "1"))],
    ids=["small", "large", "lossy", "one job"],
)
@pytest.mark.slow
def test_no_frame_waits_for_the_next(
    height: int, width: int, options: tuple[str, ...], tmp_path: Path, start: Callable
) -> None:
    codebook(16).save(tmp_path / "book.npz")
    pictures = [smooth(height, width, index) for index in range(25)]
    data = y4m(pictures, "420jpeg")
    head, _, frames = data.partition(b"\n")
    size = len(frames) // len(pictures)
    book = ("-c", tmp_path / "book.npz")
    process = start("apply", "-", *book, "-o", "-", *options, stdin=subprocess.PIPE, bufsize=0)
    process.stdin.write(head + b"\n")
    out_size = len(b"FRAME\n") + 3 * height * width
    received = b""
    for index in range(len(pictures)):
        process.stdin.write(frames[index * size : (index + 1) * size])
        if index == 0:
            while not received.endswith(b"\n"):
                received += read_within(process, 1)
        received += read_within(process, out_size)
    process.stdin.close()
    assert process.wait(SECONDS) == 0, process.stderr.read()
    assert len(read_video(received)) == len(pictures)
