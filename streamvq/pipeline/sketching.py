"""`sketch`: a share of the inputs counted into a file, to be fitted with those of the other shares."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from streamvq.container.sketch_file import SketchFile
from streamvq.container.sketch_head import MAX_FAILED, SketchHead
from streamvq.errors import UsageError
from streamvq.keywords import keywords_after_two
from streamvq.lowrank.low_rank import cold_start_interval
from streamvq.media.inputs import MediaInput, find_inputs
from streamvq.media.opening import open_source
from streamvq.media.sources.selection import selected
from streamvq.media.sources.source import WHOLE
from streamvq.options import FitOptions, SketchOptions, Source
from streamvq.pipeline.fit import count_inputs
from streamvq.pipeline.job import listed
from streamvq.pipeline.shares import Units, check_files, digest_of, windows
from streamvq.pipeline.sketch_files import settings_of
from streamvq.staging import check_free, staged_file

_UNIT_FRAMES = 64  # of a video: at least, borders of shares lie so far apart


@dataclass(frozen=True)
class Sketched:
    """What a sketch has seen: so many frames of a share, (number, of); a line for each thing that could not be read;
    remarks; and the bytes of its file."""

    output: str
    share: tuple[int, int]
    frames: int
    failed: tuple[str, ...]
    notes: tuple[str, ...]
    bytes_out: int


@keywords_after_two(SketchOptions)
def sketch(source: Source | Sequence[Source], output: Source, options: SketchOptions) -> Sketched:
    """Count the colors or blocks of all frames of one source or several into a sketch file, from which `fit` learns.

    With `shard`, such as "3/10" or (3, 10), only those of a share of the sources: files, and stretches of frames of a
    video that lies on a border. `fit` of the sketches of all shares gives the codebook that `fit` of the sources
    gives, byte for byte. Sketches of blocks depend on `n_codes` and `seed`, those of colors serve for any.
    Raises UsageError, InputMissing, MediaError, OutputExists or OutputError.

    >>> import streamvq, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     parts = [f"{folder}/{i}.sketch" for i in (1, 2)]
    ...     frames = [streamvq.sketch("samples/photos", part, shard=(i, 2)).frames for i, part in enumerate(parts, 1)]
    ...     book = streamvq.fit(parts, 16)
    >>> len(frames), book == streamvq.fit("samples/photos", 16)
    (2, True)
    """
    inputs = find_inputs(listed(source), options.recursive)
    path = Path(output)
    check_free(path, options.overwrite)
    made, notes = sketch_inputs(inputs, options)
    data = made.to_bytes()
    with staged_file(path, options.overwrite) as part:
        part.write_bytes(data)
    head = made.head
    return Sketched(os.fspath(output), options.share or (1, 1), head.frames, head.failed, notes, len(data))


def sketch_inputs(
    inputs: Sequence[MediaInput], options: SketchOptions, alpha: str = "keep"
) -> tuple[SketchFile, tuple[str, ...]]:
    """The sketch of a share of found inputs, and remarks. Raises UsageError or MediaError.

    `alpha` is what becomes of transparency unless `options` say something else.
    """
    if any(each.source_type == "sketch" for each in inputs):
        raise UsageError(f"{inputs[0].label}: is a sketch already; streamvq merge adds sketches up")
    check_files(inputs)
    share = options.share or (1, 1)
    names = {each.name for each in fields(FitOptions)}
    fitting = FitOptions(**{name: value for name, value in vars(options).items() if name in names})
    parts = windows(inputs, share, lambda each: _units(each, options)) if share != (1, 1) else [WHOLE] * len(inputs)
    counted = count_inputs(inputs, fitting, alpha, parts)
    failed = tuple(line for lines in counted.failed.values() for line in lines)[:MAX_FAILED]
    runs = {(digest_of(inputs), share[1]): frozenset([share[0]])}
    return SketchFile(SketchHead(settings_of(options), runs, counted.frames, failed), counted.sketch), tuple(
        counted.notes
    )


def _units(source: MediaInput, options: SketchOptions) -> Units:
    """How an input may be cut: a video where frames of low rank start cold, images anywhere."""
    if source.source_type == "images":
        return Units(len(source.paths))
    with selected(open_source(source, max_pixels=options.max_pixels), options) as opened:
        interval = cold_start_interval(opened.info.pixels) if options.truncates else 1
        return Units.of_frames(opened.count_frames(), interval, _UNIT_FRAMES)
