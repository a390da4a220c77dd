"""`Clip`: a `.svq` file as a sequence of frames, any of which can be had without decoding the rest."""

from __future__ import annotations

import os
import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, overload

from numpy.typing import NDArray

from streamvq.container.reader import SvqReader
from streamvq.errors import InputMissing, MediaError
from streamvq.frames import CodedFrame, Frame, IndexFrame, StreamInfo
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.pixels import with_alpha

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class Clip(Sequence[Frame]):
    """A sequence of frames; `clip[i]` decodes only the group that holds frame i, and keeps it for the next.

    `info` is what is known of the stream, `codebook` what its indices are rows of, `indices[i]` the codes of frame
    i, uint8 or uint16 [rows, columns]; a file of factors (method "svd") has neither: asking raises CodebookError.
    Threads may share a clip; processes need one each. `missing` says what is gone where the file is cut off.
    """

    def __init__(self, path: str | os.PathLike[str], codebook: Codebook | None = None) -> None:
        try:
            self._file = Path(path).open("rb")  # noqa: SIM115  closed by close()
        except FileNotFoundError as error:
            raise InputMissing(f"{path}: no such file; check the spelling") from error
        except OSError as error:
            raise MediaError(f"{path}: cannot be read: {error.strerror}") from error
        try:
            self._reader = SvqReader(self._file, str(path), codebook)
            self._decoder = self._reader.decoder
            self._groups = self._reader.index(os.fstat(self._file.fileno()).st_size)
        except BaseException:
            self._file.close()
            raise
        self.info: StreamInfo = self._reader.header.info
        self.missing = self._reader.missing
        self._firsts = [group.first for group in self._groups]
        self._lock = threading.Lock()  # threads may share a clip
        self._held: tuple[int, list[CodedFrame]] = (-1, [])

    @property
    def codebook(self) -> Codebook:
        """What indices are rows of. Raises CodebookError for a file of factors."""
        return self._reader.codebook

    @property
    def indices(self) -> Sequence[NDArray]:
        """The codes of each frame. Raises CodebookError for a file of factors."""
        _ = self.codebook
        return _Indices(self)

    def coded(self, index: int) -> CodedFrame:
        """Frame `index` as codes or factors, with its size, time and name. Raises IndexError or MediaDamaged."""
        length = len(self)
        if not -length <= index < length:
            raise IndexError(f"frame {index}: the clip has {length}")
        index %= length
        number = bisect_right(self._firsts, index) - 1
        with self._lock:
            if self._held[0] != number:
                self._held = (number, self._reader.decode(self._reader.group_at(self._groups[number])))
            return self._held[1][index - self._firsts[number]]

    def __len__(self) -> int:
        return self._groups[-1].first + self._groups[-1].frames if self._groups else 0

    @overload
    def __getitem__(self, index: int) -> Frame: ...
    @overload
    def __getitem__(self, index: slice) -> list[Frame]: ...
    def __getitem__(self, index: int | slice) -> Frame | list[Frame]:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        coded = self.coded(index)
        pixels = with_alpha(self._decoder.render(coded), coded.alpha)
        return Frame(pixels, coded.index, coded.time, coded.duration, coded.name)

    def __iter__(self) -> Iterator[Frame]:
        return (self[i] for i in range(len(self)))

    def close(self) -> None:
        """Let go of the file; a second call does nothing."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Indices(Sequence[NDArray]):
    """The codes of a clip's frames."""

    def __init__(self, clip: Clip) -> None:
        self._clip = clip

    def __len__(self) -> int:
        return len(self._clip)

    @overload
    def __getitem__(self, index: int) -> NDArray: ...
    @overload
    def __getitem__(self, index: slice) -> list[NDArray]: ...
    def __getitem__(self, index: int | slice) -> NDArray | list[NDArray]:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        coded = self._clip.coded(index)
        assert isinstance(coded, IndexFrame)
        return coded.codes


def open(path: str | os.PathLike[str], codebook: Codebook | None = None) -> Clip:
    """Open a `.svq` file for reading any of its frames. `codebook` is for files that have none inside.

    Raises InputMissing, MediaError, or CodebookError.

    >>> import streamvq, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = streamvq.compress("samples/clip.mp4", f"{folder}/clip.svq", colors=16)
    ...     with streamvq.open(f"{folder}/clip.svq") as clip:
    ...         clip[10].pixels.shape, clip.indices[10].shape
    ((270, 480, 3), (270, 480))
    """
    return Clip(path, codebook)
