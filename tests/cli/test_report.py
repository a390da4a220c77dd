"""`streamvq report`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pictures import noise, save, smooth

import streamvq


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with an image, and the same with 8 colors."""
    monkeypatch.chdir(tmp_path)
    save(smooth(), Path("in.png"))
    streamvq.compress("in.png", "out put.png", 8)
    return tmp_path


@pytest.mark.usefixtures("images")
def test_a_page_beside_the_result_with_the_command_in_it(good: Callable) -> None:
    result = good("report", "in.png", "out put.png", "--max-frames", 3)
    assert result.stdout.startswith("out put.html: ")
    assert "streamvq report in.png &#39;out put.png&#39; -o &#39;out put.html&#39; --max-frames 3" in Path(
        "out put.html"
    ).read_text("utf-8")


@pytest.mark.usefixtures("images")
def test_json_has_an_object_a_result(good: Callable) -> None:
    lines = good("report", "in.png", "out put.png", "in.png", "-o", "page.html", "--json").stdout.splitlines()
    records = [json.loads(line) for line in lines]
    assert [(record["report"], record["test"], record["frames"]) for record in records] == [
        ("page.html", "out put.png", 1),
        ("page.html", "in.png", 1),
    ]
    assert records[1]["psnr_db"] is None


@pytest.mark.usefixtures("images")
def test_an_existing_page_is_kept(refused: Callable, good: Callable) -> None:
    Path("page.html").write_text("mine")
    assert "--overwrite" in refused("report", "in.png", "out put.png", "-o", "page.html")
    assert Path("page.html").read_text() == "mine"
    good("report", "in.png", "out put.png", "-o", "page.html", "-f", "-q")
    assert "<html" in Path("page.html").read_text("utf-8")


@pytest.mark.usefixtures("images")
def test_what_it_cannot_do_is_usage(refused: Callable) -> None:
    assert "-o" in refused("report", "in.png", "out put.png", "in.png", exit=2)
    assert ".html" in refused("report", "in.png", "out put.png", "-o", "page.pdf", exit=2)
    save(noise(5, 5), Path("small.png"))
    assert "--resize" in refused("report", "in.png", "small.png", exit=2)
    assert not list(Path().glob("*.html"))


@pytest.mark.usefixtures("images")
def test_a_folder_with_a_broken_image_is_shown_without_it(cli: Callable, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        for name in "xyz":
            save(smooth(), tmp_path / folder / f"{name}.png")
    (tmp_path / "b" / "y.png").write_bytes(b"no picture")
    result = cli("report", "a", "b", "-o", "page.html")
    assert result.exit_code == 1
    assert "y.png" in result.stderr
    assert "y.png" in Path("page.html").read_text("utf-8")


@pytest.mark.usefixtures("images")
def test_it_carries_no_absolute_paths(tmp_path: Path, cli: Callable, good: Callable) -> None:
    """Also where some were typed, and in what is said of files that cannot be read."""
    for folder in ("a", "b"):
        for name in "xyz":
            save(smooth(), tmp_path / folder / f"{name}.png")
    (tmp_path / "b" / "y.png").write_bytes(b"no picture")
    book = tmp_path / "out put.codebook.npz"
    cli("report", tmp_path / "a", tmp_path / "b", "-o", tmp_path / "page.html", "-c", book)
    page = Path("page.html").read_text("utf-8")
    assert str(tmp_path) not in page
    assert "y.png: not an image" in page
    assert "streamvq report a b -o page.html -c &#39;out put.codebook.npz&#39;" in page
    good("sweep", tmp_path / "in.png", "-o", tmp_path / "rates", "--colors", "4")
    assert str(tmp_path) not in Path("rates/report.html").read_text("utf-8")
    assert str(tmp_path) not in Path("rates/sweep.csv").read_text("utf-8")
