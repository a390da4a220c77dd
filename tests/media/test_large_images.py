"""Large pictures take little more memory than their pixels: at most 12 bytes each, from file to file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from pictures import save, smooth
from PIL import Image

PEAK = """
import atexit, resource, sys
from streamvq.cli.app import main
atexit.register(lambda: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr))
main()
"""
SIDE = 5000


def _one_bit(path: Path) -> None:
    Image.new("1", (SIDE, SIDE)).save(path)


def _gray(path: Path) -> None:
    save(np.resize(smooth(50, 50)[..., :1], (SIDE, SIDE, 1)), path)


def _rgb(path: Path) -> None:
    save(np.resize(smooth(50, 50), (SIDE, SIDE, 3)), path)


def _sixteen_bits(path: Path) -> None:
    cv2.imwrite(str(path), np.resize(smooth(50, 50).astype(np.uint16) * 257, (SIDE, SIDE, 3)))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is POSIX's")
@pytest.mark.parametrize("make", [_one_bit, _gray, _rgb, _sixteen_bits])
def test_bytes_a_pixel(make: Callable[[Path], None], tmp_path: Path, start: Callable) -> None:
    make(tmp_path / "large.png")
    save(smooth(), tmp_path / "small.png")
    peaks = []
    for name in ("small", "large"):
        process = start("compress", tmp_path / f"{name}.png", "-k", 8, "-o", tmp_path / f"{name}.out.png", code=PEAK)
        _, stderr = process.communicate(timeout=300)
        assert process.returncode == 0, stderr
        peaks.append(1024 * int(stderr.split()[-1]))
    assert (peaks[1] - peaks[0]) / SIDE**2 < 12
