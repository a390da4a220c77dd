"""What `compare` returns: the quality of each frame and of all frames together, and the table that holds it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamvq.staging import staged_file

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # of what spreadsheets run when they open a table


@dataclass(frozen=True)
class FrameComparison:
    """One frame of TEST compared with its frame of REF.

    `index` counts frames from 0. `name` and `time` (seconds) are those of REF, or of TEST where REF has none.
    `psnr_db` is of RGB; None: no error. `ssim` is of luma. `flicker` is the share of the pixels that do not change
    in REF since the previous frame but change in TEST; None where REF has no such pixel, for first frames and for
    image folders. `colors_*` count distinct colors. `bytes_*` is what the file spends on this frame (its packet, its
    image file, or its part of a `.svq` group), None where that is unknown.
    """

    index: int
    name: str | None
    time: float | None
    width: int
    height: int
    psnr_db: float | None
    psnr_luma_db: float | None
    ssim: float
    flicker: float | None
    colors_reference: int
    colors_test: int
    bytes_reference: float | None
    bytes_test: float | None


@dataclass(frozen=True)
class Comparison:
    """All frames, and the figures over all of them.

    PSNR is computed from the sum of squared errors, it is not a mean of dB; None: no error. `ssim` is the mean over
    frames. `flicker` is the share of all unchanged pixels of REF. `colors_*` count the distinct colors of all frames
    together. `bytes_*` are file sizes, with audio and codebook; if only some frames were compared, the bytes of
    those. Bits per pixel are these bytes over the pixels compared. `failed` names what could not be read.
    """

    reference: str
    test: str
    frames: tuple[FrameComparison, ...]
    psnr_db: float | None
    psnr_luma_db: float | None
    ssim: float
    flicker: float | None
    colors_reference: int
    colors_test: int
    bytes_reference: int | None
    bytes_test: int | None
    bits_per_pixel_reference: float | None
    bits_per_pixel_test: float | None
    failed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Everything for JSON: `frames` is the number of frames, `per_frame` has one record for each."""
        record = vars(self) | {"frames": len(self.frames), "per_frame": [dict(vars(frame)) for frame in self.frames]}
        return {key: value for key, value in record.items() if value or key not in ("failed", "notes")}

    @property
    def by_index(self) -> dict[int, FrameComparison]:
        """The frames by their index."""
        return {frame.index: frame for frame in self.frames}


def write_csv(rows: Sequence[dict[str, Any]], path: Path, overwrite: bool = False) -> None:
    """Write rows of the same columns as CSV. None is empty, in columns of PSNR it is "inf".

    Text that a spreadsheet would take for a formula gets an apostrophe in front. Raises OutputExists or OutputError.
    """
    with staged_file(path, overwrite) as part, part.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(rows[0])
        for row in rows:
            table.writerow(_cell(key, value) for key, value in row.items())


def _cell(column: str, value: Any) -> Any:
    if value is None and column.startswith("psnr"):
        return "inf"
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value
