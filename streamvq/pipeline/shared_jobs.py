"""The jobs of a share of the work, and how what it reads is cut off from what others do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from streamvq.container.group_size import GroupSize
from streamvq.errors import MediaError, UsageError
from streamvq.frames import StreamInfo
from streamvq.lowrank.low_rank import cold_start_interval
from streamvq.media.inputs import MediaInput
from streamvq.media.opening import open_with_codebook
from streamvq.media.reading.picture_delays import about
from streamvq.media.sources.selection import selected
from streamvq.media.sources.source import FrameSource, Window
from streamvq.options import CompressOptions
from streamvq.pipeline.grouping import grouped
from streamvq.pipeline.job import Job
from streamvq.pipeline.shares import Units, check_files, windows
from streamvq.quantize.codebook import Codebook

_NOTHING = Window(0, 0)


def jobs_of_share(jobs: Sequence[Job], codebook: Codebook | None, options: CompressOptions) -> list[Job]:
    """What a share has of all jobs: all of them where the work is not shared.

    Whole files go to one share each, images of folders and frames of a single .svq file are divided. Raises
    UsageError for outputs that cannot be.
    """
    if options.share is None:
        return list(jobs)
    check_files([job.source for job in jobs])
    single = jobs[0].target
    if single.kind == "pipe" or (len(jobs) == 1 and single.kind != "folder" and single.format != "svq"):
        raise UsageError(
            f"{single.path}: is one file, which shares cannot write together; write a .svq each, merge them, and "
            "decompress the whole"
        )
    by_source = {id(job.source): job for job in jobs}

    def units_of(source: MediaInput) -> Units | None:
        job = by_source[id(source)]
        if job.target.kind != "folder" and len(jobs) > 1:
            return None
        if source.source_type == "images":
            return Units(len(source.paths), places=_places(job, codebook, options))
        return _units(source, codebook, options)

    found = windows([job.source for job in jobs], options.share, units_of)
    if len(jobs) == 1 and single.format == "svq":
        return [replace(jobs[0], window=found[0] or _NOTHING)]
    return [_part(job, window, options) for job, window in zip(jobs, found, strict=True) if window is not None]


class WindowReader:
    """The items of a window of `source`, to be read once; `before` is when the item before them is shown.

    Where codes follow from those of all frames before (`scans`), these are read too, and `skip` is their number.
    """

    def __init__(self, source: FrameSource, window: Window, scans: bool) -> None:
        self._source, self._window = source, window
        self._first = 0 if scans else max(0, window.start - 1)
        self.skip = window.start if scans else 0
        self._before: Fraction | None = None
        self._passed = window.start == 0

    def items(self) -> Iterator[Any]:
        """The items, those to be skipped too."""
        if self._window.stop == self._window.start:
            return
        for number, item in enumerate(self._source.items_from(Window(self._first, self._window.stop)), self._first):
            if number == self._window.start - 1:
                self._before, self._passed = self._source.time_of(item), True
            if number >= self._window.start - self.skip:
                yield item

    def before(self) -> Fraction | None:
        """The time, in seconds; None at the start. Raises MediaError where the source ends before the window."""
        if not self._passed:
            raise MediaError(
                f"{self._source.label}: ends before frame {self._window.start}, where this share begins; make fewer"
            )
        return self._before


def _part(job: Job, window: Window, options: CompressOptions) -> Job:
    """A job with what a share has of it: images by name, where which ones are taken does not depend on others."""
    takes_all = options.takes_all(None) and not (options.lossy or options.stability)
    if job.named() and takes_all and job.source.source_type == "images":
        return replace(job, source=replace(job.source, paths=job.source.paths[window.start : window.stop]))
    return replace(job, window=window)


def _units(source: MediaInput, codebook: Codebook | None, options: CompressOptions) -> Units:
    """The groups of frames that a `.svq` of an input has; they are as good for folders."""
    given = None if options.codebook is None else codebook
    with selected(open_with_codebook(source, given, max_pixels=options.max_pixels), options) as opened:
        pixels = opened.info.pixels
        interval = cold_start_interval(pixels) if options.low_rank else 1
        size = GroupSize.for_stream(opened.info, codebook.block if codebook else None)
        most = min(size.frames, size.pixels // pixels) if pixels else interval
        return Units.of_frames(opened.count_frames(), interval, most)


def _pixels_in(path: Path) -> int:
    """Of the picture in a file, as its header says; 0 where it cannot be read."""
    try:
        found = about(path)
    except MediaError:
        return 0
    return found.height * found.width


def _places(job: Job, codebook: Codebook | None, options: CompressOptions) -> Sequence[int] | None:
    """Where the groups of a `.svq` of images will begin, if all of them can be read; None where any place will do."""
    if job.target.kind == "folder" or not options.takes_all(None):
        return None
    size = GroupSize.for_stream(StreamInfo(), codebook.block if codebook else None)
    sizes = ([_pixels_in(path)] for path in job.source.paths)
    places = [0]
    for group in grouped(sizes, size, pixels_of=int):
        places.append(places[-1] + len(group))
    return places
