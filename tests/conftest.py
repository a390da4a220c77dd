"""What every test gets: no leaks, a command line in process, and pictures kept where they differ."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
import typer.testing
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner, Result

# A shell that runs this in the background ignores Ctrl-C for all children, and a test sends them just that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Typer makes the commands anew of their functions each time one is run, which takes longer than most of them.
typer.testing._get_command = cache(typer.testing._get_command)

hypothesis.settings.register_profile(
    "streamvq",
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("streamvq")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """One thread of BLAS and OpenMP for each process: there is one for each core, and more threads would spin."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts a process is slow: two seconds go into imports alone."""
    for item in items:
        if "start" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")


@pytest.fixture(autouse=True)
def _nothing_leaks(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A test fails if a thread outlives it or an ERROR was logged meanwhile."""
    before = _threads()
    yield
    deadline = time.monotonic() + 3
    while (alive := _threads() - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive, f"threads outlive the test: {alive}"
    errors = [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert not errors, f"logged: {[record.getMessage() for record in errors]}"


def _threads() -> set[threading.Thread]:
    """Living threads but the one monitor of tqdm and those of Dask, which stay for ever."""
    others = ("Dask-", "AsyncProcess ", "IO loop", "QueueFeederThread")
    living = {thread for thread in threading.enumerate() if type(thread).__name__ != "TMonitor"}
    return {thread for thread in living if not thread.name.startswith(others)}


@pytest.fixture
def same_picture(tmp_path: Path) -> Callable[..., None]:
    """Asserts that two pictures agree, to within `most` levels; saves both where they do not."""

    def check(actual: NDArray, expected: NDArray, most: int = 0) -> None:
        assert actual.shape == expected.shape
        worst = int(np.abs(actual.astype(int) - expected.astype(int)).max())
        if worst <= most:
            return
        for name, pixels in (("actual", actual), ("expected", expected)):
            plain = pixels if pixels.dtype == np.uint8 else (pixels // 257).astype(np.uint8)
            Image.fromarray(plain[..., 0] if plain.shape[2] == 1 else plain).save(tmp_path / f"{name}.png")
        pytest.fail(f"pictures differ by up to {worst} levels: see {tmp_path}/actual.png and expected.png")

    return check


@pytest.fixture
def cli() -> Callable[..., Result]:
    """Runs the command line in this process; input bytes become its standard input."""
    from streamvq.cli.app import app

    def run(*arguments: object, stdin: bytes | None = None) -> Result:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def good(cli: Callable[..., Result]) -> Callable[..., Result]:
    """Like `cli`, for what must end well."""

    def run(*arguments: object, stdin: bytes | None = None) -> Result:
        result = cli(*arguments, stdin=stdin)
        assert result.exit_code == 0, result.stderr
        return result

    return run


@pytest.fixture
def refused(cli: Callable[..., Result]) -> Callable[..., str]:
    """Like `cli`, for what must fail: with `exit` as its code and one line on stderr, which is returned."""

    def run(*arguments: object, exit: int = 1, stdin: bytes | None = None) -> str:
        result = cli(*arguments, stdin=stdin)
        assert (result.exit_code, result.stdout) == (exit, ""), result.stderr
        assert result.stderr.startswith("streamvq: error: ")
        assert result.stderr.count("\n") == 1, result.stderr
        return result.stderr

    return run


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts the real command in a process of its own; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*arguments: object, code: str | None = None, **options: Any) -> subprocess.Popen[bytes]:
        head = ["-c", code] if code else ["-m", "streamvq"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        environment = os.environ | {"PYTHONWARNINGS": "error::ResourceWarning"}
        if hasattr(signal, "SIGHUP"):  # nohup has all children ignore it, and a test sends just that
            pipes = {"preexec_fn": partial(signal.signal, signal.SIGHUP, signal.SIG_DFL)} | pipes
        process = subprocess.Popen([sys.executable, *head, *map(str, arguments)], env=environment, **pipes)
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None and not stream.closed:
                with suppress(BrokenPipeError):
                    stream.close()
