"""`sweep`: one input compressed with every combination of some settings, and the bytes and quality of each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from streamvq.container.reader import open_svq
from streamvq.errors import MediaError, OutputError, OutputExists, UsageError
from streamvq.keywords import keywords_after_two
from streamvq.media.codebooks import codebook_path_for
from streamvq.media.inputs import MediaInput, find_inputs
from streamvq.options import FitOptions, Source, SweepOptions
from streamvq.pipeline.compress import compress
from streamvq.pipeline.fit import fewer_colors, fit_each
from streamvq.report.comparison import Comparison, write_csv
from streamvq.report.page import write_report
from streamvq.staging import check_free, made_folder, staged_file

PAGE, TABLE, INPUT_RECORD = "report.html", "sweep.csv", "sweep.json"


@dataclass(frozen=True)
class Cell:
    """One combination of settings; `rank` 0 is no truncation."""

    n_codes: int
    block: tuple[int, int]  # height, width
    rank: int

    @property
    def name(self) -> str:
        """The name of its files, without a suffix."""
        parts = [f"k{self.n_codes}"]
        parts += [f"block{self._block_text()}"] * (self.block != (1, 1)) + [f"rank{self.rank}"] * (self.rank > 0)
        return "-".join(parts)

    def options(self) -> FitOptions:
        """How its codebook is fitted. Raises UsageError where the values contradict each other."""
        return FitOptions(n_codes=self.n_codes, block=self.block, rank=self.rank or None)

    def as_dict(self) -> dict[str, Any]:
        """Its columns of the table."""
        return {"name": self.name, "colors": self.n_codes, "block": self._block_text(), "rank": self.rank}

    def _block_text(self) -> str:
        height, width = self.block
        return str(height) if height == width else f"{width}x{height}"


@dataclass(frozen=True)
class SweepResult:
    """One result of a sweep: its file, its comparison with the input, and how many bytes of it are the codebook."""

    cell: Cell
    path: Path
    comparison: Comparison
    codebook_bytes: int

    def as_dict(self) -> dict[str, Any]:
        """A row of the table. PSNR without error is None."""
        comparison = self.comparison
        return self.cell.as_dict() | {
            "bytes": comparison.bytes_test,
            "codebook_bytes": self.codebook_bytes,
            "bits_per_pixel": comparison.bits_per_pixel_test,
            "psnr_db": comparison.psnr_db,
            "psnr_luma_db": comparison.psnr_luma_db,
            "ssim": comparison.ssim,
            "flicker": comparison.flicker,
            "frames": len(comparison.frames),
        }


@dataclass(frozen=True)
class Sweep:
    """All results in the order of the grid; `kept` counts those that an earlier run had made."""

    results: list[SweepResult]
    kept: int
    page: Path
    notes: list[str]


@keywords_after_two(SweepOptions)
def sweep(source: Source, output: Source, options: SweepOptions) -> Sweep:
    """Compress one input with each combination of `n_codes`, `block` and `rank` into a folder, with table and report.

    A block is a side or (height, width); rank 0 is no truncation. Each `.svq` file is what `compress` makes with
    those settings; one that an earlier run made stays as it is. For single pixels, frames are read once for each
    rank, not for each number of codes (for blocks, see `fit_each`). After an interruption the next run makes what is
    missing. Raises UsageError, InputMissing, MediaError, OutputError; OutputExists where the folder has
    another input's results.
    """
    given = _only_input(source)
    folder = Path(output)
    cells, notes = _grid(options)
    paths = [folder / f"{cell.name}.svq" for cell in cells]
    _check_folder(folder, given, paths)
    missing = [cell for cell, path in zip(cells, paths, strict=True) if not path.exists()]
    with made_folder(folder):
        for (_, of_rank), group in groupby(missing, key=lambda cell: (cell.block, cell.rank)):
            notes += _compress_each(source, given, folder, list(group), of_rank, options)
        comparisons = write_report(
            source,
            paths,
            output=folder / PAGE,
            max_frames=options.max_frames,
            command=options.command,
            overwrite=True,
            jobs=options.jobs,
            progress=options.progress,
            max_pixels=options.max_pixels,
        )
        results = [
            SweepResult(cell, path, comparison, _codebook_bytes(path))
            for cell, path, comparison in zip(cells, paths, comparisons, strict=True)
        ]
        write_csv([result.as_dict() for result in results], folder / TABLE, overwrite=True)
    return Sweep(results, len(cells) - len(missing), folder / PAGE, notes)


def _only_input(source: Source) -> MediaInput:
    found = find_inputs([source])
    if len(found) != 1:
        raise UsageError(f"{source}: names {len(found)} inputs; a sweep takes one")
    if found[0].source_type == "pipe":
        raise UsageError("-: a sweep reads its input several times; name a file")
    return found[0]


def _grid(options: SweepOptions) -> tuple[list[Cell], list[str]]:
    """All combinations, each once, and notes on those left out. Raises UsageError for a value that is never valid."""
    cells: list[Cell] = []
    left_out: dict[Cell, UsageError] = {}
    blocks = [(side, side) if isinstance(side, int) else side for side in options.block]
    grid = (Cell(count, block, rank) for block in blocks for rank in options.rank for count in options.n_codes)
    for cell in dict.fromkeys(grid):
        try:
            cell.options()
        except UsageError as error:
            left_out[cell] = error
        else:
            cells.append(cell)
    for cell, reason in left_out.items():
        for name in ("n_codes", "block", "rank"):
            if getattr(cell, name) not in [getattr(other, name) for other in cells]:
                raise reason
    if not cells:
        raise UsageError("nothing to sweep: name at least one number of codes, one block and one rank")
    return cells, [f"{cell.name} is left out: {reason}" for cell, reason in left_out.items()]


def _input_record(given: MediaInput) -> dict[str, Any]:
    """What identifies an input, wherever it is: name, bytes, and number of files."""
    name = given.stem if given.source_type == "images" else given.paths[0].name
    return {"input": name, "bytes": given.size_bytes, "files": len(given.paths)}


def _check_folder(folder: Path, given: MediaInput, paths: Sequence[Path]) -> None:
    """Raise where the folder has results that may be of another input."""
    check_free(folder, overwrite=True)
    record = folder / INPUT_RECORD
    try:
        known = json.loads(record.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        outputs = [*paths, folder / PAGE, folder / TABLE]
        for path in [*outputs, *(codebook_path_for(path, is_folder=False) for path in paths)]:
            if path.exists():
                raise OutputExists(f"{path}: exists, and is not from a sweep; choose another folder") from None
        return
    except (OSError, ValueError) as error:
        raise OutputError(f"{record}: cannot be read; choose another folder, or remove this one") from error
    if known != _input_record(given):
        other = known.get("input") if isinstance(known, dict) else None
        what = f"{other!r} of {known.get('bytes')} bytes" if other else "something else"
        raise OutputExists(f"{folder}: has a sweep of {what}, not of {given.label} as it is; choose another folder")


def _compress_each(
    source: Source,
    given: MediaInput,
    folder: Path,
    cells: Sequence[Cell],
    rank: int,
    options: SweepOptions,
) -> Iterator[str]:
    """Make the results of cells that differ in `n_codes` alone; notes on them."""
    fitting = replace(cells[0].options(), jobs=options.jobs, progress=options.progress, max_pixels=options.max_pixels)
    fits = fit_each([given], [cell.n_codes for cell in cells], fitting)
    for cell, fitted in zip(cells, fits, strict=True):
        for reason in fitted.failures:
            raise MediaError(f"{reason}; a sweep compares all images with all results: take this one away")
        path = folder / f"{cell.name}.svq"
        if not (folder / INPUT_RECORD).exists():
            with staged_file(folder / INPUT_RECORD) as part:
                part.write_text(json.dumps(_input_record(given)) + "\n", "utf-8")
        result = compress(
            source,
            path,
            codebook=fitted.codebook,
            save_codebook=codebook_path_for(path, is_folder=False),
            rank=rank or None,
            jobs=options.jobs,
            overwrite=True,  # an interrupted run may have left a codebook
            progress=options.progress,
            max_pixels=options.max_pixels,
        )
        remarks = [*fewer_colors(fitted.codebook, cell.options()), *result.notes]
        yield from (f"{cell.name}: {note}" for note in remarks)


def _codebook_bytes(path: Path) -> int:
    with open_svq(path) as reader:
        return reader.parts["codebook"]
