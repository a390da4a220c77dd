"""The frames of two inputs in pairs, in order and in bounded memory."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from streamvq.errors import UsageError, counted
from streamvq.frames import Failed, Frame
from streamvq.media.inputs import PIPE
from streamvq.media.opening import open_with_codebook
from streamvq.media.sources.source import FrameSource
from streamvq.media.sources.svq import SvqSource
from streamvq.options import DEFAULT_MAX_PIXELS, RunOptions, Source
from streamvq.ordered import frames_ahead, ordered_map, worker_count
from streamvq.quantize.codebook import Codebook
from streamvq.report.pair_inputs import find_one, reordered, resized, stem

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_BATCH_FRAMES = 4  # of a video; each batch also loads the frame before it, to see what changed
_BATCH_PIXELS = 1 << 26  # a .svq is decoded in groups, so its batches are groups, up to this many pixels
_CLOCK_TOLERANCE = Fraction(1, 500)  # seconds: Matroska rounds times to milliseconds

Items = tuple[Any, Any]  # of REF and of TEST, before they are loaded


@dataclass(frozen=True, eq=False)
class Pair:
    """Frame `index` of REF and its frame of TEST, of the same height and width."""

    index: int
    reference: Frame
    test: Frame


@dataclass(frozen=True, eq=False)
class Batch:
    """The items of consecutive pairs from index `first`; `previous` are those of the pair before, where read."""

    first: int
    previous: Items | None
    items: list[Items] = field(default_factory=list)

    @property
    def end(self) -> int:
        """The index that follows."""
        return self.first + len(self.items)


class Pairing:
    """The frames of two inputs in pairs; a context manager.

    Image sets are paired by their names without suffix. All else is paired in order; then names, where both frames
    have one, must be equal up to the suffix, and times since the first frame, where both have one, must agree
    within half a frame. A single image matches any single frame. Both inputs must have the same number of frames.
    `frames` selects pairs by their indices, in ascending order; what follows the last is not read. `resize` scales
    TEST's frames to the size of REF's. `is_video` says that frames follow one another in time.

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
        jobs: int = 0,
        keep_going: bool = False,
        max_pixels: int = DEFAULT_MAX_PIXELS,
    ) -> None:
        if frames is not None and not (frames and 0 <= frames[0] <= frames[-1]):
            raise UsageError(f"{frames}: frames are indices from 0, in ascending order, at least one")
        RunOptions(jobs=jobs)  # checks it
        self.jobs, self._frames, self._resize = jobs, frames, resize
        self.inputs = find_one(reference, recursive), find_one(test, recursive)
        if {source.source_type for source in self.inputs} == {"pipe"}:
            raise UsageError(f"{PIPE}: standard input can be read once only; name a file for REF or TEST")
        self._checks_names = all(source.source_type != "image" for source in self.inputs)
        if all(source.source_type == "images" for source in self.inputs):
            self.inputs = self.inputs[0], reordered(*self.inputs)
        with ExitStack() as stack:
            self.sources: tuple[FrameSource, FrameSource] = tuple(  # type: ignore[assignment]
                stack.enter_context(
                    open_with_codebook(source, codebook, keep_going=keep_going, max_pixels=max_pixels)
                )
                for source in self.inputs
            )
            self._stack = stack.pop_all()
        rates = [source.info.fps for source in self.sources if source.info.fps]
        self.is_video = bool(rates)
        self._time_tolerance = max(1 / (2 * max(rates)), _CLOCK_TOLERANCE) if rates else None
        self._time_offset = Fraction(0)  # of TEST's first frame from REF's

    @property
    def is_partial(self) -> bool:
        """Whether some of the frames were selected."""
        return self._frames is not None

    @property
    def frame_count(self) -> int | None:
        """How many pairs there are according to the headers; None: unknown."""
        count = self.sources[0].info.frame_count or self.sources[1].info.frame_count
        return count if count is None or self._frames is None else bisect_left(self._frames, count)

    def _pairs_ahead(self) -> int:
        """How many pairs may be in memory at once."""
        return frames_ahead(self.jobs, 2 * (self.sources[0].info.pixels or 0) or None)

    @property
    def batches_ahead(self) -> int:
        """How many batches may be in memory at once: one a worker and one in between, or more if they are short."""
        return max(worker_count(self.jobs) + 1, self._pairs_ahead() // self._batch_length())

    def _batch_length(self) -> int:
        if not self.is_video:
            return 1
        if any(isinstance(source, SvqSource) for source in self.sources):
            return max(_BATCH_FRAMES, _BATCH_PIXELS // (self.sources[0].info.pixels or _BATCH_PIXELS))
        return _BATCH_FRAMES

    def batches(self) -> Iterator[Batch]:
        """All pairs in order, in batches that end where a group of a `.svq` ends. Can be read once."""
        length = self._batch_length()
        batch: Batch | None = None
        for index, items in self.items():
            if batch is None:
                batch = Batch(index, None)
            elif index != batch.end:
                yield batch
                batch = Batch(index, None)
            elif len(batch.items) == length or self._starts_group(items, batch.items[0]):
                yield batch
                batch = Batch(index, batch.items[-1])
            batch.items.append(items)
        if batch is not None:
            yield batch

    def _starts_group(self, items: Items, first: Items) -> bool:
        """Whether these are of another group of a `.svq` than `first`."""
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
                f"{short.label}: has {counted(count, 'frame')}, and {long.label} has more; "
                f"`frames` can choose the first {count}"
            )
        if self._frames is not None and count <= self._frames[0]:
            raise UsageError(f"{reference.label}: has frames 0 to {count - 1}, and the part begins after them")

    def _set_clock(self, items: Items) -> None:
        if self._time_tolerance is not None:
            frames = [source.try_load(item) for source, item in zip(self.sources, items, strict=True)]
            times = [frame.time for frame in frames if isinstance(frame, Frame) and frame.time is not None]
            self._time_offset = times[1] - times[0] if len(times) == 2 else Fraction(0)

    def load(self, index: int, items: Items) -> Pair | Failed:
        """The pair at an index, on any thread; Failed where one of many images cannot be read."""
        reference, test = (source.try_load(item) for source, item in zip(self.sources, items, strict=True))
        if isinstance(reference, Failed):
            return reference
        if isinstance(test, Failed):
            return test
        self._check_names_and_times(index, reference, test)
        size, other = reference.pixels.shape[:2], test.pixels.shape[:2]
        if size != other and not self._resize:
            raise UsageError(
                f"{self.sources[1].label}: {test.name or f'frame {index}'} is {other[1]}x{other[0]}, and "
                f"{size[1]}x{size[0]} in {self.sources[0].label}; `resize` scales it"
            )
        return Pair(index, reference, test if size == other else resized(test, size))

    def _check_names_and_times(self, index: int, reference: Frame, test: Frame) -> None:
        names, times = (reference.name, test.name), (reference.time, test.time)
        labels = self.sources[0].label, self.sources[1].label
        if self._checks_names and names[0] and names[1] and stem(names[0]) != stem(names[1]):
            raise UsageError(
                f"{labels[1]}: frame {index} is named {names[1]}, and {names[0]} in {labels[0]}; compare images "
                "that have the same names and order"
            )
        if self._time_tolerance is None or times[0] is None or times[1] is None:
            return
        if abs(times[1] - times[0] - self._time_offset) > self._time_tolerance:
            raise UsageError(
                f"{labels[1]}: frame {index} comes at {float(times[1]):.3f} s, and at "
                f"{float(times[0] + self._time_offset):.3f} s in {labels[0]}: frames are missing or of another rate; "
                "a folder of images is paired without times"
            )

    def pairs(self) -> Generator[Pair, None, None]:
        """All pairs in order, loaded by `jobs` threads, without images that cannot be read. Can be read once."""
        loading = ordered_map(lambda task: self.load(*task), self.items(), self.jobs, self._pairs_ahead())
        with closing(loading) as pairs:
            for pair in pairs:
                if isinstance(pair, Pair):
                    yield pair

    def close(self) -> None:
        """Close both inputs; a second call does nothing."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
