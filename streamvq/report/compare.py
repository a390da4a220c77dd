"""`compare`: one input measured against another, with a table and a plot of it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from streamvq.errors import UsageError
from streamvq.keywords import keywords_after_two
from streamvq.media.codebooks import find_codebook
from streamvq.media.inputs import PIPE
from streamvq.options import CompareOptions, Source
from streamvq.progress import NoProgress
from streamvq.report.comparison import Comparison, write_csv
from streamvq.report.comparison_plot import MAX_ROWS, ROWS, coding_of, evenly_spaced, plot_comparison
from streamvq.report.measure import measure
from streamvq.report.pairing import Pairing
from streamvq.report.plotting import check_plot_path
from streamvq.staging import check_free


@keywords_after_two(CompareOptions)
def compare(reference: Source, test: Source, options: CompareOptions) -> Comparison:
    """PSNR, SSIM, flicker, distinct colors and bytes of `test` compared with `reference`.

    Both are a video, an image, a folder or glob of images, a `.svq` (`codebook`, or its path, is for one without a
    codebook inside), or one of them "-"; `Pairing` says how frames are paired. `frames` restricts the comparison to
    these indices.

    Pixels are compared as 8 bits; transparent ones are composited over mid gray, and PSNR leaves out pixels that are
    invisible in both. Where all of `test` is gray and `reference` is not, luma is compared with luma, and `notes`
    says so. The result does not depend on `jobs` (threads; 0: one for each core).

    `csv` is a table to write, with a row for each frame and the columns of `FrameComparison`. `plot` is a .png, .svg
    or .pdf to write, with original, quantized and error x8 of up to 12 of the `frames`, or of 4 where none are given.
    Raises UsageError where frames cannot be paired, InputMissing, MediaError, OutputExists, OutputError.

    >>> import streamvq
    >>> same = streamvq.compare("samples/photos/sprite.png", "samples/photos/sprite.png")
    >>> same.psnr_db, same.ssim, same.colors_test == same.colors_reference
    (None, 1.0, True)
    """
    table, figure = (None if name is None else Path(name) for name in (options.csv, options.plot))
    for path in (table, figure):
        if path is not None:
            _check_output(path, (reference, test), options.overwrite)
    if figure is not None:
        check_plot_path(figure)
        if PIPE in (os.fspath(reference), os.fspath(test)):
            raise UsageError(f"{PIPE}: `plot` reads its frames once more, and a pipe is read once; name a file")
    reading: dict[str, Any] = {
        "resize": options.resize,
        "recursive": options.recursive,
        "codebook": find_codebook(options.codebook),
        "jobs": options.jobs,
        "keep_going": options.keep_going,
        "max_pixels": options.max_pixels,
    }
    with Pairing(reference, test, frames=options.frames, **reading) as pairing:
        comparison, tested = measure(pairing, options.progress or NoProgress()), pairing.inputs[1]
    if table is not None:
        write_csv([vars(frame) for frame in comparison.frames], table, options.overwrite)
    if figure is not None:
        indices = evenly_spaced(comparison, ROWS if options.frames is None else MAX_ROWS)
        coding = coding_of(tested, indices, comparison.colors_test)
        with Pairing(reference, test, frames=indices, **reading) as pairing:
            plot_comparison(figure, comparison, pairing.pairs(), coding, options.overwrite)
    return comparison


def _check_output(path: Path, inputs: tuple[Source, Source], overwrite: bool) -> None:
    """Raise where `path` is an input, is taken, or cannot be written."""
    if path.resolve() in [Path(source).resolve() for source in inputs]:
        raise UsageError(f"{path}: is an input; choose another name")
    check_free(path, overwrite)
