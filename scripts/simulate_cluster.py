"""How far a run scales: 1 to 10,000 workers, networks of 1 and 10 Gb/s, with and without slow workers.

    python scripts/simulate_cluster.py film.mkv --hours 100

Costs of frames, sketches and groups are measured with a share of the input (streamvq/cluster/planning.py), taken for
an archive of so many hours like it, and each run is simulated share by share (streamvq/cluster/cost_model.py). The
last column says what limits a run: where that is not the work itself, more workers do not help.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

from streamvq.cluster.cost_model import Costs, most_useful, predict
from streamvq.cluster.planning import measured_costs
from streamvq.options import CompressOptions

WORKERS = (1, 2, 4, 10, 30, 100, 300, 1000, 3000, 10_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input")
    parser.add_argument("--hours", type=float, default=100, help="of film at 25 frames a second, like the input")
    parser.add_argument("--colors", type=int, default=256)
    parser.add_argument("--block", type=int, default=1)
    given = parser.parse_args()
    options = CompressOptions(n_codes=given.colors, block=given.block, overwrite=True)
    costs = scaled(measured_costs(given.input, options), round(given.hours * 3600 * 25))
    print(
        f"{costs.frames} frames: {1000 * costs.learn_seconds:.1f} ms each to learn, "
        f"{1000 * costs.encode_seconds:.1f} to code; sketches: {costs.sketch_bytes / 1e6:.2f} MB, "
        f"added in {1000 * costs.merge_seconds:.1f} ms; fit: {costs.fit_seconds:.1f} s"
    )
    for gigabits in (1.0, 10.0):
        for stragglers in (0.0, 0.05):
            print(f"\n{gigabits:g} Gb/s, {100 * stragglers:g} % of the workers four times slower")
            print("workers      seconds  speed-up  efficiency  wire MB  limited by")
            one = predict(costs, 1, gigabits).seconds
            for workers in WORKERS:
                found = predict(costs, workers, gigabits, stragglers)
                gain = one / found.seconds
                print(
                    f"{workers:7} {found.seconds:12.1f} {gain:9.1f} {100 * gain / workers:9.1f} % "
                    f"{found.wire_bytes / 1e6:8.1f}  {found.limit}"
                )
        print(f"useful: up to {most_useful(costs, gigabits)} workers")


def scaled(costs: Costs, frames: int) -> Costs:
    """The costs of so many frames like those that were measured."""
    times = frames / costs.frames
    return replace(
        costs,
        frames=frames,
        bytes_in=round(costs.bytes_in * times),
        bytes_out=round(costs.bytes_out * times),
        learn_units=max(1, round(costs.learn_units * times)),
        encode_units=max(1, round(costs.encode_units * times)),
    )


if __name__ == "__main__":
    main()
