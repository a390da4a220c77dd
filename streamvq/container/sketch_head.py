"""What a sketch file says of itself: the settings that made it, and which shares of which inputs it has seen."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from streamvq.errors import UsageError, shortened
from streamvq.options import CODE_SPACES, MAX_BLOCK_SIDE, MAX_CODES, MAX_SAMPLES
from streamvq.quantize.block_sample import BlockSample, sample_size
from streamvq.quantize.blocks import code_length
from streamvq.quantize.histogram import ColorHistogram, ColorSketch, LevelHistogram

SKETCH_SIGNATURE = b"\x89SKH\r\n\x1a\n"
MAX_SHARES = 1_000_000
MAX_FAILED = 1000  # lines that are kept of what could not be read
_MAX_LINE = 1000
_MAX_RUNS = 1_000_000

Runs = Mapping[tuple[str, int], frozenset[int]]


@dataclass(frozen=True)
class SketchHead:
    """`settings` are options by name, those that are not the default.

    `runs` says which shares were seen, by the digest of the inputs (16 hexadecimal digits) and the number of shares.
    `failed` has a line for each thing that could not be read.
    """

    settings: Mapping[str, Any]
    runs: Runs
    frames: int = 0
    failed: tuple[str, ...] = field(default=())

    def empty_sketch(self) -> ColorSketch | BlockSample:
        """A sketch of these settings that has seen nothing."""
        settings = self.settings
        if "block" not in settings:
            return LevelHistogram() if settings.get("gray") else ColorHistogram()
        height, width = settings["block"]
        space, n_codes = "gray" if settings.get("gray") else settings["space"], settings["n_codes"]
        capacity = sample_size(n_codes, (height, width), space)
        return BlockSample((height, width), space, settings.get("seed", 0), capacity, n_codes)

    def to_json(self) -> bytes:
        """UTF-8 JSON; the same head gives the same bytes."""
        runs = [[digest, of, _ranges_text(shares)] for (digest, of), shares in sorted(self.runs.items())]
        record = {"settings": dict(sorted(self.settings.items())), "runs": runs, "frames": self.frames}
        if self.failed:
            record["failed"] = list(self.failed)
        return json.dumps(record, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes) -> SketchHead:
        """Parse and check. Raises ValueError with what is wrong."""
        try:
            record = json.loads(data)
            settings, runs, failed = record["settings"], record["runs"], record.get("failed", [])
            found = {(str(digest), _whole(of, MAX_SHARES)): _ranges(str(text), of) for digest, of, text in runs}
            frames = _whole(record["frames"], 1 << 62)
            _check(settings)
        except (KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
            raise ValueError(f"it lacks or garbles {error}") from error
        if not 1 <= len(runs) <= _MAX_RUNS or not all(re.fullmatch("[0-9a-f]{16}", digest) for digest, _ in found):
            raise ValueError("it names no inputs")
        if not isinstance(failed, list) or len(failed) > MAX_FAILED + 1:
            raise ValueError("what failed is no list")
        return cls(settings, found, frames, tuple(str(line)[:_MAX_LINE] for line in failed))

    @property
    def place(self) -> tuple[str, int, int]:
        """Where it stands among those of one run: its inputs, of how many shares, and the first of its shares."""
        (digest, of), shares = min(self.runs.items())
        return digest, of, min(shares)

    def merged(self, other: SketchHead, label: str) -> SketchHead:
        """The head of both sketches together; `label` names the other's file. Raises UsageError as `sum_of_heads`."""
        return sum_of_heads([("", self), (label, other)])

    def missing(self) -> tuple[int, int] | None:
        """The first share that is missing, and of how many; None where all are there."""
        for (_, of), shares in sorted(self.runs.items()):
            if len(shares) < of:
                return next(share for share in range(1, of + 1) if share not in shares), of
        return None


def sum_of_heads(heads: Sequence[tuple[str, SketchHead]]) -> SketchHead:
    """The head of all sketches together, each with the name of its file.

    Raises UsageError where settings differ, or shares come twice.
    """
    first = heads[0][1]
    runs = dict[tuple[str, int], set[int]]()
    failed: list[str] = []
    for label, head in heads:
        if name := differing(first.settings, head.settings):
            ours, theirs = (setting_text(name, of.settings) for of in (first, head))
            raise UsageError(
                f"{label}: was made {theirs}, and those before it {ours}; make all with the same settings"
            )
        for run, shares in head.runs.items():
            have = runs.setdefault(run, set())
            if twice := sorted(shares & have):
                raise UsageError(f"{label}: share {twice[0]} of {run[1]} is there already; name each share once")
            have |= shares
        if len(failed) <= MAX_FAILED:
            failed += head.failed
    if len(failed) > MAX_FAILED:
        failed = [*failed[:MAX_FAILED], "and more that could not be read"]
    frozen = {run: frozenset(shares) for run, shares in runs.items()}
    return replace(first, runs=frozen, frames=sum(head.frames for _, head in heads), failed=tuple(failed))


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """The name of the first setting that differs."""
    return next((name for name in sorted({*one, *other}) if one.get(name) != other.get(name)), None)


def setting_text(name: str, settings: Mapping[str, Any]) -> str:
    """A setting for people: "with `block=4x4`", or "without `block`"."""
    if name not in settings:
        return f"without `{name}`"
    value = settings[name]
    return f"with `{name}={'x'.join(map(str, value[::-1])) if isinstance(value, (list, tuple)) else value}`"


def _check(settings: Any) -> None:
    """Raise ValueError for settings that would ask for more memory than a fit has, or that are none."""
    if not isinstance(settings, dict) or len(settings) > 100:
        raise ValueError("its settings are none")
    if "block" not in settings:
        return
    height, width = settings["block"]
    space = "gray" if settings.get("gray") else settings["space"]
    n_codes = _whole(settings["n_codes"], MAX_CODES)
    _whole(settings.get("seed", 0), 2**32 - 1)
    if not (_whole(height, MAX_BLOCK_SIDE) >= 1 and _whole(width, MAX_BLOCK_SIDE) >= 1) or space not in CODE_SPACES:
        raise ValueError("its blocks are none")
    if n_codes < 1 or n_codes * code_length((height, width), space) > MAX_SAMPLES:
        raise ValueError(f"it claims {n_codes} codes")
    settings["block"] = (height, width)


def _whole(value: Any, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"{shortened(value)} is not a number from 0 to {most}")
    return value


def _ranges_text(numbers: frozenset[int]) -> str:
    """Numbers as "1-3,7"."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def _ranges(text: str, of: int) -> frozenset[int]:
    """The numbers of "1-3,7", all from 1 to `of`. Raises ValueError."""
    numbers: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if not first.isdecimal() or len(part) > 20 or (last and not last.isdecimal()):
            raise ValueError(f"{shortened(text)} are no shares")
        span = range(int(first), int(last or first) + 1)
        if not 1 <= span.start <= span.stop - 1 <= of or numbers.intersection((span.start, span.stop - 1)):
            raise ValueError(f"{shortened(text)} are no shares of {of}")
        numbers.update(span)
    return frozenset(numbers)
