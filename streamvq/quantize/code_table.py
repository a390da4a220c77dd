"""`CodeTable`: a frozen table of codes, and what they look like; `Codebook` adds the search in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.errors import CodebookError, shortened
from streamvq.frames import IndexFrame
from streamvq.options import MATCHINGS, MAX_BLOCK_SIDE, MAX_CODES, MAX_SAMPLES
from streamvq.quantize.blocks import blocks_to_image, code_length, render_blocks
from streamvq.quantize.codebook_file import FORMAT
from streamvq.quantize.pixels import look_up, with_alpha


@dataclass(frozen=True, eq=False, repr=False)
class CodeTable:
    """The fields of a `Codebook`, checked, and the pictures that its codes stand for."""

    codes: NDArray[np.uint8]
    space: str = "rgb"
    block: tuple[int, int] = (1, 1)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    names: Sequence[str] = ()
    matching: str = "rgb"
    reserved: Sequence[int] = ()
    alpha: NDArray[np.uint8] | None = None

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
        if self.matching not in MATCHINGS or (self.block != (1, 1) and self.matching != "rgb"):
            raise CodebookError(
                f"matching {shortened(repr(self.matching))}: choose one of {', '.join(MATCHINGS)}; for blocks, rgb"
            )
        if self.names and (len(self.names) != len(codes) or not all(isinstance(name, str) for name in self.names)):
            raise CodebookError(f"its names are not one text for each of {len(codes)} codes")
        object.__setattr__(self, "names", tuple(self.names))
        rows = {row for row in self.reserved if type(row) is int and 0 <= row < len(codes)}
        if list(self.reserved) != sorted(rows):
            raise CodebookError(f"its reserved rows are not ascending numbers of its {len(codes)} codes")
        object.__setattr__(self, "reserved", tuple(self.reserved))
        object.__setattr__(self, "codes", _frozen(codes))
        object.__setattr__(self, "alpha", self._checked_alpha())

    def _checked_alpha(self) -> NDArray[np.uint8] | None:
        if self.alpha is None:
            return None
        alpha = np.asarray(self.alpha)
        if alpha.dtype != np.uint8 or alpha.shape != (len(self),):
            raise CodebookError(f"its alpha is {alpha.dtype} of shape {alpha.shape}, not uint8 for {len(self)} codes")
        if (alpha == 255).all():
            return None
        if self.block != (1, 1) or self.space != "rgb":
            raise CodebookError("only codes of single RGB pixels have alpha")
        return _frozen(alpha)

    def __repr__(self) -> str:
        layout = self.space if self.block == (1, 1) else f"{self.space} {self.block[1]}x{self.block[0]}"
        matched = "" if self.matching == "rgb" else f" matched in {self.matching}"
        return f"<Codebook of {len(self)} {layout} codes{matched}, {self.fingerprint[:12]}>"

    def __len__(self) -> int:
        return len(self.codes)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CodeTable):
            return False
        return self.fingerprint == other.fingerprint and self.matching == other.matching

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone: what is remembered of searches stays out of pickles and copies."""
        return {name: self.__dict__[name] for name in self.__dataclass_fields__}

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the content (space, block, codes, and alpha where there is one), as 64 hex digits."""
        head = json.dumps([FORMAT, self.space, list(self.block), list(self.codes.shape)])
        alpha = b"" if self.alpha is None else self.alpha.tobytes()
        return hashlib.sha256(head.encode() + b"\n" + self.codes.tobytes() + alpha).hexdigest()

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
        shape = (len(self), *self.block, self.channels)
        if self.space != "ycbcr420":
            return self.codes.reshape(shape)
        return blocks_to_image(self.codes[:, None], self.block, self.space, shape[0] * shape[1], shape[2]).reshape(
            shape
        )

    @cached_property
    def palette(self) -> NDArray[np.uint8]:
        """The pixels of all codes as RGB, code by code in row order: uint8 [k * block height * block width, 3]."""
        pixels = self.pictures.reshape(-1, self.channels)
        return pixels if self.channels == 3 else np.repeat(pixels, 3, axis=1)

    @property
    def indexed_palette(self) -> NDArray[np.uint8] | None:
        """The palette of indexed images, uint8 [k, 3]: up to 256 codes of single pixels; None for others."""
        return self.palette if self.block == (1, 1) and len(self) <= 256 else None

    @property
    def transparent(self) -> int | None:
        """The first code that is fully transparent."""
        if self.alpha is None or self.alpha.all():
            return None
        return int(self.alpha.argmin())

    def alpha_of(self, frame: IndexFrame) -> NDArray[np.uint8] | None:
        """The alpha of a coded frame, that of its codes or else its own plane: uint8 [height, width], or None."""
        return frame.alpha if self.alpha is None else look_up(self.alpha, frame.codes)

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

    def lookup(self, codes: NDArray, height: int | None = None, width: int | None = None) -> NDArray[np.uint8]:
        """The pixels that codes [rows, columns] stand for: uint8 [height, width, 1 (gray), 3 or 4 (alpha)].

        A batch of codes, [n, rows, columns], gives a batch of pictures. `height` and `width` crop the pictures of
        block codes. Raises IndexError for a code that the codebook does not have, TypeError for other than unsigned
        integers.
        """
        if codes.dtype.kind != "u":
            raise TypeError(f"codes are {codes.dtype}: give unsigned integers")
        if self.block == (1, 1):
            return with_alpha(look_up(self.codes, codes), None if self.alpha is None else look_up(self.alpha, codes))
        if codes.ndim == 3 and len(codes):
            return np.stack([self.lookup(picture, height, width) for picture in codes])
        rows, columns = codes.shape
        height, width = height or rows * self.block[0], width or columns * self.block[1]
        return render_blocks(codes, self.pictures, height, width)

    def render(self, frame: IndexFrame) -> NDArray[np.uint8]:
        """The pixels of a coded frame, without its alpha: uint8 [height, width, 1 (gray) or 3 (RGB)]."""
        return self.lookup(frame.codes, frame.height, frame.width)[..., : self.channels]


def _frozen(table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    table = table.copy()
    table.setflags(write=False)
    return table
