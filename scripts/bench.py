"""Measure streamvq against its peers, as ratios within one run.

    python scripts/bench.py all --clip path/to/720p.mp4 --json today.json
    python scripts/bench.py compare before.json today.json

Needs the extra `bench` (pip install -e .[bench]); programs (ffmpeg, gifsicle, img2webp, cjxl, pngquant, apngasm) are
measured where they are installed, and named where not. Times are CPU seconds, in turn with the peers', unless
a row says wall; a ratio is ours to the peer's, or with an x how many times ours the peer takes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from benchmarks import color, dither, end_to_end, fit, gif, low_rank, nearest, palette, rates, stability, targets
from benchmarks.machine import describe_machine
from benchmarks.measure import Bench
from benchmarks.records import compare, load, save

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
CASES = {
    "nearest": nearest.bench_nearest,
    "fit": fit.bench_fit,
    "blocks": nearest.bench_blocks,
    "end-to-end": end_to_end.bench_end_to_end,
    "stages": end_to_end.bench_stages,
    "scaling": end_to_end.bench_scaling,
    "memory": end_to_end.bench_memory,
    "startup": end_to_end.bench_start,
    "coder": rates.bench_index,
    "effort": rates.bench_effort,
    "rd": rates.bench_rd,
    "svd": low_rank.bench_svd,
    "ranks": low_rank.bench_ranks,
    "dither": dither.bench_dither,
    "color": color.bench_color,
    "palette": palette.bench_palette,
    "stability": stability.bench_stability,
    "gif": gif.bench_gif,
    "targets": targets.bench_targets,
}


def main() -> None:
    if sys.argv[1:2] == ["compare"]:
        sys.exit(print_comparison(*map(Path, sys.argv[2:])))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="+", choices=[*CASES, "all"])
    parser.add_argument("--clip", type=Path, action="append", help="a film (repeatable); else the clip of samples/")
    parser.add_argument("--photos", type=Path, default=SAMPLES / "photos")
    parser.add_argument("--json", type=Path, help="also write all rows there, for `compare`")
    options = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # commands start as they do for users
    machine = describe_machine()
    print(", ".join(f"{name} {value}" for name, value in machine.items()), flush=True)
    films = {clip.stem: clip.resolve() for clip in options.clip or [SAMPLES / "clip.mp4"]}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(films, options.photos.resolve(), Path(folder))
        for name in CASES if "all" in options.case else options.case:
            bench.case = name
            bench.heading(CASES[name].__doc__ or "")
            CASES[name](bench)
            if options.json:  # after each, so that what was measured is kept
                save(options.json, machine, bench.rows)


def print_comparison(before: Path, after: Path) -> int:
    """What is slower or larger beyond the noise; 1 where something is."""
    (one, old), (two, new) = load(before), load(after)
    if one != two:
        print(f"two machines or versions: {one}, {two}")
    lines = compare(old, new)
    print("\n".join(lines) or "nothing beyond the noise")
    return int(any(line.startswith("WORSE") for line in lines))


if __name__ == "__main__":
    main()
