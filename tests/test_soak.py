"""A little of what scripts/soak.py does for half an hour."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "soak.py"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_soaking_for_seconds() -> None:
    command = [sys.executable, SCRIPT, "--minutes", "0.02", "--only", "apply to folder"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    *_, total = done.stdout.splitlines()
    _, tried, wrong, left, resumed = total.split()
    assert int(tried) == int(resumed) > 0
    assert (wrong, left) == ("0", "0")
