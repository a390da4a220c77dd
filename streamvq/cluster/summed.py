"""The figures of an input of those of its shares."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from typing import Any

from streamvq.pipeline.job import Job
from streamvq.pipeline.result import Result
from streamvq.pipeline.run_jobs import names_of

_OF_SETTINGS = ("n_codes", "block", "compression_rate")


def summed(
    job: Job,
    results: Sequence[Result],
    bytes_out: int | None,
    figures: dict[str, Any],
    remarks: tuple[Sequence[str], Sequence[str]],
) -> Result:
    """One result of those of all shares; `bytes_out` are those of the whole, None: the sum.

    `remarks` are warnings and what failed before.

    PSNR is that of all frames where these have one size, else it is left out. It weighs frames by their pixels.
    """
    seen = [result for result in results if result.frames]
    frames = sum(result.frames for result in seen)
    size = sum(result.bytes_out or 0 for result in seen) if bytes_out is None else bytes_out
    found: dict[str, Any] = dict(figures) | {"frames": frames, "bytes_out": size}
    if seconds := figures.get("seconds"):
        found["frames_per_second"] = frames / seconds
    sizes = {(result.height, result.width) for result in seen}
    if len(sizes) == 1 and (pixels := seen[0].height and seen[0].width and seen[0].height * seen[0].width):
        found |= {"height": seen[0].height, "width": seen[0].width, "bits_per_pixel": 8 * size / (frames * pixels)}
        if all(result.compared for result in seen):
            found |= {"compared": True, "psnr_db": _psnr(seen, frames)}
    if seen:
        found |= {name: getattr(seen[0], name) for name in _OF_SETTINGS}
        found["lossless"] = all(result.lossless for result in seen)
    errors = [result.error for result in results if result.error]
    warnings, failed = remarks
    told = [line for result in results for line in result.warnings]
    notes = [line for result in results for line in result.notes]
    unread = [*failed, *(line for result in results for line in result.failed)]
    found |= {"warnings": _each_once([*warnings, *told]), "notes": _each_once(notes), "failed": _each_once(unread)}
    if errors:
        found |= {"error": errors[0], "exit_code": 1}
    return Result(**names_of(job), **found)


def _psnr(results: Sequence[Result], frames: int) -> float | None:
    error = sum(result.frames * 10 ** (-result.psnr_db / 10) for result in results if result.psnr_db is not None)
    return -10 * log10(error / frames) if error else None


def _each_once(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lines))
