"""`Codebook`: the frozen table of codes that everything else is written with, and the search in it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.errors import CodebookError, UsageError
from streamvq.frames import Frame, IndexFrame
from streamvq.quantize.alpha_nearest import AlphaFinder
from streamvq.quantize.block_search import BlockFinder
from streamvq.quantize.blocks import block_sse, image_to_blocks, scales
from streamvq.quantize.code_table import CodeTable
from streamvq.quantize.codebook_file import CodebookContent, codebook_to_bytes, read_codebook_file
from streamvq.quantize.color_spaces import SMALL_PARTS, small_points
from streamvq.quantize.dither.dithering import Dither, dither_of
from streamvq.quantize.gamut import GamutMap
from streamvq.quantize.lzw_optimize import lengthen_phrases
from streamvq.quantize.nearest import ColorFinder, LevelFinder
from streamvq.quantize.pixels import split
from streamvq.quantize.rd_optimize import rd_optimize
from streamvq.staging import staged_file


@dataclass(frozen=True, eq=False)
class NearestFrame:
    """A frame with its nearest codes. `samples` is what they are nearest to, uint8 [rows, columns] or [rows, columns,
    d], and `alpha` that of its pixels; where codes have no alpha, hidden pixels are replaced in `samples`."""

    frame: Frame
    coded: IndexFrame
    samples: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None = None


class Codebook(CodeTable):
    """An immutable table of codes; code i is row i, in every file and version.

    `block` is the height and width in pixels of what one code stands for. `codes` is uint8 of shape [k, d], k from
    1 to 65,536: one sample a pixel for space "gray", three for "rgb", and for "ycbcr420" a block's luma, then its
    Cb and Cr at half the resolution (see `blocks`).
    `matching` is where pixels are compared with codes of single pixels: "rgb" (as they are), "linear" (light) or
    "oklab" (gray: its lightness). Files keep it; the fingerprint, which says what indices mean, leaves it out.
    `provenance` says how it was made (seed, settings, versions), `names` is empty or has a name for each code, such
    as those of a palette file, and `reserved` has the rows of codes that were given and not learned, ascending; none
    of them affects the fingerprint.
    `alpha`, uint8 [k], makes codes of single RGB pixels entries of color and alpha; None where all are opaque.

    >>> import numpy as np
    >>> book = Codebook(np.array([[0, 0, 0], [255, 0, 0], [255, 255, 255]], np.uint8))
    >>> book.quantize(np.array([[[250, 9, 9], [240, 240, 240]]], np.uint8))
    array([[1, 2]], dtype=uint8)
    >>> book.lookup(np.array([[1, 2]], np.uint8)).tolist()
    [[[255, 0, 0], [255, 255, 255]]]
    """

    @cached_property
    def _finder(self) -> ColorFinder | LevelFinder | BlockFinder:
        if self.block != (1, 1):
            return BlockFinder(self.codes, scales(self.block, self.space))
        kind = LevelFinder if self.space == "gray" else ColorFinder
        return kind(self.codes, self.matching)

    def matched_in(self, matching: str | None) -> Codebook:
        """The same codes, with which pixels are compared in another space; None changes nothing.

        Raises UsageError where the codes are blocks, which have one.
        """
        if matching is None or matching == self.matching:
            return self
        if self.block != (1, 1):
            raise UsageError(f"`space={matching}`: the codebook's blocks are compared in {self.space}; drop it")
        return replace(self, matching=matching)

    @cached_property
    def _small_codes(self) -> NDArray[Any]:
        return small_points(self.codes, self.matching)

    @cached_property
    def _alpha_finder(self) -> AlphaFinder | None:
        return None if self.alpha is None else AlphaFinder(self.codes, self.alpha, self.matching)

    def prepare(self) -> None:
        """Build what searches need, once, before several threads want it."""
        _ = self._alpha_finder or self._finder, self.pictures

    def quantize(self, pixels: NDArray) -> NDArray:
        """The row of the nearest code for each pixel or block, exact in squared distance; ties go to the lowest row.

        `pixels` is uint8 or uint16 [height, width] (gray), [height, width, 1, 3 or 4], or a batch of these,
        [n, height, width, 1, 3 or 4]. Color becomes luma for a gray codebook, gray becomes R=G=B for an RGB one.
        Blocks at the edges are padded by replication. Where codes have alpha, opaque pixels take opaque codes, and
        the others the code that looks most like them, in the mean over black and over white. Returns uint8 (up to 256
        codes) or uint16: one entry for each pixel or block, [rows, columns] or for a batch [n, rows, columns]. Raises
        TypeError or ValueError for other types and shapes.
        """
        pixels = np.asarray(pixels)
        if pixels.ndim == 4 and len(pixels):
            return np.stack([self.quantize(picture) for picture in pixels])
        samples, alpha = self.samples(pixels[..., None] if pixels.ndim == 2 else pixels)
        return self._alpha_finder.find(samples, alpha) if self._alpha_finder else self._finder.find(samples)

    def samples(self, pixels: NDArray) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        """What is compared with codes, uint8 [rows, columns] (gray pixels) or [rows, columns, d], and the alpha."""
        return split(pixels, self.space) if self.block == (1, 1) else image_to_blocks(pixels, self.block, self.space)

    def quantize_frame(self, frame: Frame) -> tuple[IndexFrame, int]:
        """`frame` as its nearest codes, and the sum of squared errors of its visible samples; see `nearest_frame`."""
        nearest = self.nearest_frame(frame)
        return nearest.coded, self.squared_error(nearest, nearest.coded)

    def nearest_frame(self, frame: Frame, dither: Dither | None = None) -> NearestFrame:
        """`frame` with its nearest codes, or those that a dither chooses, and the samples that they stand for.

        Where codes have alpha, it is that of the pixels too; only opaque ones are dithered. Else alpha is kept apart,
        untouched, and fully transparent pixels, which have no color, take row 0 (in blocks, the mean of the others).
        """
        samples, alpha = self.samples(frame.pixels)
        if self._alpha_finder:
            opaque = None if dither is None else dither.find(samples, None if alpha is None else alpha < 255)
            codes = self._alpha_finder.find(samples, alpha, opaque)
            return NearestFrame(frame, IndexFrame(codes, frame.meta()), samples, alpha)
        hidden = None
        if alpha is not None and self.block == (1, 1):
            hidden = alpha == 0
            where = hidden[..., None] if self.space == "rgb" else hidden
            if np.may_share_memory(samples, frame.pixels):
                samples = samples.copy()
            np.copyto(samples, self.codes[0] if self.space == "rgb" else self.codes[0, 0], where=where)
        if dither is None:
            codes = self._finder.find(samples)
        else:
            codes = dither.find(samples if self.space == "rgb" else np.dstack([samples] * 3), hidden)
        return NearestFrame(frame, IndexFrame(codes, frame.meta(alpha)), samples, alpha)

    def dither(self, name: str, strength: float = 1) -> Dither | None:
        """A dither with these codes for `nearest_frame`. Raises UsageError where the codes are blocks."""
        if self.block != (1, 1) and name != "none":
            height, width = self.block
            raise UsageError(
                f"`dither={name}`: dither takes codes of single pixels, and these are of {width}x{height}"
            )
        return dither_of(name, self._opaque_colors, strength, self.matching)

    @property
    def _opaque_colors(self) -> NDArray[np.uint8]:
        """What opaque pixels are drawn with: uint8 [n, 3]."""
        return self._alpha_finder.opaque_codes if self._alpha_finder else self.palette

    def gamut(self) -> GamutMap:
        """What moves colors into the gamut of these. Raises UsageError where the codes are blocks."""
        if self.block != (1, 1):
            raise UsageError("`fit_gamut` is of colors, and the codes are blocks; drop it")
        return GamutMap(self._opaque_colors)

    def optimized_frame(
        self, nearest: NearestFrame, previous: IndexFrame | None, lossy: float, for_lzw: bool = False
    ) -> IndexFrame:
        """A frame with codes of a neighbor, or of the `previous` frame as it was optimized, where that costs little.

        A bit is worth a squared error of `lossy` squared (rate-distortion optimization), in levels of where pixels
        are compared: 255 are the whole of light or lightness. `for_lzw` also makes the
        phrases of LZW longer, where nothing is transparent.
        """
        codes = nearest.coded.codes
        comparable = previous is not None and previous.codes.shape == codes.shape
        previous_codes = previous.codes if previous is not None and comparable else None
        # squared distances in ycbcr420 are about a third of those in RGB
        lambda_ = (lossy / 3**0.5) ** 2 if self.space == "ycbcr420" else lossy**2
        points: NDArray[Any] = nearest.samples.reshape(*codes.shape, -1)
        table: NDArray[Any] = self.codes
        weights = scales(self.block, self.space)
        if finder := self._alpha_finder:
            points, table = finder.points(nearest.samples, nearest.alpha), finder.code_points
            weights = np.ones(table.shape[1], np.int16)
        elif self.matching != "rgb":
            points, table = small_points(points, self.matching), self._small_codes
            lambda_ *= SMALL_PARTS**2
        chosen = rd_optimize(points, codes, table, weights, previous_codes, lambda_)
        if for_lzw and nearest.alpha is None:
            chosen = lengthen_phrases(points, chosen, table, weights, previous_codes, lambda_)
        if nearest.alpha is not None and self.block == (1, 1):
            chosen[nearest.alpha == 0] = finder.transparent_row if finder else 0
        return replace(nearest.coded, codes=chosen)

    def squared_error(self, nearest: NearestFrame, coded: IndexFrame) -> int:
        """The sum of squared errors of a frame's visible samples with the codes of `coded`.

        Where these have alpha, it is the mean of that over black and that over white.
        """
        if self._alpha_finder:
            return self._alpha_finder.squared_error(nearest.samples, nearest.alpha, coded.codes)
        if self.block == (1, 1):
            return self._finder.squared_error(nearest.samples, coded.codes)
        return block_sse(nearest.frame.pixels, coded.codes, self.pictures)

    def to_bytes(self) -> bytes:
        """The content of the codebook file (see `codebook_file`); the same codebook gives the same bytes."""
        return codebook_to_bytes(
            CodebookContent(
                self.codes,
                self.space,
                self.block,
                self.fingerprint,
                self.provenance,
                self.names,
                self.matching,
                self.reserved,
                self.alpha,
            )
        )

    def save(self, path: str | os.PathLike[str], overwrite: bool = False) -> None:
        """Write the codebook file. Raises OutputExists or OutputError; nothing half-written remains."""
        with staged_file(Path(path), overwrite) as part:
            part.write_bytes(self.to_bytes())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Codebook:
        """Read a codebook file. No pickle is ever loaded. Raises CodebookError with what is wrong."""
        content = read_codebook_file(path)
        try:
            book = cls(
                content.codes,
                content.space,
                content.block,
                content.provenance,
                content.names,
                content.matching,
                content.reserved,
                content.alpha,
            )
        except CodebookError as error:
            raise CodebookError(f"{path}: {error}") from error
        if content.fingerprint != book.fingerprint:
            raise CodebookError(f"{path}: its codes do not match its fingerprint: the file is damaged or was edited")
        return book
