"""Work on a Dask cluster of real processes: the bytes of one machine."""

from __future__ import annotations

import logging
import os
import signal
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pictures import bands, save, snapshot
from videos import write_video

import streamvq
from streamvq.cluster import dask_client
from streamvq.errors import InputMissing, UsageError
from streamvq.options import ClusterOption

# A cluster is processes: one for all tests.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
COLORS = "#000,#00f,#0f0,#f00,#777,#fff"


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with (
            distributed.LocalCluster(
                n_workers=2,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                silence_logs=logging.CRITICAL,
            ) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Three groups, with B-frames and sound."""
    pictures = [bands(16, 32, shift) for shift in range(150)]
    return write_video(tmp_path / "in" / "a.mp4", pictures, audio="aac", bf="2", g="30")


def test_a_video(clip: Path, tmp_path: Path, client: Any) -> None:
    result = streamvq.compress(clip, tmp_path / "all.svq", 8, client=client)
    one = streamvq.compress(clip, tmp_path / "one.svq", 8)
    assert (tmp_path / "all.svq").read_bytes() == (tmp_path / "one.svq").read_bytes()
    assert (tmp_path / "all.codebook.npz").read_bytes() == (tmp_path / "one.codebook.npz").read_bytes()
    assert (result.frames, result.bytes_out, result.n_codes) == (one.frames, one.bytes_out, one.n_codes)
    assert result.psnr_db == pytest.approx(one.psnr_db)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert streamvq.fit(clip, 20, block=4, client=client) == streamvq.fit(clip, 20, block=4)


def test_a_folder(tmp_path: Path, client: Any) -> None:
    for i in range(9):
        save(bands(8 + i % 3, 20, i), tmp_path / "photos" / "ab"[i % 2] / f"{i}.png")
    how: dict[str, Any] = {"recursive": True, "stability": 20}
    streamvq.apply(tmp_path / "photos", COLORS, tmp_path / "out", client=client, **how)
    streamvq.apply(tmp_path / "photos", COLORS, tmp_path / "one", **how)
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "one")


def test_a_worker_that_is_killed(clip: Path, tmp_path: Path, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pids = list(client.run(os.getpid).values())
    done = dask_client.done_in_any_order

    def killing(*given: Any) -> Iterator[Any]:
        for number, result in enumerate(done(*given)):
            if number == 1:
                os.kill(pids[0], signal.SIGKILL)
            yield result

    monkeypatch.setattr("streamvq.cluster.dask_run.done_in_any_order", killing)
    streamvq.apply(clip, COLORS, tmp_path / "all.svq", client=client, lossy=3)
    streamvq.apply(clip, COLORS, tmp_path / "one.svq", lossy=3)
    assert (tmp_path / "all.svq").read_bytes() == (tmp_path / "one.svq").read_bytes()
    client.wait_for_workers(2, timeout=60)


def test_what_a_worker_does_not_share(
    clip: Path, tmp_path: Path, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamvq.cluster.dask_run.versions", lambda: {"streamvq": "0.0", "numpy": "1"})
    with pytest.raises(UsageError, match=r"the worker on \S+ has streamvq .*, not 0\.0 and numpy .*, not 1"):
        streamvq.apply(clip, COLORS, tmp_path / "all.svq", client=client)
    monkeypatch.undo()
    monkeypatch.setattr("streamvq.cluster.dask_run.absolute", lambda names: ("/no/such/a.mp4",))
    with pytest.raises(InputMissing, match=r"/no/such/a\.mp4: no such file.*on the worker"):
        streamvq.apply(clip, COLORS, tmp_path / "all.svq", client=client)
    assert not (tmp_path / "all.svq").exists()


def test_the_command_line(clip: Path, tmp_path: Path, client: Any, good: Callable, refused: Callable) -> None:
    address = client.scheduler.address
    good("fit", clip, "-k", 8, "--cluster", address, "-o", tmp_path / "book.npz")
    good("apply", clip, "-c", tmp_path / "book.npz", "--cluster", address, "-o", tmp_path / "all.svq")
    good("compress", clip, "-k", 8, "-o", tmp_path / "one.svq")
    assert (tmp_path / "all.svq").read_bytes() == (tmp_path / "one.svq").read_bytes()
    for wrong, says in (("local:x", "number of processes"), ("no.json", "--scheduler-file"), ("tcp://", "no Dask")):
        assert says in refused("fit", clip, "--cluster", wrong, "-o", tmp_path / "no.npz", exit=2)
    assert "is one file" in refused(
        "apply", clip, "-c", COLORS, "--cluster", address, "-o", tmp_path / "a.gif", exit=2
    )
    with pytest.raises(UsageError, match="same thing"):
        ClusterOption(cluster="local:2", client=client)
