"""What commands print: progress bars and notes on stderr, summaries or JSON on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from streamvq.cli.messages import in_flags, record_in_flags
from streamvq.errors import bytes_text, codes_text, counted

if TYPE_CHECKING:
    from streamvq.pipeline.result import Result
    from streamvq.progress import Progress


class Bar:
    """tqdm bars on stderr, one a pass, with frames/s and time left; off where stderr is no terminal."""

    def __init__(self) -> None:
        self._bar: Any = None

    @contextmanager
    def of(self, what: str, frames: int | None) -> Iterator[None]:
        from tqdm import tqdm

        form = "{desc} ..." if frames == 0 else None
        with tqdm(total=frames, desc=what, unit="frame", leave=False, disable=None, bar_format=form) as self._bar:
            yield

    def advance(self) -> None:
        self._bar.update()

    def note(self, text: str) -> None:
        say(text)


def progress_bar(quiet: bool) -> Progress:
    """A bar, or silence."""
    from streamvq.progress import NoProgress

    return NoProgress() if quiet else Bar()


def say(text: str) -> None:
    """A remark on stderr, in the command line's words."""
    print(f"streamvq: {in_flags(text)}", file=sys.stderr)


def print_remarks(failed: Iterable[str], notes: Iterable[str]) -> None:
    """What failed, and notes, on stderr."""
    for reason in failed:
        say(f"error: {reason}")
    for note in notes:
        say(f"note: {note}")


def print_json(record: dict[str, Any]) -> None:
    """One JSON object on a line of stdout."""
    plain = "utf" not in (getattr(sys.stdout, "encoding", None) or "").lower()  # JSON can spell letters
    print(json.dumps(record_in_flags(record), ensure_ascii=plain), flush=True)


def prediction(result: Result) -> str:
    """What a dry run found out, in a line."""
    if result.error:
        return f"would fail: {in_flags(result.error)}"
    codes = [] if result.n_codes is None else [codes_text(result.n_codes, result.block or (1, 1))]
    codes += [f"--lossy {result.lossy:g}"] * bool(result.lossy)
    size = f"{result.width}x{result.height}" if result.width else "mixed sizes"
    quality = "no error" if result.psnr_db is None else f"PSNR {result.psnr_db:.2f} dB"
    parts = [counted(result.frames, "frame"), size, *codes, bytes_text(result.bytes_out), quality]
    return f"{', '.join(parts)}, in about {result.seconds or 0:.3g} s"


def summary(result: Result, verbose: bool) -> str:
    """A result for people, several lines."""
    head = f"{result.input} -> {result.output}"
    if result.skipped:
        return f"{head}\n  is there already: skipped"
    size = f"{result.width}x{result.height}" if result.width else "mixed sizes"
    loss = "lossless" if result.lossless else "codes without error"
    if result.psnr_db is not None:
        loss = f"PSNR {result.psnr_db:.2f} dB"
    frames = counted(result.frames, "frame")
    codes = codes_text(result.n_codes or 0, result.block or (1, 1))
    if result.n_codes is None:
        codes = "singular vectors"
    if result.compared:
        codes += f", {loss}"
        if result.n_codes is not None:
            codes += f", compression rate of the codes {100 * (result.compression_rate or 0):.4g} %"
    lines = [
        head,
        f"  {frames}, {size}, {codes}",
        f"  {bytes_text(result.bytes_in)} in, {bytes_text(result.bytes_out)} out"
        + (f", {result.bits_per_pixel:.3g} bits per pixel" if result.bits_per_pixel is not None else ""),
    ]
    if result.rank is not None:
        cut = f"PSNR {result.truncation_psnr_db:.2f} dB" if result.truncation_psnr_db else "no error"
        energy = f"{100 * (result.energy or 0):.6g} % of the energy"
        lines.insert(2, f"  rank {result.rank}, {energy}; {cut} before quantizing")
    if result.parts:
        parts = [f"{name} {bytes_text(count)}" for name, count in result.parts.items() if count]
        lines.append(f"  of them {', '.join(parts)}")
    if result.codebook:
        lines.append(f"  codebook {result.codebook}, {bytes_text(result.codebook_bytes)}")
    if verbose:
        lines.append(f"  {result.seconds:.2f} s, {result.frames_per_second:.1f} frames/s")
    if result.ignored_files:
        lines.append(f"  files in the folder that are no images, left alone: {result.ignored_files}")
    return "\n".join(lines)
