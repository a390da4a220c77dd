"""`sketch`, and `fit` of sketches: the bytes of one machine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pictures import bands, few_colors, noise, save
from videos import write_video

import streamvq
from streamvq.container.sketch_head import SketchHead, sum_of_heads
from streamvq.errors import UsageError
from streamvq.options import ShardOption
from streamvq.options.shares import share_of_slurm


@pytest.fixture
def sources(tmp_path: Path) -> list[Path]:
    """A video of three units and some, and a folder of images of mixed sizes, one of them broken."""
    video = write_video(tmp_path / "a.mkv", [bands(12, 16, shift) for shift in range(140)])
    for i in range(7):
        save(few_colors(9, 8 + i, 16), tmp_path / "photos" / f"{i}.png")
    save(np.dstack([noise(8, 8), noise(8, 8)[..., :1]]), tmp_path / "photos" / "soft.png")
    (tmp_path / "photos" / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return [video, tmp_path / "photos"]


@pytest.mark.parametrize(
    ("fitting", "sketching"),
    [
        ({"n_codes": 8, "weight": "sqrt", "space": "oklab"}, {}),
        ({"n_codes": 5}, {"gray": True}),
        ({}, {"block": 4, "n_codes": 20, "seed": 3}),
        ({"n_codes": 6}, {"rank": 2, "every": 3, "background": "white"}),
    ],
    ids=["colors", "gray", "blocks", "rank"],
)
def test_shares_give_the_bytes_of_one_run(
    sources: list[Path], tmp_path: Path, fitting: dict[str, Any], sketching: dict[str, Any]
) -> None:
    parts = []
    for share in (3, 1, 2):  # in any order
        parts.append(tmp_path / f"{share}.sketch")
        streamvq.sketch(sources, parts[-1], shard=(share, 3), **sketching)
    streamvq.merge(parts[:2], tmp_path / "some.sketch")
    expected = streamvq.fit(sources, keep_going=True, **fitting, **sketching)
    for given in (parts, [parts[2], tmp_path / "some.sketch"]):
        found = streamvq.fit(given, keep_going=True, **fitting)
        assert found.to_bytes() == expected.to_bytes()


def test_the_order_of_sketches_does_not_matter(sources: list[Path], tmp_path: Path) -> None:
    parts = [tmp_path / f"{share}.sketch" for share in range(1, 6)]
    for share in range(1, 6):
        save(few_colors(9, 8, 16), tmp_path / "more" / f"{share}.png")
        (tmp_path / "more" / f"bad{share}.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    for share, part in enumerate(parts, 1):
        streamvq.sketch([*sources, tmp_path / "more"], part, shard=(share, 5))
    made = [streamvq.merge(given, tmp_path / f"{i}.all") for i, given in enumerate((parts, parts[::-1], parts[2:]))]
    assert (tmp_path / "0.all").read_bytes() == (tmp_path / "1.all").read_bytes()
    assert len(made[0].failed) == 6
    streamvq.merge([tmp_path / "2.all", *parts[:2]], tmp_path / "tree.all")
    assert (tmp_path / "tree.all").read_bytes() == (tmp_path / "0.all").read_bytes()


def test_a_sketch_of_ten_thousand_inputs_can_be_read(tmp_path: Path) -> None:
    heads = [(f"{i}", SketchHead({}, {(f"{i:016x}", 1): frozenset([1])}, 1)) for i in range(10_001)]
    total = sum_of_heads(heads)
    assert SketchHead.from_json(total.to_json()) == total
    assert total.frames == 10_001


def test_the_command_line(
    sources: list[Path], tmp_path: Path, cli: Callable, good: Callable, refused: Callable
) -> None:
    part = [tmp_path / f"part{i}.sketch" for i in (1, 2)]
    codes = [cli("sketch", *sources, "--shard", f"{i + 1}/2", "-o", part[i]).exit_code for i in (0, 1)]
    assert sorted(codes) == [0, 1]  # a share has the broken image
    book = tmp_path / "book.npz"
    result = cli("fit", tmp_path / "part*.sketch", "-k", 8, "-o", book)
    assert result.exit_code == 1
    assert "3.png" in result.stderr
    cli("fit", *sources, "-k", 8, "-o", tmp_path / "one.npz")
    assert book.read_bytes() == (tmp_path / "one.npz").read_bytes()
    assert "share 2 of 2 is missing" in refused("fit", part[0], "-o", tmp_path / "no.npz", exit=2)
    copy = shutil.copy(part[1], tmp_path / "copy.sketch")
    assert "copy.sketch: share 2 of 2 is there already" in refused("merge", *part, copy, "-o", tmp_path / "m", exit=2)
    assert "is no sketch" in refused("fit", *part, sources[0], "-o", tmp_path / "no.npz", exit=2)
    assert "is a sketch, which has no frames" in refused("compress", part[0], "-o", tmp_path / "no.svq", exit=2)
    assert "without --rank" in refused("fit", *part, "--rank", 3, "-o", tmp_path / "no.npz", exit=2)
    assert "--colors" in refused("sketch", sources[0], "-k", 8, "-o", tmp_path / "no.sketch", exit=2)
    assert "1 of 2" in good("info", part[0]).stdout
    assert "already exists" in refused("sketch", sources[0], "-o", part[0])
    record = json.loads(good("sketch", sources[0], "-o", part[0], "-f", "--json").stdout)
    assert (record["frames"], record["share"]) == (140, [1, 1])


def test_other_settings_of_blocks_are_refused(tmp_path: Path) -> None:
    part = tmp_path / "a.sketch"
    streamvq.sketch(save(noise(), tmp_path / "a.png"), part, block=4, n_codes=20)
    for wrong in ({"block": 8}, {"n_codes": 21}, {"seed": 1}, {"space": "rgb"}, {"width": 5}):
        with pytest.raises(UsageError, match=rf"was made with(out)? `{next(iter(wrong))}"):
            streamvq.fit(part, **wrong)
    assert len(streamvq.fit(part, 20, block=4, space="ycbcr420")) == 20


def test_shares_of_slurm() -> None:
    array = {"SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "3", "SLURM_ARRAY_TASK_MAX": "9"}
    array["SLURM_ARRAY_TASK_STEP"] = "2"
    assert [share_of_slurm({**array, "SLURM_ARRAY_TASK_ID": str(i)})[0] for i in (3, 5, 7, 9)] == [1, 2, 3, 4]
    for wrong in ({}, {**array, "SLURM_ARRAY_TASK_ID": "4"}, {**array, "SLURM_ARRAY_TASK_ID": "x"}):
        with pytest.raises(UsageError, match="shard=auto"):
            share_of_slurm(wrong)
    for wrong in ("0/3", "4/3", "3", "a/b", (1,), "1/9999999"):
        with pytest.raises(UsageError, match="give share/shares"):
            ShardOption(shard=wrong)  # type: ignore[arg-type]
