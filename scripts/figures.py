"""Write the figures of the README and of .github/MEASUREMENTS.md from what bench.py measured.

    python scripts/bench.py all --clip film.mp4 --json .github/measurements.json
    python scripts/figures.py

A test compares both files with .github/measurements.json, so that they cannot drift.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from benchmarks.measure import TITLES, Row, number
from benchmarks.records import load

ROOT = Path(__file__).resolve().parent.parent
MEASURED = ROOT / ".github" / "measurements.json"
MARKS = "<!-- figures: {} -->", "<!-- end of figures -->"


def main() -> None:
    for path, text in written().items():
        path.write_text(text, "utf-8")


def written() -> dict[Path, str]:
    """Both files as they should be."""
    machine, rows = load(MEASURED)
    readme, measurements = ROOT / "README.md", ROOT / ".github" / "MEASUREMENTS.md"
    return {
        readme: replaced(readme.read_text("utf-8"), {"short": short(machine, rows)}),
        measurements: replaced(measurements.read_text("utf-8"), {"all": whole(machine, rows)}),
    }


def replaced(text: str, parts: dict[str, str]) -> str:
    """The text with what stands between a part's marks replaced."""
    for name, part in parts.items():
        start, end = (re.escape(mark.format(name)) for mark in MARKS)
        text, count = re.subn(f"(?s)({start}\n).*?({end})", lambda found, part=part: found[1] + part + found[2], text)
        if count != 1:
            raise SystemExit(f"{count} places for the figures '{name}'")
    return text


def described(machine: dict[str, Any]) -> str:
    return (
        f"{machine['cores']} cores of a virtual machine ({machine['cpu']}, {machine['system']}, "
        f"Python {machine['python']}; two threads of computation do {machine['two threads']} times the work of one)"
    )


def short(machine: dict[str, Any], rows: list[Row]) -> str:
    """The README's table: the cases that users ask for, each against its peers."""
    wanted = [
        ("nearest", "nearest of 256 colors, 1080p", ""),
        ("blocks", "nearest of 1,024 blocks, a frame", ""),
        ("fit", "256 colors of every 8th frame, wall, with decoding", ""),
        ("end-to-end", "compress -k 256 to .svq", "s"),
        ("end-to-end", "compress -k 256 to .svq", "bytes"),
        ("end-to-end", "compress -k 256", "dB"),
        ("coder", "indices, 64 colors", "bytes"),
        ("gif", "GIF, 64 colors", "bytes"),
        ("svd", "rank 16, cold", ""),
        ("memory", "2,000 frames to .mkv", ""),
    ]
    lines = [
        f"Measured by `scripts/bench.py` on {described(machine)}. Seconds count all processors and start-up;",
        "*clip* is `samples/clip.mp4`, *cartoon* and *screen* are drawn by the script.\n",
        "| what | clip | streamvq | against |\n|---|---|---|---|",
    ]
    for case, what, unit in wanted:
        found = [row for row in rows if (row.case, row.what) == (case, what) and unit in ("", row.unit)]
        for clip in dict.fromkeys(row.clip for row in found):
            of_clip = [row for row in found if row.clip == clip]
            peers = ", ".join(f"{row.peer}: {number(row.theirs, row.unit)}{factor(row)}" for row in of_clip)
            lines.append(f"| {what} | {clip} | {number(of_clip[0].ours, of_clip[0].unit)} | {peers} |")
    return "\n".join(lines) + "\n"


def factor(row: Row) -> str:
    if row.ratio is None or row.unit in ("dB", "SSIM"):
        return ""
    return f" ({1 / row.ratio:.3g} times as much)"


def whole(machine: dict[str, Any], rows: list[Row]) -> str:
    """Every row, a table for each case."""
    lines = [f"Measured on {described(machine)}.\n"]
    for case in dict.fromkeys(row.case for row in rows):
        lines += [f"### {case}\n", "| " + " | ".join(TITLES) + " |\n" + "|---" * len(TITLES) + "|"]
        lines += ["| " + " | ".join(row.cells()) + " |" for row in rows if row.case == case]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
