"""The codes of a result: where its codebook is, which codes a frame is made of, and the grid that shows them."""

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
from streamvq.quantize.codebook import Codebook
from streamvq.report.shown import picture

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

SWATCHES_MOST = 1024
_COLUMNS = 32  # of the one picture that has all blocks


class Codes:
    """The codebook of a result, None where it has none, and the codes of its frames.

    A `.svq` file has both. For other files the codebook is the one that `compress` wrote beside them.
    """

    def __init__(self, path: str | os.PathLike[str], codebook: Codebook | None = None) -> None:
        self._clip: Clip | None = None
        self.codebook: Codebook | None = None
        if Path(path).suffix.lower() == ".svq":
            self._clip = Clip(path, codebook)
            with suppress(CodebookError):  # a file of factors has none
                self.codebook = self._clip.codebook
        elif codebook is not None or beside(Path(path)).is_file():
            self.codebook = codebook or Codebook.load(beside(Path(path)))

    def of(self, frame: Frame) -> NDArray | None:
        """The code of each pixel or block of a frame, uint8 or uint16 [rows, columns].

        None where there is no codebook, or where it does not give every visible pixel exactly.
        """
        if self.codebook is None:
            return None
        if self._clip is not None:
            coded = self._clip.coded(frame.index)
            fits = (coded.height, coded.width) == frame.pixels.shape[:2]  # it may have been resized
            return coded.codes if isinstance(coded, IndexFrame) and fits else None
        coded, squared_error = self.codebook.quantize_frame(frame)
        return None if squared_error else coded.codes

    def close(self) -> None:
        """Let go of the file."""
        if self._clip is not None:
            self._clip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def beside(path: Path) -> Path:
    """Where `compress` saves the codebook of an output."""
    folder = path.resolve()  # "." has no name
    return folder.with_name(f"{folder.name}.codebook.npz") if path.is_dir() else path.with_suffix(".codebook.npz")


def swatches(codebook: Codebook, frames: Sequence[NDArray]) -> dict[str, Any]:
    """The grid of a codebook for the page, its codes in their order; `frames` are the codes of the shown frames.

    It has all codes, or the `SWATCHES_MOST` most used, and the share of all pixels or blocks that each stands for.
    """
    counts = sum((np.bincount(codes.ravel(), minlength=len(codebook)) for codes in frames), np.zeros(1, np.int64))
    most_used = np.argsort(-counts, kind="stable")[:SWATCHES_MOST]
    shown = np.sort(most_used)
    pictures = codebook.pictures[shown]
    means = np.rint(pictures.mean(axis=(1, 2))).astype(np.uint8)
    colors = np.repeat(means, 3 // codebook.channels, axis=1)
    return {
        "total": len(codebook),
        "used": int(np.count_nonzero(counts)),
        "block": list(codebook.block),
        "space": codebook.space,
        "fingerprint": codebook.fingerprint,
        "provenance": dict(codebook.provenance),
        "codes": shown.tolist(),
        "shares": [float(f"{count / max(1, counts.sum()):.4g}") for count in counts[shown].tolist()],
        "colors": ["#" + bytes(color.tolist()).hex() for color in colors],
        "columns": _COLUMNS,
        "picture": None if codebook.block == (1, 1) else picture(_sheet(pictures)),
    }


def _sheet(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Block pictures [k, height, width, channels] as one picture of `_COLUMNS` columns."""
    count, high, wide, channels = pictures.shape
    rows = -(-count // _COLUMNS)
    sheet = np.zeros((rows * _COLUMNS, high, wide, channels), np.uint8)
    sheet[:count] = pictures
    return sheet.reshape(rows, _COLUMNS, high, wide, channels).swapaxes(1, 2).reshape(rows * high, -1, channels)
