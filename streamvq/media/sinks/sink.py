"""What every sink of coded frames promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from streamvq.container.group_size import GroupSize
from streamvq.errors import OutputError
from streamvq.frames import CodedFrame

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class FrameSink(ABC):
    """A context manager that coded frames are written to; its output gets its real name only on clean exit.

    Writing has two halves, so that the costly one can run in parallel: `encode(frame)` makes a packet, on any
    thread, and `write(packet)` takes packets in order, on one thread. A sink that codes frames together is given
    groups of about `group_pixels` (0: frame by frame) by way of `encode_group`.

    `size_bytes` and `notes` (remarks for the user) are complete after a clean exit. `exact` is true where what is
    read back has exactly the codes' colors. `judge` is called when all is written, and before the output gets its
    name: what it raises undoes the output.
    """

    holds_audio = False
    exact = True
    group_size: GroupSize | None = None

    def __init__(self, label: str) -> None:
        self.label = label
        self.notes: list[str] = []
        self.size_bytes = 0
        self.parts: dict[str, int] = {}  # bytes of each part of the output, where it has parts
        self._finished = False
        self._stack = ExitStack()  # what must be undone, or made final, when the sink closes

    @abstractmethod
    def encode(self, frame: CodedFrame) -> Any:
        """The packet of a frame, on any thread. Leaves the sink as it is."""

    def encode_group(self, frames: Sequence[CodedFrame]) -> list[Any]:
        """The packets of frames that belong together, on any thread. Leaves the sink as it is."""
        return [self.encode(frame) for frame in frames]

    @abstractmethod
    def write(self, packet: Any) -> None:
        """Write the packet of the next frame."""

    def finish(self) -> None:
        """Write what is still held back; a second call does nothing. An error undoes the output."""
        if self._finished:
            return
        try:
            self._write_rest()
        except BaseException as failure:
            self._stack.__exit__(type(failure), failure, failure.__traceback__)
            raise
        self._finished = True

    def _write_rest(self) -> None:
        """What a sink does after the last frame."""

    def commit(self) -> None:
        """Finish, and give the output its real name; a second call does nothing."""
        self.finish()
        self._stack.close()

    @contextmanager
    def _opening(self) -> Iterator[None]:
        """For constructors: what fails in the block undoes what was set up, and is told as when writing fails."""
        try:
            yield
        except BaseException as error:
            self._stack.__exit__(type(error), error, error.__traceback__)
            raise

    def check_size(self, frame: CodedFrame, first: tuple[int, int]) -> None:
        """Raise if a frame's width and height differ from the first frame's."""
        size = (frame.width, frame.height)
        if size != first:
            where = frame.name or f"frame {frame.index}"
            raise OutputError(
                f"{self.label}: at {where} the picture size changes from {first[0]}x{first[1]} to "
                f"{size[0]}x{size[1]}, and a video has one size; write a folder of images instead"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.commit()
        else:
            self._stack.__exit__(kind, error, trace)
