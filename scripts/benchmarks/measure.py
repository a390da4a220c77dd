"""What a case of bench.py measures: rows of ours, a peer's, their ratio and a target; times taken in turn."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmarks import clips

MORE_IS_BETTER = {"dB", "frames/s", "M/s", "SSIM", "x"}


@dataclass(frozen=True)
class Times:
    """Seconds of some runs of one thing: of the wall, and of all processors together, children included."""

    wall: tuple[float, ...]
    cpu: tuple[float, ...]

    @property
    def seconds(self) -> float:
        return statistics.median(self.wall)

    @property
    def cpu_seconds(self) -> float:
        return statistics.median(self.cpu)

    @property
    def spread(self) -> float:
        """Of the CPU seconds: the half of what lies between the least and the most, as a share of the median."""
        return (max(self.cpu) - min(self.cpu)) / 2 / max(self.cpu_seconds, 1e-9)


@dataclass(frozen=True)
class Target:
    """What a row should reach."""

    value: float
    sign: str

    def __str__(self) -> str:
        return f"{self.value:g}x" if self.sign == "x" else f"{self.sign} {self.value:g}"

    def met(self, ours: float, theirs: float | None) -> bool:
        if self.sign == "x":
            return theirs is not None and theirs / ours >= self.value
        ratio = ours if theirs is None else ours / theirs
        return ratio <= self.value if self.sign == "<=" else ratio >= self.value


def at_most(value: float) -> Target:
    """Of the peer's number; of the row's own, where there is no peer."""
    return Target(value, "<=")


def at_least(value: float) -> Target:
    """Of the peer's number; of the row's own, where there is no peer."""
    return Target(value, ">=")


def times(value: float) -> Target:
    """The peer's number is that many times ours."""
    return Target(value, "x")


@dataclass(frozen=True)
class Row:
    case: str
    clip: str
    what: str
    ours: float | None
    unit: str
    peer: str = ""
    theirs: float | None = None
    target: str = ""
    met: bool | None = None
    spread: float = 0.0
    note: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        return self.case, self.clip, self.what, self.unit, self.peer

    @property
    def ratio(self) -> float | None:
        """Ours to the peer's."""
        return self.ours / self.theirs if self.ours is not None and self.theirs else None

    def cells(self) -> list[str]:
        ratio = "" if self.ratio is None else f"{self.ratio:.3f}"
        if self.target.endswith("x") and self.ratio:
            ratio = f"{1 / self.ratio:.3g}x"
        met = "" if self.met is None else "met" if self.met else "MISSED"
        theirs = "not installed" if self.peer and self.theirs is None else number(self.theirs, self.unit)
        return [
            self.clip,
            self.what,
            number(self.ours, self.unit),
            self.peer,
            theirs,
            ratio,
            self.target,
            met,
            self.note,
        ]


TITLES = ["clip", "what", "streamvq", "peer", "theirs", "ratio", "target", "", ""]


def number(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    digits = {"bytes": "{:,.0f}", "dB": "{:.3f}", "SSIM": "{:.4f}", "MB": "{:.0f}"}.get(unit, "{:.3g}")
    if unit in ("ms", "s", "frames/s", "M/s") and value >= 100:
        digits = "{:,.0f}"
    return f"{digits.format(value)} {unit if unit != 'SSIM' else ''}".rstrip()


@dataclass
class Bench:
    """One run of bench.py: its clips, and the rows that its cases add and print."""

    films: dict[str, Path]
    photos: Path
    folder: Path
    case: str = ""
    rows: list[Row] = field(default_factory=list)

    @property
    def film(self) -> Path:
        """The first of the clips given, or of samples/."""
        return next(iter(self.films.values()))

    @property
    def film_name(self) -> str:
        return next(iter(self.films))

    @cached_property
    def clips(self) -> dict[str, Path]:
        """Kinds of content: the clips given, and a cartoon and a screen recording that are drawn."""
        drawn = {"cartoon": clips.cartoon, "screen": clips.screen_recording}
        return self.films | {name: draw(self.folder / f"{name}.mkv") for name, draw in drawn.items()}

    def row(
        self,
        what: str,
        ours: float | Times | None,
        unit: str,
        peer: str = "",
        theirs: float | Times | None = None,
        target: Target | None = None,
        *,
        clip: str = "",
        note: str = "",
    ) -> None:
        """Adds a row and prints it. Of `Times` the CPU seconds count; `theirs` None: the peer is not installed."""
        spread = max((value.spread for value in (ours, theirs) if isinstance(value, Times)), default=0.0)
        mine, other = (_in_unit(value, unit) for value in (ours, theirs))
        met = target.met(mine, other) if target and mine is not None and (other is not None or not peer) else None
        made = Row(self.case, clip, what, mine, unit, peer, other, str(target or ""), met, spread, note)
        self.rows.append(made)
        print("| " + " | ".join(made.cells()) + " |", flush=True)

    def heading(self, text: str) -> None:
        """The case's title, and the head of its table."""
        print(f"\n## {self.case}\n\n{text}\n")
        print("| " + " | ".join(TITLES) + " |\n" + "|---" * len(TITLES) + "|", flush=True)


def _in_unit(value: float | Times | None, unit: str) -> float | None:
    if isinstance(value, Times):
        return value.cpu_seconds * (1e3 if unit == "ms" else 1)
    return value


def in_turn(work: Mapping[str, Callable[[], object]], repeats: int = 3) -> dict[str, Times]:
    """Each thing once, then each again: what slows the machine slows all of them. A round before does not count."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in work}
    for repeat in range(-1, repeats):
        for name, do in work.items():
            wall, cpu = time.perf_counter(), cpu_seconds()
            do()
            if repeat >= 0:
                taken[name].append((time.perf_counter() - wall, cpu_seconds() - cpu))
    return {name: Times(*zip(*pairs, strict=True)) for name, pairs in taken.items()}


def cpu_seconds() -> float:
    """Of this process and of its children that ended."""
    ended = os.times()  # in hundredths of a second, which is enough for processes
    return time.process_time() + ended.children_user + ended.children_system
