"""`resume`: a run that was killed goes on, with the bytes of one that was not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pictures import bands, save, snapshot
from videos import write_video

import streamvq
from streamvq.cluster import dask_client, dask_run
from streamvq.errors import UsageError

COLORS = "#000,#00f,#0f0,#f00,#777,#fff"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Three groups, with sound."""
    return write_video(tmp_path / "in" / "a.mp4", [bands(16, 32, shift) for shift in range(150)], audio="aac", bf="2")


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours catches it."""


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Calls a function, and ends it behind so many shares of its second pass."""

    def call(shares: int, function: Callable[..., Any], *given: Any, **options: Any) -> None:
        def dying(client: Any, task: Any, *more: Any) -> Iterator[Any]:
            for number, result in enumerate(dask_client.done_in_any_order(client, task, *more), 1):
                yield result
                if task is dask_run._encode_share and number == shares:
                    raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(dask_run, "done_in_any_order", dying)
            with pytest.raises(Killed):
                function(*given, **options)

    return call


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done again: the shares that were counted, and coded."""
    done: list[str] = []
    monkeypatch.setattr(dask_run, "_SHARES_HERE", 3)
    for name in ("sketch_inputs", "encode_all"):
        real = getattr(dask_run, name)

        def counted(*given: Any, _real: Any = real, _name: str = name, **more: Any) -> Any:
            done.append(f"{_name} {given[1].shard[0]}")
            return _real(*given, **more)

        monkeypatch.setattr(dask_run, name, counted)
    return done


def test_a_film_goes_on(clip: Path, tmp_path: Path, killed: Callable, done: list[str]) -> None:
    how: dict[str, Any] = {"n_codes": 8, "resume": True}
    output, parts = tmp_path / "all.svq", tmp_path / "all.svq.parts"
    killed(2, streamvq.compress, clip, output, **how)
    assert parts.is_dir()
    assert not output.exists()
    del done[:]
    with pytest.raises(UsageError, match=r"all\.svq\.parts: is of a run with other inputs, settings"):
        streamvq.compress(clip, output, 9, resume=True)
    damaged = parts / "2.svq"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    (parts / "sketch-3.sketch").unlink()
    result = streamvq.compress(clip, output, **how)
    assert done == ["sketch_inputs 3", "encode_all 2", "encode_all 3"]
    one = streamvq.compress(clip, tmp_path / "one.svq", 8)
    assert output.read_bytes() == (tmp_path / "one.svq").read_bytes()
    assert (tmp_path / "all.codebook.npz").read_bytes() == (tmp_path / "one.codebook.npz").read_bytes()
    assert (result.frames, result.bytes_out, result.n_codes) == (one.frames, one.bytes_out, one.n_codes)
    assert not parts.exists()


def test_a_folder_goes_on(tmp_path: Path, killed: Callable, done: list[str]) -> None:
    for i in range(9):
        save(bands(8 + i % 3, 20, i), tmp_path / "photos" / "ab"[i % 2] / f"{i}.png")
    how: dict[str, Any] = {"recursive": True, "lossy": 3}
    killed(1, streamvq.apply, tmp_path / "photos", COLORS, tmp_path / "out", resume=True, **how)
    before = len(done)
    streamvq.apply(tmp_path / "photos", COLORS, tmp_path / "out", resume=True, **how)
    assert before == 1
    assert "encode_all 1" not in done[before:]
    streamvq.apply(tmp_path / "photos", COLORS, tmp_path / "one", **how)
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "one")
    assert not (tmp_path / "out.parts").exists()


def test_what_does_not_go_on(clip: Path, tmp_path: Path, good: Callable, refused: Callable) -> None:
    (tmp_path / "b.svq").write_bytes(b"mine")
    assert "already exists" in refused("compress", clip, "-o", tmp_path / "b.svq", "--resume")
    assert "is one file" in refused("compress", clip, "-o", tmp_path / "b.mkv", "--resume", exit=2)
    how = ("compress", clip, "-o", tmp_path / "c.svq", "--resume")
    assert "`resume`" not in refused(*how, "--skip-existing", exit=2)
    good(*how, "-k", 4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.svq", "c.codebook.npz", "c.svq", "in"]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_cluster_goes_on(clip: Path, tmp_path: Path, killed: Callable) -> None:
    pytest.importorskip("distributed")
    how: dict[str, Any] = {"n_codes": 8, "resume": True, "cluster": "local:2"}
    killed(2, streamvq.compress, clip, tmp_path / "all.svq", **how)
    kept = snapshot(tmp_path / "all.svq.parts")
    assert sum(name.startswith("share-") for name in map(str, kept)) >= 2
    streamvq.compress(clip, tmp_path / "all.svq", n_codes=8, resume=True)  # with other workers, as many shares
    streamvq.compress(clip, tmp_path / "one.svq", 8)
    assert (tmp_path / "all.svq").read_bytes() == (tmp_path / "one.svq").read_bytes()
