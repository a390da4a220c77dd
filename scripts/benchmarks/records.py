"""Rows as a JSON file, and what changed between two of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from benchmarks.measure import MORE_IS_BETTER, Row, number


def save(path: Path, machine: Mapping[str, Any], rows: list[Row]) -> None:
    path.write_text(json.dumps({"machine": dict(machine), "rows": [asdict(row) for row in rows]}, indent=1), "utf-8")


def load(path: Path) -> tuple[dict[str, Any], list[Row]]:
    told = json.loads(path.read_text("utf-8"))
    known = {each.name for each in fields(Row)}
    return told["machine"], [Row(**{name: row[name] for name in row if name in known}) for row in told["rows"]]


def compare(before: list[Row], after: list[Row]) -> list[str]:
    """A line for each row that is slower, larger or less like its picture than before, or better, beyond noise.

    Times are compared as ratios to their peer's of the same run, where they have one; no two machines are as fast.
    """
    old = {row.key: row for row in before}
    lines = []
    for row in after:
        was = old.get(row.key)
        if was is None or row.ours is None or was.ours is None:
            continue
        timed = row.unit in ("ms", "s", "frames/s", "M/s", "MB")
        now, then = (row.ratio, was.ratio) if timed and row.ratio and was.ratio else (row.ours, was.ours)
        if row.unit in ("dB", "SSIM"):
            change, noise = then - now, 0.005 if row.unit == "dB" else 0.0002
        else:
            change = (then / now if row.unit in MORE_IS_BETTER else now / then) - 1 if now and then else 0.0
            noise = max(0.05, 2 * (row.spread + was.spread)) if timed else 0.001
        if abs(change) > noise:
            word = "WORSE" if change > 0 else "better"
            shown = f"{number(was.ours, row.unit)} -> {number(row.ours, row.unit)}"
            peer = f" (of {row.peer}: {was.ratio:.3g} -> {row.ratio:.3g})" if row.ratio and was.ratio else ""
            lines.append(f"{word}: {row.case} {row.clip} {row.what}: {shown}{peer}")
    return sorted(lines, key=lambda line: not line.startswith("WORSE"))
