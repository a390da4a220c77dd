"""Ctrl-C and termination: the right exit code, and nothing unfinished left."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pictures import bands, codebook, noise, save, snapshot
from videos import write_video, y4m

import streamvq

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")]

PICTURES = [noise(120, 160, seed=seed) for seed in range(4)]
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("long")
    codebook(64).save(folder / "book.npz")
    return write_video(folder / "long.mkv", PICTURES * 60)


def wait_for(ready: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 100
    while not ready():
        assert process.poll() is None, "it ended before it could be interrupted"
        assert time.monotonic() < deadline
        time.sleep(0.005)


def unfinished(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if ".part" in path.name]


@pytest.mark.parametrize(
    ("out", "number"),
    [("out.mkv", 2), ("out.mp4", 15), ("out", 1)],
    ids=str,
)
def test_midway_through_writing(number: int, out: str, long_video: Path, tmp_path: Path, start: Start) -> None:
    """SIGINT, SIGTERM and SIGHUP."""
    process = start("apply", long_video, "-c", long_video.with_name("book.npz"), "-o", tmp_path / out)
    wait_for(lambda: unfinished(tmp_path), process)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=100)
    assert process.returncode == 128 + number, stderr.decode()
    assert stdout == b""
    assert stderr.count(b"\n") == (1 if number == signal.SIGINT else 0), stderr.decode()
    assert (b"interrupted" in stderr) == (number == signal.SIGINT)
    assert list(tmp_path.iterdir()) == []


def test_midway_through_unpacking(long_video: Path, tmp_path: Path, start: Start) -> None:
    packed = long_video.with_name("long.svq")
    source = write_video(long_video.with_name("part.mkv"), PICTURES * 15)  # the coder is slower than FFV1
    streamvq.compress(source, packed, codebook=long_video.with_name("book.npz"))
    process = start("decompress", packed, "-o", tmp_path / "out.mkv")
    wait_for(lambda: unfinished(tmp_path), process)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=100)
    assert process.returncode == 130, stderr.decode()
    assert b"Traceback" not in stderr
    assert list(tmp_path.iterdir()) == []


def test_the_default_output_leaves_nothing(long_video: Path, tmp_path: Path, start: Start) -> None:
    """No .svq beside the input, and what was there stays."""
    source = tmp_path / "long.mkv"
    source.symlink_to(long_video)
    (tmp_path / "long.svq").write_bytes(b"precious")
    before = snapshot(tmp_path)
    process = start("compress", source, "-c", long_video.with_name("book.npz"), "--overwrite")
    wait_for(lambda: unfinished(tmp_path), process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=100)
    assert process.returncode == 130
    assert snapshot(tmp_path) == before


def test_waiting_for_a_pipe(tmp_path: Path, start: Start) -> None:
    process = start("compress", "-", "-k", 8, "--warmup", 2, "-o", tmp_path / "out.mkv", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(y4m([bands(64, 64, shift) for shift in range(20)]))
    process.stdin.flush()
    wait_for(lambda: unfinished(tmp_path), process)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=100)
    assert process.returncode == 130, stderr.decode()
    assert list(tmp_path.iterdir()) == []


def test_an_existing_output_survives(long_video: Path, tmp_path: Path, start: Start) -> None:
    (tmp_path / "out.mkv").write_bytes(b"precious")
    (tmp_path / "out.codebook.npz").write_bytes(b"precious")
    before = snapshot(tmp_path)
    process = start("compress", long_video, "-k", 4, "-o", tmp_path / "out.mkv", "--overwrite")
    wait_for(lambda: unfinished(tmp_path), process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=100)
    assert process.returncode == 130
    assert snapshot(tmp_path) == before


def test_while_learning(tmp_path: Path, start: Start) -> None:
    """Interrupted in the first pass: nothing was written yet, and nothing is afterwards."""
    process = start("fit", "-", "-k", 8, "-o", tmp_path / "book.npz", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(y4m([bands(64, 64, shift) for shift in range(30)]))
    process.stdin.flush()
    time.sleep(2)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=100)
    assert process.returncode == 130, stderr.decode()
    assert list(tmp_path.iterdir()) == []


def test_the_other_images_of_a_folder_are_not_half_done(tmp_path: Path, start: Start) -> None:
    picture = save(noise(200, 200), tmp_path / "in" / "0.png").read_bytes()
    for index in range(1, 40):
        (tmp_path / "in" / f"{index}.png").write_bytes(picture)
    process = start("compress", tmp_path / "in", "-k", 4, "-o", tmp_path / "out")
    wait_for(lambda: unfinished(tmp_path), process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=100)
    assert process.returncode == 130
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
