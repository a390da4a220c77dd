"""`streamvq compare`: figures for people, as JSON, as a table, and as a picture."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
from pictures import codebook, flat, load, noise, save, smooth, snapshot
from videos import write_video, y4m

import streamvq
from streamvq.report.comparison import FrameComparison, write_csv

CLIP = [smooth(shift=shift) for shift in range(6)]


@pytest.fixture
def clip(tmp_path: Path) -> tuple[Path, Path]:
    reference = write_video(tmp_path / "ref.mkv", CLIP)
    streamvq.compress(reference, tmp_path / "test.svq", codebook=codebook(16))
    return reference, tmp_path / "test.svq"


def test_a_summary(clip: tuple[Path, Path], good: Callable) -> None:
    result = good("compare", *clip)
    found = streamvq.compare(*clip)
    assert result.stdout.startswith(
        f"{clip[0]} -> {clip[1]}\n  6 frames, 48x32, PSNR {found.psnr_db:.2f} dB, of luma "
    )
    assert f"SSIM {found.ssim:.4f}" in result.stdout
    assert f"then {found.colors_test}\n" in result.stdout
    assert f"{found.bits_per_pixel_test:.3g} bits per pixel" in result.stdout
    assert "least like it: frame " in result.stdout
    assert "  5: PSNR " in good("compare", *clip, "-v").stdout


def test_quiet(clip: tuple[Path, Path], good: Callable) -> None:
    result = good("compare", *clip, "-q")
    assert (result.stdout, result.stderr) == ("", "")


def test_equal_and_still(tmp_path: Path, good: Callable) -> None:
    source = write_video(tmp_path / "a.mkv", [flat(9)] * 3)
    text = good("compare", source, source).stdout
    assert "no error at all" in text
    assert "flicker 0 % of the pixels that are still" in text


def test_json_is_one_object(clip: tuple[Path, Path], good: Callable) -> None:
    result = good("compare", *clip, "--json", "--jobs", 2)
    assert result.stdout.count("\n") == 1
    assert json.loads(result.stdout) == streamvq.compare(*clip).as_dict()


def test_a_table(clip: tuple[Path, Path], tmp_path: Path, good: Callable, refused: Callable) -> None:
    good("compare", *clip, "--csv", tmp_path / "figures.csv")
    with (tmp_path / "figures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = streamvq.compare(*clip)
    assert [*rows[0]] == [field.name for field in fields(FrameComparison)]
    assert [float(row["psnr_db"]) for row in rows] == [frame.psnr_db for frame in found.frames]
    assert [row["name"] for row in rows] == [""] * 6
    before = snapshot(tmp_path)
    assert "figures.csv: already exists" in refused("compare", *clip, "--csv", tmp_path / "figures.csv")
    assert snapshot(tmp_path) == before
    good("compare", clip[0], clip[0], "--csv", tmp_path / "figures.csv", "--overwrite")
    assert "inf" in (tmp_path / "figures.csv").read_text()


def test_an_input_is_not_written_over(clip: tuple[Path, Path], tmp_path: Path, refused: Callable) -> None:
    image = save(noise(), tmp_path / "a.png")
    assert "is an input" in refused("compare", image, image, "--plot", image, "--overwrite", exit=2)
    assert "is an input" in refused("compare", *clip, "--csv", clip[1], "--overwrite", exit=2)


def test_chosen_frames(clip: tuple[Path, Path], good: Callable, refused: Callable) -> None:
    for text, indices in (("2:4", [2, 3]), ("5", [5]), ("::2", [0, 2, 4]), ("1:6:3", [1, 4])):
        record = json.loads(good("compare", *clip, "--frames", text, "--json").stdout)
        assert [frame["index"] for frame in record["per_frame"]] == indices
    for text in ("x", "3:3", "1:2:0", "1:2:x", "1:2:3:4"):
        assert "--frames" in refused("compare", *clip, "--frames", text, exit=2)
    assert "frames 0 to 5" in refused("compare", *clip, "--frames", "6:", exit=2)


def test_a_figure(clip: tuple[Path, Path], tmp_path: Path, good: Callable, refused: Callable) -> None:
    good("compare", *clip, "--frames", "1:3", "--plot", tmp_path / "figure.png")
    assert load(tmp_path / "figure.png").std() > 10
    assert "figure.png: already exists" in refused("compare", *clip, "--plot", tmp_path / "figure.png")
    assert ".png, .svg, .pdf" in refused("compare", *clip, "--plot", tmp_path / "figure.gif", exit=2)
    assert "does not exist" in refused("compare", *clip, "--plot", tmp_path / "no" / "figure.png")


def test_a_figure_without_matplotlib(
    clip: tuple[Path, Path], tmp_path: Path, refused: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    text = refused("compare", *clip, "--plot", tmp_path / "figure.png")
    assert "pip install 'streamvq[report]'" in text


def test_a_pipe(clip: tuple[Path, Path], tmp_path: Path, good: Callable, refused: Callable) -> None:
    pictures = [flat((8 * i, 8 * i, 8 * i)) for i in range(6)]
    reference = write_video(tmp_path / "gray.mkv", pictures)
    record = json.loads(good("compare", reference, "-", "--json", stdin=y4m(pictures)).stdout)
    assert (record["frames"], record["bytes_test"], record["bits_per_pixel_test"]) == (6, None, None)
    assert record["ssim"] > 0.999
    assert "unknown size" in good("compare", reference, "-", stdin=y4m(pictures)).stdout
    assert "a pipe is read once" in refused("compare", clip[0], "-", "--plot", tmp_path / "f.png", exit=2)
    assert "read once only" in refused("compare", "-", "-", exit=2)


def test_what_does_not_fit(clip: tuple[Path, Path], tmp_path: Path, good: Callable, refused: Callable) -> None:
    short = write_video(tmp_path / "short.mkv", CLIP[:4])
    assert "short.mkv: has 4 frames" in refused("compare", clip[0], short, exit=2)
    small = write_video(tmp_path / "small.mkv", [smooth(16, 24, shift=shift) for shift in range(6)])
    text = refused("compare", clip[0], small, exit=2)
    assert "small.mkv: frame 0 is 24x16, and 48x32 in" in text
    assert "--resize" in text
    good("compare", clip[0], small, "--resize")
    save(noise(), tmp_path / "a" / "one.png")
    save(noise(), tmp_path / "b" / "two.png")
    assert "has no image named one" in refused("compare", tmp_path / "a", tmp_path / "b", exit=2)
    assert "nothing.mkv: no such file" in refused("compare", clip[0], tmp_path / "nothing.mkv")


def test_folders_with_a_bad_image(tmp_path: Path, cli: Callable) -> None:
    for folder in ("ref", "test"):
        for name in ("a", "b/c"):
            save(noise(), tmp_path / folder / f"{name}.png")
    (tmp_path / "test" / "a.png").write_bytes(b"no image")
    result = cli("compare", tmp_path / "ref", tmp_path / "test", "-r")
    assert result.exit_code == 1
    assert "streamvq: error: " in result.stderr
    assert "a.png" in result.stderr
    assert "1 frame, 48x32, no error at all" in result.stdout


def test_gray_is_noted(tmp_path: Path, good: Callable) -> None:
    source = save(noise(), tmp_path / "a.png")
    streamvq.compress(source, tmp_path / "out.png", n_codes=8, gray=True)
    result = good("compare", source, tmp_path / "out.png")
    assert "note: " in result.stderr
    assert "is gray, so its luma is compared" in result.stderr


def test_an_external_codebook(clip: tuple[Path, Path], tmp_path: Path, good: Callable, refused: Callable) -> None:
    codebook().save(tmp_path / "book.npz")
    good("compress", clip[0], "-c", tmp_path / "book.npz", "-o", tmp_path / "out.svq", "--external-codebook")
    assert "with -c PATH" in refused("compare", clip[0], tmp_path / "out.svq")
    good("compare", clip[0], tmp_path / "out.svq", "-c", tmp_path / "book.npz", "--plot", tmp_path / "f.png")


def test_names_in_a_table_are_no_formulas(tmp_path: Path, good: Callable) -> None:
    """Spreadsheets run what starts with these; numbers below 0 stay numbers."""
    names = ["=1+1.png", "+1.png", "-1.png", "@a.png", "plain.png"]
    for name in names:
        save(noise(8, 8, seed=len(name)), tmp_path / "a" / name)
    good("compare", tmp_path / "a", tmp_path / "a", "--csv", tmp_path / "figures.csv")
    with (tmp_path / "figures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = {row["name"] for row in rows}
    assert found == {name if name == "plain.png" else f"'{name}" for name in names}
    write_csv([{"number": -1.5, "text": "-1.5", "other": "\t=1"}], tmp_path / "other.csv")
    assert (tmp_path / "other.csv").read_bytes() == b"number,text,other\r\n-1.5,'-1.5,'\t=1\r\n"
