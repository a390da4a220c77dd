"""Outputs get their real name only when they are whole."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from streamvq.errors import OutputError, OutputExists
from streamvq.leftovers import begin_moves, claimed, finish_moves, part_of


def check_free(path: Path, overwrite: bool) -> None:
    """Raise if `path` is taken and may not be overwritten, or if its folder does not exist."""
    if not path.parent.is_dir():
        raise OutputError(f"{path}: the folder {path.parent} does not exist; create it first")
    if path.exists() and not overwrite:
        raise OutputExists(f"{path}: already exists; use `overwrite`, or choose another name")


@contextmanager
def staged_file(path: Path, overwrite: bool = False) -> Iterator[Path]:
    """A temporary path beside `path`, renamed to it when the block ends well and removed when it does not."""
    check_free(path, overwrite)
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; choose a file name")
    try:
        with claimed(path.parent) as stem:
            part = part_of(stem, path.suffix)
            try:
                yield part
                check_free(path, overwrite)  # it may have come meanwhile
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
    except OSError as error:
        raise _explained(path, error) from error


@contextmanager
def staged_folder(
    path: Path, overwrite: bool = False, stale: Collection[str] = (), shared: bool = False
) -> Iterator[Path]:
    """A temporary folder beside `path` whose files become those of `path` when the block ends well.

    A new folder, and one whose files are all replaced, changes in one step where the system can. Other files that are
    in `path` already stay; then files are moved one by one, and a run that is killed meanwhile is finished by
    the next (see `leftovers`). Files of the same name are replaced only with `overwrite`. `stale` names numbered
    frames in `path` that go too; it is looked at when the block has ended. A `shared` folder is never replaced
    whole, for others are writing to it.
    """
    if not path.parent.is_dir():
        raise OutputError(f"{path}: the folder {path.parent} does not exist; create it first")
    try:
        if shared:
            path.mkdir(exist_ok=True)
        with claimed(path if _is_place_of_its_own(path) else path.parent) as stem:
            part = part_of(stem)
            try:
                part.mkdir()
                yield part
                _give_name(stem, path, overwrite, stale, shared)
            finally:
                with suppress(OSError):  # then a later run does it
                    finish_moves(stem)  # once begun, they are not broken off
                    shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise _explained(path, error) from error


@contextmanager
def made_folder(path: Path) -> Iterator[None]:
    """`path` exists as a folder inside the block; one that was made for it goes again if it stays empty."""
    new = not path.exists()
    try:
        path.mkdir(exist_ok=True)
        yield
    except FileExistsError as error:
        raise OutputError(f"{path}: is a file, and a folder is to be written; choose another name") from error
    finally:
        if new:
            with suppress(OSError):
                path.rmdir()


def _is_place_of_its_own(path: Path) -> bool:
    """Whether nothing can be moved into a folder from beside it, for beside its name is another place."""
    if not path.is_dir():
        return False
    elsewhere = path.name in ("", "..") or path.is_symlink() or path.is_mount()
    return elsewhere or not os.access(path.parent, os.W_OK)


def _give_name(stem: Path, path: Path, overwrite: bool, stale: Collection[str], shared: bool) -> None:
    """Make the files of a claim's part those of `path`."""
    part = part_of(stem)
    if not path.exists():
        part.rename(path)
        return
    new, old = _entries(part), _entries(path)
    for name in sorted(new.keys() & old):
        if new[name] != old[name]:
            raise OutputError(f"{path / name}: a folder and a file want this name; choose another folder")
        if not overwrite and not old[name]:
            raise OutputExists(f"{path / name}: already exists; use `overwrite`, `skip_existing`, or another name")
    if not shared and part.parent != path and old.keys() <= new.keys() | set(stale) and not _is_current(path):
        shutil.copymode(path, part)
        if _exchanged(part, path):
            return
    begin_moves(stem, path, stale)
    finish_moves(stem)


def _entries(folder: Path) -> dict[str, bool]:
    """The paths of all files and folders inside a folder, and whether they are folders."""
    skip = len(str(folder)) + 1
    return {
        f"{inside}/{name}"[skip:]: names is folders
        for inside, folders, files in os.walk(folder)
        for names in (folders, files)
        for name in names
    }


def _is_current(folder: Path) -> bool:
    """Whether someone works inside the folder, who would find himself in the old one."""
    return Path.cwd().is_relative_to(folder.resolve())


def _exchanged(one: Path, other: Path) -> bool:
    """Let two folders exchange their names in one step; False where the system cannot."""
    if sys.platform != "linux":
        return False
    import ctypes

    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return bool(renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0)


def _explained(path: Path, error: OSError) -> OSError:
    if isinstance(error, (OutputError, BrokenPipeError)):
        return error
    return OutputError(f"{path}: cannot be written: {error.strerror or error}; check free space and permissions")
