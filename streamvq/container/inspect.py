"""What a `.svq` file holds, counted without decoding a frame."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from streamvq.container import chunks
from streamvq.container.header import Header
from streamvq.container.reader import SvqReader, open_svq
from streamvq.container.writer import no_bytes


@dataclass(frozen=True)
class Inspection:
    """The figures of a file. `size` is its bytes, `parts` are bytes as in `SvqWriter.parts`, `pixels` those of all
    frames together, `seconds` the time from the first frame to the end of the last (None: they have no times);
    `truncation` says what a truncated file lacks."""

    header: Header
    size: int
    n_frames: int
    n_groups: int
    pixels: int
    seconds: float | None
    parts: dict[str, int]
    truncation: str | None


def inspect(path: str | os.PathLike[str]) -> Inspection:
    """Read a file through and count. Raises InputMissing, MediaError or MediaDamaged."""
    with open_svq(path) as reader:
        return _counted(reader, Path(path).stat().st_size)


def _counted(reader: SvqReader, size: int) -> Inspection:
    header = reader.header
    parts = no_bytes(header.part) | reader.parts
    n_frames = n_groups = pixels = 0
    first = last = None
    for chunk, group in reader.contents():
        if group is None:
            parts["audio" if chunk.chunk_type == chunks.AUDIO else "index"] += chunk.size
            continue
        first, last = first or group.entries[0], group.entries[-1]
        n_groups += 1
        n_frames += group.n_frames
        pixels += group.pixels
        parts["alpha"] += group.alpha_bytes
        parts[header.part] += group.picture_bytes
        parts["frame tables"] += chunk.size - group.alpha_bytes - group.picture_bytes
    seconds = None
    if header.info.time_base and first and last and first.time is not None and last.time is not None:
        seconds = float((last.end - first.time) * header.info.time_base)
    return Inspection(header, size, n_frames, n_groups, pixels, seconds, parts, reader.truncation)
