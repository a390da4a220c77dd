"""`Clip`: a `.svq` file as a sequence of frames, any of which can be had without decoding the rest."""

from __future__ import annotations

import os
import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, overload
from weakref import WeakSet

import numpy as np
from numpy.typing import DTypeLike, NDArray

from streamvq.container.reader import codebook_from, open_svq
from streamvq.frames import CodedFrame, Frame, IndexFrame, StreamInfo
from streamvq.options import DEFAULT_MAX_PIXELS
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.pixels import with_alpha

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class Clip(Sequence[Frame]):
    """A `.svq` file as a sequence of frames; also a context manager, which closes the file.

    `clip[i]` is a `Frame` with its pixels, uint8 [height, width, channels]; a slice is a list of them. Only the group
    that holds frame i is decoded, and kept for the next access. `info` says what is known of the stream. `codebook`
    and `indices` (see there) are those of a file of codebook indices; a file of factors (method "svd") has neither,
    and raises CodebookError. `truncation` says what a truncated file lacks, and is None for others.

    Threads and forked processes may share a clip; a pickle or a copy of one opens the file anew. Indexing raises
    IndexError, and MediaDamaged where the group is damaged.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        codebook: Codebook | str | os.PathLike[str] | None = None,
        max_pixels: int = DEFAULT_MAX_PIXELS,
    ) -> None:
        self._open(Path(path).absolute(), str(path), codebook_from(codebook), max_pixels)

    def _open(self, path: Path, label: str, codebook: Codebook | None, max_pixels: int) -> None:
        self._given = {"path": path, "label": label, "codebook": codebook, "max_pixels": max_pixels}
        self._reader = open_svq(path, codebook, label, max_pixels)
        try:
            self._decoder = self._reader.decoder
            self._groups = self._reader.index()
        except BaseException:
            self._reader.close()
            raise
        self.info: StreamInfo = self._reader.header.info
        self.truncation = self._reader.truncation
        self._firsts = [group.first for group in self._groups]
        self._decoded: tuple[int, Sequence[CodedFrame]] = (-1, [])
        self.renew_lock()
        _open_clips.add(self)

    def __getstate__(self) -> dict[str, Any]:
        """What opens the file anew, in another process too."""
        return self._given

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._open(**state)

    def renew_lock(self) -> None:
        """Forget which thread is reading: in a forked process there is none."""
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        info = self.info
        size = f"{info.width}x{info.height}" if info.pixels else "mixed sizes"
        return f"<Clip of {len(self)} frames, {size}, {self._reader.label}>"

    @property
    def codebook(self) -> Codebook:
        """What indices are rows of. Raises CodebookError for a file of factors."""
        return self._reader.codebook

    @property
    def indices(self) -> Indices:
        """The codes of each frame, as a sequence of arrays. Raises CodebookError for a file of factors."""
        return Indices(self, range(len(self)), self.codebook)

    def coded(self, index: int) -> CodedFrame:
        """Frame `index` as codes or factors, with its size, time and name. Raises IndexError or MediaDamaged."""
        length = len(self)
        if not -length <= index < length:
            raise IndexError(f"frame {index}: the clip has {length}")
        index %= length
        number = bisect_right(self._firsts, index) - 1
        with self._lock:
            if self._decoded[0] != number:
                self._decoded = (number, self._reader.decode(self._reader.group_at(self._groups[number])))
            return self._decoded[1][index - self._firsts[number]]

    def __len__(self) -> int:
        return self._groups[-1].first + self._groups[-1].n_frames if self._groups else 0

    @overload
    def __getitem__(self, index: int) -> Frame: ...
    @overload
    def __getitem__(self, index: slice) -> list[Frame]: ...
    def __getitem__(self, index: int | slice) -> Frame | list[Frame]:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        coded = self.coded(index)
        pixels = with_alpha(self._decoder.render(coded), self._decoder.alpha_of(coded))
        return Frame(pixels, coded.index, coded.time, coded.duration, coded.name)

    def __iter__(self) -> Iterator[Frame]:
        return (self[i] for i in range(len(self)))

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_open_clips: WeakSet[Clip] = WeakSet()


def _after_fork() -> None:
    """A thread may have held a clip's lock at the moment of the fork."""
    for clip in _open_clips:
        clip.renew_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

Codes = NDArray[np.uint8] | NDArray[np.uint16]


class Indices(Sequence[Codes]):
    """The codes of a clip's frames: `indices[i]` is uint8 (up to 256 codes) or uint16 [rows, columns].

    A slice is another such sequence, which decodes nothing. `np.asarray` of either gives all frames as one array
    [frames, rows, columns]; it raises ValueError where their sizes differ.
    """

    def __init__(self, clip: Clip, frames: range, codebook: Codebook) -> None:
        self._clip = clip
        self._frames = frames
        self._codebook = codebook

    def __repr__(self) -> str:
        return f"<Indices of {len(self)} frames of {self._clip!r}>"

    def __len__(self) -> int:
        return len(self._frames)

    @overload
    def __getitem__(self, index: int) -> Codes: ...
    @overload
    def __getitem__(self, index: slice) -> Indices: ...
    def __getitem__(self, index: int | slice) -> Codes | Indices:
        if isinstance(index, slice):
            return Indices(self._clip, self._frames[index], self._codebook)
        try:
            number = self._frames[index]
        except IndexError:
            raise IndexError(f"frame {index}: there are {len(self)}") from None
        return cast(IndexFrame, self._clip.coded(number)).codes

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("the indices of a clip are decoded, so an array of them is always a copy")
        stacked: NDArray[Any] | None = None
        for position, codes in enumerate(self):
            if stacked is None:
                stacked = np.empty((len(self), *codes.shape), dtype or codes.dtype)
            if codes.shape != stacked.shape[1:]:
                first, shape = self._frames[0], stacked.shape[1:]
                raise ValueError(
                    f"frame {first} has {shape} codes and frame {self._frames[position]} {codes.shape}: "
                    "frames of different sizes are no single array; take indices[i]"
                )
            stacked[position] = codes
        return self._empty(dtype) if stacked is None else stacked

    def _empty(self, dtype: DTypeLike | None) -> NDArray[Any]:
        """No frames, of the stream's size where that is known."""
        info, (block_height, block_width) = self._clip.info, self._codebook.block
        shape = (0, -(-(info.height or 0) // block_height), -(-(info.width or 0) // block_width))
        return np.empty(shape, dtype or (np.uint8 if self._codebook.n_codes <= 256 else np.uint16))


def open(
    path: str | os.PathLike[str],
    codebook: Codebook | str | os.PathLike[str] | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> Clip:
    """Open a `.svq` file for reading any of its frames. `codebook`, or its file, is for files that have none inside.

    Frames of more than `max_pixels` raise MediaError before they take memory. Raises InputMissing, MediaError, or
    CodebookError.

    >>> import streamvq, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = streamvq.compress("samples/clip.mp4", f"{folder}/clip.svq", 16)
    ...     with streamvq.open(f"{folder}/clip.svq") as clip:
    ...         clip[10].pixels.shape, clip.indices[10].shape
    ((270, 480, 3), (270, 480))
    """
    return Clip(path, codebook, max_pixels)
