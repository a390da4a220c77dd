"""`--max-size` and `--min-psnr`: how near outputs come to what is asked for, in how many tries, and for what time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from _gif import own_seconds, screen_recording

import streamvq

KINDS = ("gif", "apng", "webp", "mkv", "svq")


def bench_targets(clip: Path, folder: Path) -> None:
    """Two thirds of the bytes of 256 colors for each kind, a GIF of a screen recording at 1080p, and a PSNR."""
    print("output  target bytes  reached  tries, of the whole  CPU seconds of a plain run  whole/estimate")
    for kind in KINDS:
        _sized(clip, folder / f"clip.{kind}", 2 / 3)
    screen = screen_recording(folder / "screen.mkv", size=(1920, 1080))
    _sized(screen, folder / "screen.gif", 2 / 3)
    _sized(screen, folder / "screen.gif", None)  # of 2 MB
    _, result = _timed(clip, folder / "clip.gif", min_psnr=32)
    reached = f"{result.psnr_db:.2f} dB with {result.n_codes} colors"
    print(
        f"min_psnr=32: {reached}, {len(result.tries)} tries, {sum(each.whole for each in result.tries)} of the whole"
    )
    _dry_run(clip, folder)


def _sized(source: Path, out: Path, share: float | None) -> None:
    spent, plain = _timed(source, out)
    most = 2_000_000 if share is None else int((plain.bytes_out or 0) * share)
    took, result = _timed(source, out, max_size=most)
    estimated = {(each.n_codes, each.lossy, each.width): each.size_bytes for each in result.tries if not each.whole}
    wholes = [each for each in result.tries if each.whole]
    first = wholes[0]
    error = first.size_bytes / estimated[first.n_codes, first.lossy, first.width]
    print(
        f"{out.name:10} {most:10,}  {(result.bytes_out or 0) / most:.3f} (target 0.9 to 1)  {len(result.tries)}, "
        f"{len(wholes)}  {took / spent:.2f} of {spent:.1f} s (target 3)  {error:.3f}; {result.n_codes} colors, "
        f"lossy {result.lossy:g}, width {result.width}",
        flush=True,
    )


def _dry_run(clip: Path, folder: Path) -> None:
    """What --dry-run says against what comes out (target: within 10 %)."""
    for kind in KINDS:
        out = folder / f"dry.{kind}"
        command = [sys.executable, "-m", "streamvq", "compress", str(clip), "-o", str(out), "--json", "-q"]
        said, done = (
            json.loads(subprocess.run([*command, *more], check=True, capture_output=True, text=True).stdout)
            for more in (["--dry-run"], [])
        )
        ratios = ", ".join(f"{name} {said[name] / done[name]:.3f}" for name in ("bytes_out", "psnr_db", "seconds"))
        print(f"dry run of .{kind}: {ratios} of what came out", flush=True)


def _timed(source: Path, out: Path, **target: Any) -> tuple[float, Any]:
    """CPU seconds of a run that has compiled before, and its result."""
    made: list[Any] = []
    spent = own_seconds(lambda: made.append(streamvq.compress(source, out, overwrite=True, **target)))
    return spent, made[0]
