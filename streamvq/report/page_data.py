"""The content of a page: figures as text for people, and the data for its script."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from streamvq.report.comparison import Comparison, FrameComparison
from streamvq.report.report_frames import MAX_TEXT, ReportFrame

MAX_POINTS = 2000  # of a curve
CURVES = ("psnr_db", "ssim", "bytes_test", "flicker")
_MISSING = "–"
Swatches = dict[str, Any]  # as `swatches` makes them


def page(
    comparisons: Sequence[Comparison],
    kept: Sequence[ReportFrame],
    swatches: Sequence[Swatches | None],
    command: str | None,
    versions: dict[str, str],
    asked: int = 0,
) -> dict[str, Any]:
    """The variables of the template, with the swatches of each result; `data` is what the script reads.

    `asked` is how many frames were to be shown, had there been room.
    """
    first = comparisons[0]
    paths = [first.reference, *(comparison.test for comparison in comparisons)]
    names = short_names(paths)
    frames = [[by_index[frame.index] for frame in kept] for by_index in (each.by_index for each in comparisons)]
    rows = [[frame_row(frame) for frame in of_test] for of_test in frames]
    sizes = {(frame.width, frame.height) for frame in first.frames}
    loose = all(frame.time is None for frame in first.frames)
    notes = [note for each in comparisons for note in (*each.failed, *each.notes)]
    results = zip(names[1:], comparisons, rows, swatches, strict=True)
    return {
        "reference": names[0],
        "tests": names[1:],
        "count": len(first.frames),
        "unit": "image" if loose else "frame",
        "size": "{} × {} pixels".format(*min(sizes)) if len(sizes) == 1 else "mixed sizes",
        "rows": [_reference_row(first, names[0]), *map(_row, comparisons, names[1:])],
        "shown": rows,
        "flicker": any(comparison.flicker is not None for comparison in comparisons),
        "full": len(kept) < asked,
        "max_text": MAX_TEXT,
        "stride": max(frame.stride for frame in kept),
        "swatches": swatches,
        "notes": list(dict.fromkeys(_without_folders(note, dict(zip(paths, names, strict=True))) for note in notes)),
        "command": command,
        "versions": versions,
        "data": {
            "reference": names[0],
            "loose": loose,
            "frames": [_frame_data(frame, row) for frame, row in zip(frames[0], kept, strict=True)],
            "tests": [_test_data(number, kept, *result) for number, result in enumerate(results)],
            "curves": curves(comparisons, [frame.index for frame in kept]),
        },
    }


def short_names(paths: Sequence[str]) -> list[str]:
    """The shortest ends of paths that are unique.

    >>> short_names(["in/clip.mp4", "a/clip.svq", "b/clip.svq"])
    ['clip.mp4', 'a/clip.svq', 'b/clip.svq']
    """
    parts = [PurePath(path).parts or (path,) for path in paths]

    def end(own: tuple[str, ...]) -> str:
        lengths = range(1, len(own))
        counts = (sum(other[-length:] == own[-length:] for other in set(parts)) for length in lengths)
        length = next((length for length, count in zip(lengths, counts, strict=True) if count == 1), len(own))
        return PurePath(*own[-length:]).as_posix()

    return [end(own) for own in parts]


def _without_folders(text: str, names: dict[str, str]) -> str:
    """A message with the short names of inputs, and no absolute path of them."""
    for path in sorted(filter(os.path.isabs, names), key=len, reverse=True):
        text = text.replace(path, names[path]).replace(f"{PurePath(path).parent}{os.sep}", "")
    return text


def curves(comparisons: Sequence[Comparison], kept: Sequence[int]) -> dict[str, Any]:
    """The figures over the frames that all results have: lists of one length; None where there is no figure.

    Of more than `MAX_POINTS` frames each point is the frame with the lowest PSNR of the first result among `every`
    consecutive ones; those in `kept` are always there.
    """
    by_index = [comparison.by_index for comparison in comparisons]
    indices = sorted(set(by_index[0]).intersection(*by_index[1:]))
    every = -(-len(indices) // MAX_POINTS)
    worst = (
        min(indices[start : start + every], key=lambda index: _psnr_or_infinity(by_index[0][index].psnr_db))
        for start in range(0, len(indices), every)
    )
    points = indices if every == 1 else sorted({*worst, *kept})
    frames = [[figures[index] for index in points] for figures in by_index]
    return {
        "every": every,
        "frames": points,
        "labels": [label(frame) for frame in frames[0]],
        "bytes_reference": [_rounded(frame.bytes_reference, 0) for frame in frames[0]],
        "tests": [
            {name: [_rounded(getattr(frame, name), 5) for frame in of_test] for name in CURVES} for of_test in frames
        ],
    }


def label(frame: FrameComparison) -> str:
    """A frame for people: its name, or its number and time."""
    if frame.name is not None:
        return frame.name
    return f"frame {frame.index}" + ("" if frame.time is None else f", {frame.time:.2f} s")


def frame_row(frame: FrameComparison) -> dict[str, str]:
    """The figures of a frame as text."""
    return {
        "frame": label(frame),
        "psnr": decibels(frame.psnr_db),
        "psnr_luma": decibels(frame.psnr_luma_db),
        "ssim": f"{frame.ssim:.4f}",
        "flicker": percent(frame.flicker),
        "colors": f"{frame.colors_reference:,} → {frame.colors_test:,}",
        "bytes": count(frame.bytes_test),
    }


def _reference_row(comparison: Comparison, name: str) -> dict[str, str]:
    return {
        "name": name,
        "psnr": _MISSING,
        "psnr_luma": _MISSING,
        "ssim": _MISSING,
        "flicker": _MISSING,
        "colors": f"{comparison.colors_reference:,}",
        "bits": bits(comparison.bits_per_pixel_reference),
        "bytes": count(comparison.bytes_reference),
        "share": "100 %",
    }


def _row(comparison: Comparison, name: str) -> dict[str, str]:
    share = None
    if comparison.bytes_reference and comparison.bytes_test is not None:
        share = comparison.bytes_test / comparison.bytes_reference
    return {
        "name": name,
        "psnr": decibels(comparison.psnr_db),
        "psnr_luma": decibels(comparison.psnr_luma_db),
        "ssim": f"{comparison.ssim:.4f}",
        "flicker": percent(comparison.flicker),
        "colors": f"{comparison.colors_test:,}",
        "bits": bits(comparison.bits_per_pixel_test),
        "bytes": count(comparison.bytes_test),
        "share": percent(share),
    }


def _frame_data(frame: FrameComparison, kept: ReportFrame) -> dict[str, Any]:
    return {
        "index": kept.index,
        "label": label(frame),
        "width": frame.width,
        "height": frame.height,
        "stride": kept.stride,
        "picture": kept.pictures[0],
    }


def _test_data(
    number: int,
    kept: Sequence[ReportFrame],
    name: str,
    comparison: Comparison,
    rows: Sequence[dict[str, str]],
    swatches: Swatches | None,
) -> dict[str, Any]:
    frames = []
    for frame, row in zip(kept, rows, strict=True):
        codes, text = frame.codes[number], frame.deflated[number]
        plane = {"rows": codes.shape[0], "columns": codes.shape[1], "data": text} if codes is not None else None
        frames.append({"picture": frame.pictures[number + 1], "codes": plane, "figures": row})
    point = {"bits_per_pixel": comparison.bits_per_pixel_test, "psnr_db": comparison.psnr_db}
    return {"name": name, "frames": frames, "swatches": swatches, **point}


def decibels(value: float | None) -> str:
    """PSNR as text; None is no error at all."""
    return "exact" if value is None else f"{value:.2f}"


def percent(share: float | None) -> str:
    """A share as text of three digits."""
    return _MISSING if share is None else f"{100 * share:.3g} %" if share < 9.995 else f"{100 * share:,.0f} %"


def bits(value: float | None) -> str:
    """Bits per pixel as text."""
    return _MISSING if value is None else f"{value:.3f}"


def count(value: float | None) -> str:
    """A number of bytes as text."""
    return _MISSING if value is None else f"{value:,.0f}"


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _psnr_or_infinity(psnr_db: float | None) -> float:
    return float("inf") if psnr_db is None else psnr_db
