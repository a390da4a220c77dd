"""`--effort`: less time for more bytes, and the same pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pictures import bands
from videos import write_video

import streamvq
from streamvq.errors import UsageError


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "in.mkv", [bands(shift=i) for i in range(3)])


def test_pictures_are_the_same_and_info_shows_it(video: Path, tmp_path: Path, good: Callable) -> None:
    films = []
    for effort in ("fast", "default", "max"):
        out = tmp_path / f"{effort}.svq"
        good("compress", video, "-k", 8, "-o", out, "--effort", effort, "-q")
        assert json.loads(good("info", out, "--json").stdout)["effort"] == effort
        with streamvq.open(out) as film:
            films.append([frame.tobytes() for frame in film.indices])
    assert films[0] == films[1] == films[2]
    assert len({(tmp_path / f"{effort}.svq").read_bytes() for effort in ("fast", "default", "max")}) == 3


def test_decompress_and_apply_change_it(video: Path, tmp_path: Path, good: Callable) -> None:
    first, fast, back, applied = (tmp_path / f"{name}.svq" for name in ("first", "fast", "back", "applied"))
    good("compress", video, "-k", 8, "-o", first, "-q")
    good("decompress", first, "-o", fast, "--effort", "fast", "-q")
    good("decompress", fast, "-o", back, "-q")
    assert [json.loads(good("info", path, "--json").stdout)["effort"] for path in (fast, back)] == ["fast", "default"]
    good("apply", video, "-c", first, "-o", applied, "--effort", "fast", "-j", 1, "-q")
    with streamvq.open(back) as one, streamvq.open(applied) as other:
        assert all((a == b).all() for a, b in zip(one.indices, other.indices, strict=True))


def test_where_it_has_no_use_it_is_told(video: Path, tmp_path: Path, good: Callable) -> None:
    result = good("compress", video, "-k", 8, "-o", tmp_path / "a.mkv", "--effort", "fast", "-q")
    assert "--effort fast changes nothing here: it belongs to .svq" in result.stderr
    with pytest.raises(UsageError, match="fast"):
        streamvq.compress(video, tmp_path / "b.svq", effort="huge")
