"""What an output is, by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamvq import UsageError
from streamvq.media.targets import Target


@pytest.mark.parametrize(
    ("name", "kind", "format"),
    [
        ("a.mkv", "file", "mkv"),
        ("a.WEBM", "file", "webm"),
        ("a.jpeg", "image", "jpg"),
        ("a.tif", "image", "tiff"),
        ("a", "folder", "png"),
        ("-", "pipe", "y4m"),
    ],
)
def test_the_suffix_chooses(name: str, kind: str, format: str) -> None:
    target = Target.from_path(name)
    assert (target.kind, target.format) == (kind, format)


def test_suffix_and_format_must_agree() -> None:
    assert Target.from_path("a.jpeg", "jpg").format == "jpg"
    with pytest.raises(UsageError, match=r"a\.mkv.*mkv.*png"):
        Target.from_path("a.mkv", "png")
    with pytest.raises(UsageError, match=r"\.xyz"):
        Target.from_path("a.xyz")


def test_an_existing_folder_may_have_a_dot(tmp_path: Path) -> None:
    (tmp_path / "v1.0").mkdir()
    (tmp_path / "odd.png").mkdir()
    assert Target.from_path(tmp_path / "v1.0").kind == "folder"
    assert Target.from_path(tmp_path / "odd.png").kind == "folder"
