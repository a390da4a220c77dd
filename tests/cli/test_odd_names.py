"""Inputs that are no files: URLs, patterns of other programs, and names that look like options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pictures import noise, save


def test_a_url(tmp_path: Path, refused: Callable[..., str]) -> None:
    line = refused("compress", "https://example.org/a.mp4", "-o", tmp_path / "a.svq")
    assert "https://example.org/a.mp4: is a URL" in line
    assert "curl -LO" in line


def test_a_file_that_looks_like_an_option(
    tmp_path: Path, refused: Callable[..., str], good: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save(noise(), tmp_path / "--k.png")
    line = refused("compress", "a.png", "--k.png", "-o", "out", exit=2)
    for hint in ("--k.png", "./*.png", " -- "):
        assert hint in line
    good("compress", "-o", "out.png", "--", "--k.png")
