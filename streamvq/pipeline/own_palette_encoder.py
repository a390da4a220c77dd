"""`per="image"`: a palette for each image, learned and used where the image is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from streamvq.errors import UsageError
from streamvq.frames import Frame, IndexFrame
from streamvq.options import CompressOptions
from streamvq.pipeline.alpha import is_blank
from streamvq.pipeline.encoders import EncodedFrame, FrameEncoder, Outcome, VectorQuantization
from streamvq.pipeline.job import Job
from streamvq.pipeline.reserved_options import fixed_codes
from streamvq.pipeline.sketch_fit import fit_sketch, new_sketch
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.own_palette_decoder import OwnIndexFrame, OwnPalettes

_FORMATS = ("png", "bmp")  # images whose palette is found again


class OwnPaletteEncoder(FrameEncoder):
    """Each frame with codes learned from it alone. `strict_about` is as in `VectorQuantization`."""

    def __init__(self, options: CompressOptions, strict_about: str | None = None) -> None:
        self.decoder = OwnPalettes(options.code_count, options.code_space, options.matching)
        self._options, self._fixed = options, fixed_codes(options)
        self._strict_about = strict_about

    def encode(self, frames: Iterable[Frame]) -> Iterator[Outcome]:
        """The frames of a batch, each with its codebook."""
        for frame in frames:
            book = self._codebook(frame)
            dither = book.dither(self._options.dither, self._options.dither_strength)
            gamut = book.gamut() if self._options.fit_gamut else None
            found = VectorQuantization(book, dither=dither, strict_about=self._strict_about, gamut=gamut)
            for outcome in found.encode([frame]):
                assert isinstance(outcome, EncodedFrame)
                assert isinstance(outcome.coded, IndexFrame)
                coded = OwnIndexFrame(outcome.coded.codes, outcome.coded.meta, book)
                yield EncodedFrame(coded, outcome.stats)

    def _codebook(self, frame: Frame) -> Codebook:
        sketch = new_sketch(self._options)
        sketch.absorb(frame.pixels, 0)
        if is_blank(sketch):
            return Codebook(np.zeros((1, self.decoder.channels), np.uint8), self.decoder.space)
        return fit_sketch(sketch, self._options, self._fixed)


def check_own_palettes(jobs: Sequence[Job]) -> None:
    """Raise UsageError for inputs that are no images, and outputs in which a palette cannot be found again."""
    for job in jobs:
        source, target = job.source, job.target
        if source.source_type not in ("image", "images"):
            raise UsageError(f"{source.label}: `per=image` takes images, and this has frames; drop it")
        if target.kind not in ("image", "folder") or target.format not in _FORMATS:
            raise UsageError(f"{target.path}: `per=image` writes .png or .bmp, each with its palette; name a folder")


def own_palettes_note(job: Job) -> str:
    """Where the codebooks are."""
    return f"{job.target.path}: each image holds its own palette, and serves as codebook: `codebook={job.files()[0]}`"
