"""Commands import what they need and no more, or they would take a second to say a line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pictures import bands, codebook, save

import streamvq

CODE = """
import sys
from streamvq.cli.app import app

def heavy():
    names = {"av", "cv2", "joblib", "numba", "rich", "scipy", "sklearn", "threadpoolctl", "tqdm"}
    return sorted(names & set(sys.modules))

for line in sys.argv[1:]:
    try:
        app(line.split("|"))
    except SystemExit as end:
        assert not end.code, line
    print(line.split("|")[:2], heavy(), file=sys.stderr)
import streamvq.pipeline.compress, streamvq.pipeline.decode, streamvq.media.sinks.choosing
assert not {"cv2", "numba", "scipy", "sklearn"} & set(heavy()), heavy()
"""


def test_short_commands_import_nothing_heavy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    codebook(16).save("b.npz")
    save(bands(), Path("p.png"))
    streamvq.compress("p.png", "c.svq", codebook="b.npz")
    lines = [
        "palette|b.npz|--show",
        "palette|--list",
        "palette|b.npz|-o|b.hex",
        "info|b.npz",
        "info|p.png",
        "info|c.svq",
    ]
    done = subprocess.run([sys.executable, "-c", CODE, *lines], capture_output=True, text=True, check=True)
    assert done.stderr.count(" []\n") == len(lines), done.stderr
