"""What a share of a run leaves in the folder it wrote to: which share it is, and which files are its own.

The record is JSON in a hidden file, such as `.streamvq-share-3-of-10.json`; merging checks it, and takes it away.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from streamvq.container.frame_table import is_safe
from streamvq.errors import MediaError, shortened
from streamvq.staging import staged_file

_VERSION = 1
_NAME = re.compile(r"\.streamvq-share-(\d{1,7})-of-(\d{1,7})\.json")
_MAX_BYTES = 1 << 30


@dataclass(frozen=True)
class ShareRecord:
    """Share `number` of `of`, of inputs with the digest `inputs`, made `made_with` these codes and settings; its
    `files`, in the folder, with forward slashes; and a line for each thing that could not be read."""

    number: int
    of: int
    inputs: str
    made_with: str
    files: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    def save(self, folder: Path) -> None:
        """Write it into the folder, which is made where it is missing."""
        folder.mkdir(exist_ok=True)
        path = record_of_share(folder, (self.number, self.of))
        with staged_file(path, overwrite=True) as part:
            part.write_text(json.dumps({"version": _VERSION, **asdict(self)}), "utf-8")

    @classmethod
    def load(cls, path: Path) -> ShareRecord:
        """Read and check one. Raises MediaError."""
        try:
            if path.stat().st_size > _MAX_BYTES:
                raise ValueError("it is too large")
            record = json.loads(path.read_text("utf-8"))
            if record.pop("version") != _VERSION:
                raise ValueError("it has another version; upgrade streamvq")
            made = cls(**record | {name: tuple(map(str, record.get(name, ()))) for name in ("files", "failed")})
            if not (type(made.number) is type(made.of) is int and 1 <= made.number <= made.of):
                raise ValueError("it names no share")
            if bad := [name for name in made.files if not is_safe(name)]:
                raise ValueError(f"{shortened(bad[0])} leads out of the folder")
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise MediaError(f"{path}: is no record of a share: {shortened(error)}; make the share again") from error
        return made


def record_of_share(folder: Path, share: tuple[int, int]) -> Path:
    """The file of the record of a share, (number, of), in a folder."""
    number, of = share
    return folder / f".streamvq-share-{number}-of-{of}.json"


def records_in(folder: Path) -> list[Path]:
    """The files of the records in a folder."""
    try:
        return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    except OSError:
        return []


def names_in(folder: Path, files: Sequence[Path]) -> tuple[str, ...]:
    """Files of a folder as a record names them."""
    return tuple(str(PurePosixPath(file.relative_to(folder))) for file in files)
