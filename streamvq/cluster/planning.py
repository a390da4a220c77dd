"""`plan`: what a run on many workers would take, from a share that is counted and coded here."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from streamvq.cluster.cost_model import Costs, Prediction, most_useful, predict
from streamvq.container.group_size import GroupSize
from streamvq.container.sketch_file import SketchFile
from streamvq.keywords import keywords
from streamvq.media.inputs import find_inputs
from streamvq.media.opening import open_source
from streamvq.media.sources.selection import selected
from streamvq.options import ApplyOptions, CompressOptions, PlanOptions, SketchOptions, Source
from streamvq.pipeline.compress import encode_all
from streamvq.pipeline.job import listed
from streamvq.pipeline.reserved_options import fixed_codes, with_codebook_extended
from streamvq.pipeline.shares import check_files
from streamvq.pipeline.sketch_fit import fit_sketch
from streamvq.pipeline.sketching import sketch_inputs
from streamvq.quantize.codebook import Codebook

Made = TypeVar("Made")
_SAMPLE_FRAMES = 128
_LEARN_UNIT = 64  # frames of a video that are counted together
_HERE: dict[str, Any] = {"jobs": 1, "progress": None, "cluster": None, "client": None, "shard": None}


@dataclass(frozen=True)
class ClusterPlan(Prediction):
    """What a run takes, and what was measured for that; beyond `useful_workers`, twice as many help little."""

    useful_workers: int
    worker_bytes: int
    costs: Costs


@keywords(PlanOptions)
def plan(source: Source | Sequence[Source], options: PlanOptions) -> ClusterPlan:
    """What `compress` of sources would take on a cluster of so many `workers`: time, memory, and bytes over the wire.

    One share of some 128 frames is counted and coded here, by one thread, into a temporary folder, and the run is
    simulated with what that took. Times are CPU seconds: those of workers with a core for each thread, as fast as
    this one's. Memory is what this process took. Raises UsageError, InputMissing, MediaError or OutputError.
    """
    costs = measured_costs(source, options)
    found = predict(costs, options.workers, options.network)
    useful = most_useful(costs, options.network)
    return ClusterPlan(**vars(found), useful_workers=useful, worker_bytes=_peak(), costs=costs)


def measured_costs(sources: Source | Sequence[Source], options: CompressOptions) -> Costs:
    """What frames, sketches and groups of sources cost with these options, measured with a share of them."""
    names = [os.fspath(name) for name in listed(sources)]
    inputs = find_inputs(names, options.recursive)
    check_files(inputs)
    first, size = inputs[0], sum(each.size_bytes or 0 for each in inputs)
    with selected(open_source(first, max_pixels=options.max_pixels), options) as opened:
        is_film = bool(opened.info.fps)
        frames = max(1, round(opened.count_frames() * size / max(1, first.size_bytes or 1)))
        group = GroupSize.for_stream(opened.info, options.sides)
        unit = max(1, min(group.frames, group.pixels // opened.info.pixels)) if is_film and opened.info.pixels else 1
    of = max(1, frames // _SAMPLE_FRAMES)
    middle = (of // 2 + 1, of)
    whole = of == 1
    options = replace(with_codebook_extended(options), **_HERE)
    learned: dict[str, Any] = {"learn_units": 0, "learn_seconds": 0.0, "sketch_bytes": 0, "merge_seconds": 0.0}
    learned |= {"fit_seconds": 0.0, "codebook_bytes": 0}
    codebook: Codebook | None = None
    if options.codebook is None and not (options.stores_factors or options.own_palettes):
        wanted = {each.name for each in fields(SketchOptions)} - {"overwrite"}
        given = {name: value for name, value in vars(options).items() if name in wanted}
        if options.sides == (1, 1):
            given |= {"n_codes": None, "bits": None, "seed": 0, "weight": "count", "space": None}
        sketching = SketchOptions(**given | {"shard": None if whole else middle})
        (made, _), seconds = _timed(lambda: sketch_inputs(inputs, sketching))
        data = made.to_bytes()
        _, merging = _timed(lambda: SketchFile.load(data, "a sketch"))
        fitted, fitting = _timed(lambda: fit_sketch(made.sketch, options, fixed_codes(options)), once=True)
        learned["learn_units"] = -(-frames // _LEARN_UNIT) if is_film else frames
        learned |= {"learn_seconds": seconds / max(1, made.head.frames), "sketch_bytes": len(data)}
        learned |= {"merge_seconds": merging, "fit_seconds": fitting, "codebook_bytes": len(fitted.to_bytes())}
        codebook = fitted
    with tempfile.TemporaryDirectory(prefix="streamvq-") as folder:
        single = len(inputs) == 1 and Path(options.output or "a.svq").suffix.lower() == ".svq"
        target = Path(folder, "part.svq" if single else "out")
        encoding = _encoding(options, codebook, None if whole else middle, target)
        results, seconds = _timed(lambda: encode_all(names, encoding))
        coded = max(1, sum(each.frames for each in results))
        bytes_out = sum(each.bytes_out or 0 for each in results)
        _, opening = _timed(lambda: _open_all(names, options))
    return Costs(
        frames=frames, bytes_in=size, bytes_out=round(bytes_out * frames / coded), encode_units=-(-frames // unit),
        encode_seconds=seconds / coded, share_seconds=opening, scans=bool(options.lossy or options.stability),
        **learned,
    )  # fmt: skip


def _encoding(
    options: CompressOptions, codebook: Codebook | None, share: tuple[int, int] | None, target: Path
) -> CompressOptions:
    """The options with which a share is written to `target`, again and again."""
    changed: dict[str, Any] = {"shard": share, "output": target, "overwrite": True, "save_codebook": None}
    if codebook is None:
        return replace(options, **changed)
    wanted = {each.name for each in fields(ApplyOptions)}
    given = {name: value for name, value in vars(options).items() if name in wanted}
    return CompressOptions(**given | changed | {"space": options.matching_asked}, codebook=codebook)


def _open_all(names: Sequence[str], options: CompressOptions) -> None:
    for each in find_inputs(names, options.recursive)[:1]:
        with selected(open_source(each, max_pixels=options.max_pixels), options) as opened:
            opened.count_frames()


def _timed(work: Callable[[], Made], once: bool = False) -> tuple[Made, float]:
    """What work gives, and its CPU seconds, the second time: the first also loads what it needs."""
    if not once:
        work()
    begun = time.process_time()
    return work(), time.process_time() - begun


def _peak() -> int:
    """The most memory that this process had, in bytes; 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
