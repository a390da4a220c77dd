"""Other programs, where they are installed, and what they are given."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

STREAMVQ = [sys.executable, "-m", "streamvq"]
PALETTE = "split[a][b];[a]palettegen=stats_mode=full[p];[b][p]paletteuse=dither=none"


def installed(program: str) -> bool:
    return shutil.which(program) is not None


def run(command: Sequence[object]) -> str:
    """What a command prints; its failure ends the case."""
    words = [str(word) for word in command]
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def command(*words: object) -> Callable[[], object]:
    """That command, to be timed."""
    return lambda: run(words)


def ffmpeg(*words: object) -> list[object]:
    return ["ffmpeg", "-v", "error", "-y", *words]


def ffmpeg_gif(clip: Path, out: Path) -> list[object]:
    """One palette for the clip, and no dither: what `compress -o out.gif` does."""
    return ffmpeg("-i", clip, "-filter_complex", PALETTE, out)


def cli(*words: object) -> list[object]:
    return [*STREAMVQ, *words]


def record(*words: object) -> dict[str, Any]:
    """The JSON of one streamvq command."""
    told: dict[str, Any] = json.loads(run([*STREAMVQ, *words, "--json", "-q"]))
    return told


def looped(clip: Path, folder: Path, frames: int, scale: str = "") -> Path:
    """The clip repeated to a length by ffmpeg, cut without recoding unless it is scaled."""
    out = folder / f"{clip.stem}-{frames}-{scale.replace(':', 'x')}.mkv"
    if not out.exists():
        coding = ["-vf", f"scale={scale}", "-c:v", "libx264", "-preset", "ultrafast"] if scale else ["-c", "copy"]
        run(ffmpeg("-stream_loop", -1, "-i", clip, "-an", "-frames:v", frames, *coding, out))
    return out


def peak_mb(words: Sequence[object], pause: float = 0) -> float:
    """Peak resident memory of a command; with `pause`, its output is read 2 MB at a time, slowly."""
    process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE if pause else None)
    if pause:

        def sip() -> None:
            assert process.stdout is not None
            while process.stdout.read(1 << 21):
                time.sleep(pause)

        reader = threading.Thread(target=sip)
        reader.start()
        reader.join()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{words}: failed")
    return usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
