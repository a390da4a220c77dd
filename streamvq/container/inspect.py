"""What a `.svq` file holds, counted without decoding a frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from streamvq.container import chunks
from streamvq.container.chunks import CHUNK_BYTES
from streamvq.container.groups import group_parts
from streamvq.container.header import Header
from streamvq.container.reader import SvqReader
from streamvq.container.writer import no_bytes
from streamvq.errors import InputMissing, MediaError


@dataclass(frozen=True)
class Inspection:
    """The figures of a file. `parts` are bytes, as `SvqWriter.parts`; `missing` says what is gone."""

    header: Header
    size: int
    frames: int
    groups: int
    pixels: int
    parts: dict[str, int]
    missing: str | None


def inspect(path: Path) -> Inspection:
    """Read a file through and count. Raises InputMissing, MediaError or MediaDamaged."""
    try:
        with path.open("rb") as stream:
            return _counted(SvqReader(stream, str(path)), path.stat().st_size)
    except FileNotFoundError as error:
        raise InputMissing(f"{path}: no such file; check the spelling") from error
    except OSError as error:
        raise MediaError(f"{path}: cannot be read: {error.strerror or error}") from error


def _counted(reader: SvqReader, size: int) -> Inspection:
    parts = no_bytes(reader.header) | reader.parts
    frames = groups = pixels = 0
    for chunk in reader.chunks():
        count = CHUNK_BYTES + len(chunk.payload)
        if chunk.kind == chunks.GROUP:
            about = reader.explained(chunk, group_parts)
            groups += 1
            frames += about.frames
            pixels += about.pixels
            parts["alpha"] += about.alpha_bytes
            parts[reader.header.pictures] += about.picture_bytes
            parts["frame tables"] += count - about.alpha_bytes - about.picture_bytes
        else:
            parts["audio" if chunk.kind == chunks.AUDIO else "index"] += count
    return Inspection(reader.header, size, frames, groups, pixels, parts, reader.missing)
