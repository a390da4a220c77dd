"""What scripts/bench.py says of its rows, and that the figures in the README are those that were measured."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
sys.path.append(str(SCRIPTS))

from benchmarks.measure import Bench, Row, Times, at_most, in_turn, times  # noqa: E402
from benchmarks.records import compare, load, save  # noqa: E402
from figures import MEASURED, written  # noqa: E402

SLOW = Row("gif", "film", "compress", 2.0, "s", "ffmpeg", 4.0)


def test_targets_are_met_or_missed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench = Bench({"film": tmp_path}, tmp_path, tmp_path, "case")
    bench.row("smaller", 90, "bytes", "peer", 100, at_most(0.9))
    bench.row("larger", 91, "bytes", "peer", 100, at_most(0.9))
    bench.row("as fast", Times((1.0,), (2.0,)), "s", "peer", Times((1.0,), (6.0,)), times(3))
    bench.row("alone", 701, "MB", target=at_most(700))
    bench.row("no peer", 5, "bytes", "absent", None, at_most(1))
    assert [row.met for row in bench.rows] == [True, False, True, False, None]
    assert [line.split("|")[6:9] for line in capsys.readouterr().out.splitlines()[2:3]] == [[" 3x ", " 3x ", " met "]]
    assert bench.rows[-1].cells()[4] == "not installed"


def test_things_are_timed_in_turn() -> None:
    order: list[str] = []
    taken = in_turn({name: lambda name=name: order.append(name) for name in "ab"}, repeats=2)
    assert "".join(order) == "ababab"
    assert len(taken["a"].wall) == len(taken["b"].cpu) == 2


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (SLOW, replace(SLOW, ours=4.0, theirs=8.0), []),  # the machine was slower
        (SLOW, replace(SLOW, ours=3.0), ["WORSE: gif film compress: 2 s -> 3 s (of ffmpeg: 0.5 -> 0.75)"]),
        (replace(SLOW, spread=0.3), replace(SLOW, ours=3.0), []),
        (SLOW, replace(SLOW, ours=1.0), ["better: gif film compress: 2 s -> 1 s (of ffmpeg: 0.5 -> 0.25)"]),
        (replace(SLOW, what="other"), SLOW, []),
    ],
)
def test_two_runs_are_compared(before: Row, after: Row, said: list[str]) -> None:
    assert compare([before], [after]) == said


def test_bytes_and_quality_have_little_noise() -> None:
    row = Row("gif", "film", "x", 1000, "bytes")
    assert compare([row], [replace(row, ours=1010)]) == ["WORSE: gif film x: 1,000 bytes -> 1,010 bytes"]
    row = Row("gif", "film", "x", 30.0, "dB")
    assert compare([row], [replace(row, ours=30.1)]) == ["better: gif film x: 30.000 dB -> 30.100 dB"]


def test_rows_survive_their_file(tmp_path: Path) -> None:
    save(tmp_path / "a.json", {"cores": 2}, [SLOW])
    assert load(tmp_path / "a.json") == ({"cores": 2}, [SLOW])


def test_figures_in_the_documents_are_those_measured() -> None:
    assert MEASURED.exists()
    for path, text in written().items():
        assert path.read_text("utf-8") == text, f"run scripts/figures.py: {path.name} differs"
