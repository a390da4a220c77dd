"""What a run on so many workers takes, simulated share by share from what frames, sketches and groups cost.

Workers take the next share when they are free. All read the inputs from, and write parts to, one storage behind a
network of a given speed; sketches and figures reach the caller over another, and are added up there one by one.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

SHARES_A_WORKER = 4  # so that none waits long for the last
DISPATCH_SECONDS = 0.001  # of Dask's scheduler, for each task
FIGURES_BYTES = 1000  # of a share that was written, with the messages about it


@dataclass(frozen=True)
class Costs:
    """What was measured, in CPU seconds and bytes, of inputs with so many `frames`, in `learn_units` and
    `encode_units` that are never divided.

    `merge_seconds` are of adding one sketch to others. With `scans`, shares read and code all frames before theirs.
    """

    frames: int
    bytes_in: int
    bytes_out: int
    learn_units: int
    encode_units: int
    learn_seconds: float  # a frame
    encode_seconds: float  # a frame
    share_seconds: float  # to find the inputs and open them, for each share
    sketch_bytes: int
    merge_seconds: float
    fit_seconds: float
    codebook_bytes: int
    scans: bool = False


@dataclass(frozen=True)
class Prediction:
    """What a run takes: seconds, over the wire besides inputs and outputs so many bytes, and what limits it."""

    workers: int
    seconds: float
    learn_seconds: float
    wire_bytes: int
    limit: str


def predict(
    costs: Costs, workers: int, gigabits: float = 1.0, stragglers: float = 0.0, slowdown: float = 4.0, seed: int = 0
) -> Prediction:
    """A run on `workers` threads of a cluster, with networks of so many gigabits a second.

    A share of `stragglers`, 0 to 1, of all workers is `slowdown` times slower.
    """
    chance = random.Random(seed)
    speeds = [slowdown if chance.random() < stragglers else 1.0 for _ in range(workers)]
    network = gigabits * 1e9 / 8  # bytes a second
    shares = SHARES_A_WORKER * workers
    learn = 0.0
    wire = shares * FIGURES_BYTES
    busy = {"the work itself": 0.0, "adding sketches up, by the caller": 0.0, "the storage's network": 0.0}
    busy["the scheduler"] = DISPATCH_SECONDS * shares
    if costs.learn_units:
        sent = min(shares, costs.learn_units)
        each = costs.learn_seconds * costs.frames / sent
        learn = _pass(
            speeds, shares, lambda share: costs.share_seconds + (each if share < sent else 0.0),
            costs.bytes_in / sent / network, costs.sketch_bytes / network + costs.merge_seconds, sent,
        )  # fmt: skip
        learn += costs.fit_seconds
        wire += shares * FIGURES_BYTES + sent * costs.sketch_bytes + workers * costs.codebook_bytes
        busy["the work itself"] += max(1, workers / sent) * each * sent / workers
        busy["adding sketches up, by the caller"] += sent * (costs.sketch_bytes / network + costs.merge_seconds)
        busy["the storage's network"] += costs.bytes_in / network
        busy["the scheduler"] += DISPATCH_SECONDS * shares
        busy["fitting, by the caller"] = costs.fit_seconds
    shares = workers if costs.scans else shares
    used = min(shares, costs.encode_units)
    each = costs.encode_seconds * costs.frames / used
    before = (lambda share: share) if costs.scans else (lambda _: 0)
    moved = (costs.bytes_in + costs.bytes_out) / used / network
    encode = _pass(
        speeds, shares, lambda share: costs.share_seconds + (each * (1 + before(share)) if share < used else 0.0),
        moved, FIGURES_BYTES / network, used,
    )  # fmt: skip
    merging = 2 * costs.bytes_out / network  # the parts are read, and become one
    work = costs.frames * costs.encode_seconds
    busy["the work itself"] += (work if costs.scans else work / min(workers, used)) + 2 * costs.share_seconds
    busy["the storage's network"] += (costs.bytes_in + 3 * costs.bytes_out) / network
    limit = max(busy, key=lambda name: busy[name])
    if limit == "the work itself":
        if costs.scans:
            limit = "frames whose codes follow from those before, which every share reads"
        elif workers >= used:
            limit = f"the {used} stretches of frames that are never divided"
    return Prediction(workers, learn + encode + merging, learn, wire, limit)


def _pass(
    speeds: list[float],
    shares: int,
    work: Callable[[int], float],
    storage_seconds: float,
    caller_seconds: float,
    used: int,
) -> float:
    """Seconds until the caller has all results.

    Each share's `work` takes the storage for so long, and then the caller; shares beyond `used` are empty.
    """
    free = [(0.0, worker) for worker in range(len(speeds))]
    heapify(free)
    storage, done = 0.0, list[float]()
    for share in range(shares):
        ready, worker = heappop(free)
        start = max(ready, share * DISPATCH_SECONDS)
        end = start + work(share) * speeds[worker]
        if share < used:
            storage = max(storage, start) + storage_seconds
            end = max(end, storage)
        heappush(free, (end, worker))
        done.append(end)
    caller = 0.0
    for number, end in enumerate(sorted(done)):
        caller = max(caller, end) + (caller_seconds if number < used else 0.0)
    return caller


def most_useful(costs: Costs, gigabits: float = 1.0) -> int:
    """The least number of workers, of 1, 2, 4, ..., that doubling makes less than a tenth faster."""
    workers, seconds = 1, predict(costs, 1, gigabits).seconds
    while workers < 16384:
        doubled = predict(costs, 2 * workers, gigabits).seconds
        if doubled > 0.9 * seconds:
            break
        workers, seconds = 2 * workers, doubled
    return workers
