"""`Codebook`: the frozen table of codes that everything else is written with, and the search in it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.errors import CodebookError, UsageError
from streamvq.frames import Frame, IndexFrame
from streamvq.options import MAX_BLOCK_SIDE, MAX_CODES, MAX_SAMPLES
from streamvq.quantize.block_search import BlockFinder
from streamvq.quantize.blocks import block_sse, blocks_to_image, code_length, image_to_blocks, render_blocks, scales
from streamvq.quantize.codebook_file import FORMAT, CodebookContent, codebook_to_bytes, read_codebook_file
from streamvq.quantize.dither.dithering import Dither, dither_of
from streamvq.quantize.nearest import ColorFinder, LevelFinder
from streamvq.quantize.pixels import look_up, split
from streamvq.quantize.rd_optimize import rd_optimize
from streamvq.staging import staged_file


@dataclass(frozen=True, eq=False)
class NearestFrame:
    """A frame with its nearest codes. `samples` is what they are nearest to, hidden pixels replaced: uint8 [rows,
    columns] or [rows, columns, d]."""

    frame: Frame
    coded: IndexFrame
    samples: NDArray[np.uint8]


@dataclass(frozen=True, eq=False, repr=False)
class Codebook:
    """An immutable table of codes; code i is row i, in every file and version.

    `block` is the height and width in pixels of what one code stands for. `codes` is uint8 of shape [k, d], k from
    1 to 65,536: one sample a pixel for space "gray", three for "rgb", and for "ycbcr420" a block's luma, then its
    Cb and Cr at half the resolution (see `blocks`).
    `provenance` says how it was made (seed, settings, versions), `names` is empty or has a name for each code, such
    as those of a palette file; neither affects the fingerprint.

    >>> import numpy as np
    >>> book = Codebook(np.array([[0, 0, 0], [255, 0, 0], [255, 255, 255]], np.uint8))
    >>> book.quantize(np.array([[[250, 9, 9], [240, 240, 240]]], np.uint8))
    array([[1, 2]], dtype=uint8)
    >>> book.lookup(np.array([[1, 2]], np.uint8)).tolist()
    [[[255, 0, 0], [255, 255, 255]]]
    """

    codes: NDArray[np.uint8]
    space: str = "rgb"
    block: tuple[int, int] = (1, 1)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    names: Sequence[str] = ()

    def __post_init__(self) -> None:
        try:
            length = code_length(self.block, self.space)
        except (ValueError, TypeError) as error:
            raise CodebookError(str(error)) from error
        codes = np.asarray(self.codes)
        if codes.dtype != np.uint8 or codes.ndim != 2 or codes.shape[1] != length:
            raise CodebookError(
                f"codes are {codes.dtype} of shape {codes.shape}: {self.space} takes uint8 of shape [k, {length}]"
            )
        if not 1 <= len(codes) <= (256 if length == 1 else MAX_CODES):
            raise CodebookError(f"{len(codes)} codes: a codebook has 1 to {MAX_CODES} (gray: to 256)")
        if max(self.block) > MAX_BLOCK_SIDE or codes.size > MAX_SAMPLES:
            raise CodebookError(
                f"{len(codes)} codes of {self.block[1]}x{self.block[0]}: sides go to {MAX_BLOCK_SIDE}, "
                f"and all codes together to {MAX_SAMPLES} samples"
            )
        if self.names and (len(self.names) != len(codes) or not all(isinstance(name, str) for name in self.names)):
            raise CodebookError(f"its names are not one text for each of {len(codes)} codes")
        object.__setattr__(self, "names", tuple(self.names))
        codes = codes.copy()
        codes.setflags(write=False)
        object.__setattr__(self, "codes", codes)

    def __repr__(self) -> str:
        layout = self.space if self.block == (1, 1) else f"{self.space} {self.block[1]}x{self.block[0]}"
        return f"<Codebook of {len(self)} {layout} codes, {self.fingerprint[:12]}>"

    def __len__(self) -> int:
        return len(self.codes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Codebook) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone: what is remembered of searches stays out of pickles and copies."""
        return {name: self.__dict__[name] for name in self.__dataclass_fields__}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the content (space, block, codes), as 64 hex digits."""
        head = json.dumps([FORMAT, self.space, list(self.block), list(self.codes.shape)])
        return hashlib.sha256(head.encode() + b"\n" + self.codes.tobytes()).hexdigest()

    @cached_property
    def _finder(self) -> ColorFinder | LevelFinder | BlockFinder:
        if self.block != (1, 1):
            return BlockFinder(self.codes, scales(self.block, self.space))
        return LevelFinder(self.codes) if self.space == "gray" else ColorFinder(self.codes)

    def prepare(self) -> None:
        """Build what searches need, once, before several threads want it."""
        _ = self._finder, self.pictures

    @property
    def n_codes(self) -> int:
        """The number of codes."""
        return len(self.codes)

    @property
    def channels(self) -> int:
        """Samples a pixel of the pictures that codes stand for: 1 (gray) or 3 (RGB)."""
        return 1 if self.space == "gray" else 3

    @cached_property
    def pictures(self) -> NDArray[np.uint8]:
        """What each code looks like: uint8 [k, block height, block width, 1 (gray) or 3 (RGB)]."""
        stacked = blocks_to_image(
            self.codes[:, None], self.block, self.space, len(self) * self.block[0], self.block[1]
        )
        return stacked.reshape(len(self), *self.block, self.channels)

    @cached_property
    def palette(self) -> NDArray[np.uint8]:
        """The pixels of all codes as RGB, code by code in row order: uint8 [k * block height * block width, 3]."""
        pixels = self.pictures.reshape(-1, self.channels)
        return pixels if self.channels == 3 else np.repeat(pixels, 3, axis=1)

    @property
    def indexed_palette(self) -> NDArray[np.uint8] | None:
        """The palette of indexed images, uint8 [k, 3]: up to 256 codes of single pixels; None for others."""
        return self.palette if self.block == (1, 1) and len(self) <= 256 else None

    def rgb(self, frame: IndexFrame) -> NDArray[np.uint8]:
        """The pixels of a coded frame as RGB, without its alpha: uint8 [height, width, 3]."""
        picture = self.render(frame)
        return picture if self.channels == 3 else np.repeat(picture, 3, axis=2)

    def palette_rows(self, frame: IndexFrame) -> NDArray:
        """The row of `palette` that each pixel of a frame has: [height, width]; the codes themselves for 1x1.

        Raises IndexError for a code that the codebook does not have.
        """
        codes = frame.codes
        if len(self) < 256**codes.itemsize and int(codes.max()) >= len(self):
            raise IndexError(f"code {codes.max()}: the codebook has {len(self)}")
        if self.block == (1, 1):
            return frame.codes
        height, width = self.block
        inside = np.arange(height * width, dtype=np.uint32).reshape(height, 1, width)
        palette_rows = frame.codes.astype(np.uint32)[:, None, :, None] * np.uint32(height * width) + inside
        rows, columns = frame.codes.shape
        return palette_rows.reshape(rows * height, columns * width)[: frame.height, : frame.width]

    def quantize(self, pixels: NDArray) -> NDArray:
        """The row of the nearest code for each pixel or block, exact in squared distance; ties go to the lowest row.

        `pixels` is uint8 or uint16 [height, width] (gray), [height, width, 1, 3 or 4], or a batch of these,
        [n, height, width, 1, 3 or 4]. Color becomes luma for a gray codebook, gray becomes R=G=B for an RGB one.
        Blocks at the edges are padded by replication. Returns uint8 (up to 256 codes) or uint16: one entry for each
        pixel or block, [rows, columns] or for a batch [n, rows, columns]. Raises TypeError or ValueError for other
        types and shapes.
        """
        pixels = np.asarray(pixels)
        if pixels.ndim == 4 and len(pixels):
            return np.stack([self.quantize(picture) for picture in pixels])
        return self._finder.find(self.samples(pixels[..., None] if pixels.ndim == 2 else pixels)[0])

    def samples(self, pixels: NDArray) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        """What is compared with codes, uint8 [rows, columns] (gray pixels) or [rows, columns, d], and the alpha."""
        return split(pixels, self.space) if self.block == (1, 1) else image_to_blocks(pixels, self.block, self.space)

    def quantize_frame(self, frame: Frame) -> tuple[IndexFrame, int]:
        """`frame` as its nearest codes, and the sum of squared errors of its visible samples; see `nearest_frame`."""
        nearest = self.nearest_frame(frame)
        return nearest.coded, self.squared_error(nearest, nearest.coded)

    def nearest_frame(self, frame: Frame, dither: Dither | None = None) -> NearestFrame:
        """`frame` with its nearest codes, or those that a dither chooses, and the samples that they stand for.

        Alpha is kept apart, untouched. Fully transparent pixels have no color: they take row 0 (in blocks, the mean
        of the others).
        """
        samples, alpha = self.samples(frame.pixels)
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
        return NearestFrame(frame, IndexFrame(codes, frame.meta(alpha)), samples)

    def dither(self, name: str, strength: float = 1) -> Dither | None:
        """A dither with these codes for `nearest_frame`. Raises UsageError where the codes are blocks."""
        if self.block != (1, 1) and name != "none":
            height, width = self.block
            raise UsageError(
                f"`dither={name}`: dither takes codes of single pixels, and these are of {width}x{height}"
            )
        return dither_of(name, self.palette, strength)

    def optimized_frame(self, nearest: NearestFrame, previous: IndexFrame | None, lossy: float) -> IndexFrame:
        """A frame with codes of a neighbor, or of the `previous` frame as it was optimized, where that costs little.

        A bit is worth a squared error of `lossy` squared (rate-distortion optimization).
        """
        codes = nearest.coded.codes
        comparable = previous is not None and previous.codes.shape == codes.shape
        previous_codes = previous.codes if previous is not None and comparable else None
        # squared distances in ycbcr420 are about a third of those in RGB
        lambda_ = (lossy / 3**0.5) ** 2 if self.space == "ycbcr420" else lossy**2
        points = nearest.samples.reshape(*codes.shape, -1)
        chosen = rd_optimize(points, codes, self.codes, scales(self.block, self.space), previous_codes, lambda_)
        if nearest.coded.alpha is not None and self.block == (1, 1):
            chosen[nearest.coded.alpha == 0] = 0
        return replace(nearest.coded, codes=chosen)

    def squared_error(self, nearest: NearestFrame, coded: IndexFrame) -> int:
        """The sum of squared errors of a frame's visible samples with the codes of `coded`."""
        if self.block == (1, 1):
            return self._finder.squared_error(nearest.samples, coded.codes)
        return block_sse(nearest.frame.pixels, coded.codes, self.pictures)

    def lookup(self, codes: NDArray, height: int | None = None, width: int | None = None) -> NDArray[np.uint8]:
        """The pixels that codes [rows, columns] stand for: uint8 [height, width, 1 (gray) or 3 (RGB)].

        A batch of codes, [n, rows, columns], gives a batch of pictures. `height` and `width` crop the pictures of
        block codes. Raises IndexError for a code that the codebook does not have, TypeError for other than unsigned
        integers.
        """
        if codes.dtype.kind != "u":
            raise TypeError(f"codes are {codes.dtype}: give unsigned integers")
        if self.block == (1, 1):
            return look_up(self.codes, codes)
        if codes.ndim == 3 and len(codes):
            return np.stack([self.lookup(picture, height, width) for picture in codes])
        rows, columns = codes.shape
        height, width = height or rows * self.block[0], width or columns * self.block[1]
        return render_blocks(codes, self.pictures, height, width)

    def render(self, frame: IndexFrame) -> NDArray[np.uint8]:
        """The pixels of a coded frame, without its alpha: uint8 [height, width, 1 (gray) or 3 (RGB)]."""
        return self.lookup(frame.codes, frame.height, frame.width)

    def to_bytes(self) -> bytes:
        """The content of the codebook file (see `codebook_file`); the same codebook gives the same bytes."""
        return codebook_to_bytes(
            CodebookContent(self.codes, self.space, self.block, self.fingerprint, self.provenance, self.names)
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
            book = cls(content.codes, content.space, content.block, content.provenance, content.names)
        except CodebookError as error:
            raise CodebookError(f"{path}: {error}") from error
        if content.fingerprint != book.fingerprint:
            raise CodebookError(f"{path}: its codes do not match its fingerprint: the file is damaged or was edited")
        return book
