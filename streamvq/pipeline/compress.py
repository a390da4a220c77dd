"""`compress` and `apply`: plan, fit a codebook or take one, and encode each job with it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from streamvq.errors import MediaError, UsageError, counted
from streamvq.keywords import keywords, keywords_after_two
from streamvq.media.sources.kept import KeptFrames
from streamvq.options import ApplyOptions, CompressOptions, Source
from streamvq.pipeline.elsewhere import cluster_asked
from streamvq.pipeline.encode_job import Shared, staged_job
from streamvq.pipeline.fit import NothingDecoded, fewer_colors, fit_inputs
from streamvq.pipeline.job import Job
from streamvq.pipeline.plan import plan_compression
from streamvq.pipeline.reserved_options import with_codebook_extended
from streamvq.pipeline.result import Result
from streamvq.pipeline.run_jobs import check_one, run_jobs, tidy_outputs
from streamvq.pipeline.share_output import part_of_run, save_record
from streamvq.pipeline.shared_codebook import SharedCodebook
from streamvq.pipeline.targets import TargetSearch, searches
from streamvq.quantize.codebook import Codebook


@keywords(CompressOptions)
def compress(source: Source, options: CompressOptions) -> Result:
    """Quantize one source with a codebook: fitted to it, or the one given, which never changes.

    `source` is a video, an image, a folder or glob of images, or "-" (y4m on standard input). `output` is a .svq
    file, a video, an image, a folder, or "-" (y4m on standard output); its suffix chooses the kind, and without it
    the output is a .svq file beside the source. A code stands for one pixel or a `block`, as for `fit`. `codebook` is
    a `Codebook` or the path of one. A fitted codebook is written next to the output (`save_codebook` chooses where).

    With `rank` or `energy`, frames are first truncated as by `low_rank` (`method` "svd-vq", or the default "vq").
    With `method` "svd" there is no codebook: the quantized factors are the frames; `space` is where they are stored.
    Raises UsageError, InputMissing, MediaError, CodebookError, OutputError; nothing half-written remains.

    >>> import streamvq, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = streamvq.compress("samples/clip.mp4", f"{folder}/clip.mkv", 32)
    >>> result.n_codes, result.width, result.height
    (32, 480, 270)
    """
    return encode_all(source, options, one=True)[0]


@keywords(CompressOptions)
def compress_many(sources: Source | Sequence[Source], options: CompressOptions) -> list[Result]:
    """Quantize all sources with one codebook, fitted to all of them, as `compress` does one; a result a source.

    Where one of several fails, its result has `error` and the others are done. `output` is a folder then.
    """
    return encode_all(sources, options)


@keywords_after_two(ApplyOptions)
def apply(source: Source, codebook: Codebook | Source, options: ApplyOptions) -> Result:
    """Quantize one source with a saved codebook, a `Codebook` or its path; nothing is fitted. See `compress`."""
    if codebook is None:
        raise UsageError("`codebook=None`: apply fits nothing; give a codebook, or use compress")
    return encode_all(source, CompressOptions(**vars(options), codebook=codebook), one=True)[0]


def encode_all(
    sources: Source | Sequence[Source], options: CompressOptions, one: bool = False, keep: bool = True
) -> list[Result]:
    """Plan, fit or take a codebook, and encode each job with it; without `keep`, nothing is left of that."""
    if (cluster := cluster_asked(options)) is not None and keep:
        return list(cluster.encode_on_cluster(sources, options, one))
    start = time.perf_counter()
    options = with_codebook_extended(options)
    tidy_outputs(options.output, options.save_codebook)
    plan = plan_compression(sources, options)
    if one:
        check_one(plan, "compress_many")
    notes, warnings, failed = list[str](), list[str](), dict[str, list[str]]()
    book = SharedCodebook(plan, options)
    if plan.continues and plan.jobs:
        again = counted(len(book.codebook or ()), "code")
        notes.append(f"{plan.codebook_path}: its {again} serve, as in the run before")
    search = TargetSearch(plan.jobs, options, book) if searches(plan, options) else None
    kept = None if search or options.share else KeptFrames()  # a search reads inputs several times
    pipe = not plan.jobs or plan.jobs[0].source.source_type == "pipe"
    if book.codebook is None and not options.stores_factors and not options.own_palettes and not pipe:
        try:
            samples = search.samples if search else ()
            inputs = [job.source for job in plan.jobs]
            fitted = fit_inputs(inputs, options, plan.jobs[0].target.alpha, samples, kept)
        except MediaError as error:
            if len(plan.labels) == 1:
                raise
            undecodable = {plan.jobs[0].source.label: [str(error)]}
            failed = error.failed if isinstance(error, NothingDecoded) else undecodable
        else:
            book.codebook, failed = fitted.codebook, fitted.counted.failed
            if search is None:
                warnings = fewer_colors(fitted.codebook, options)
            else:
                search.learned.take(fitted)
    elif search is not None:
        search.collect()
    book.check()
    if search is not None:
        plan = replace(plan, jobs=search.order())
    seconds = (time.perf_counter() - start) / max(1, len(plan.jobs))
    shared = Shared(tuple(notes), tuple(warnings), seconds, part_of_run(plan, options), kept or KeptFrames())

    def do(job: Job) -> Result:
        nothing = book.codebook is None and not options.own_palettes and job.source.source_type != "pipe"
        if job.source.label in failed and (
            nothing or (job.source.source_type != "images" and not options.keep_going)
        ):
            raise MediaError(failed[job.source.label][0])
        if search is not None:
            return search.encode(job, shared, keep)
        begun = time.perf_counter()
        with staged_job(job, book, options, shared) as staged:
            staged.check()
            if keep:
                staged.keep()
            return staged.result(time.perf_counter() - begun)

    results = run_jobs(plan, do, {"notes": shared.notes, "warnings": shared.warnings})
    if options.share and shared.part is None and keep:
        save_record(plan, book.emitted or book.codebook, options, shared.files, results)
    return results
