"""What a share of the work leaves for `merge`: in a part of a .svq file, or beside the files in a folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from streamvq.container.share import Share
from streamvq.media.made_with import made_with
from streamvq.media.share_record import ShareRecord, names_in
from streamvq.media.sinks.images import FolderSink
from streamvq.media.sinks.sink import FrameSink
from streamvq.media.sinks.svq import SvqSink
from streamvq.options import CompressOptions
from streamvq.pipeline.emission import naming_matched
from streamvq.pipeline.encode import Unread
from streamvq.pipeline.job import Job
from streamvq.pipeline.plan import Plan
from streamvq.pipeline.result import Result
from streamvq.pipeline.shared_jobs import WindowReader
from streamvq.quantize.codebook import Codebook


def part_of_run(plan: Plan, options: CompressOptions) -> Share | None:
    """Which share the one .svq file that is written will be; None where files are whole."""
    jobs = [*plan.jobs, *plan.skipped]
    if options.share is None or len(plan.labels) > 1 or not jobs or jobs[0].target.format != "svq":
        return None
    number, of = options.share
    return Share(number, of, plan.inputs_digest)


def begin_part(sink: FrameSink, share: Share | None, reader: WindowReader) -> None:
    """Have a part of a .svq file begin with the audio behind that of the share before."""
    if isinstance(sink, SvqSink) and share is not None:
        sink.begin_share(share, reader.before)


def end_part(sink: FrameSink, share: Share | None, job: Job, read: Unread, batch: int) -> None:
    """Have a part of a .svq file say which frames it has."""
    if isinstance(sink, SvqSink) and share is not None:
        first, stop = job.window.start, job.window.stop
        share = replace(share, first=first, stop=stop, items=read.items, batch=batch)
        sink.end_share(replace(share, unread=read.numbers, failed=read.reasons))


def files_of(sink: FrameSink, job: Job) -> list[Path]:
    """The files that were written."""
    return [job.target.path / name for name in sink.names] if isinstance(sink, FolderSink) else [job.target.path]


def save_record(
    plan: Plan, codebook: Codebook | None, options: CompressOptions, files: Sequence[Path], results: Iterable[Result]
) -> None:
    """Write the record of a share whose files are in a folder, `files` and those that were there already."""
    assert options.share is not None
    number, of = options.share
    files = [*files, *(file for job in plan.skipped for file in job.files())]
    failed = [line for result in results for line in (*result.failed, *([result.error] if result.error else []))]
    text = made_with(codebook, naming_matched(codebook, options))
    names = tuple(sorted(set(names_in(plan.output, files))))
    ShareRecord(number, of, plan.inputs_digest, text, names, tuple(failed)).save(plan.output)
