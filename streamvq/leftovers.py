"""Temporary names of outputs, locked while their process lives; what a killed process left is finished or removed."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_OURS = re.compile(r"\.streamvq-[0-9a-f]{8}(?=\.(?:lock|moves|part))")
_STALE = re.compile(r"frame\d{6,}\.[a-z]+")  # what `begin_moves` may name to be removed: a file may be forged
_tidied: set[Path] = set()  # by this process


@contextmanager
def claimed(folder: Path) -> Iterator[Path]:
    """The path that a new output's temporary names in `folder` start with (see `part_of`).

    It is locked until the block ends. The first claim in a folder tidies it.
    """
    if folder.absolute() not in _tidied:
        tidy(folder)
    stem = folder / f".streamvq-{secrets.token_hex(4)}"
    lock, descriptor = _lock_of(stem), None
    try:
        descriptor = _claim(lock)
        yield stem
    finally:
        if descriptor is not None:
            os.close(descriptor)
        with suppress(OSError):
            lock.unlink()


def part_of(stem: Path, suffix: str = "") -> Path:
    """The unfinished file or folder of a claim."""
    return stem.with_name(f"{stem.name}.part{suffix}")


def tidy(folder: Path) -> None:
    """Finish the moves that killed processes had begun in `folder`, and remove what else they left there.

    What belongs to living processes stays, and so does everything where the file system has no locks.
    """
    _tidied.add(folder.absolute())
    try:
        stems = {folder / match[0] for path in folder.iterdir() if (match := _OURS.match(path.name))}
    except OSError:
        return  # there is no such folder, or it is not ours to read
    for stem in sorted(stems):
        with suppress(OSError):
            _tidy_one(stem)


def begin_moves(stem: Path, target: Path, stale: Collection[str]) -> None:
    """Write down that the files of a claim's part go to the folder `target`, and that those named `stale` go.

    From here on `finish_moves` does the rest, in this process or, when it is killed, in a later one.
    """
    to = "." if target.absolute() == stem.parent.absolute() else target.name
    record = part_of(stem, ".moves")
    record.write_text(json.dumps({"to": to, "stale": sorted(stale)}), "utf-8")
    record.replace(_moves_of(stem))


def finish_moves(stem: Path) -> None:
    """Do the moves that `begin_moves` wrote down, or what is left of them. Without such, do nothing."""
    try:
        record = json.loads(_moves_of(stem).read_text("utf-8"))
        name, stale = str(record["to"]), [str(name) for name in record["stale"]]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return
    if name != "." and (name == ".." or Path(name).name != name):
        return
    target, part = stem.parent / name, part_of(stem)
    for name in stale:
        if _STALE.fullmatch(name):
            (target / name).unlink(missing_ok=True)
    for folder, _, files in os.walk(part):
        into = target / Path(folder).relative_to(part)
        into.mkdir(parents=True, exist_ok=True)
        for file in files:
            os.replace(f"{folder}/{file}", f"{into}/{file}")  # noqa: PTH105  a fraction of the time of Path's
    shutil.rmtree(part, ignore_errors=True)
    _moves_of(stem).unlink(missing_ok=True)


def _tidy_one(stem: Path) -> None:
    lock = _lock_of(stem)
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not _locked(descriptor, wait=False):
            return  # its process lives
        finish_moves(stem)
        for left in stem.parent.glob(f"{stem.name}.*"):
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
            elif left != lock:
                left.unlink(missing_ok=True)
    finally:
        os.close(descriptor)
    lock.unlink(missing_ok=True)


def _claim(lock: Path) -> int:
    """The descriptor of a lock file that is made and locked."""
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        _locked(descriptor, wait=True)
        if lock.exists():
            return descriptor
        os.close(descriptor)  # another process took it for a dead one's before it was locked, and removed it


def _locked(descriptor: int, wait: bool) -> bool:
    """Lock a file until its descriptor is closed or its process ends; False where it is locked, or locks are not."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def _lock_of(stem: Path) -> Path:
    return stem.with_name(f"{stem.name}.lock")


def _moves_of(stem: Path) -> Path:
    return stem.with_name(f"{stem.name}.moves")
