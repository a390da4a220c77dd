"""`streamvq sweep`."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pictures import noise, save, smooth
from videos import write_video


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return save(smooth(), Path("in.png"))


@pytest.mark.usefixtures("image")
def test_a_line_a_result_and_the_page(good: Callable) -> None:
    result = good("sweep", "in.png", "--colors", "4, 8", "--block", "1,4x2", "-o", "my out", "--max-frames", 3)
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["k4", "k8", "k4-block4x2", "k8-block4x2"]
    assert lines[4].startswith("my out/report.html")
    command = "streamvq sweep in.png --colors 4,8 --block 1,4x2 -o &#39;my out&#39; --max-frames 3"
    assert command in Path("my out/report.html").read_text("utf-8")
    again = good("sweep", "in.png", "--colors", "4,8", "--rank", "0", "-o", "my out")
    assert "2 of 2 results were there" in again.stderr


@pytest.mark.usefixtures("image")
def test_json_has_an_object_a_result(good: Callable) -> None:
    result = good("sweep", "in.png", "--colors", "4,8", "--rank", "2", "-o", "out", "--json", "-q")
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(record["output"], record["rank"]) for record in records] == [
        (str(Path("out/k4-rank2.svq")), 2),
        (str(Path("out/k8-rank2.svq")), 2),
    ]
    assert result.stderr == ""


@pytest.mark.usefixtures("image")
def test_what_it_cannot_do_is_one_line(refused: Callable, cli: Callable) -> None:
    assert "numbers" in refused("sweep", "in.png", "--colors", "4;8", "-o", "out", exit=2)
    assert "--block" in refused("sweep", "in.png", "--block", "big", "-o", "out", exit=2)
    assert "no such file" in refused("sweep", "none.png", "-o", "out")
    assert "is a file" in refused("sweep", "in.png", "-o", "in.png")
    assert "create it first" in refused("sweep", "in.png", "-o", "no/out")
    assert cli("sweep", "in.png").exit_code == 2  # -o is missing
    assert [path.name for path in Path().iterdir()] == ["in.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_keeps_what_is_done(tmp_path: Path, start: Callable, good: Callable) -> None:
    film = write_video(tmp_path / "film.mkv", [noise(48, 64, seed=seed) for seed in range(4)] * 8)
    out = tmp_path / "out"
    process = start("sweep", film, "--colors", "4,5,6,7,8,9,10,11,12", "-o", out)
    deadline = time.monotonic() + 30
    while not (out / "k4.svq").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr.decode()
    assert stderr.decode().count("\n") == 1
    kept = (out / "k4.svq").stat().st_mtime_ns
    assert not [path for path in out.iterdir() if ".part" in path.name]
    assert not (out / "report.html").exists()
    good("sweep", film, "--colors", "4,5", "-o", out, "-q")
    assert (out / "k4.svq").stat().st_mtime_ns == kept
    assert (out / "report.html").exists()
