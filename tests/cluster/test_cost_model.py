"""What a cluster would take: the simulation, and that it agrees with a real run on two processes."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pictures import bands
from videos import write_video

import streamvq
from streamvq.cluster import dask_client
from streamvq.cluster.cost_model import Costs, most_useful, predict
from streamvq.errors import UsageError

FILM = Costs(
    frames=100_000, bytes_in=10**9, bytes_out=10**9, learn_units=1563, encode_units=1563, learn_seconds=0.01,
    encode_seconds=0.02, share_seconds=0.01, sketch_bytes=500_000, merge_seconds=0.01, fit_seconds=2,
    codebook_bytes=10_000,
)  # fmt: skip


def test_one_worker_does_the_sum_of_the_work() -> None:
    assert predict(FILM, 1, 1000).seconds == pytest.approx(100_000 * 0.03 + 2, rel=0.01)


def test_few_workers_share_it_and_many_meet_a_limit() -> None:
    one, eight, all_of_them = (predict(FILM, workers, 10) for workers in (1, 8, 10_000))
    assert 7 < one.seconds / eight.seconds <= 8
    assert eight.limit == "the work itself"
    assert all_of_them.limit != "the work itself"
    assert all_of_them.seconds >= 1563 * (0.01 + 500_000 * 8e-10)  # sketches are added up one by one
    assert 8 <= most_useful(FILM, 10) < 10_000
    assert predict(FILM, 50, 0.1).limit == "the storage's network"


def test_slow_workers_cost_less_than_their_share_of_time() -> None:
    even, uneven = predict(FILM, 40, 10), predict(FILM, 40, 10, stragglers=0.1)
    assert even.seconds < uneven.seconds < 4 * even.seconds
    assert uneven == predict(FILM, 40, 10, stragglers=0.1)


def test_scans_do_not_scale() -> None:
    scans = replace(FILM, scans=True, learn_units=0)
    assert predict(scans, 16, 10).seconds > predict(replace(scans, scans=False), 16, 10).seconds * 8
    assert "which every share reads" in predict(scans, 16, 10).limit


def test_the_command_line(tmp_path: Path, good: Callable, refused: Callable) -> None:
    clip = write_video(tmp_path / "a.mkv", [bands(16, 32, shift) for shift in range(140)])
    before = sorted(tmp_path.iterdir())
    text = good("plan", clip, "-k", 8, "--workers", 4).stdout
    assert text.startswith("140 frames on 4 workers, about:")
    found = json.loads(good("plan", clip, "-c", "#000,#fff", "--workers", 3, "--json").stdout)
    assert (found["workers"], found["costs"]["frames"], found["costs"]["learn_units"]) == (3, 140, 0)
    assert found["seconds"] > 0
    assert sorted(tmp_path.iterdir()) == before
    assert "--workers" in refused("plan", clip, "--workers", 0, exit=2)
    with pytest.raises(UsageError, match="a pipe is read once"):
        streamvq.plan("-", workers=2)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_it_agrees_with_two_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CPU time of the workers, and bytes that they send, within a factor of three."""
    pytest.importorskip("distributed")
    clip = write_video(tmp_path / "a.mkv", [bands(180, 320, shift) for shift in range(600)])
    sent: list[int] = []
    done = dask_client.done_in_any_order

    def counted(*given: Any) -> Iterator[Any]:
        for result in done(*given):
            sent.append(len(pickle.dumps(result)))
            yield result

    monkeypatch.setattr("streamvq.cluster.dask_run.done_in_any_order", counted)
    how: dict[str, Any] = {"n_codes": 64, "overwrite": True}
    with dask_client.connected(streamvq.options.ClusterOption(cluster="local:2")) as client:
        streamvq.compress(clip, tmp_path / "a.svq", client=client, **how)  # kernels are loaded
        del sent[:]
        begun = sum(client.run(_cpu_seconds).values())
        streamvq.compress(clip, tmp_path / "a.svq", client=client, **how)
        taken = sum(client.run(_cpu_seconds).values()) - begun
    found = streamvq.plan(clip, workers=2, **how)
    costs = found.costs
    predicted = costs.frames * (costs.learn_seconds + costs.encode_seconds) + 16 * costs.share_seconds
    assert taken / 3 < predicted < 3 * taken
    assert sum(sent) / 3 < found.wire_bytes < 3 * sum(sent)


def _cpu_seconds() -> float:
    import time

    return time.process_time()
