"""`--max-size` and `--min-psnr`: how near outputs come to what is asked for, in how many tries, and for what time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamvq
from benchmarks.clips import screen_recording
from benchmarks.measure import Bench, at_least, at_most, cpu_seconds
from benchmarks.peers import record

KINDS = ("gif", "apng", "webp", "mkv", "svq")
SHARE = 2 / 3  # of the bytes of 256 colors


def bench_targets(bench: Bench) -> None:
    """Two thirds of the bytes of 256 colors for each kind, a GIF of a screen at 1080p, a PSNR, --dry-run."""
    clip, name = bench.film, bench.film_name
    for kind in KINDS:
        out = bench.folder / f"clip.{kind}"
        spent, plain = _timed(clip, out)
        _sized(bench, name, clip, out, int((plain.bytes_out or 0) * SHARE), spent)
    screen = screen_recording(bench.folder / "screen-1080.mkv", size=(1920, 1080))
    out = bench.folder / "screen.gif"
    spent, plain = _timed(screen, out)
    for most in (int((plain.bytes_out or 0) * SHARE), 2_000_000):
        _sized(bench, "screen, 1080p", screen, out, most, spent)
    _, result = _timed(clip, bench.folder / "clip.gif", min_psnr=32)
    note = f"{result.n_codes} colors, {len(result.tries)} tries"
    bench.row("--min-psnr 32 to .gif", result.psnr_db, "dB", target=at_least(32), clip=name, note=note)
    for kind in KINDS:
        words = ("compress", clip, "-o", bench.folder / f"dry.{kind}", "-f")
        said, done = record(*words, "--dry-run"), record(*words)
        for what, unit in (("bytes_out", "bytes"), ("psnr_db", "dB"), ("seconds", "s")):
            bench.row(f"--dry-run to .{kind}", said[what], unit, "what came out", done[what], clip=name)


def _sized(bench: Bench, name: str, source: Path, out: Path, most: int, spent: float) -> None:
    took, result = _timed(source, out, max_size=most)
    wholes = sum(each.whole for each in result.tries)
    note = f"{result.n_codes} colors, lossy {result.lossy:g}, width {result.width}"
    what = f"--max-size {most} to {out.suffix}"
    bench.row(what, result.bytes_out, "bytes", "asked for", most, at_most(1), clip=name, note=note)
    tries = f"{len(result.tries)} tries, {wholes} of the whole"
    bench.row(what, took, "s", "a plain run", spent, at_most(3), clip=name, note=tries)


def _timed(source: Path, out: Path, **target: Any) -> tuple[float, Any]:
    """CPU seconds of a run that has compiled before, and its result."""
    start = cpu_seconds()
    result = streamvq.compress(source, out, overwrite=True, **target)
    return cpu_seconds() - start, result
