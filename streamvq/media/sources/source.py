"""`FrameSource`: what every source of frames promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamvq.errors import MediaError
from streamvq.frames import Failed, Frame, StreamInfo

if TYPE_CHECKING:
    from fractions import Fraction
    from types import TracebackType
    from typing import Self


@dataclass(frozen=True)
class Window:
    """The items `start` to `stop` - 1 of a source; None is its end."""

    start: int = 0
    stop: int | None = None


WHOLE = Window()


class FrameSource(ABC):
    """A context manager over frames. Iteration raises MediaError where the input breaks off before its end.

    Reading has two halves, so that the costly one can run in parallel: `items()` is read in order on one
    thread, and `load(item)` makes a frame of an item, on any thread. Iterating does both.

    `info` is what is known before reading. `skips_bad_items` is true where a bad item (one image of many) leaves the
    others intact. `notes` are for the user, and complete after reading.
    """

    info: StreamInfo = StreamInfo()
    skips_bad_items = False
    codec: str | None = None  # a video's codec, by its FFmpeg name
    audio_from: Path | None = None  # the file whose audio streams belong to these frames

    def __init__(self, label: str) -> None:
        self.label = label
        self.notes: list[str] = []

    @abstractmethod
    def items(self) -> Iterator[Any]:
        """What there is to load, in order. Can be read once."""

    def items_from(self, window: Window) -> Iterator[Any]:
        """Those of `items()` that are in a window. What comes before is skipped as cheaply as it can be."""
        return self.items() if window == WHOLE else islice(self.items(), window.start, window.stop)

    def count_frames(self) -> int:
        """How many frames there are, about: as the input says, or else counted, after which nothing can be read."""
        return self.info.frame_count or sum(1 for _ in self.items())

    @abstractmethod
    def load(self, item: Any) -> Frame:
        """The frame of an item. Raises MediaError where it cannot be decoded."""

    def try_load(self, item: Any) -> Frame | Failed:
        """The frame of an item, or why it has none, where bad items are skipped. Raises MediaError elsewhere."""
        try:
            return self.load(item)
        except MediaError as error:
            if not self.skips_bad_items:
                raise
            return Failed(str(error))

    def time_of(self, item: Any) -> Fraction | None:
        """When an item is shown, in seconds, without loading it; None where it has no time."""
        return None

    def item_bytes(self, item: Any) -> int | None:
        """What an item takes in memory that can be loaded at any later time; None where it reads its input then."""
        return None

    def lost_alpha(self) -> bool:
        """Whether a frame that was loaded had transparency that the loaded frame has no more."""
        return False

    def waits(self) -> bool:
        """Whether the next item is not there yet, as on a pipe with a slow writer; False where that is unknown."""
        return False

    def close(self) -> None:
        """Let go of files; a second call does nothing."""

    def __iter__(self) -> Iterator[Frame]:
        return map(self.load, self.items())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class WrappedSource(FrameSource):
    """Another source, which is closed with it; subclasses change what they are made for."""

    def __init__(self, source: FrameSource) -> None:
        super().__init__(source.label)
        self._source = source
        self.info, self.codec, self.audio_from = source.info, source.codec, source.audio_from
        self.skips_bad_items, self.notes = source.skips_bad_items, source.notes

    def items(self) -> Iterator[Any]:
        return self._source.items()

    def items_from(self, window: Window) -> Iterator[Any]:
        return self._source.items_from(window)

    def count_frames(self) -> int:
        return self._source.count_frames()

    def time_of(self, item: Any) -> Fraction | None:
        return self._source.time_of(item)

    def item_bytes(self, item: Any) -> int | None:
        return self._source.item_bytes(item)

    def lost_alpha(self) -> bool:
        return self._source.lost_alpha()

    def waits(self) -> bool:
        return self._source.waits()

    def close(self) -> None:
        self._source.close()
