"""`sweep`: one input with every combination of some settings, and what each costs and loses, side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from streamvq.container.reader import open_svq
from streamvq.errors import MediaError, OutputError, OutputExists, UsageError
from streamvq.media.inputs import MediaInput, Source, find_inputs
from streamvq.options import FitSettings, LowRankOptions, RunSettings, WriteOptions
from streamvq.pipeline.fit import fewer_colors, fit_each
from streamvq.pipeline.run import compress
from streamvq.progress import NoProgress, Progress
from streamvq.report.comparison import Comparison, write_table
from streamvq.report.page import FRAMES_MOST, write_report
from streamvq.staging import check_free, made_folder, staged_file

PAGE, TABLE, ABOUT = "report.html", "sweep.csv", "sweep.json"


@dataclass(frozen=True)
class Cell:
    """One combination of settings; `rank` 0 is no truncation."""

    colors: int
    block: tuple[int, int]
    rank: int

    @property
    def name(self) -> str:
        """What its files are called, without a suffix."""
        high, wide = self.block
        parts = [f"k{self.colors}"]
        parts += [f"block{self._block_text()}"] * (high * wide > 1) + [f"rank{self.rank}"] * (self.rank > 0)
        return "-".join(parts)

    def settings(self) -> FitSettings:
        """What a codebook for it is learned by. Raises UsageError where they do not go together."""
        return FitSettings.of(self.colors, block=self.block, low_rank=LowRankOptions.of(self.rank or None))

    def as_dict(self) -> dict[str, Any]:
        """The columns that say what it is."""
        return {"name": self.name, "colors": self.colors, "block": self._block_text(), "rank": self.rank}

    def _block_text(self) -> str:
        high, wide = self.block
        return str(high) if high == wide else f"{wide}x{high}"


@dataclass(frozen=True)
class Swept:
    """One result of a sweep: its file, how it compares with the input, and the part of it that is the codebook."""

    cell: Cell
    path: Path
    comparison: Comparison
    codebook_bytes: int

    def as_dict(self) -> dict[str, Any]:
        """A row of the table. PSNR without error is None."""
        found = self.comparison
        return self.cell.as_dict() | {
            "bytes": found.bytes_test,
            "codebook_bytes": self.codebook_bytes,
            "bits_per_pixel": found.bits_per_pixel_test,
            "psnr_db": found.psnr_db,
            "psnr_luma_db": found.psnr_luma_db,
            "ssim": found.ssim,
            "flicker": found.flicker,
            "frames": len(found.frames),
        }


@dataclass(frozen=True)
class Sweep:
    """All results in the order of the grid; how many were there before; and what to know."""

    results: list[Swept]
    kept: int
    page: Path
    notes: list[str]


def sweep(
    source: Source,
    output: Source,
    colors: Sequence[int] = (16, 64, 256),
    blocks: Sequence[tuple[int, int]] = ((1, 1),),
    ranks: Sequence[int] = (0,),
    *,
    max_frames: int = FRAMES_MOST,
    command: str | None = None,
    run: RunSettings | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Compress one input with each combination of colors, block and rank into a folder, and write table and report.

    A `.svq` file is what `compress` makes with those settings; one that is there from a run before stays as it is.
    Frames are read for learning once for each rank, not for each number of colors (of blocks, see `fit_each`).
    Whenever it is stopped, what is finished stays, and the next run goes on. Raises UsageError, InputMissing,
    MediaError, OutputError; OutputExists where the folder has another input's results.
    """
    run, progress = run or RunSettings(), progress or NoProgress()
    given = _only_input(source)
    if max_frames < 1:
        raise UsageError(f"{max_frames} frames: choose 1 or more")
    folder = Path(output)
    cells, notes = _grid(colors, blocks, ranks)
    paths = [folder / f"{cell.name}.svq" for cell in cells]
    _check_folder(folder, given, paths)
    missing = [cell for cell, path in zip(cells, paths, strict=True) if not path.exists()]
    with made_folder(folder):
        for block_and_rank, group in groupby(missing, key=lambda cell: (cell.block, cell.rank)):
            notes += _make(source, given, folder, list(group), block_and_rank[1], run, progress)
        found = write_report(
            source,
            paths,
            folder / PAGE,
            max_frames=max_frames,
            command=command,
            overwrite=True,
            run=run,
            progress=progress,
        )
        results = [Swept(*parts, _codebook_bytes(parts[1])) for parts in zip(cells, paths, found, strict=True)]
        write_table([result.as_dict() for result in results], folder / TABLE, overwrite=True)
    return Sweep(results, len(cells) - len(missing), folder / PAGE, notes)


def _only_input(source: Source) -> MediaInput:
    found = find_inputs([source])
    if len(found) != 1:
        raise UsageError(f"{source}: names {len(found)} inputs; a sweep takes one")
    if found[0].source_type == "pipe":
        raise UsageError("-: a sweep reads its input several times; name a file")
    return found[0]


def _grid(
    colors: Sequence[int], blocks: Sequence[tuple[int, int]], ranks: Sequence[int]
) -> tuple[list[Cell], list[str]]:
    """All combinations, each once, and remarks on those left out. Raises UsageError for a value that never fits."""
    cells: list[Cell] = []
    left_out: dict[Cell, UsageError] = {}
    for cell in dict.fromkeys(Cell(count, block, rank) for block in blocks for rank in ranks for count in colors):
        try:
            cell.settings()
        except UsageError as error:
            left_out[cell] = error
        else:
            cells.append(cell)
    for cell, reason in left_out.items():
        for name in ("colors", "block", "rank"):
            if getattr(cell, name) not in [getattr(other, name) for other in cells]:
                raise reason
    if not cells:
        raise UsageError("nothing to sweep: name at least one number of colors, one block and one rank")
    return cells, [f"{cell.name} is left out: {reason}" for cell, reason in left_out.items()]


def _about(given: MediaInput) -> dict[str, Any]:
    """What tells inputs apart, wherever they are: name, bytes, and number of files."""
    name = given.stem if given.source_type == "images" else given.paths[0].name
    return {"input": name, "bytes": given.size_bytes, "files": len(given.paths)}


def _check_folder(folder: Path, given: MediaInput, paths: Sequence[Path]) -> None:
    """Raise where the folder has results that are not known to be this input's."""
    check_free(folder, overwrite=True)
    about = folder / ABOUT
    try:
        known = json.loads(about.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        ours = [*paths, folder / PAGE, folder / TABLE]
        for path in [*ours, *(path.with_suffix(".codebook.npz") for path in paths)]:
            if path.exists():
                raise OutputExists(f"{path}: is there, and not from a sweep; choose another folder") from None
        return
    except (OSError, ValueError) as error:
        raise OutputError(f"{about}: cannot be read; choose another folder, or remove this one") from error
    if known != _about(given):
        other = known.get("input") if isinstance(known, dict) else None
        what = f"{other!r} of {known.get('bytes')} bytes" if other else "something else"
        raise OutputExists(f"{folder}: has a sweep of {what}, not of {given.label} as it is; choose another folder")


def _make(
    source: Source,
    given: MediaInput,
    folder: Path,
    cells: Sequence[Cell],
    rank: int,
    run: RunSettings,
    progress: Progress,
) -> Iterator[str]:
    """Make results that differ in their number of colors; remarks."""
    learned = fit_each([given], [cell.settings() for cell in cells], run, progress)
    for cell, fitted in zip(cells, learned, strict=True):
        for reasons in fitted.failed.values():
            raise MediaError(f"{reasons[0]}; a sweep compares all images with all results: take this one away")
        path = folder / f"{cell.name}.svq"
        if not (folder / ABOUT).exists():
            with staged_file(folder / ABOUT) as part:
                part.write_text(json.dumps(_about(given)) + "\n", "utf-8")
        (result,) = compress(
            source,
            path,
            codebook=fitted.codebook,
            save_codebook=path.with_suffix(".codebook.npz"),
            rank=rank or None,
            run=run,
            writing=WriteOptions(overwrite=True),  # a codebook may be there, of a run that was stopped just then
            progress=progress,
        )
        yield from (f"{cell.name}: {note}" for note in fewer_colors(fitted.codebook, cell.settings()) + result.notes)


def _codebook_bytes(path: Path) -> int:
    with open_svq(path) as reader:
        return reader.parts["codebook"]
