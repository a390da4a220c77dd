"""`max_size` and `min_psnr`: the best that fits, the fewest colors that do, and nothing left where nothing does."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import READY, bands, noise, save, smooth, snapshot
from videos import write_video

import streamvq
from streamvq.errors import BelowQuality, LargerThanAsked, OutputExists, UsageError
from streamvq.frames import Frame, StreamInfo
from streamvq.media.sources.arrays import ArraySource
from streamvq.options import CompressOptions
from streamvq.options.values import parse_size
from streamvq.pipeline import frame_sample
from streamvq.pipeline.frame_sample import FrameSample
from streamvq.pipeline.ladder import Setting, ends, first_reached, psnr_ladder, size_ladder


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Four frames that move."""
    path = tmp_path / "in" / "clip.mkv"
    path.parent.mkdir()
    write_video(path, [smooth(8, 12, shift) for shift in range(4)])
    return path


def plain_size(clip: Path, out: Path, **options: Any) -> int:
    """Bytes of a run with these very options."""
    result = streamvq.compress(clip, out, overwrite=True, **options)
    assert result.bytes_out is not None
    return result.bytes_out


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (7, 7),
        ("7", 7),
        ("2MB", 2_000_000),
        ("2 mb", 2_000_000),
        ("500kB", 500_000),
        ("1.5MiB", 3 << 19),
        ("1G", 10**9),
    ],
)
def test_sizes(value: int | str, size: int) -> None:
    assert parse_size("max_size", value) == size


@pytest.mark.parametrize("value", ["", "0", "-1", "MB", "2TB", "1e6", "nan", "2 M B"])
def test_what_is_no_size(value: str) -> None:
    with pytest.raises(UsageError, match="max_size"):
        CompressOptions(max_size=value)


@given(
    margins=st.lists(st.integers(-50, 50), min_size=1, max_size=40).map(sorted),
    marks=st.sets(st.integers(0, 39)),
    low=st.integers(-1, 5),
)
def test_the_search_finds_the_first_of_rising_margins(margins: list[int], marks: set[int], low: int) -> None:
    low, count = min(low, len(margins) - 1), len(margins)
    known = {at: float(margins[at]) for at in marks if at < count and at % 3 == 0}
    asked: list[int] = []

    def margin(at: int) -> float:
        assert at not in known
        asked.append(at)
        return float(margins[at])

    found = first_reached(margin, known, low, count, sorted({*marks, count - 1}), range(count), 0.0)
    expected = next((at for at in range(low + 1, count) if margins[at] >= 0), count)
    assert margins[found:] == margins[expected:] or (margins[found] == 0 and found >= expected)
    assert len(set(asked)) == len(asked)


def test_what_is_given_stays() -> None:
    free = size_ladder(CompressOptions(), 640)
    assert free[0] == Setting(256, 0, None)
    assert {each.n_codes for each in free} == set(range(16, 257))
    assert [free[at].n_codes for at in ends(free)] == [16, 16, 16]
    assert free[-1].width == 82
    assert {each.n_codes for each in size_ladder(CompressOptions(n_codes=64), 640)} == {64}
    assert {each.n_codes for each in size_ladder(CompressOptions(codebook="#000,#fff"), 640)} == {None}
    assert {each.lossy for each in size_ladder(CompressOptions(lossy=9), 640)} == {9}
    assert {each.lossy for each in size_ladder(CompressOptions(dither="bayer4"), 640)} == {0}
    assert {each.width for each in size_ladder(CompressOptions(width=320), 320)} == {320}
    assert {each.width for each in size_ladder(CompressOptions(), None)} == {None}
    assert size_ladder(CompressOptions(n_codes=8, lossy=3, width=32), 32) == [Setting(8, 3, 32)]
    assert psnr_ladder(CompressOptions(), ["gif"])[-1].n_codes == 256
    assert psnr_ladder(CompressOptions(reserve=("#f00", "#0f0", "#00f")), ["svq"])[0].n_codes == 3


def test_a_sample_has_stretches_and_a_bound() -> None:
    sample = FrameSample("gif", (1, 1), 20 * 12)
    source = ArraySource(np.zeros((0, 2, 2, 3), np.uint8))
    source.info = StreamInfo(2, 2, fps=None)
    sample.begin(source)
    for index in range(1000):
        sample.take(Frame(np.zeros((2, 2, 3), np.uint8), index) if sample.wants(index) else None)
    assert [frame.index for frame in sample.frames] == list(range(0, 1000, 64))
    assert (sample.total, sample.is_whole) == (1000, False)


@pytest.mark.parametrize("few", [100, 2000], ids=["long", "short"])
def test_the_sample_of_a_long_clip_is_a_share_of_it(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of its stretches, as evenly as before; of a short one, which costs little, all frames."""
    monkeypatch.setattr(frame_sample, "_FEW_PIXELS", few)
    sample = FrameSample("gif", (1, 1), 1 << 20)
    with ArraySource(np.zeros((60, 4, 5, 3), np.uint8)) as source:
        source.info = StreamInfo(5, 4, Fraction(25))
        sample.collect(source, 1)
    sample.finish()
    kept = [frame.index for frame in sample.frames]
    assert kept == ([index for index in range(60) if index // 4 % 4 == 0] if few == 100 else list(range(60)))
    assert sample.is_whole == (few == 2000)


def test_the_best_that_fits(clip: Path, tmp_path: Path) -> None:
    """And the same as that setting by hand, for any number of jobs."""
    out = tmp_path / "out.gif"
    most = plain_size(clip, out, n_codes=40)
    first = streamvq.compress(clip, out, max_size=most, jobs=1, overwrite=True)
    assert first.bytes_out is not None
    assert first.bytes_out <= most
    assert first.n_codes is not None
    assert 36 <= first.n_codes < 256  # bytes do not grow with every code
    assert (first.lossy, first.width) == (0, 12)
    assert first.tries[0].n_codes == 256
    assert first.tries[-1].whole
    content = out.read_bytes()
    assert streamvq.compress(clip, out, max_size=str(most), jobs=3, overwrite=True).tries == first.tries
    assert content == out.read_bytes()
    assert plain_size(clip, out, n_codes=first.n_codes) == first.bytes_out
    assert content == out.read_bytes()


@pytest.mark.parametrize("out", ["out.svq", "out.mkv", "out.mp4", "out.gif", "out.apng", "out.webp", "out"])
def test_every_kind(out: str, tmp_path: Path) -> None:
    """With a codebook that stays: more loss, then less width; neither where neither is needed."""
    clip = tmp_path / "clip.mkv"
    write_video(clip, [noise(48, 64), noise(48, 64, seed=1)])
    plain = plain_size(clip, tmp_path / out, codebook=READY[1])
    how: dict[str, Any] = {"codebook": READY[1], "overwrite": True}
    for share in (1.0, 0.5):
        result = streamvq.compress(clip, tmp_path / out, max_size=int(plain * share), **how)
        assert result.bytes_out is not None
        assert result.bytes_out <= plain * share
        assert (len(result.tries) == 2) == (share == 1)
    assert (result.lossy > 0) or ((result.width or 64) < 64)


def test_a_sample_is_verified_on_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_sample, "MAX_SAMPLE_FRAMES", 5)
    clip, out = tmp_path / "clip.mkv", tmp_path / "out.gif"
    write_video(clip, [smooth(24, 32, shift**2) for shift in range(16)])
    plain = plain_size(clip, out, codebook=READY[1])
    result = streamvq.compress(clip, out, codebook=READY[1], max_size=plain * 3 // 4, overwrite=True)
    assert {each.frames for each in result.tries if not each.whole} == {8}
    assert {each.frames for each in result.tries if each.whole} == {16}
    assert result.bytes_out == out.stat().st_size <= plain * 3 // 4


def test_the_fewest_colors_for_a_psnr(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.gif"
    result = streamvq.compress(clip, out, min_psnr=30)
    assert result.psnr_db is not None
    assert result.psnr_db >= 30
    assert result.n_codes is not None
    with pytest.raises(BelowQuality, match="use more codes"):  # it is given: only checked
        streamvq.compress(clip, out, result.n_codes - 1, min_psnr=30, overwrite=True)


def test_out_of_reach(clip: Path, tmp_path: Path, cli: Callable) -> None:
    before = snapshot(tmp_path)
    result = cli("compress", clip, "-o", tmp_path / "out.gif", "-c", READY[1], "--max-size", 50, "-q")
    assert result.exit_code == 98, result.stderr
    assert "bytes with --lossy 20 are the fewest" in result.stderr
    assert result.stderr.count("\n") == 1
    assert snapshot(tmp_path) == before
    save(noise(20, 20), tmp_path / "a.png")
    before = snapshot(tmp_path)
    result = cli("compress", tmp_path / "a.png", "-o", tmp_path / "b.png", "--min-psnr", 100, "-q")
    assert result.exit_code == 99, result.stderr
    assert "with 256 colors is the most" in result.stderr
    assert snapshot(tmp_path) == before
    with pytest.raises(LargerThanAsked):
        streamvq.compress(clip, tmp_path / "out.gif", 8, lossy=2, width=12, max_size=100)
    assert snapshot(tmp_path) == before


def test_both_together(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.gif"
    plain = streamvq.compress(clip, out, codebook=READY[1], lossy=4)
    assert plain.psnr_db is not None
    how: dict[str, Any] = {"codebook": READY[1], "max_size": plain.bytes_out, "overwrite": True}
    result = streamvq.compress(clip, out, min_psnr=plain.psnr_db - 0.1, **how)
    assert result.lossy <= 4
    before = snapshot(tmp_path)
    with pytest.raises(BelowQuality, match="the best that fits"):
        streamvq.compress(clip, out, min_psnr=plain.psnr_db + 9, **how)
    assert snapshot(tmp_path) == before


def test_several_inputs_share_the_codebook_and_each_fits(clip: Path, tmp_path: Path) -> None:
    short = tmp_path / "in" / "short.mkv"
    write_video(short, [smooth(8, 12, shift) for shift in range(2)])
    most = plain_size(clip, tmp_path / "plain.gif", n_codes=16) - 10
    results = streamvq.compress_many([short, clip], output=tmp_path / "out", format="gif", max_size=most)
    assert [Path(result.input).stem for result in results] == ["short", "clip"]
    assert [result.n_codes for result in results] == [16, 16]
    assert [result.lossy > 0 for result in results] == [False, True]
    assert all((result.bytes_out or most + 1) <= most for result in results)
    assert len(list((tmp_path / "out").iterdir())) == 2


@pytest.mark.parametrize("how", [{"per": "image", "n_codes": 8}, {"block": 4, "n_codes": 8}], ids=str)
def test_other_codebooks(how: dict[str, Any], tmp_path: Path) -> None:
    source = save(noise(32, 32), tmp_path / "a.png")
    plain = plain_size(source, tmp_path / "plain.png", **how)
    result = streamvq.compress(source, tmp_path / "out.png", max_size=plain * 3 // 4, **how)
    assert result.bytes_out is not None
    assert result.bytes_out <= plain * 3 // 4


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--strict"], "--strict"),
        (["--skip-existing"], "--skip-existing"),
        (["-o", "-"], "cannot be taken back"),
        (["--max-size", "much"], "2MB"),
    ],
)
def test_contradictions(options: list[str], word: str, tmp_path: Path, refused: Callable) -> None:
    source = save(bands(), tmp_path / "a.png")
    out = [] if "-o" in options else ["-o", tmp_path / "b.png"]
    assert word in refused("compress", source, "--max-size", "2MB", *options, *out, exit=2)
    assert list(snapshot(tmp_path)) == ["a.png"]


def test_a_pipe_is_read_once(tmp_path: Path, refused: Callable) -> None:
    words = ("compress", "-", "-o", tmp_path / "a.gif", "--max-size", 9000)
    assert "several times" in refused(*words, exit=2, stdin=b"")


def test_a_codebook_that_is_there_is_told_before_the_search(clip: Path, tmp_path: Path) -> None:
    streamvq.compress(clip, tmp_path / "a.gif", 4)
    (tmp_path / "a.gif").unlink()
    with pytest.raises(OutputExists, match="search"):
        streamvq.compress(clip, tmp_path / "a.gif", max_size=9000)


def test_tries_are_shown(clip: Path, tmp_path: Path, good: Callable) -> None:
    words = ("compress", clip, "-o", tmp_path / "a.gif", "-c", READY[1], "--max-size", 900)
    result = good(*words, "--json")
    told = json.loads(result.stdout)
    lines = [line for line in result.stderr.splitlines() if "try " in line]
    assert len(lines) == len(told["tries"]) > 1
    assert "try 1: all as it is: about" in lines[0]
    assert told["tries"][-1]["size_bytes"] == told["bytes_out"] <= 900
    quiet = good(*words, "-q", "-f")
    assert (quiet.stdout, quiet.stderr) == ("", "")


def test_a_dry_run_predicts(clip: Path, tmp_path: Path, good: Callable) -> None:
    before = snapshot(tmp_path)
    words = ("compress", clip, "-o", tmp_path / "a.gif", "-c", READY[1], "--max-size", 900)
    dry = json.loads(good(*words, "--dry-run", "--json").stdout)
    assert "PSNR" in good(*words, "--dry-run").stdout
    assert snapshot(tmp_path) == before
    done = json.loads(good(*words, "--json").stdout)
    for name in ("bytes_out", "psnr_db", "n_codes", "tries"):
        assert dry[name] == done[name], name


def test_outputs_of_several_formats_share_their_codes(clip: Path, tmp_path: Path) -> None:
    """A folder of a film and an image: as many codes as both can have."""
    image = save(smooth(16, 16), tmp_path / "p.png")
    results = streamvq.compress_many([clip, image], tmp_path / "out", min_psnr=34, overwrite=True)
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".mkv", ".png"]
    assert results[0].n_codes == results[1].n_codes
    assert all((result.psnr_db or 99) >= 34 for result in results)


def test_damaged_inputs_are_told_as_ever(tmp_path: Path) -> None:
    good = write_video(tmp_path / "whole.mkv", [noise(48, 64, seed=seed) for seed in range(12)]).read_bytes()
    for name in "ab":
        (tmp_path / f"{name}.mkv").write_bytes(good[: len(good) * 2 // 3])
    inputs = [tmp_path / f"{name}.mkv" for name in "ab"]
    results = streamvq.compress_many(inputs, tmp_path / "out", format="gif", max_size=10_000)
    assert [bool(result.error) for result in results] == [True, True]


@pytest.mark.parametrize("how", [["--skip-if-larger"], ["--min-psnr", "90"]], ids=lambda how: how[0])
def test_a_dry_run_refuses_what_the_run_does(how: list[str], clip: Path, tmp_path: Path, cli: Callable) -> None:
    words = ("compress", clip, "-k", 4, "-o", tmp_path / "a.h", *how)
    codes = [cli(*words, *more).exit_code for more in (["--dry-run"], [])]
    assert codes == ([98, 98] if how[0] == "--skip-if-larger" else [99, 99])


def test_a_dry_run_writes_nothing_into_a_pipe(clip: Path, tmp_path: Path, good: Callable) -> None:
    assert "YUV4MPEG2" not in good("compress", clip, "-k", 4, "-o", "-", "--dry-run").stdout
