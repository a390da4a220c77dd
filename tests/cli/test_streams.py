"""Streams that are closed, full or of another alphabet, and a system that gives too little: one sentence each."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pictures import codebook, noise, save

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="POSIX shells")]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return save(noise(), tmp_path / "é.png")


def shell(tmp_path: Path, line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A line of shell in which S is the command, run where the pictures are."""
    command = f'S() {{ {shlex.quote(sys.executable)} -m streamvq "$@"; }}; {line}'
    given = {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONIOENCODING": "utf-8", **environment}
    return subprocess.run(
        ["/bin/sh", "-c", command], cwd=tmp_path, env=os.environ | given, capture_output=True, text=True, timeout=120
    )


FULL = "standard output cannot be written: No space left"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device here")
@pytest.mark.parametrize("words", ["--help", "compress --help", "info é.png"])
def test_a_full_device(words: str, picture: Path) -> None:
    done = shell(picture.parent, f"S {words} >/dev/full")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert FULL in done.stderr


def test_a_closed_standard_output(picture: Path) -> None:
    codebook().save(picture.with_name("book.npz"))
    done = shell(picture.parent, "S apply é.png -c book.npz -o - >&-")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "standard output is closed" in done.stderr


def test_closed_streams_are_not_given_to_files(picture: Path) -> None:
    """With standard error closed, what is said there goes nowhere, least of all to standard output."""
    done = shell(picture.parent, "S info missing.png é.png 2>&- <&-")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("é.png\n")


def test_an_encoding_that_lacks_letters(picture: Path) -> None:
    picture.rename(picture.with_name("é€.png"))
    main = "import sys; from streamvq.__main__ import main; main()"
    both = f"import sys\ntry: {main}\nexcept SystemExit as end: assert not end.code\nsys.argv += ['--json']; main()"
    line = f"{shlex.quote(sys.executable)} -c {shlex.quote(both)} info é€.png"
    done = shell(picture.parent, line, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("\\xe9\\u20ac.png\n")
    assert json.loads(done.stdout.splitlines()[-1])["file"] == "é€.png"


def test_a_deleted_working_folder(picture: Path) -> None:
    done = shell(picture.parent, "mkdir gone && cd gone && rmdir ../gone && S compress x.png -o y.png")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "the current folder was deleted" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="ulimit -v")
@pytest.mark.parametrize("words", ["compress é.png -k 4 -o out.png -j 8", "apply é.png -c book.npz -o out.mkv"])
def test_too_little_address_space_is_told_of_at_once(words: str, picture: Path) -> None:
    """Later, OpenBLAS would ask for it for ever, and LLVM end the process. What is said to be needed is enough."""
    codebook().save(picture.with_name("book.npz"))
    for megabytes in (80, 420, 800, 921):
        done = shell(picture.parent, f"ulimit -v {megabytes << 10}; S {words}")
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), (megabytes, done.stderr)
        assert f"may have {megabytes} MB; raise it with: ulimit -v" in done.stderr
    assert {path.name for path in picture.parent.iterdir()} == {"é.png", "book.npz"}
    enough = re.findall(r"ulimit -v (\d+)", done.stderr)[0]
    done = shell(picture.parent, f"ulimit -v {enough}; S {words} -f")
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="ulimit -v")
def test_little_address_space_is_enough_for_info(picture: Path) -> None:
    assert shell(picture.parent, "ulimit -v 400000; S info é.png").returncode == 0


def test_what_the_system_does_not_let_us_read_is_no_damage(tmp_path: Path, refused: Callable) -> None:
    save(noise(), tmp_path / "in" / "a.png").unlink()
    (tmp_path / "in" / "a.png").symlink_to("/proc/self/mem")  # which not even root may read from its start
    line = refused("compress", tmp_path / "in" / "a.png", "-k", 4)
    assert "a.png: cannot be read: Input/output error" in line
    assert "whole" not in line


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_signals_from_the_first_moment_on(name: str, code: int, picture: Path) -> None:
    """While modules are imported, too: no trace, at most one line, nothing left. The others go the way of SIGINT."""
    number, out = getattr(signal, name), picture.with_name("out.png")
    command = [sys.executable, "-m", "streamvq", "compress", picture, "-k", "4", "-o", out, "-f", "-q"]
    for tenths in range(1, 13, 2) if name == "SIGINT" else (4, 10):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(tenths / 10)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=60)
        if "init_import_site" in stderr:
            continue  # Python itself was not up
        assert process.returncode in (code, 0, -number), (tenths, stderr)  # -number: before our first line
        assert "Traceback" not in stderr, (tenths, stderr)
        assert stderr.count("\n") <= 1, (tenths, stderr)
        assert stdout == ""
        left = [path.name for path in picture.parent.iterdir() if path.name.startswith(".")]
        assert left == [], tenths


def test_nohup(picture: Path, start: Callable) -> None:
    """A hang-up that is ignored when we start stays so."""
    code = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "import runpy; runpy.run_module('streamvq', run_name='__main__')"
    )
    process = start("compress", "-", "-k", 4, "-o", picture.with_name("o.mkv"), code=code, stdin=subprocess.PIPE)
    time.sleep(1)
    process.send_signal(signal.SIGHUP)
    _, stderr = process.communicate(b"", timeout=60)
    assert process.returncode == 1
    assert b"not y4m" in stderr


def test_a_signal_that_a_callback_loses_comes_again() -> None:
    """C code cannot pass on what is raised in its callbacks, such as Numba's while it reads its cache."""
    program = """
import ctypes, os, signal, sys, time
from streamvq.__main__ import _lost, _terminate
signal.signal(signal.SIGTERM, _terminate)
sys.unraisablehook = _lost
@ctypes.CFUNCTYPE(None)
def callback():
    os.kill(os.getpid(), signal.SIGTERM)
    for _ in range(1000): pass
callback()
time.sleep(30)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (143, "")
