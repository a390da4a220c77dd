"""What depends on the processor, whose BLAS kernels add up in orders of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pictures import SAMPLES, noise, save
from threadpoolctl import threadpool_info

MAKE = """
import sys
from pathlib import Path
import numpy as np
import streamvq
clip, images, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
streamvq.compress(images, folder / "pixels.svq", 16)
streamvq.compress(images, folder / "blocks.svq", 32, block=4)
streamvq.compress(images, folder / "patches.svq", 16, rank=20, patch=8)
streamvq.compress(images, folder / "small.svq", 16, rank=40)
pictures = np.random.default_rng(0).integers(0, 256, (100, 45, 60, 3), np.uint8)
np.save(folder / "many.npy", [streamvq.low_rank(picture, rank=40).pixels() for picture in pictures])
with streamvq.open_source(clip) as source:
    np.save(folder / "large.npy", streamvq.low_rank(next(iter(source)).pixels, rank=4).pixels())
"""


def made(folder: Path, images: Path, kernels: str | None) -> Path:
    """A folder with what is made in a process of its own, with BLAS kernels of a processor."""
    folder.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
    environment |= {"OPENBLAS_CORETYPE": kernels} if kernels else {}
    command = [sys.executable, "-c", MAKE, SAMPLES / "clip.mp4", images, folder]
    subprocess.run(command, env=environment, check=True)
    return folder


@pytest.mark.slow
def test_bytes_of_another_processor(tmp_path: Path) -> None:
    """The same of pixels, blocks, small frames and small patches; of large frames of low rank nearly all pixels."""
    kernels = {info["architecture"] for info in threadpool_info() if info["internal_api"] == "openblas"}
    if not kernels & {"Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids"}:
        pytest.skip(f"no OpenBLAS of a processor that could do with other kernels: {kernels}")
    for index in range(3):
        soft = np.kron(noise(15, 20, seed=index), np.ones((6, 6, 1), np.uint8))
        save(soft // 2 + noise(90, 120, seed=index) // 2, tmp_path / "in" / f"{index}.png")
    one, other = (made(tmp_path / (name or "own"), tmp_path / "in", name) for name in (None, "Nehalem"))
    for name in ("pixels", "blocks", "patches", "small"):
        assert (one / f"{name}.svq").read_bytes() == (other / f"{name}.svq").read_bytes(), name
    assert (np.load(one / "many.npy") == np.load(other / "many.npy")).all()
    difference = np.abs(np.load(one / "large.npy").astype(int) - np.load(other / "large.npy"))
    assert difference.max() <= 1
    assert np.count_nonzero(difference) < 0.001 * difference.size
