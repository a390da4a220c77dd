"""`resume`: what finished shares made is kept beside the output, with checksums, until the whole is there.

A folder OUTPUT.parts holds a record of the run, and for each finished share a record with its figures and the SHA-256
of its files: sketches and parts of a .svq in that folder, pictures where they belong. Whoever does a share writes its
record last, so that shares which finish after their caller has died count too; and looks for it first.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from streamvq.errors import UsageError
from streamvq.options import CompressOptions
from streamvq.pipeline.result import Result
from streamvq.quantize.codebook import Codebook
from streamvq.staging import staged_file

_RUN = "run.json"
_NO_MATTER = ("jobs", "progress", "cluster", "client", "resume", "overwrite", "output", "codebook")


@dataclass(frozen=True)
class KeptShares:
    """The finished shares of a run with so many `shares`, in `folder`; files that are named stand in `base`."""

    folder: Path
    base: Path
    shares: int

    @classmethod
    def of_run(cls, output: Path, base: Path | None, run: str, shares: int) -> KeptShares:
        """Those of an output: of the run before, with as many shares as it had, or none yet.

        `run` is what `run_digest` gives. Raises UsageError where the run before was another.
        """
        folder = folder_of(output)
        record = folder / _RUN
        found = _read(record)
        if found is None:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            with staged_file(record) as part:
                part.write_text(json.dumps({"run": run, "shares": shares}), "utf-8")
        elif found.get("run") != run or not isinstance(found.get("shares"), int):
            raise UsageError(
                f"{folder}: is of a run with other inputs, settings or versions; give those, or remove the folder"
            )
        else:
            shares = found["shares"]
        return cls(folder, base or folder, shares)

    def find(self, name: str) -> Any | None:
        """What was kept under a name, where all its files are as they were; else None."""
        record = _read(self.folder / f"{name}.json")
        try:
            if record is None or any(_digest(self.base / file) != had for file, had in record["files"].items()):
                return None
            return record["made"]
        except (OSError, KeyError, AttributeError):
            return None

    def keep(self, name: str, made: Any, files: Sequence[str]) -> None:
        """Keep what a share has made, as JSON, with its files."""
        record = {"made": made, "files": {file: _digest(self.base / file) for file in files}}
        with staged_file(self.folder / f"{name}.json", overwrite=True) as part:
            part.write_text(json.dumps(record), "utf-8")

    def remove(self) -> None:
        """Forget all, once the output is there."""
        shutil.rmtree(self.folder, ignore_errors=True)


def folder_of(output: Path) -> Path:
    """Where the finished shares of an output are kept."""
    return output.with_name(f"{output.name}.parts")


def run_digest(inputs: str, options: CompressOptions, codebook: Codebook | None, versions: dict[str, str]) -> str:
    """What tells runs apart: the digest of the inputs, all that changes what is made of them, and versions."""
    settings = {name: str(value) for name, value in sorted(vars(options).items()) if name not in _NO_MATTER}
    parts = [inputs, settings, codebook and codebook.fingerprint, versions]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def results_as_json(results: Sequence[tuple[int, Result]]) -> list[Any]:
    """Results, each with the number of its input, for a record."""
    return [[number, asdict(result)] for number, result in results]


def results_of_json(made: Sequence[Any]) -> list[tuple[int, Result]]:
    """The results of a record."""
    found = []
    for number, figures in made:
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in figures.items()
        }
        found.append((number, Result(**given)))
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
