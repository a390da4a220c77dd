"""Which frame of one input belongs to which of another, in order and in bounded memory."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from streamvq.errors import CodebookError, UsageError
from streamvq.frames import Failed, Frame
from streamvq.media.inputs import PIPE, MediaInput, Source, find_inputs
from streamvq.media.opening import open_source
from streamvq.media.sources.source import FrameSource
from streamvq.media.sources.svq import SvqSource
from streamvq.options import RunSettings
from streamvq.ordered import frames_ahead, ordered_map, worker_count
from streamvq.quantize.codebook import Codebook

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_RUN_FRAMES = 4  # of film; each run loads one frame more, to see what moved
_RUN_PIXELS = 1 << 26  # .svq is decoded in groups, so there a run is a group, up to so many pixels
_CLOCK_SLACK = Fraction(1, 500)  # seconds: Matroska rounds times to milliseconds

Items = tuple[Any, Any]  # of REF and of TEST, before they are loaded


@dataclass(frozen=True, eq=False)
class Pair:
    """Frame `index` of REF and its partner in TEST, of one height and width."""

    index: int
    reference: Frame
    test: Frame


@dataclass(frozen=True, eq=False)
class Run:
    """The items of consecutive pairs from index `first`, and those of the pair right before, where there is one."""

    first: int
    items: list[Items]
    before: Items | None


class Pairing:
    """Two inputs whose frames belong together; a context manager.

    Image sets are paired by their names without suffix. All else is paired in order; then names, where both frames
    have one, must be equal up to the suffix, and times since the first frame, where both have one, must agree
    within half a frame. A single image fits any single frame. Both inputs have the same number of frames.
    `frames` picks pairs by their indices, in ascending order; what follows the last is not looked at. `resize` scales
    TEST's frames to the size of REF's. `is_film` says that frames follow one another in time.

    Raises UsageError where a frame has no partner, or one of another size, and what sources raise.
    """

    def __init__(
        self,
        reference: Source,
        test: Source,
        *,
        resize: bool = False,
        recursive: bool = False,
        frames: Sequence[int] | None = None,
        codebook: Codebook | None = None,
        run: RunSettings | None = None,
    ) -> None:
        if frames is not None and not (frames and 0 <= frames[0] <= frames[-1]):
            raise UsageError(f"{frames}: frames are indices from 0, in ascending order, at least one")
        self._frames, self._resize = frames, resize
        self.run = run or RunSettings()
        self.inputs = (_one_input(reference, recursive), _one_input(test, recursive))
        if {source.source_type for source in self.inputs} == {"pipe"}:
            raise UsageError(f"{PIPE}: standard input can be read once only; name a file for REF or TEST")
        self._named = all(source.source_type != "image" for source in self.inputs)
        if all(source.source_type == "images" for source in self.inputs):
            self.inputs = (self.inputs[0], _in_order_of(*self.inputs))
        with ExitStack() as stack:
            self.sources: tuple[FrameSource, FrameSource] = tuple(  # type: ignore[assignment]
                stack.enter_context(_opened(source, self.run.keep_going, codebook)) for source in self.inputs
            )
            self._stack = stack.pop_all()
        rates = [source.info.fps for source in self.sources if source.info.fps]
        self.is_film = bool(rates)
        self._near = max(1 / (2 * max(rates)), _CLOCK_SLACK) if rates else None
        self._late = Fraction(0)  # what TEST's clock shows more than REF's

    @property
    def frame_count(self) -> int | None:
        """How many pairs there will be, by what headers say; None: unknown."""
        count = self.sources[0].info.frame_count or self.sources[1].info.frame_count
        return count if count is None or self._frames is None else bisect_left(self._frames, count)

    @property
    def ahead(self) -> int:
        """How many pairs may be alive at once."""
        return frames_ahead(self.run.jobs, 2 * (self.sources[0].info.pixels or 0) or None)

    @property
    def runs_ahead(self) -> int:
        """How many runs may be alive at once: one a worker and one in between, or more if they are short."""
        return max(worker_count(self.run.jobs) + 1, self.ahead // self._run_length())

    def _run_length(self) -> int:
        if not self.is_film:
            return 1
        if any(isinstance(source, SvqSource) for source in self.sources):
            return max(_RUN_FRAMES, _RUN_PIXELS // (self.sources[0].info.pixels or _RUN_PIXELS))
        return _RUN_FRAMES

    def runs(self) -> Iterator[Run]:
        """All pairs in order, as runs that end where a group of a `.svq` ends. Can be read once."""
        length = self._run_length()
        run: Run | None = None
        for index, items in self.items():
            follows = run is not None and index == run.first + len(run.items)
            if run is None or not follows or len(run.items) == length or self._parts(items, run.items[0]):
                if run is not None:
                    yield run
                run = Run(index, [], run.items[-1] if run is not None and follows else None)
            run.items.append(items)
        if run is not None:
            yield run

    def _parts(self, items: Items, first: Items) -> bool:
        """Whether a group of a `.svq` ends between these."""
        pairs = zip(self.sources, items, first, strict=True)
        return any(isinstance(source, SvqSource) and item[0] is not start[0] for source, item, start in pairs)

    def items(self) -> Iterator[tuple[int, Items]]:
        """The index and the items of each pair, in order. Can be read once."""
        end, frames = object(), self._frames
        last = None if frames is None else frames[-1]
        reading = [source.items() for source in self.sources]
        index = 0
        while last is None or index <= last:
            items = (next(reading[0], end), next(reading[1], end))
            if items[0] is end or items[1] is end:
                self._check_ends(index, items[0] is end, items[1] is end)
                return
            if index == 0:
                self._set_clock(items)
            if frames is None or index in frames:
                yield index, items
            index += 1

    def _check_ends(self, count: int, reference_ends: bool, test_ends: bool) -> None:
        reference, test = self.sources
        if reference_ends != test_ends:
            short, long = (reference, test) if reference_ends else (test, reference)
            raise UsageError(
                f"{short.label}: has {count} frames, and {long.label} has more; --frames :{count} compares the first"
            )
        if self._frames is not None and count <= self._frames[0]:
            raise UsageError(f"{reference.label}: has frames 0 to {count - 1}, and the part begins behind them")

    def _set_clock(self, items: Items) -> None:
        if self._near is not None:
            first = [source.try_load(item) for source, item in zip(self.sources, items, strict=True)]
            times = [frame.time for frame in first if isinstance(frame, Frame) and frame.time is not None]
            self._late = times[1] - times[0] if len(times) == 2 else Fraction(0)

    def load(self, index: int, items: Items) -> Pair | Failed:
        """The pair at an index, on any thread; why there is none, where one of many images cannot be read."""
        frames = [source.try_load(item) for source, item in zip(self.sources, items, strict=True)]
        reference, test = frames
        if isinstance(reference, Failed):
            return reference
        if isinstance(test, Failed):
            return test
        self._check_belong(index, reference, test)
        size, other = reference.pixels.shape[:2], test.pixels.shape[:2]
        if size != other and not self._resize:
            raise UsageError(
                f"{self.sources[1].label}: {_place(index, test)} is {other[1]}x{other[0]}, and {size[1]}x{size[0]} "
                f"in {self.sources[0].label}; --resize scales it"
            )
        return Pair(index, reference, test if size == other else _resized(test, size))

    def _check_belong(self, index: int, reference: Frame, test: Frame) -> None:
        names, times = (reference.name, test.name), (reference.time, test.time)
        labels = self.sources[0].label, self.sources[1].label
        if self._named and names[0] and names[1] and _stem(names[0]) != _stem(names[1]):
            raise UsageError(
                f"{labels[1]}: frame {index} is named {names[1]}, and {names[0]} in {labels[0]}; compare images "
                "that have the same names and order"
            )
        if self._near is None or times[0] is None or times[1] is None:
            return
        if abs(times[1] - times[0] - self._late) > self._near:
            raise UsageError(
                f"{labels[1]}: frame {index} comes at {float(times[1]):.3f} s, and at "
                f"{float(times[0] + self._late):.3f} s in {labels[0]}: frames are missing or of another rate; a "
                "folder of images is paired without times"
            )

    def close(self) -> None:
        """Close both inputs; a second call does nothing."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def paired(
    reference: Source,
    test: Source,
    *,
    resize: bool = False,
    recursive: bool = False,
    frames: Sequence[int] | None = None,
    codebook: Codebook | None = None,
    run: RunSettings | None = None,
) -> Generator[Pair, None, None]:
    """The pairs of two inputs, in order, loaded by `run.jobs` threads, as `Pairing` says; bad images are left out."""
    with Pairing(
        reference, test, resize=resize, recursive=recursive, frames=frames, codebook=codebook, run=run
    ) as pairing:
        loading = ordered_map(lambda task: pairing.load(*task), pairing.items(), pairing.run.jobs, pairing.ahead)
        with closing(loading) as pairs:
            for pair in pairs:
                if isinstance(pair, Pair):
                    yield pair


def _one_input(source: Source, recursive: bool) -> MediaInput:
    found = find_inputs([source], recursive)
    if len(found) != 1:
        raise UsageError(f"{source}: names {len(found)} inputs; compare them one by one")
    return found[0]


def _opened(source: MediaInput, keep_going: bool, codebook: Codebook | None) -> FrameSource:
    """An input as a source; the codebook is given to a `.svq` only if it has none inside."""
    try:
        return open_source(source, keep_going=keep_going)
    except CodebookError:
        if codebook is None:
            raise
        return open_source(source, keep_going=keep_going, codebook=codebook)


def _in_order_of(reference: MediaInput, test: MediaInput) -> MediaInput:
    """TEST's images in the order of REF's names. Raises UsageError where they have not the same names."""
    names = [[_stem(name) for name in source.names()] for source in (reference, test)]
    for source, stems in zip((reference, test), names, strict=True):
        (name, count), *_ = Counter(stems).most_common(1)
        if count > 1:
            raise UsageError(f"{source.label}: has {count} images named {name}, which cannot be told apart by name")
    for source, other, missing in (
        (test, reference, [name for name in names[0] if name not in set(names[1])]),
        (reference, test, [name for name in names[1] if name not in set(names[0])]),
    ):
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise UsageError(
                f"{source.label}: has no image named {missing[0]}{more}, and {other.label} has; name them alike"
            )
    files = dict(zip(names[1], test.paths, strict=True))
    return replace(test, paths=tuple(files[name] for name in names[0]))


def _stem(name: str) -> str:
    """A path without its suffix: what an output keeps of its input's name."""
    return PurePosixPath(name).with_suffix("").as_posix()


def _place(index: int, frame: Frame) -> str:
    return frame.name or f"frame {index}"


def _resized(frame: Frame, size: tuple[int, int]) -> Frame:
    """A frame scaled to a height and width: by area where it shrinks, else cubic."""
    import cv2  # only here: it does not load everywhere

    cv2.setNumThreads(1)
    smaller = size[0] <= frame.pixels.shape[0] and size[1] <= frame.pixels.shape[1]
    pixels: Any = cv2.resize(frame.pixels, size[::-1], interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    return replace(frame, pixels=np.atleast_3d(pixels))
