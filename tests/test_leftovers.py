"""What a killed process leaves beside its outputs: finished or removed by the next; that of the living stays."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pictures import snapshot

from streamvq import OutputError
from streamvq.leftovers import tidy
from streamvq.staging import staged_file, staged_folder

_STAGING = """
import os, sys
from pathlib import Path
from streamvq.leftovers import begin_moves, claimed, part_of
from streamvq.staging import staged_file, staged_folder
here = Path(sys.argv[1])
with staged_file(here / "clip.mkv") as file, staged_folder(here / "out") as folder:
    file.write_bytes(b"half")
    (folder / "a.png").write_bytes(b"half")
    print("ready", flush=True)
    sys.stdin.read()
"""
_MOVING = """
import os, signal, sys
from pathlib import Path
from streamvq.leftovers import begin_moves, claimed, part_of
here = Path(sys.argv[1])
with claimed(here) as stem:
    part = part_of(stem)
    (part / "deep").mkdir(parents=True)
    for name in ("frame000000.png", "frame000001.png", "deep/a.png"):
        (part / name).write_bytes(b"new")
    begin_moves(stem, here / "out", ["frame000002.png", "notes.txt", "../mine"])
    (part / "frame000000.png").replace(here / "out" / "frame000000.png")
    os.kill(os.getpid(), 9)
"""

Start = Callable[..., subprocess.Popen[bytes]]


def waiting(folder: Path, start: Start) -> subprocess.Popen[bytes]:
    """A process with an unfinished file and an unfinished folder, which goes on when its standard input ends."""
    process = start(folder, code=_STAGING, stdin=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n", process.communicate()
    return process


def test_only_the_dead_lose_their_parts(tmp_path: Path, start: Start) -> None:
    dead, living = waiting(tmp_path, start), waiting(tmp_path, start)
    foreign = (".deadbeef.part", ".streamvq-mine.part", ".streamvq-deadbeef.txt", "streamvq-deadbeef.part")
    for name in foreign:
        (tmp_path / name).write_bytes(b"mine")
    dead.kill()
    dead.wait()
    assert sum(".part" in name for name in snapshot(tmp_path)) == 4 + 3
    tidy(tmp_path)
    assert sum(".part" in name for name in snapshot(tmp_path)) == 2 + 3
    living.communicate(b"", timeout=30)
    assert living.returncode == 0
    assert snapshot(tmp_path) == {"clip.mkv": b"half", "out/a.png": b"half"} | dict.fromkeys(foreign, b"mine")


def test_the_next_output_tidies_its_folder(tmp_path: Path, start: Start) -> None:
    dead = waiting(tmp_path, start)
    dead.kill()
    dead.wait()
    with staged_file(tmp_path / "clip.mkv") as part:
        part.write_bytes(b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mkv"]


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_moves_that_were_begun_are_finished(tmp_path: Path, start: Start) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name in ("frame000000.png", "frame000001.png", "frame000002.png", "notes.txt"):
        (out / name).write_bytes(b"old")
    (tmp_path / "mine").write_bytes(b"old")
    process = start(tmp_path, code=_MOVING)
    assert process.wait(30) == -9, process.communicate()
    tidy(tmp_path)
    assert snapshot(tmp_path) == {
        "out/frame000000.png": b"new",
        "out/frame000001.png": b"new",
        "out/deep/a.png": b"new",
        "out/notes.txt": b"old",
        "mine": b"old",
    }


@pytest.mark.parametrize("to", ["..", "../x", "/tmp", "a/b", [], None])
def test_a_forged_record_of_moves_reaches_no_other_folder(tmp_path: Path, to: object) -> None:
    here = tmp_path / "here"
    (here / ".streamvq-deadbeef.part").mkdir(parents=True)
    (here / ".streamvq-deadbeef.part" / "a.png").write_bytes(b"forged")
    (here / ".streamvq-deadbeef.moves").write_text(json.dumps({"to": to, "stale": ["frame000000.png"]}))
    (tmp_path / "frame000000.png").write_bytes(b"mine")
    tidy(here)
    assert {name for name in snapshot(tmp_path) if not name.startswith("here/")} == {"frame000000.png"}


def test_a_folder_that_is_replaced_whole_changes_in_one_step(tmp_path: Path) -> None:
    """Its old self is gone, files and folders that the new one lacks too, and it keeps its permissions."""
    out = tmp_path / "out"
    for name in ("deep/a.png", "frame000000.png", "frame000001.png"):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(b"old")
    out.chmod(0o750)
    before = out.stat().st_ino
    with staged_folder(out, overwrite=True, stale=["frame000001.png"]) as part:
        (part / "deep").mkdir()
        (part / "deep" / "a.png").write_bytes(b"new")
        (part / "frame000000.png").write_bytes(b"new")
    assert snapshot(tmp_path) == {"out/deep/a.png": b"new", "out/frame000000.png": b"new"}
    assert out.stat().st_mode & 0o777 == 0o750
    assert sys.platform != "linux" or out.stat().st_ino != before


@pytest.mark.parametrize("how", ["current", "parent", "link", "notes"])
def test_a_folder_that_must_stay_the_same_one(tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Someone works in it, it is reached through a link, or it has other files."""
    out = tmp_path / "out"
    (out / "inside").mkdir(parents=True)
    (out / "a.png").write_bytes(b"old")
    (tmp_path / "link").symlink_to(out)
    if how in ("current", "parent"):
        monkeypatch.chdir(out / "inside" if how == "parent" else out)
    name = {"current": Path(), "parent": Path(".."), "link": tmp_path / "link", "notes": out}[how]
    before = out.stat().st_ino
    with staged_folder(name, overwrite=True) as part:
        (part / "a.png").write_bytes(b"new")
    assert out.stat().st_ino == before
    assert snapshot(tmp_path) == {"out/a.png": b"new"}
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.png", "inside", "link", "out"]


def test_a_file_in_the_way_of_a_folder_moves_nothing(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "deep").write_bytes(b"mine")
    (tmp_path / "out" / "notes.txt").write_bytes(b"mine")

    def fill() -> None:
        with staged_folder(tmp_path / "out", overwrite=True) as part:
            (part / "deep").mkdir()
            (part / "deep" / "a.png").write_bytes(b"new")
            (part / "b.png").write_bytes(b"new")

    with pytest.raises(OutputError, match="deep: a folder and a file"):
        fill()
    assert snapshot(tmp_path) == {"out/deep": b"mine", "out/notes.txt": b"mine"}
