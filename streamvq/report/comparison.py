"""`compare`: the figures of one input beside another, frame by frame and over all."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.errors import MediaError
from streamvq.frames import Failed
from streamvq.media.inputs import Source
from streamvq.options import RunSettings
from streamvq.ordered import ordered_map
from streamvq.progress import NoProgress, Progress
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.metrics import psnr_db
from streamvq.quantize.similarity import ColorCount, composite, is_gray, squared_errors, ssim, still_and_changed
from streamvq.report.frame_bytes import FrameBytes, frame_bytes
from streamvq.report.pairing import Pair, Pairing, Run
from streamvq.staging import staged_file


@dataclass(frozen=True)
class FrameFigures:
    """What one frame of TEST is like beside its frame of REF.

    `index` counts frames from 0. `name` and `time` (seconds) are those of REF, or of TEST where REF has none.
    `psnr_db` is that of RGB; None: no error at all. `ssim` is that of luma. `flicker` is the share of the pixels that
    are the same in REF as in the frame before, and yet change in TEST; None where no pixel is, for first frames and
    for loose images. `colors_*` count distinct colors. `bytes_*` is what the file spends on this frame (its packet,
    its image file, or its part of a `.svq` group), None where the file does not tell.
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
    """The figures of all frames, and those over all of them.

    PSNR is that of the summed squared errors, not a mean of dB; None: no error at all. `ssim` is the mean over
    frames. `flicker` is the share of all pixels still in REF. `colors_*` count the distinct colors of all frames
    together. `bytes_*` are file sizes, audio and codebook included; of a part of the frames, what those take. Bits
    per pixel are those bytes over the pixels compared. `failed` says what could not be read, `notes` what to know.
    """

    reference: str
    test: str
    frames: tuple[FrameFigures, ...]
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
        """The figures for JSON: `frames` is their number, `per_frame` the figures of each."""
        record = vars(self) | {"frames": len(self.frames), "per_frame": [dict(vars(frame)) for frame in self.frames]}
        return {key: value for key, value in record.items() if value or key not in ("failed", "notes")}


def compare(
    reference: Source,
    test: Source,
    *,
    resize: bool = False,
    recursive: bool = False,
    frames: range | None = None,
    codebook: Codebook | None = None,
    run: RunSettings | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """How near `test` comes to `reference`: PSNR, SSIM, flicker, distinct colors and bytes.

    Both are a video, an image, a folder or glob of images, a `.svq` (`codebook` is for one that has none inside), or
    one of them "-"; `Pairing` says which frames belong together. `frames` compares a part alone.

    Pixels are compared as 8 bits; those with transparency lie on mid gray, and PSNR leaves out what both hide. Where
    all of `test` is gray and `reference` is not, luma is compared with luma, as `notes` then says. The result does
    not depend on `run.jobs`. Raises UsageError where the frames do not fit together, InputMissing, MediaError.

    >>> import streamvq
    >>> same = streamvq.compare("samples/photos/sprite.png", "samples/photos/sprite.png")
    >>> same.psnr_db, same.ssim, same.colors_test == same.colors_reference
    (None, 1.0, True)
    """
    progress = progress or NoProgress()
    with Pairing(
        reference, test, resize=resize, recursive=recursive, frames=frames, codebook=codebook, run=run
    ) as pairing:
        measure, tally = _Measure(pairing), _Tally()
        with (
            progress.of(f"compare {pairing.sources[1].label}", pairing.frame_count),
            closing(ordered_map(measure.run, pairing.runs(), pairing.run.jobs, pairing.runs_ahead)) as runs,
        ):
            for outcomes in runs:
                for outcome in outcomes:
                    tally.add(outcome)
                    progress.advance()
        if not tally.frames:
            raise MediaError(
                f"{pairing.sources[1].label}: no pair of images can be read; the first: {tally.failed[0]}"
            )
        return tally.result(pairing, measure, partly=frames is not None or bool(tally.failed))


def write_csv(comparison: Comparison, path: Path, overwrite: bool = False) -> None:
    """Write the figures of each frame as a table: a row a frame, columns as `FrameFigures`.

    What is not known is empty, and PSNR without error "inf". Raises OutputExists or OutputError.
    """
    write_table([vars(frame) for frame in comparison.frames], path, overwrite)


def write_table(rows: Sequence[dict[str, Any]], path: Path, overwrite: bool) -> None:
    """Write rows of the same columns as CSV; None is empty, and in columns of PSNR "inf"."""
    with staged_file(path, overwrite) as part, part.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(rows[0])
        for row in rows:
            table.writerow("inf" if key.startswith("psnr") and row[key] is None else row[key] for key in row)


@dataclass(frozen=True)
class _Counted:
    """What is summed of one frame: squared errors, visible pixels, still pixels, and those of them that change."""

    figures: FrameFigures
    squared_error: int
    luma_error: int
    visible: int
    still: int
    changed: int
    turned_gray: tuple[bool, bool]  # REF, TEST


class _Measure:
    """Counts what a pair of frames is like; one for all threads."""

    def __init__(self, pairing: Pairing) -> None:
        self._pairing = pairing
        self._bytes: list[FrameBytes] = [frame_bytes(source) for source in pairing.inputs]
        self.colors = ColorCount(), ColorCount()

    def run(self, run: Run) -> list[_Counted | Failed]:
        """The figures of consecutive pairs, or why they cannot be had."""
        before: Pair | Failed | None = None
        if run.before is not None and self._pairing.is_film:
            before = self._pairing.load(run.first - 1, run.before)
        last = _Seen(before) if isinstance(before, Pair) else None
        outcomes: list[_Counted | Failed] = []
        for index, items in enumerate(run.items, run.first):
            pair = self._pairing.load(index, items)
            if isinstance(pair, Failed):
                outcomes.append(pair)
                last = None
                continue
            now = _Seen(pair)
            outcomes.append(self._counted(pair, now, last))
            last = now if self._pairing.is_film else None
        return outcomes

    def _counted(self, pair: Pair, now: _Seen, last: _Seen | None) -> _Counted:
        height, width = now.reference.shape[:2]
        squared_error, luma_error, *lumas = squared_errors(now.reference, now.test)
        still = changed = 0
        if last is not None and last.reference.shape == now.reference.shape:
            still, changed = still_and_changed(last.reference, now.reference, last.test, now.test)
        name = pair.reference.name or pair.test.name
        time = pair.reference.time if pair.reference.time is not None else pair.test.time
        figures = FrameFigures(
            pair.index,
            name,
            None if time is None else float(time),
            width,
            height,
            psnr_db(squared_error, 3 * now.visible),
            psnr_db(luma_error, now.visible),
            ssim(*lumas),
            changed / still if still else None,
            self.colors[0].add(now.reference, now.shown[0]),
            self.colors[1].add(now.test, now.shown[1]),
            self._bytes[0].of(pair.reference),
            self._bytes[1].of(pair.test),
        )
        gray = is_gray(now.reference), is_gray(now.test)
        return _Counted(figures, squared_error, luma_error, now.visible, still, changed, gray)


class _Seen:
    """A pair as RGB over mid gray, uint8 [height, width, 3], and what is visible of it (`shown`; None: all)."""

    def __init__(self, pair: Pair) -> None:
        (self.reference, visible), (self.test, visible_test) = (
            composite(pair.reference.pixels),
            composite(pair.test.pixels),
        )
        self.shown: tuple[NDArray[np.bool_] | None, NDArray[np.bool_] | None] = visible, visible_test
        self.visible = self.reference.shape[0] * self.reference.shape[1]
        if visible is not None and visible_test is not None:
            self.visible = int(np.count_nonzero(visible | visible_test))


class _Tally:
    """Adds up frames in order."""

    def __init__(self) -> None:
        self.frames: list[FrameFigures] = []
        self.failed: list[str] = []
        self._squared_error = self._luma_error = self._visible = self._still = self._changed = 0
        self._gray = [True, True]  # REF, TEST: so far all of it

    def add(self, outcome: _Counted | Failed) -> None:
        if isinstance(outcome, Failed):
            self.failed.append(outcome.reason)
            return
        self.frames.append(outcome.figures)
        self._squared_error += outcome.squared_error
        self._luma_error += outcome.luma_error
        self._visible += outcome.visible
        self._still += outcome.still
        self._changed += outcome.changed
        self._gray = [all(pair) for pair in zip(self._gray, outcome.turned_gray, strict=True)]

    def result(self, pairing: Pairing, measure: _Measure, partly: bool) -> Comparison:
        """The comparison; of only a part of the frames, bytes are counted frame by frame."""
        frames = self.frames
        notes = [note for source in pairing.sources for note in source.notes]
        total = psnr_db(self._squared_error, 3 * self._visible)
        luma = psnr_db(self._luma_error, self._visible)
        if self._gray == [False, True]:
            total = luma
            frames = [replace(frame, psnr_db=frame.psnr_luma_db) for frame in frames]
            notes.append(f"{pairing.sources[1].label}: is gray, so its luma is compared with that of the reference")
        sizes: list[int | None] = [source.size_bytes for source in pairing.inputs]
        if partly:
            sizes = [_total([getattr(frame, name) for frame in frames]) for name in ("bytes_reference", "bytes_test")]
        pixels = sum(frame.width * frame.height for frame in frames)
        return Comparison(
            pairing.sources[0].label,
            pairing.sources[1].label,
            tuple(frames),
            total,
            luma,
            sum(frame.ssim for frame in frames) / len(frames),
            self._changed / self._still if self._still else None,
            measure.colors[0].total(),
            measure.colors[1].total(),
            sizes[0],
            sizes[1],
            None if sizes[0] is None else 8 * sizes[0] / pixels,
            None if sizes[1] is None else 8 * sizes[1] / pixels,
            tuple(self.failed),
            tuple(notes),
        )


def _total(parts: list[float | None]) -> int | None:
    known = [part for part in parts if part is not None]
    return round(sum(known)) if len(known) == len(parts) else None
