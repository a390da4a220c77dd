"""Finding inputs: natural order, globs, folders, and ignored files."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvq import InputMissing, UsageError
from streamvq.media.inputs import find_inputs, natural_key


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


@given(st.lists(st.integers(0, 10**6), unique=True, min_size=2))
def test_numbers_sort_by_value(numbers: list[int]) -> None:
    names = [f"take 2/frame{number}.png" for number in numbers]
    assert sorted(names, key=natural_key) == [f"take 2/frame{number}.png" for number in sorted(numbers)]


@given(st.lists(st.text("aB01٣.- /é", max_size=8), unique=True), st.randoms())
def test_any_names_have_one_order(names: list[str], generator: random.Random) -> None:
    shuffled = names[:]
    generator.shuffle(shuffled)
    assert sorted(names, key=natural_key) == sorted(shuffled, key=natural_key)


@given(st.text("01239²٣x"))
def test_odd_digits_do_no_harm(name: str) -> None:
    assert natural_key(name) == natural_key(name)


def test_a_folder_in_natural_order(tmp_path: Path) -> None:
    touch(
        tmp_path, "frame10.png", "frame2.png", "Frame1.png", "notes.txt", ".hidden.png", "sub/frame3.png", "clip.mp4"
    )
    (found,) = find_inputs([tmp_path])
    assert found.source_type == "images"
    assert found.names() == ["Frame1.png", "frame2.png", "frame10.png"]
    assert found.ignored_files == 2


def test_recursion_names_the_tree(tmp_path: Path) -> None:
    touch(tmp_path, "b/2.png", "b/10.png", "a/deep/1.JPG", "0.webp", "readme.md")
    (found,) = find_inputs([tmp_path], recursive=True)
    assert found.names() == ["0.webp", "a/deep/1.JPG", "b/2.png", "b/10.png"]
    assert found.ignored_files == 1


@pytest.mark.parametrize("suffix", ["png", "jpg", "jpeg", "webp", "tif", "tiff", "bmp", "PNG", "JpG"])
def test_image_suffixes(suffix: str, tmp_path: Path) -> None:
    touch(tmp_path, f"a.{suffix}")
    (found,) = find_inputs([tmp_path / f"a.{suffix}"])
    assert found.source_type == "image"


def test_everything_else_may_be_a_video(tmp_path: Path) -> None:
    touch(tmp_path, "clip.xyz")
    (found,) = find_inputs([tmp_path / "clip.xyz"])
    assert (found.source_type, found.stem) == ("video", "clip")


def test_quoted_globs(tmp_path: Path) -> None:
    touch(tmp_path, "take10.mp4", "take2.mp4", "other.mkv", "a/b/deep.mp4")
    assert [item.stem for item in find_inputs([str(tmp_path / "*.mp4")])] == ["take2", "take10"]
    assert [item.stem for item in find_inputs([str(tmp_path / "**" / "*.mp4")])] == ["deep", "take2", "take10"]


def test_images_of_a_glob_become_one_set(tmp_path: Path) -> None:
    touch(tmp_path, "f2.png", "f10.png", "f1.png")
    (found,) = find_inputs([str(tmp_path / "f*.png")])
    assert found.source_type == "images"
    assert found.names() == ["f1.png", "f2.png", "f10.png"]


def test_a_file_whose_name_looks_like_a_glob(tmp_path: Path) -> None:
    touch(tmp_path, "take [1].mp4", "take 1.mp4")
    (found,) = find_inputs([tmp_path / "take [1].mp4"])
    assert found.stem == "take [1]"


def test_images_of_several_folders_keep_their_places(tmp_path: Path) -> None:
    touch(tmp_path, "a/x.png", "b/x.png")
    (found,) = find_inputs([tmp_path / "a" / "x.png", tmp_path / "b" / "x.png", tmp_path / "a" / "x.png"])
    assert found.names() == ["a/x.png", "b/x.png"]


def test_the_pipe(tmp_path: Path) -> None:
    (found,) = find_inputs(["-"])
    assert (found.source_type, found.size_bytes) == ("pipe", None)
    with pytest.raises(UsageError, match="once"):
        find_inputs(["-", "-"])


def test_nothing_at_all() -> None:
    with pytest.raises(UsageError, match="no input"):
        find_inputs([])


def test_an_empty_folder_says_what_to_try(tmp_path: Path) -> None:
    touch(tmp_path, "videos/a.mp4", "deep/er/a.png", "none/a.txt")
    for name, hint in (("videos", r"\*\.mp4"), ("deep", "`recursive`"), ("none", r"\.png")):
        with pytest.raises(InputMissing, match=f"{re.escape(name)}.*{hint}"):
            find_inputs([tmp_path / name])
