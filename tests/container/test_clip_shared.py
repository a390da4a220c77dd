"""One `Clip` in several threads and processes, as data loaders use it."""

from __future__ import annotations

import os
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from containers import facts, saved, svq_bytes, timed_frames
from pictures import codebook

import streamvq
from streamvq import Clip

BOOK = codebook(16)
FRAMES = timed_frames(BOOK, 40, 24, 32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return saved(tmp_path / "x.svq", svq_bytes(BOOK, FRAMES))


def read_at_random(clip: Clip, seed: int) -> int:
    """How many of 80 frames are right; one that raises is not."""
    right = 0
    for index in np.random.default_rng(seed).integers(0, len(FRAMES), 80).tolist():
        right += facts(clip.coded(index)) == facts(FRAMES[index])
    return right


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_forked_processes_share_a_clip(path: Path) -> None:
    with streamvq.open(path) as clip:
        children = []
        for seed in range(4):
            if (child := os.fork()) == 0:
                code = 1
                try:
                    code = 0 if read_at_random(clip, seed) == 80 else 2
                finally:
                    os._exit(code)
            children.append(child)
        assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_while_a_thread_reads(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread is not in the child, and neither is its lock."""
    reading, go_on = threading.Event(), threading.Event()
    with streamvq.open(path) as clip:
        decode = clip._reader.decode

        def slow(group: object) -> object:
            reading.set()
            go_on.wait(20)
            return decode(group)  # type: ignore[arg-type]

        monkeypatch.setattr(clip._reader, "decode", slow)
        thread = threading.Thread(target=clip.coded, args=(0,))
        thread.start()
        reading.wait(20)
        if (child := os.fork()) == 0:
            go_on.set()
            os._exit(0 if clip.coded(20).index == 20 else 1)
        go_on.set()
        thread.join()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("pread", [True, False])
def test_threads_share_a_clip(pread: bool, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not pread:
        monkeypatch.delattr(os, "pread", raising=False)
    with streamvq.open(path) as clip, ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda seed: read_at_random(clip, seed), range(4))) == [80] * 4


def test_a_pickled_clip_opens_its_file_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From another folder too, and also when the first one is closed; its indices with it."""
    monkeypatch.chdir(path.parent)
    with streamvq.open("x.svq") as clip:
        data = pickle.dumps((clip, clip.indices[5:]))
    assert len(data) < 2000
    monkeypatch.chdir("/")
    again, indices = pickle.loads(data)
    with again:
        assert repr(again).endswith(", x.svq>")
        assert read_at_random(again, 0) == 80
        assert (indices[0] == FRAMES[5].codes).all()


def test_a_pickled_clip_has_its_codebook_from_outside(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.svq", svq_bytes(BOOK, FRAMES[:3], embed=False))
    with streamvq.open(path, BOOK) as clip, pickle.loads(pickle.dumps(clip)) as again:
        assert again.codebook == BOOK
        assert (again[2].pixels == clip[2].pixels).all()
