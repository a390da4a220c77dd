"""Outputs get their real name only when they are whole."""

from __future__ import annotations

import cProfile
import pstats
from pathlib import Path

import pytest
from pictures import snapshot

from streamvq import OutputError, OutputExists
from streamvq.staging import check_free, staged_file, staged_folder


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "out.bin"
    with staged_file(target) as part:
        part.write_bytes(b"half")
        assert not target.exists()
        assert part.parent == tmp_path  # the same file system, so that renaming is one step
        assert part.suffix == ".bin"
    assert snapshot(tmp_path) == {"out.bin": b"half"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_unfinished_file_is_removed(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "out.bin").write_bytes(b"old")

    def break_off() -> None:
        with staged_file(tmp_path / "out.bin", overwrite=True) as part:
            part.write_bytes(b"half")
            raise error

    with pytest.raises(error):
        break_off()
    assert snapshot(tmp_path) == {"out.bin": b"old"}


def test_an_existing_file_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "out.bin").write_bytes(b"old")
    with pytest.raises(OutputExists, match=r"out\.bin.*`overwrite`"), staged_file(tmp_path / "out.bin"):
        pytest.fail("the block was entered")
    assert snapshot(tmp_path) == {"out.bin": b"old"}


def test_overwriting_replaces(tmp_path: Path) -> None:
    (tmp_path / "out.bin").write_bytes(b"old")
    with staged_file(tmp_path / "out.bin", overwrite=True) as part:
        part.write_bytes(b"new")
    assert snapshot(tmp_path) == {"out.bin": b"new"}


@pytest.mark.parametrize("staged", [staged_file, staged_folder])
def test_a_missing_folder_is_named(tmp_path: Path, staged: object) -> None:
    with pytest.raises(OutputError, match=r"missing.*create it"), staged(tmp_path / "missing" / "out"):  # type: ignore[operator]
        pytest.fail("the block was entered")
    assert snapshot(tmp_path) == {}


def test_a_file_does_not_replace_a_folder(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(OutputError, match="out"), staged_file(tmp_path / "out", overwrite=True):
        pytest.fail("the block was entered")
    assert (tmp_path / "out").is_dir()


def test_a_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    with staged_folder(tmp_path / "out") as part:
        (part / "deep").mkdir()
        (part / "deep" / "a.png").write_bytes(b"a")
        assert not (tmp_path / "out").exists()
    assert snapshot(tmp_path) == {"out/deep/a.png": b"a"}


def test_a_folder_keeps_the_other_files_in_it(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_bytes(b"mine")
    with staged_folder(tmp_path / "out") as part:
        (part / "a.png").write_bytes(b"a")
    assert snapshot(tmp_path) == {"out/a.png": b"a", "out/notes.txt": b"mine"}


def test_overwriting_a_folder_of_many_files_is_little_work(tmp_path: Path) -> None:
    """Be it replaced whole, or file by file because another one is in it."""

    def calls() -> int:
        profile = cProfile.Profile()
        with profile, staged_folder(tmp_path / "out", overwrite=True) as part:
            for number in range(300):
                (part / f"frame{number:06d}.png").write_bytes(b"some")
        return pstats.Stats(profile).total_calls  # type: ignore[attr-defined]

    new, replaced = calls(), calls()
    (tmp_path / "out" / "notes.txt").write_text("kept")
    assert max(replaced, calls()) < 2 * new


@pytest.mark.parametrize("overwrite", [False, True])
def test_an_unfinished_folder_changes_nothing(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_bytes(b"old")

    def break_off() -> None:
        with staged_folder(tmp_path / "out", overwrite) as part:
            (part / "a.png").write_bytes(b"new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert snapshot(tmp_path) == {"out/a.png": b"old"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_clash_in_a_folder_moves_no_file_at_all(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b.png").write_bytes(b"old")

    def fill() -> None:
        with staged_folder(tmp_path / "out") as part:
            for name in ("a.png", "b.png", "c.png"):
                (part / name).write_bytes(b"new")

    with pytest.raises(OutputExists, match=r"b\.png"):
        fill()
    assert snapshot(tmp_path) == {"out/b.png": b"old"}


def test_errors_of_the_system_name_the_target(tmp_path: Path) -> None:
    def fill() -> None:
        with staged_file(tmp_path / "out.bin"):
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match=r"out\.bin: .*No space left"):
        fill()


def test_check_free(tmp_path: Path) -> None:
    check_free(tmp_path / "new", overwrite=False)
    (tmp_path / "old").touch()
    check_free(tmp_path / "old", overwrite=True)
    with pytest.raises(OutputExists):
        check_free(tmp_path / "old", overwrite=False)
