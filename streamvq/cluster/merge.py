"""`merge`: what the shares of a distributed run made becomes one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from streamvq.cluster.merge_folders import merge_folders
from streamvq.cluster.merge_svq import merge_svq
from streamvq.errors import UsageError
from streamvq.keywords import keywords_after_two
from streamvq.media.inputs import MediaInput, find_inputs
from streamvq.options import OverwriteOption, Source
from streamvq.pipeline.job import listed
from streamvq.pipeline.sketch_files import are_sketches, sum_of_sketches
from streamvq.staging import check_free, staged_file


@dataclass(frozen=True)
class Merged:
    """What was merged into `output`: so many parts with so many frames, of folders: files; a line for each thing that
    could not be read; and the bytes of the output."""

    output: str
    parts: int
    frames: int
    failed: tuple[str, ...]
    bytes_out: int


@keywords_after_two(OverwriteOption)
def merge(parts: Source | Sequence[Source], output: Source, options: OverwriteOption) -> Merged:
    """One output of those that the shares of a run made.

    `parts` are sketch files (see `sketch`), which add up to one, and some of which may be missing still; or .svq
    files that `apply` wrote with `shard`, which become the file that it writes without, byte for byte; or folders
    that it wrote to, whose files become those of the folder `output`. Where that is the only folder given, it is
    checked, and what the shares left there goes. Raises UsageError for parts that come twice, are missing, or do not
    belong together; InputMissing, MediaError, OutputExists or OutputError.
    """
    path = Path(output)
    names = [Path(part) for part in listed(parts)]
    folders = [name for name in names if name.is_dir()]
    if folders:
        if len(folders) < len(names):
            raise UsageError(f"{folders[0]}: is a folder, and the others are not; give the parts of one run")
        return Merged(os.fspath(path), len(folders), *merge_folders(folders, path, options.overwrite))
    check_free(path, options.overwrite)
    found = find_inputs(listed(parts))
    if are_sketches(found):
        return _sketches(found, path, options)
    if others := [each.label for each in found if each.source_type != "svq"]:
        raise UsageError(f"{others[0]}: is no part of a run; give what sketch and apply made")
    if path.suffix.lower() != ".svq":
        raise UsageError(f"{path}: parts of a .svq file become one; name it so, and decompress it into others")
    return Merged(os.fspath(path), len(found), *merge_svq(found, path, options.overwrite))


def _sketches(found: Sequence[MediaInput], path: Path, options: OverwriteOption) -> Merged:
    total = sum_of_sketches(found)
    data = total.to_bytes()
    with staged_file(path, options.overwrite) as part:
        part.write_bytes(data)
    return Merged(os.fspath(path), len(found), total.head.frames, total.head.failed, len(data))
