"""Set everything up and pass the checks and tests: python3 scripts/test.py [pytest options]

Without options the whole suite runs on all cores, and the coverage is printed at the end. Options go to pytest:
`-m "not slow"` is the quick run, `-n 0 -x tests/media` one folder in this process, which stops at its first failure.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from _environment import ROOT, python_with, run

OURS = ("streamvq", "tests", "scripts")
PARALLEL = ("-n", "auto", "--dist", "worksteal")
LOW = 90  # percent of a file's lines; files below are named


def main() -> None:
    python = python_with("test")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or all tests and modules are compiled anew, in every process
    run(python, "-m", "ruff", "check", *OURS)
    run(python, "-m", "ruff", "format", "--check", *OURS)
    with kernels_compiled(python):
        run(python, "-m", "mypy")
    if sys.argv[1:]:
        run(python, "-m", "pytest", *PARALLEL, *sys.argv[1:])
        return
    with TemporaryDirectory() as folder:
        os.environ["COVERAGE_FILE"] = str(Path(folder, "data"))
        if sys.version_info >= (3, 12):
            os.environ.setdefault("COVERAGE_CORE", "sysmon")  # costs next to nothing; the tracer about a sixth
        report = Path(folder, "coverage.json")
        run(python, "-m", "pytest", *PARALLEL, "--cov", f"--cov-report=json:{report}")
        print_coverage(json.loads(report.read_text("utf-8")))


@contextmanager
def kernels_compiled(python: str) -> Iterator[None]:
    """Two processes compile kernels meanwhile, so that the tests find them compiled; nothing where that was done."""
    mark = ROOT / ".venv" / "streamvq-compiled"
    sources = b"".join(path.read_bytes() for path in sorted(ROOT.glob("streamvq/**/*.py")))
    state = hashlib.sha256(sources + os.environ.get("NUMBA_CACHE_DIR", "").encode()).hexdigest()
    if mark.exists() and mark.read_text() == state:
        yield
        return
    command = [python, str(ROOT / "scripts" / "compile_kernels.py")]
    print("compiling kernels", flush=True)
    parts = [subprocess.Popen([*command, str(part), "2"], cwd=ROOT) for part in range(2)]
    try:
        yield
        if [part.wait() for part in parts] != [0, 0]:
            sys.exit("the kernels do not compile: see above")
    finally:
        for part in parts:
            part.kill()
            part.wait()
    mark.write_text(state)


def print_coverage(measured: dict) -> None:
    """The share of lines that ran, kernels and subprocesses left aside, and the files that fall behind."""
    print(f"coverage: {measured['totals']['percent_covered']:.1f} % of the lines")
    low = {
        name: file["summary"]["percent_covered"]
        for name, file in measured["files"].items()
        if file["summary"]["percent_covered"] < LOW
    }
    for name, percent in sorted(low.items(), key=lambda item: item[1]):
        print(f"  {percent:5.1f} %  {name}")


if __name__ == "__main__":
    main()
