"""Options that change nothing for what they were given with are told in a line each; others are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pictures import bands, codebook, noise, save, smooth
from videos import write_video, y4m


def told(result: object) -> list[str]:
    return [line for line in result.stderr.splitlines() if "changes nothing here" in line]  # type: ignore[attr-defined]


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "in.mkv", [bands(shift=i) for i in range(3)])


@pytest.mark.parametrize(
    ("out", "options", "why"),
    [
        ("a.mkv", ("--loop", "2"), "belongs to .gif, .apng and .webp"),
        ("a.mkv", ("--crf", "30"), "belongs to .mp4, .mov and .webm"),
        ("a.mkv", ("--external-codebook",), "belongs to .svq"),
        ("a.mkv", ("--warmup", "5"), "belongs to pipes"),
        ("a.svq", ("--crf", "30"), "belongs to .mp4, .mov and .webm"),
    ],
)
def test_it_is_told_which_option_has_no_use(
    out: str, options: tuple[str, ...], why: str, video: Path, tmp_path: Path, good: Callable
) -> None:
    (line,) = told(good("compress", video, "-k", 8, "-o", tmp_path / out, *options, "-q"))
    assert f"{out}: {options[0]}" in line
    assert why in line


def test_a_seed_beside_a_codebook(video: Path, tmp_path: Path, good: Callable) -> None:
    codebook(8).save(tmp_path / "book.npz")
    (line,) = told(good("compress", video, "-c", tmp_path / "book.npz", "--seed", 3, "-o", tmp_path / "a.mkv"))
    assert "--seed 3" in line
    assert "nothing is learned" in line


def test_stability_of_one_picture(tmp_path: Path, good: Callable) -> None:
    (line,) = told(good("compress", save(noise(), tmp_path / "a.png"), "--stability", 4, "-o", tmp_path / "b.png"))
    assert "--stability 4" in line
    assert "no frame before" in line
    assert not told(good("compress", tmp_path / "a.png", "-o", tmp_path / "c.png"))


def test_options_that_have_a_use_are_not_told(video: Path, tmp_path: Path, good: Callable) -> None:
    images = save(noise(), tmp_path / "images" / "a.png").parent
    for result in (
        good("compress", images, "-k", 8, "--fps", 10, "-o", tmp_path / "b.mkv"),
        good("compress", video, "-k", 8, "--crf", 30, "-o", tmp_path / "c.mp4"),
        good("compress", "-", "-k", 8, "--warmup", 2, "-o", tmp_path / "d.mkv", stdin=y4m([smooth()] * 3)),
        good("compress", video, "-k", 8, "--external-codebook", "--seed", 3, "-o", tmp_path / "e.svq"),
    ):
        assert not told(result)


def test_decompress_tells_it_too(video: Path, tmp_path: Path, good: Callable) -> None:
    good("compress", video, "-k", 8, "-o", tmp_path / "a.svq")
    first, second = told(good("decompress", tmp_path / "a.svq", "--fps", 10, "--crf", 5, "-o", tmp_path / "b.mkv"))
    assert "--fps 10" in first
    assert "--crf 5" in second


def test_images_in_svq_get_their_rate_from_decompress(tmp_path: Path, good: Callable) -> None:
    images = save(noise(), tmp_path / "images" / "a.png").parent
    (line,) = told(good("compress", images, "-k", 8, "--fps", 10, "-o", tmp_path / "a.svq"))
    assert "give it to decompress" in line
    assert not told(good("decompress", tmp_path / "a.svq", "--fps", 10, "-o", tmp_path / "b.mkv"))
    (line,) = told(good("decompress", tmp_path / "a.svq", "--fps", 10, "-o", tmp_path / "folder"))
    assert "images have no frame rate" in line
