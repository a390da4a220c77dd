"""Outputs get their real name only when they are whole."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from streamvq.errors import OutputError, OutputExists


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
    part = path.with_name(f".{secrets.token_hex(4)}.part{path.suffix}")
    try:
        yield part
        check_free(path, overwrite)  # it may have come meanwhile
        part.replace(path)
    except OSError as error:
        raise _explained(path, error) from error
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def staged_folder(path: Path, overwrite: bool = False) -> Iterator[Path]:
    """A temporary folder beside `path`, whose files move to `path` when the block ends well.

    Other files that are in `path` already stay; files of the same name are replaced only with `overwrite`.
    """
    if not path.parent.is_dir():
        raise OutputError(f"{path}: the folder {path.parent} does not exist; create it first")
    part = path.with_name(f".{secrets.token_hex(4)}.part")
    try:
        part.mkdir()
        yield part
        if path.exists():
            _move_into(part, path, overwrite)
        else:
            part.rename(path)
    except OSError as error:
        raise _explained(path, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


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


def _move_into(part: Path, path: Path, overwrite: bool) -> None:
    files = [file for file in part.rglob("*") if file.is_file()]
    for file in files:
        target = path / file.relative_to(part)
        if target.exists() and not overwrite:
            raise OutputExists(f"{target}: already exists; use `overwrite`, `skip_existing`, or another name")
    for file in files:
        target = path / file.relative_to(part)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)


def _explained(path: Path, error: OSError) -> OSError:
    if isinstance(error, (OutputError, BrokenPipeError)):
        return error
    return OutputError(f"{path}: cannot be written: {error.strerror or error}; check free space and permissions")
