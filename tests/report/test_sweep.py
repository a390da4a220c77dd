"""Sweeps: what `compress` makes with each combination, once, and kept when it goes on."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pictures import few_colors, save, smooth, snapshot
from videos import write_video

import streamvq
from streamvq.progress import NoProgress
from streamvq.report import sweep as sweeping
from streamvq.report.sweep import Cell, sweep

NASTY = "<script>alert(1)</script>&.mkv"


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_video(tmp_path / "film.mkv", [smooth(shift=shift) for shift in range(3)])


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "sweep.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_result_is_what_compress_makes(film: Path, tmp_path: Path) -> None:
    found = sweep(film, tmp_path / "out", n_codes=[4, 8], block=[1, (2, 4)], rank=[0, 3])
    names = [
        "k4",
        "k8",
        "k4-rank3",
        "k8-rank3",
        "k4-block4x2",
        "k8-block4x2",
        "k4-block4x2-rank3",
        "k8-block4x2-rank3",
    ]
    assert [result.cell.name for result in found.results] == names
    files = [f"{name}{suffix}" for name in names for suffix in (".svq", ".codebook.npz")]
    assert set(snapshot(tmp_path / "out")) == {*files, "report.html", "sweep.csv", "sweep.json"}
    for result in found.results[::3]:  # every value of every option
        cell, alone = result.cell, tmp_path / result.path.name
        streamvq.compress(film, alone, cell.n_codes, block=cell.block, rank=cell.rank or None)
        assert result.path.read_bytes() == alone.read_bytes()
        books = [path.with_suffix(".codebook.npz").read_bytes() for path in (result.path, alone)]
        assert books[0] == books[1]
    assert result.comparison.frames == streamvq.compare(film, alone).frames


def test_the_table_has_a_row_a_result(film: Path, tmp_path: Path) -> None:
    found = sweep(film, tmp_path / "out", [4, 8])
    rows = rows_of(tmp_path / "out")
    columns = "name colors block rank bytes codebook_bytes bits_per_pixel psnr_db psnr_luma_db ssim flicker frames"
    assert list(rows[0]) == columns.split()
    for row, result in zip(rows, found.results, strict=True):
        assert (row["name"], row["block"], row["rank"], row["frames"]) == (result.path.stem, "1", "0", "3")
        assert int(row["bytes"]) == result.path.stat().st_size
        assert 12 <= int(row["codebook_bytes"]) < int(row["bytes"])
        assert float(row["psnr_db"]) == result.comparison.psnr_db
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert all(row["name"] in page for row in rows)


def test_an_exact_result_has_no_error_in_it(tmp_path: Path) -> None:
    save(few_colors(5), tmp_path / "in.png")
    found = sweep(tmp_path / "in.png", tmp_path / "out", [4, 8])
    assert found.results[1].as_dict()["psnr_db"] is None
    assert [row["psnr_db"] == "inf" for row in rows_of(tmp_path / "out")] == [False, True]
    assert any("5 colors instead of 8" in note for note in found.notes)


def test_a_second_run_makes_only_what_is_missing(film: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    sweep(film, out, [4, 8])
    first = snapshot(out)
    times = {path.name: path.stat().st_mtime_ns for path in out.glob("k*")}
    (out / "k8.svq").unlink()  # its codebook stays, as where a run is stopped between both
    found = sweep(film, out, [4, 8, 16])
    assert found.kept == 1
    again = snapshot(out)
    assert {name: again[name] for name in times} == {name: first[name] for name in times}
    assert (out / "k4.svq").stat().st_mtime_ns == times["k4.svq"]
    assert [row["name"] for row in rows_of(out)] == ["k4", "k8", "k16"]


def test_frames_are_read_once_for_all_numbers_of_colors(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[str] = []

    class Noted(NoProgress):
        def of(self, what: str, frames: int | None) -> Any:
            passes.append(what.partition(" ")[0])
            return super().of(what, frames)

    sweep(film, tmp_path / "out", [4, 8, 16], progress=Noted())
    assert [passes.count(what) for what in ("learn", "fit", "quantize", "compare")] == [1, 3, 3, 3]


def test_what_was_finished_before_an_interruption_stays(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def stop(source: Any, path: Path, **options: Any) -> Any:
        if path.stem == "k8":
            raise KeyboardInterrupt
        return streamvq.compress(source, path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(sweeping, "compress", stop)
        with pytest.raises(KeyboardInterrupt):
            sweep(film, out, [4, 8])
    assert set(snapshot(out)) == {"k4.svq", "k4.codebook.npz", "sweep.json"}
    kept = (out / "k4.svq").read_bytes()
    assert sweep(film, out, [4, 8]).kept == 1
    assert (out / "k4.svq").read_bytes() == kept
    assert (out / "k8.svq").exists()


def test_another_input_is_refused(film: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    sweep(film, out, [4])
    before = snapshot(out)
    other = write_video(tmp_path / "other.mkv", [smooth()])
    with pytest.raises(streamvq.OutputExists, match=r"sweep of 'film\.mkv'"):
        sweep(other, out, [4, 8])
    film.write_bytes(other.read_bytes())
    with pytest.raises(streamvq.OutputExists, match="as it is"):
        sweep(film, out, [4, 8])
    (out / "sweep.json").write_text("[1]")
    with pytest.raises(streamvq.OutputExists):
        sweep(film, out, [4])
    (out / "sweep.json").write_text("{")
    with pytest.raises(streamvq.OutputError, match=r"sweep\.json"):
        sweep(film, out, [4])
    assert {**snapshot(out), "sweep.json": before["sweep.json"]} == before


@pytest.mark.parametrize("name", ["k4.svq", "k4.codebook.npz", "report.html", "sweep.csv"])
def test_files_of_others_are_not_taken_for_results(name: str, film: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_bytes(b"precious")
    with pytest.raises(streamvq.OutputExists, match=re.escape(name)):
        sweep(film, tmp_path / "out", [4])
    assert snapshot(tmp_path / "out") == {name: b"precious"}


def test_a_damaged_input_leaves_no_folder(tmp_path: Path) -> None:
    (tmp_path / "in.mkv").write_bytes(b"no video")
    with pytest.raises(streamvq.MediaError):
        sweep(tmp_path / "in.mkv", tmp_path / "out", [4])
    assert not (tmp_path / "out").exists()


def test_a_folder_with_a_damaged_image_is_refused(tmp_path: Path) -> None:
    save(smooth(), tmp_path / "in" / "a.png")
    (tmp_path / "in" / "b.png").write_bytes(b"no picture")
    with pytest.raises(streamvq.MediaError, match=r"b\.png.*take this one away"):
        sweep(tmp_path / "in", tmp_path / "out", [4])
    assert not (tmp_path / "out").exists()


def test_settings_that_do_not_go_together_are_left_out(film: Path, tmp_path: Path) -> None:
    found = sweep(film, tmp_path / "out", [4, 65536], [(1, 1), (32, 32)])
    assert [result.cell for result in found.results] == [
        Cell(4, (1, 1), 0),
        Cell(65536, (1, 1), 0),
        Cell(4, (32, 32), 0),
    ]
    assert any("k65536-block32 is left out" in note for note in found.notes)


@pytest.mark.parametrize(
    ("n_codes", "block", "rank"),
    [([1, 4], [(1, 1)], [0]), ([4], [(0, 0)], [0]), ([4], [(1, 1)], [-1]), ([], [], [])],
)
def test_a_value_that_never_fits_is_refused(
    n_codes: Sequence[int], block: Sequence[tuple[int, int]], rank: Sequence[int], film: Path, tmp_path: Path
) -> None:
    with pytest.raises(streamvq.UsageError):
        sweep(film, tmp_path / "out", n_codes, block, rank)
    assert not (tmp_path / "out").exists()


def test_a_pipe_and_several_inputs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(streamvq.UsageError, match="several times"):
        sweep("-", tmp_path / "out")
    for name in "ab":
        write_video(tmp_path / f"{name}.mkv", [smooth()])
    with pytest.raises(streamvq.UsageError, match="takes one"):
        sweep(tmp_path / "*.mkv", tmp_path / "out")


def test_a_folder_of_images_and_nasty_names(tmp_path: Path) -> None:
    save(smooth(), tmp_path / "in" / "a.png")
    save(smooth(20, 30), tmp_path / "in" / "b<b>.png")
    found = sweep(tmp_path / "in", tmp_path / "out", [4])
    assert len(found.results[0].comparison.frames) == 2
    assert json.loads((tmp_path / "out" / "sweep.json").read_text())["files"] == 2
    try:
        film = write_video(tmp_path / NASTY.replace("/", "\u2215"), [smooth()])
    except OSError:
        pytest.skip("this file system takes no such name")
    sweep(film, tmp_path / "film", [4], command=f"streamvq sweep '{NASTY}'")
    assert "<script>alert" not in (tmp_path / "film" / "report.html").read_text("utf-8")
