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
COMMANDS = """
import os, shlex, sys
from streamvq.cli.app import app
for words in map(shlex.split, sys.argv[1:]):
    for standard in (0, 1):
        given = int(words.pop(0))
        os.dup2(given, standard)
        os.close(given)
    assert not app(words, standalone_mode=False)
"""
CASES = {  # height, width, options
    "small": (16, 24, ""),
    "large": (180, 320, ""),
    "codes that depend on the frame before": (16, 24, "--lossy 4"),
    "one job": (16, 24, "-j 1"),
}


def read_within(out: int, process: subprocess.Popen[bytes], size: int) -> bytes:
    """The next `size` bytes of what it writes."""
    data = b""
    while len(data) < size:
        ready, _, _ = select.select([out], [], [], SECONDS)
        assert ready, f"only {len(data)} of {size} bytes have come"
        part = os.read(out, size - len(data))
        assert part, process.stderr.read() if process.stderr else ""
        data += part
    return data


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell whether a pipe has data")
@pytest.mark.slow
def test_no_frame_waits_for_the_next(tmp_path: Path, start: Callable) -> None:
    """One command after the other in one process, each with pipes of its own."""
    codebook(16).save(tmp_path / "book.npz")
    pipes = [(*os.pipe(), *os.pipe()) for _ in CASES]
    lines = [
        f"{source} {sink} apply - -c '{tmp_path / 'book.npz'}' -o - {options}"
        for (source, _, _, sink), (_, _, options) in zip(pipes, CASES.values(), strict=True)
    ]
    theirs = [descriptor for source, _, _, sink in pipes for descriptor in (source, sink)]
    process = start(*lines, code=COMMANDS, pass_fds=theirs)
    for descriptor in theirs:
        os.close(descriptor)
    for (_, into, out, _), (height, width, _) in zip(pipes, CASES.values(), strict=True):
        with os.fdopen(into, "wb", buffering=0) as feed:
            pictures = [smooth(height, width, index) for index in range(25)]
            head, _, frames = y4m(pictures, "420jpeg").partition(b"\n")
            size = len(frames) // len(pictures)
            feed.write(head + b"\n")
            received = b""
            for index in range(len(pictures)):
                feed.write(frames[index * size : (index + 1) * size])
                if index == 0:
                    while not received.endswith(b"\n"):
                        received += read_within(out, process, 1)
                received += read_within(out, process, len(b"FRAME\n") + 3 * height * width)
        assert len(read_video(received)) == len(pictures)
        os.close(out)
    assert process.wait(SECONDS) == 0, process.stderr.read()
