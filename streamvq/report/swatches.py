"""The codes of a result: its codebook, the codes of its frames, and the swatches that the page shows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from streamvq.container.clip import Clip
from streamvq.errors import CodebookError
from streamvq.frames import Frame, IndexFrame
from streamvq.media.codebooks import codebook_path_for
from streamvq.media.made_with import codebook_named, read_made_with
from streamvq.media.targets import format_of
from streamvq.options import DEFAULT_MAX_PIXELS
from streamvq.quantize.codebook import Codebook
from streamvq.report.report_frames import webp_data_uri

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

MAX_SWATCHES = 1024
COLUMNS = 32  # of swatches, in one picture of them


class Codes:
    """The codebook of a result, None where it has none, and the codes of its frames.

    A `.svq` file has both. For other files the codebook is the one that `compress` saved with them.
    """

    def __init__(
        self, path: str | os.PathLike[str], codebook: Codebook | None = None, max_pixels: int = DEFAULT_MAX_PIXELS
    ) -> None:
        self._clip: Clip | None = None
        self.codebook: Codebook | None = None
        if Path(path).suffix.lower() == ".svq":
            try:
                self._clip = Clip(path, max_pixels=max_pixels)
            except CodebookError:  # it has none inside
                self._clip = Clip(path, codebook, max_pixels)
            with suppress(CodebookError):  # a file of factors has none
                self.codebook = self._clip.codebook
        else:
            self.codebook = codebook or saved_codebook(Path(path))

    def of(self, frame: Frame) -> NDArray[Any] | None:
        """The code of each pixel or block of a frame, uint8 or uint16 [rows, columns].

        None where there is no codebook, or where it does not reproduce every visible pixel exactly.
        """
        if self.codebook is None:
            return None
        if self._clip is not None:
            coded = self._clip.coded(frame.index)
            same_size = (coded.height, coded.width) == frame.pixels.shape[:2]  # it may have been resized
            return coded.codes if isinstance(coded, IndexFrame) and same_size else None
        coded, squared_error = self.codebook.quantize_frame(frame)
        return None if squared_error else coded.codes

    def close(self) -> None:
        """Close the file."""
        if self._clip is not None:
            self._clip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def saved_codebook(path: Path) -> Codebook | None:
    """The codebook that `compress` saved with an output: its own, or the one that all outputs of its folder share.

    Where the output names its codebook, it is that one or none.
    """
    real = path.resolve()  # "." has no name
    own, shared = codebook_path_for(real, path.is_dir()), codebook_path_for(real.parent, is_folder=True)
    format = format_of(path) if path.is_file() else None
    named = format and codebook_named(read_made_with(path, format))
    for file in (own, shared):
        with suppress(CodebookError, ValueError):
            book = Codebook.load(file)
            if book.fingerprint.startswith(named or ""):
                return book
    return None


def swatches(codebook: Codebook, frames: Sequence[NDArray[Any]]) -> dict[str, Any]:
    """The codebook of a result for the page, its codes in their order; `frames` are the codes of the page's frames.

    It has all codes, or the `MAX_SWATCHES` most used, and the share of all pixels or blocks that each stands for.
    """
    counts = sum((np.bincount(codes.ravel(), minlength=len(codebook)) for codes in frames), np.zeros(1, np.int64))
    rows = np.sort(np.argsort(-counts, kind="stable")[:MAX_SWATCHES])
    pictures = codebook.pictures[rows]
    means = np.rint(pictures.mean(axis=(1, 2))).astype(np.uint8)
    colors = np.repeat(means, 3 // codebook.channels, axis=1)
    shares = counts[rows] / max(1, counts.sum())
    return {
        "total": len(codebook),
        "used": int(np.count_nonzero(counts)),
        "block": list(codebook.block),
        "space": codebook.space,
        "fingerprint": codebook.fingerprint,
        "provenance": dict(codebook.provenance),
        "codes": rows.tolist(),
        "shares": [float(f"{share:.4g}") for share in shares.tolist()],
        "colors": ["#" + bytes(color.tolist()).hex() for color in colors],
        "columns": COLUMNS,
        "picture": None if codebook.block == (1, 1) else webp_data_uri(contact_sheet(pictures, COLUMNS)),
    }


def contact_sheet(pictures: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """Pictures [n, height, width, channels] as one: rows of `columns` pictures, zeros where there are none."""
    count, height, width, channels = pictures.shape
    rows = -(-count // columns)
    sheet = np.zeros((rows * columns, height, width, channels), np.uint8)
    sheet[:count] = pictures
    sheet = sheet.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return sheet.reshape(rows * height, columns * width, channels)
