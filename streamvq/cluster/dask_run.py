"""Both passes in shares, on a Dask cluster or (`resume`) here.

Sketches come back to be added up and fitted, shares are written where they belong.
Workers read the inputs and write beside the outputs, in folders that all machines see; over the wire go descriptions
of the work, the codebook, sketches, and figures. Shares are those of `shard`, so the bytes are those of one machine,
and a share that is lost with its worker is done again by another. Futures are handed out one by one, so that few
results are held at once.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from streamvq.cluster.cost_model import SHARES_A_WORKER
from streamvq.cluster.dask_client import (
    absolute,
    check_worker,
    connected,
    done_in_any_order,
    host,
    thread_count,
    versions,
)
from streamvq.cluster.kept_shares import KeptShares, folder_of, results_as_json, results_of_json, run_digest
from streamvq.cluster.merge_folders import merge_folders
from streamvq.cluster.merge_svq import merge_svq
from streamvq.cluster.summed import summed
from streamvq.container.sketch_file import SketchFile
from streamvq.errors import InputMissing, OutputError, UsageError
from streamvq.leftovers import claimed, part_of
from streamvq.media.inputs import PIPE, MediaInput, find_inputs
from streamvq.media.share_record import ShareRecord, record_of_share
from streamvq.options import ApplyOptions, CompressOptions, FitOptions, SketchOptions, Source
from streamvq.pipeline.compress import encode_all
from streamvq.pipeline.fit import Counted, Fitted, NothingDecoded, fewer_colors
from streamvq.pipeline.job import listed
from streamvq.pipeline.learned_order import palette_of_inputs
from streamvq.pipeline.plan import Plan, plan_compression
from streamvq.pipeline.reserved_options import fixed_codes, with_codebook_extended
from streamvq.pipeline.result import Result
from streamvq.pipeline.run_jobs import check_one
from streamvq.pipeline.shares import check_files, digest_of
from streamvq.pipeline.sketch_fit import fit_sketch
from streamvq.pipeline.sketching import sketch_inputs
from streamvq.progress import NoProgress
from streamvq.quantize.codebook import Codebook
from streamvq.staging import staged_file

_SHARES_HERE = 16  # of a run without a cluster that may have to go on


@dataclass(frozen=True)
class _Work:
    """What a worker is told: the inputs, by absolute names, what they are, and the folder that is none of them; how
    many shares there are; the options; the versions; and where finished shares are kept."""

    names: tuple[str, ...]
    digest: str
    leave_out: Path | None
    shares: int
    options: Any
    versions: dict[str, str]
    kept: KeptShares | None = None

    def inputs(self) -> list[MediaInput]:
        """The inputs as this worker sees them. Raises InputMissing or UsageError where it does not see the same."""
        check_worker(self.versions)
        try:
            found = find_inputs(self.names, self.options.recursive, self.leave_out)
        except InputMissing as error:
            raise InputMissing(f"{error} (on the worker {host()}; all machines are to see the inputs)") from error
        if digest_of(found) != self.digest:
            raise UsageError(f"{self.names[0]}: has other files, or other sizes, on the worker {host()}")
        return found


@dataclass(frozen=True)
class _Inputs:
    """The inputs as the caller sees them."""

    found: Sequence[MediaInput]
    names: tuple[str, ...]
    leave_out: Path | None = None
    kept: KeptShares | None = None

    def work(self, shares: int, options: Any) -> _Work:
        shares = self.kept.shares if self.kept else shares
        return _Work(self.names, digest_of(self.found), self.leave_out, shares, options, versions(), self.kept)


def fit_on_cluster(sources: Source | Sequence[Source], options: FitOptions) -> Fitted:
    """What `fit_inputs` makes, counted on a cluster."""
    found = find_inputs(listed(sources), options.recursive)
    check_files(found)
    with connected(options) as client:
        return _fitted(client, _Inputs(found, absolute(listed(sources))), options, "keep")


def encode_on_cluster(
    sources: Source | Sequence[Source], options: CompressOptions, one: bool = False
) -> list[Result]:
    """What `encode_all` does, on a cluster."""
    _check(options)
    start = time.perf_counter()
    options = with_codebook_extended(options)
    plan = plan_compression(sources, replace(options, overwrite=options.overwrite or options.resume))
    if options.resume and folder_of(plan.output).is_dir():
        options = replace(options, overwrite=True)  # what is there is of the run before
    elif options.resume:
        plan = plan_compression(sources, options)
    if one:
        check_one(plan, "compress_many")
    single = plan.jobs[0].target if len(plan.labels) == 1 else None
    if single is not None and single.kind != "folder" and single.format != "svq":
        raise UsageError(
            f"{plan.output}: is one file, which workers cannot write together; write a .svq, and decompress it"
        )
    leave_out = None if options.output is None else Path(options.output).absolute()
    found = [job.source for job in plan.jobs]
    check_files(found)
    inputs = _Inputs(found, absolute(listed(sources)), leave_out)
    with connected(options) as client:
        if options.resume:
            inputs = replace(inputs, kept=_kept(client, inputs, plan, options))
        codebook, warnings, failed = plan.codebook, list[str](), list[str]()
        if codebook is None and not (options.stores_factors or options.own_palettes):
            fitted = _fitted(client, inputs, options, plan.jobs[0].target.alpha)
            codebook, failed, warnings = fitted.codebook, fitted.failures, fewer_colors(fitted.codebook, options)
            if plan.codebook_path is not None:
                codebook.save(plan.codebook_path, options.overwrite)
        results, bytes_out = _encoded(client, inputs, plan, _applying(options, codebook))
    if inputs.kept is not None:
        inputs.kept.remove()
    figures: dict[str, Any] = {"codebook": str(plan.codebook_path or options.codebook or "") or None}
    if codebook is not None:
        figures["codebook_bytes"] = len(codebook.to_bytes())
    figures["seconds"] = (time.perf_counter() - start) / len(plan.jobs)
    return [
        summed(job, results[number], bytes_out if single is not None else None, figures, (warnings, failed))
        for number, job in enumerate(plan.jobs)
    ]


def _check(options: CompressOptions) -> None:
    """Raise UsageError for what a cluster does not do."""
    how = "resume" if options.resume else "cluster"
    for name in ("shard", "skip_existing", "skip_if_larger", "min_psnr", "max_size"):
        if getattr(options, name):
            raise UsageError(f"`{how}` and `{name}` contradict each other; drop one")
    if options.output is not None and os.fspath(options.output) == PIPE:
        raise UsageError("-: workers write files; name one")


def _kept(client: Any, inputs: _Inputs, plan: Plan, options: CompressOptions) -> KeptShares:
    """The finished shares of the run before, or none yet."""
    output = plan.output.absolute()
    whole = len(plan.labels) == 1 and plan.jobs[0].target.format == "svq"
    run = run_digest(digest_of(inputs.found), options, plan.codebook, versions())
    return KeptShares.of_run(output, None if whole else output, run, _share_count(client, options))


def _share_count(client: Any, options: CompressOptions) -> int:
    scans = options.lossy or options.stability  # each share reads all that is before it
    if client is None:
        return SHARES_A_WORKER if scans else _SHARES_HERE
    return thread_count(client) * (1 if scans else SHARES_A_WORKER)


def _fitted(client: Any, inputs: _Inputs, options: FitOptions, alpha: str) -> Fitted:
    """A codebook fitted here to what workers count."""
    threads = thread_count(client)
    palette = palette_of_inputs(inputs.found, options)
    names = {each.name for each in fields(SketchOptions)}
    given = {name: value for name, value in vars(options).items() if name in names} | _alone(options)
    given = {name: value for name, value in given.items() if name in names}
    if options.sides == (1, 1):  # a sketch of colors serves for any
        given |= {"n_codes": None, "bits": None, "seed": 0, "weight": "count", "gray": options.is_gray, "space": None}
    work = inputs.work(SHARES_A_WORKER * threads, SketchOptions(**given))
    total: SketchFile | None = None
    progress = options.progress or NoProgress()
    with progress.of("learn" if client is None else "learn on the cluster", None):
        for data in done_in_any_order(client, _sketch_share, range(1, work.shares + 1), threads, (work, alpha)):
            before = total.head.frames if total else 0
            total = total.added(data, "a worker's sketch") if total else SketchFile.load(data, "a worker's sketch")
            for _ in range(total.head.frames - before):
                progress.advance()
    assert total is not None
    failed = {inputs.found[0].label: list(total.head.failed)} if total.head.failed else {}
    if not total.head.frames:
        raise NothingDecoded(failed or {inputs.names[0]: [f"{inputs.names[0]}: no frame can be read"]})
    codebook = fit_sketch(total.sketch, options, fixed_codes(options), palette)
    return Fitted(codebook, Counted(total.sketch, total.head.frames, failed, []))


def _sketch_share(number: int, work: _Work, alpha: str) -> bytes:
    """On a worker: what a share has of all colors or blocks."""
    kept, name = work.kept, f"sketch-{number}"
    inputs = work.inputs()
    kept = kept and replace(kept, base=kept.folder)
    if kept and kept.find(name):
        return Path(kept.folder, f"{name}.sketch").read_bytes()
    made, _ = sketch_inputs(inputs, replace(work.options, shard=(number, work.shares)), alpha)
    data = made.to_bytes()
    if kept:
        with staged_file(kept.folder / f"{name}.sketch", overwrite=True) as part:
            part.write_bytes(data)
        kept.keep(name, True, [f"{name}.sketch"])
    return data


def _alone(options: Any) -> dict[str, Any]:
    """How a share is done: by one thread of a worker, or by all here; nothing of it is shared again."""
    there = options.cluster is not None or options.client is not None
    return {
        "jobs": 1 if there else options.jobs, "progress": None, "cluster": None, "client": None, "resume": False
    }  # fmt: skip


def _applying(options: CompressOptions, codebook: Codebook | None) -> CompressOptions:
    """The options with which workers write what is learned, or given."""
    if codebook is None:
        return replace(options, **_alone(options))
    names = {each.name for each in fields(ApplyOptions)}
    given = {name: value for name, value in vars(options).items() if name in names} | _alone(options)
    given["space"] = options.matching_asked
    if options.emit_palette is not None and Path(str(options.emit_palette)).exists():
        given["emit_palette"] = absolute([str(options.emit_palette)])[0]
    return CompressOptions(**given, codebook=codebook)


def _encoded(
    client: Any, inputs: _Inputs, plan: Plan, options: CompressOptions
) -> tuple[list[list[Result]], int | None]:
    """The figures of each job, of all shares; the bytes of the one .svq file, where that is written."""
    threads, kept = thread_count(client), inputs.kept
    output, labels = plan.output.absolute(), [job.source.label for job in plan.jobs]
    results: list[list[Result]] = [[] for _ in labels]
    progress = options.progress or NoProgress()
    with ExitStack() as stack:
        folder = output
        if whole := len(plan.labels) == 1 and plan.jobs[0].target.format == "svq":
            folder = kept.folder if kept else part_of(stack.enter_context(claimed(output.parent)))
            if not kept:
                folder.mkdir()
                stack.callback(shutil.rmtree, folder, ignore_errors=True)
        elif not output.exists():
            output.mkdir()
        work = inputs.work(
            _share_count(client, options), replace(options, output=None, overwrite=True)
        )  # what is in the way was looked for
        stack.enter_context(progress.of("quantize" if client is None else "quantize on the cluster", None))
        for made in done_in_any_order(
            client, _encode_share, range(1, work.shares + 1), threads, (work, str(folder), whole)
        ):
            for number, result in made:
                results[number].append(result)
                for _ in range(result.frames):
                    progress.advance()
        if not whole:
            merge_folders([output], output, True)
            return results, None
        parts = [folder / f"{number}.svq" for number in range(1, work.shares + 1)]
        if unseen := [part for part in parts if not part.exists()]:
            raise InputMissing(
                f"{unseen[0]}: was written by a worker, and is not here; all are to see {output.parent}"
            )
        _, _, size = merge_svq(find_inputs(parts), output, options.overwrite)
    return results, size


def _encode_share(number: int, work: _Work, folder: str, whole: bool) -> list[tuple[int, Result]]:
    """On a worker: write a share, and give its figures, with the number of the input."""
    number_of: dict[str, int] = {}
    for at, source in enumerate(work.inputs()):
        number_of.setdefault(source.label, at)
    if not Path(folder).is_dir():
        raise OutputError(f"{folder}: there is no such folder on the worker {host()}; all machines are to see it")
    kept, name = work.kept, f"share-{number}"
    if kept and (had := kept.find(name)) is not None:
        return results_of_json(had)
    output = str(Path(folder, f"{number}.svq")) if whole else folder
    results = encode_all(list(work.names), replace(work.options, shard=(number, work.shares), output=output))
    made = [(number_of[each.input], each) for each in results]
    if kept and not any(each.error for each in results):
        record = record_of_share(Path(folder), (number, work.shares))
        files = [f"{number}.svq"] if whole else [record.name, *ShareRecord.load(record).files]
        kept.keep(name, results_as_json(made), files)
    return made
