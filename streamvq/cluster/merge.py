"""`merge`: what the shares of a distributed run made becomes one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from streamvq.errors import UsageError
from streamvq.keywords import keywords_after_two
from streamvq.media.inputs import MediaInput, find_inputs
from streamvq.options import OverwriteOption, Source
from streamvq.pipeline.job import listed
from streamvq.pipeline.sketch_files import are_sketches, sum_of_sketches
from streamvq.staging import check_free, staged_file


@dataclass(frozen=True)
class Merged:
    """What was merged into `output`: so many parts with so many frames, a line for each thing that could not be read,
    and the bytes of the output."""

    output: str
    parts: int
    frames: int
    failed: tuple[str, ...]
    bytes_out: int


@keywords_after_two(OverwriteOption)
def merge(parts: Source | Sequence[Source], output: Source, options: OverwriteOption) -> Merged:
    """One output of those that the shares of a run made.

    `parts` are sketch files (see `sketch`), which add up to one; some of them may be missing still.
    Raises UsageError for parts that come twice, are missing, or do not belong together; InputMissing, MediaError,
    OutputExists or OutputError.
    """
    path = Path(output)
    check_free(path, options.overwrite)
    found = find_inputs(listed(parts))
    if are_sketches(found):
        return _sketches(found, path, options)
    raise UsageError(f"{found[0].label}: is no part of a run; give what sketch made")


def _sketches(found: Sequence[MediaInput], path: Path, options: OverwriteOption) -> Merged:
    total = sum_of_sketches(found)
    data = total.to_bytes()
    with staged_file(path, options.overwrite) as part:
        part.write_bytes(data)
    return Merged(os.fspath(path), len(found), total.head.frames, total.head.failed, len(data))
