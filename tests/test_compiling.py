"""Kernels start everywhere, without a home or a folder that can be written, and their cache is the user's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import streamvq

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="folders are made read-only by POSIX modes")

NOBODY = 65534
KERNEL = """
import numpy as np
from streamvq.quantize.metrics import squared_error
print(squared_error(np.zeros((2, 2, 3), np.uint8), np.ones((2, 2, 3), np.uint8)))
"""
Run = Callable[..., subprocess.CompletedProcess]


@pytest.fixture
def user() -> int:
    """The user that the kernels run as: root drops its rights, which see no modes."""
    return os.getuid() or NOBODY


@pytest.fixture
def run_kernel(tmp_path: Path, user: int) -> Run:
    """Run a kernel as a plain user, from an install that cannot be written."""
    prefix: list[str] = []
    if os.getuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("root writes everywhere, and there is no setpriv to drop its rights")
        read_all = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]  # the interpreter may be root's
        prefix = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *read_all]
    install = tmp_path / "install"
    shutil.copytree(
        Path(streamvq.__file__).parent, install / "streamvq", ignore=shutil.ignore_patterns("__pycache__")
    )
    for folder, _, _ in os.walk(install):
        Path(folder).chmod(0o555)

    def run(**environment: object) -> subprocess.CompletedProcess:
        clean = {"PATH": os.environ["PATH"], "PYTHONPATH": str(install), "PYTHONDONTWRITEBYTECODE": "1"}
        clean |= {name: str(value) for name, value in environment.items()}
        command = [*prefix, sys.executable, "-c", KERNEL]
        done = subprocess.run(command, env=clean, cwd="/", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout == "12\n"
        return done

    return run


@pytest.fixture
def folder(tmp_path: Path, user: int) -> Callable[..., Path]:
    """Make a folder that the user may write, or not."""

    def make(name: str, mode: int = 0o700) -> Path:
        path = tmp_path / name
        path.mkdir(mode=mode)
        path.chmod(mode)
        if os.getuid() == 0:
            os.chown(path, user, user)
        return path

    return make


def test_a_home_keeps_the_compiled_kernels(run_kernel: Run, folder: Callable[..., Path]) -> None:
    home = folder("home")
    assert run_kernel(HOME=home, XDG_CACHE_HOME="").stderr == ""
    assert list(home.rglob("*.nbi"))


@pytest.mark.parametrize("home", [True, False], ids=["home cannot be written", "no home"])
def test_without_a_home_a_private_temporary_folder_keeps_them_and_a_line_says_so(
    run_kernel: Run, folder: Callable[..., Path], user: int, home: bool
) -> None:
    where = {"HOME": folder("home", 0o555)} if home else {}
    temporary = folder("temporary")
    done = run_kernel(TMPDIR=temporary, **where)
    cache = temporary / f"streamvq-{user}"
    assert done.stderr.count("\n") == 1
    assert str(cache) in done.stderr
    assert cache.stat().st_mode & 0o777 == 0o700
    assert list(cache.rglob("*.nbi"))


def test_a_temporary_folder_that_others_can_write_is_not_trusted_and_kernels_run_uncached(
    run_kernel: Run, folder: Callable[..., Path], user: int
) -> None:
    temporary = folder("temporary")
    planted = folder(f"temporary/streamvq-{user}", 0o777)
    done = run_kernel(TMPDIR=temporary, HOME=folder("home", 0o555))
    assert done.stderr.count("\n") == 1
    assert "NUMBA_CACHE_DIR" in done.stderr
    assert not list(planted.rglob("*.nbi"))
