"""Folders that the shares of a run wrote to become one: all files are there, each once, and none else is needed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from streamvq.errors import MediaError, UsageError
from streamvq.media.share_record import ShareRecord, records_in
from streamvq.staging import staged_folder


def merge_folders(folders: Sequence[Path], path: Path, overwrite: bool) -> tuple[int, tuple[str, ...], int]:
    """Merge the files of shares into the folder `path`, which may be the one that they are in: then they are only
    checked. How many files there are, what could not be read, and their bytes.

    Raises UsageError where shares are missing, come twice, or do not belong together; MediaError where a file of
    them is missing.
    """
    found = {folder: records_in(folder) for folder in folders}
    records = [(record, ShareRecord.load(record)) for folder in folders for record in found[folder]]
    for folder in folders:
        if not found[folder]:
            raise UsageError(f"{folder}: no share of a run was written here; name what apply wrote with `shard`")
    _check(records)
    files = {name: record.parent / name for record, share in records for name in share.files}
    if sum(len(share.files) for _, share in records) > len(files):
        raise UsageError(f"{path}: two shares have the same file; were they made of the same inputs?")
    missing = [file for file in files.values() if not file.is_file()]
    if missing:
        raise MediaError(f"{missing[0]}: is missing; make its share again")
    size = sum(file.stat().st_size for file in files.values())
    homes = {folder.resolve() for folder in folders}
    inside = path.resolve() in homes
    if inside and len(homes) > 1:
        raise UsageError(f"{path}: is one of the parts; name another folder")
    if not inside:
        with staged_folder(path, overwrite) as part:
            for name, file in files.items():
                (part / name).parent.mkdir(parents=True, exist_ok=True)
                _link(file, part / name)
    else:
        for record, _ in records:
            record.unlink(missing_ok=True)
    failed = tuple(dict.fromkeys(line for _, share in records for line in share.failed))
    return len(files), failed, size


def _check(records: Sequence[tuple[Path, ShareRecord]]) -> None:
    """Raise UsageError where the shares are not those of one run, each once."""
    path, first = records[0]
    have: dict[int, Path] = {}
    for record, share in records:
        if (share.of, share.inputs) != (first.of, first.inputs):
            raise UsageError(
                f"{record}: is of other inputs, or of {share.of} shares, unlike {path.name}; give those of one run"
            )
        if share.made_with != first.made_with:
            raise UsageError(
                f"{record}: was made with {share.made_with}, and {path.name} with {first.made_with}; make one again"
            )
        if share.number in have:
            raise UsageError(f"{record}: share {share.number} of {share.of} is there already: {have[share.number]}")
        have[share.number] = record
    for number in range(1, first.of + 1):
        if number not in have:
            raise UsageError(f"{path.parent}: share {number} of {first.of} is missing (`shard={number}/{first.of}`)")


def _link(file: Path, to: Path) -> None:
    """The same file under another name, or a copy where the file system has no such links."""
    with suppress(OSError):
        os.link(file, to)
        return
    shutil.copyfile(file, to)
