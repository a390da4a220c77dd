"""Measures pairs of frames in parallel, and adds the results up in order."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from streamvq.errors import MediaError
from streamvq.frames import Failed
from streamvq.ordered import ordered_map
from streamvq.progress import Progress
from streamvq.quantize.metrics import psnr_db
from streamvq.quantize.similarity import ColorCount, composite, is_gray, squared_errors, ssim, still_and_changed
from streamvq.report.comparison import Comparison, FrameComparison
from streamvq.report.frame_bytes import frame_bytes
from streamvq.report.pairing import Batch, Pair, Pairing


def measure(pairing: Pairing, progress: Progress) -> Comparison:
    """The comparison of all pairs. Raises MediaError where no pair can be read, and what `Pairing` raises."""
    measurement, total = _Measurement(pairing), _ComparisonAccumulator()
    label = pairing.sources[1].label
    with (
        progress.of(f"compare {label}", pairing.frame_count),
        closing(
            ordered_map(measurement.measure_batch, pairing.batches(), pairing.jobs, pairing.batches_ahead)
        ) as batches,
    ):
        for batch in batches:
            for measured in batch:
                total.add(measured)
                progress.advance()
    if not total.frames:
        raise MediaError(f"{label}: no pair of images can be read; the first: {total.failed[0]}")
    return total.result(pairing, measurement)


@dataclass(frozen=True)
class _Measured:
    """One pair, with the sums that totals are made of: squared errors, and numbers of pixels that are visible, still
    in REF, and of the still ones changed in TEST. `gray` is whether REF and TEST are gray."""

    frame: FrameComparison
    squared_error: int
    luma_error: int
    visible: int
    still: int
    changed: int
    gray: tuple[bool, bool]


class _CompositePair:
    """A pair as RGB over mid gray, uint8 [height, width, 3], and the mask of what is visible of each (None: all)."""

    def __init__(self, pair: Pair) -> None:
        self.reference, self.reference_mask = composite(pair.reference.pixels)
        self.test, self.test_mask = composite(pair.test.pixels)

    @property
    def visible(self) -> int:
        """How many pixels are visible in REF or in TEST."""
        if self.reference_mask is None or self.test_mask is None:
            return self.reference.size // 3
        return int(np.count_nonzero(self.reference_mask | self.test_mask))


class _Measurement:
    """Measures batches of pairs, on any thread; counts the distinct colors of all."""

    def __init__(self, pairing: Pairing) -> None:
        self._pairing = pairing
        self._bytes = [frame_bytes(source) for source in pairing.inputs]
        self.colors = ColorCount(), ColorCount()

    def measure_batch(self, batch: Batch) -> list[_Measured | Failed]:
        """The pairs of a batch, measured, or why they cannot be read."""
        previous: _CompositePair | None = None
        if batch.previous is not None and self._pairing.is_video:
            loaded = self._pairing.load(batch.first - 1, batch.previous)
            previous = _CompositePair(loaded) if isinstance(loaded, Pair) else None
        results: list[_Measured | Failed] = []
        for index, items in enumerate(batch.items, batch.first):
            pair = self._pairing.load(index, items)
            if isinstance(pair, Failed):
                results.append(pair)
                previous = None
                continue
            current = _CompositePair(pair)
            results.append(self._measure(pair, current, previous))
            previous = current if self._pairing.is_video else None
        return results

    def _measure(self, pair: Pair, current: _CompositePair, previous: _CompositePair | None) -> _Measured:
        height, width = current.reference.shape[:2]
        squared_error, luma_error, *lumas = squared_errors(current.reference, current.test)
        visible = current.visible
        still = changed = 0
        if previous is not None and previous.reference.shape == current.reference.shape:
            still, changed = still_and_changed(previous.reference, current.reference, previous.test, current.test)
        time = pair.reference.time if pair.reference.time is not None else pair.test.time
        frame = FrameComparison(
            index=pair.index,
            name=pair.reference.name or pair.test.name,
            time=None if time is None else float(time),
            width=width,
            height=height,
            psnr_db=psnr_db(squared_error, 3 * visible),
            psnr_luma_db=psnr_db(luma_error, visible),
            ssim=ssim(*lumas),
            flicker=changed / still if still else None,
            colors_reference=self.colors[0].add(current.reference, current.reference_mask),
            colors_test=self.colors[1].add(current.test, current.test_mask),
            bytes_reference=self._bytes[0].of(pair.reference),
            bytes_test=self._bytes[1].of(pair.test),
        )
        gray = is_gray(current.reference), is_gray(current.test)
        return _Measured(frame, squared_error, luma_error, visible, still, changed, gray)


class _ComparisonAccumulator:
    """Adds up measured pairs, in order."""

    def __init__(self) -> None:
        self.frames: list[FrameComparison] = []
        self.failed: list[str] = []
        self._squared_error = self._luma_error = self._visible = self._still = self._changed = 0
        self._gray = [True, True]  # REF, TEST: all frames so far

    def add(self, measured: _Measured | Failed) -> None:
        """Count one pair."""
        if isinstance(measured, Failed):
            self.failed.append(measured.reason)
            return
        self.frames.append(measured.frame)
        self._squared_error += measured.squared_error
        self._luma_error += measured.luma_error
        self._visible += measured.visible
        self._still += measured.still
        self._changed += measured.changed
        self._gray = [all(pair) for pair in zip(self._gray, measured.gray, strict=True)]

    def result(self, pairing: Pairing, measurement: _Measurement) -> Comparison:
        """The comparison. If only some frames were compared, bytes are the sum over those frames."""
        frames, labels = self.frames, [source.label for source in pairing.sources]
        notes = [note for source in pairing.sources for note in source.notes]
        psnr = psnr_db(self._squared_error, 3 * self._visible)
        luma = psnr_db(self._luma_error, self._visible)
        if self._gray == [False, True]:
            psnr = luma
            frames = [replace(frame, psnr_db=frame.psnr_luma_db) for frame in frames]
            notes.append(f"{labels[1]}: is gray, so its luma is compared with that of the reference")
        sizes: list[int | None] = [source.size_bytes for source in pairing.inputs]
        if pairing.is_partial or self.failed:
            sizes = [
                _rounded_sum([frame.bytes_reference for frame in frames]),
                _rounded_sum([frame.bytes_test for frame in frames]),
            ]
        pixels = sum(frame.width * frame.height for frame in frames)
        rates = [None if size is None else 8 * size / pixels for size in sizes]
        return Comparison(
            reference=labels[0],
            test=labels[1],
            frames=tuple(frames),
            psnr_db=psnr,
            psnr_luma_db=luma,
            ssim=sum(frame.ssim for frame in frames) / len(frames),
            flicker=self._changed / self._still if self._still else None,
            colors_reference=measurement.colors[0].total(),
            colors_test=measurement.colors[1].total(),
            bytes_reference=sizes[0],
            bytes_test=sizes[1],
            bits_per_pixel_reference=rates[0],
            bits_per_pixel_test=rates[1],
            failed=tuple(dict.fromkeys(self.failed)),
            notes=tuple(notes),
        )


def _rounded_sum(parts: list[float | None]) -> int | None:
    known = [part for part in parts if part is not None]
    return round(sum(known)) if len(known) == len(parts) else None
