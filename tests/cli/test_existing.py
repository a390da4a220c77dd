"""Outputs and codebooks that are there already: trusted where they match, told where they do not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pictures import bands, codebook, few_colors, noise, save, snapshot
from videos import read_video, write_video

import streamvq
from streamvq import Codebook, OutputExists
from streamvq.media.made_with import codebook_named, read_made_with


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_video(tmp_path / "clip.mkv", [bands(16, 32, shift) for shift in range(4)])


OUTPUTS = ("out.mkv", "out.avi", "out.mp4", "out.mov", "out.webm", "out.svq", "png", "tiff", "webp", "jpg")


@pytest.mark.parametrize("name", OUTPUTS)
def test_outputs_name_their_codebook_and_settings(name: str, clip: Path, tmp_path: Path, good: Callable) -> None:
    """The very settings are skipped; any other are told, and nothing is touched; with --overwrite it is made anew."""
    book = codebook()
    book.save(tmp_path / "book.npz")
    target = tmp_path / name if "." in name else tmp_path / "out"
    arguments = ["apply", clip, "-c", tmp_path / "book.npz", "-o", target]
    arguments += [] if "." in name else ["--format", name]
    good(*arguments)
    file = target if "." in name else target / f"frame000002.{name}"
    assert codebook_named(read_made_with(file, name.removeprefix("out."))) == book.fingerprint[:16]
    before = snapshot(tmp_path)
    assert json.loads(good(*arguments, "--skip-existing", "--json").stdout)["skipped"] is True
    assert snapshot(tmp_path) == before
    with pytest.raises(OutputExists, match=r"lossy=5.*`overwrite`"):
        streamvq.apply(clip, book, target, lossy=5, skip_existing=True, format=None if "." in name else name)
    assert snapshot(tmp_path) == before
    again = json.loads(good(*arguments, "--lossy", 5, "--skip-existing", "--overwrite", "--json").stdout)
    assert "skipped" not in again
    assert snapshot(tmp_path).keys() == before.keys()
    assert read_made_with(file, name.removeprefix("out.")) == f"codebook={book.fingerprint[:16]} lossy=5"


def test_other_colors_are_told(clip: Path, tmp_path: Path, good: Callable, refused: Callable) -> None:
    good("compress", clip, "-k", 4, "-o", tmp_path / "out.mkv")
    before = snapshot(tmp_path)
    line = refused("compress", clip, "-k", 8, "-o", tmp_path / "out.mkv", "--skip-existing")
    assert "colors=4, not with colors=8" in line
    assert "--overwrite" in line
    assert snapshot(tmp_path) == before
    good("compress", clip, "-k", 8, "-o", tmp_path / "out.mkv", "--skip-existing", "-f")
    assert len(Codebook.load(tmp_path / "out.codebook.npz")) == 8
    assert len({tuple(color) for color in read_video(tmp_path / "out.mkv")[0].reshape(-1, 3)}) > 4


def test_a_mixed_folder_is_not_taken_for_whole(tmp_path: Path, good: Callable, refused: Callable) -> None:
    """A run with -f was killed when it had replaced the codebook and two of the images."""
    for index in range(4):
        save(noise(seed=index), tmp_path / "in" / f"{index}.png")
    arguments = ("compress", tmp_path / "in", "-o", tmp_path / "out")
    good(*arguments, "-k", 4)
    old = snapshot(tmp_path / "out")
    good(*arguments, "-k", 8, "-f")
    new = snapshot(tmp_path)
    for name in ("1.png", "3.png"):
        (tmp_path / "out" / name).write_bytes(old[name])
    line = refused(*arguments, "-k", 8, "--skip-existing")
    assert "1.png" in line
    assert "codebook=" in line
    record = json.loads(good(*arguments, "-k", 8, "--skip-existing", "-f", "--json").stdout)
    assert record["frames"] == 2
    assert snapshot(tmp_path) == new


def test_numbered_frames_are_looked_at_one_by_one(clip: Path, tmp_path: Path, good: Callable, cli: Callable) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        codebook(seed=seed).save(tmp_path / f"{name}.npz")
        good("apply", clip, "-c", tmp_path / f"{name}.npz", "-o", tmp_path / name)
    (tmp_path / "a" / "frame000003.png").replace(tmp_path / "b" / "frame000003.png")
    result = cli("apply", clip, "-c", tmp_path / "b.npz", "-o", tmp_path / "b", "--skip-existing")
    assert result.exit_code == 1
    assert "frame000003.png: was made with codebook=" in result.stderr


def test_unpacking_looks_at_the_codebook_too(clip: Path, tmp_path: Path, good: Callable, refused: Callable) -> None:
    good("compress", clip, "-k", 4)
    arguments = ("decompress", tmp_path / "clip.svq", "-o", tmp_path / "back.mkv", "--skip-existing")
    good(*arguments)
    assert json.loads(good(*arguments, "--json").stdout)["skipped"] is True
    good("compress", clip, "-k", 6, "-f")
    assert "back.mkv: was made with codebook=" in refused(*arguments)
    good(*arguments, "--overwrite")


def test_a_codebook_inside_or_not(clip: Path, tmp_path: Path, good: Callable, refused: Callable) -> None:
    """No setting in a .svq says it: the file shows it."""
    codebook().save(tmp_path / "book.npz")
    command = ["apply", clip, "-c", tmp_path / "book.npz", "-o", tmp_path / "a.svq"]
    option = ["--external-codebook"]
    for first, then in ((option, []), ([], option)):
        good(*command, *first, "-f")
        assert json.loads(good(*command, *first, "--skip-existing", "--json").stdout)["skipped"] is True
        assert "a.svq: was made with codebook=" in refused(*command, *then, "--skip-existing")


def test_factors_have_settings_too(clip: Path, tmp_path: Path, good: Callable, refused: Callable) -> None:
    arguments = ("compress", clip, "--method", "svd", "-o", tmp_path / "out.svq", "--skip-existing", "--rank")
    good(*arguments, 2)
    good(*arguments, 2)
    assert "rank=2, and factors method=svd rank=3" in refused(*arguments, 3)


def test_an_equal_codebook_is_left_alone(clip: Path, tmp_path: Path, good: Callable, refused: Callable) -> None:
    good("compress", clip, "-k", 4, "-o", tmp_path / "a.mkv")
    book = (tmp_path / "a.codebook.npz").stat()
    good("compress", clip, "-k", 4, "-o", tmp_path / "a.svq")
    good("apply", clip, "-c", tmp_path / "a.codebook.npz", "-o", tmp_path / "a.avi")
    assert (tmp_path / "a.codebook.npz").stat().st_mtime_ns == book.st_mtime_ns
    for options in (["-k", 5], ["-k", 4, "--seed", 1], ["-k", 4, "--rank", 1]):
        line = refused("compress", clip, *options, "-o", tmp_path / "a.mp4")
        assert "a.codebook.npz: this codebook was learned with" in line
        assert "--save-codebook" in line
    other = save(few_colors(4, seed=9), tmp_path / "other.png")
    line = refused("compress", other, "-k", 4, "-o", tmp_path / "a.png")
    assert "a.codebook.npz: another codebook is there already" in line
    assert not {"a.mp4", "a.png"} & snapshot(tmp_path).keys()
    good("compress", other, "-k", 4, "-o", tmp_path / "a.png", "--save-codebook", tmp_path / "b.npz")


def test_the_outputs_after_one_that_fails_find_their_codebook(tmp_path: Path) -> None:
    """The first output's name is taken when it is to be renamed, after the codebook was saved."""
    inputs = [write_video(tmp_path / f"{name}.mkv", [bands(16, 32)] * 2) for name in "ab"]
    for _ in range(2):
        results = streamvq.compress_many(inputs, tmp_path / "out", 4, progress=_Taking(tmp_path / "out" / "a.mkv"))
        assert [bool(result.error) for result in results] == [True, False]
        assert (tmp_path / "out" / "b.mkv").is_file()
        (tmp_path / "out" / "a.mkv").rmdir()
        (tmp_path / "out" / "b.mkv").unlink()  # and once more: the codebook is there from before


class _Taking:
    """Progress that puts a folder where the first output goes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, what: str, frames: int | None) -> object:
        from contextlib import nullcontext

        return nullcontext()

    def advance(self) -> None:
        if self._path.parent.is_dir():
            self._path.mkdir(exist_ok=True)
