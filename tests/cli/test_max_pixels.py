"""`--max-pixels` refuses large pictures before they take memory, in every command that reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pictures import flat, noise, save, smooth, snapshot
from videos import write_video


@pytest.mark.parametrize("name", ["in.png", "in.mkv"])
def test_a_picture_that_is_too_large(name: str, tmp_path: Path, refused: Callable[..., str]) -> None:
    path = write_video(tmp_path / name, [smooth()]) if name == "in.mkv" else save(noise(), tmp_path / name)
    before = snapshot(tmp_path)
    for command in (
        ["compress"],
        ["fit", "-o", tmp_path / "b.npz"],
        ["compare", path],
        ["report", path],
        ["spectrum"],
    ):
        line = refused(*command, path, "--max-pixels", 32 * 48 - 1)
        assert "48x32 pixels are more than --max-pixels 1535 allows" in line
        assert name in line
    assert snapshot(tmp_path) == before


def test_a_picture_that_just_fits(tmp_path: Path, good: Callable) -> None:
    good("compress", save(noise(), tmp_path / "in.png"), "-o", tmp_path / "out.png", "--max-pixels", 32 * 48)


@pytest.mark.parametrize(("name", "most"), [("a.webp", 16383), ("a.jpg", 65500)])
def test_sides_that_a_format_does_not_hold(name: str, most: int, tmp_path: Path, refused: Callable) -> None:
    path = save(flat(0, 1, most + 1), tmp_path / "wide.png")
    line = refused("apply", path, "-c", "#000,#fff", "-o", tmp_path / name)
    assert f"{most + 1}x1 pixels, and .{name[2:]} has sides of up to {most}" in line
    assert not (tmp_path / name).exists()
