"""`FrameSink`: what every sink of coded frames promises, and how its output becomes final."""

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
    """A context manager that coded frames are written to, as one transaction.

    Writing has two halves, so that the costly one can run in parallel: `encode(frame)` makes a packet, on any
    thread, and `write(packet)` takes packets in order, on one thread. A sink that codes frames together is given
    groups of `group_size` (None: frame by frame) by way of `encode_group`; where `neighbors` is true, with the frames
    before and after each group.

    After the last frame, `finish()` completes the output under a temporary name: then `size_bytes`, `parts` and
    `notes` are final, and can be checked. `commit()` gives the output its real name. Leaving the context commits
    what was not committed; an error before that removes the output, and what it would have replaced stays.

    `holds_audio` is true where the sink copies the audio of its input, `holds_chapters` where it does so with
    chapters. `exact` is true where what is read back has exactly the codes' colors.
    """

    holds_audio = False
    holds_chapters = False
    exact = True
    group_size: GroupSize | None = None
    neighbors = False

    def __init__(self, label: str) -> None:
        self.label = label
        self.notes: list[str] = []  # for the user
        self.size_bytes = 0
        self.parts: dict[str, int] = {}  # bytes of each part of the output, where it has parts
        self._finished = False
        self._stack = ExitStack()  # what commit makes final, and an error undoes

    @abstractmethod
    def encode(self, frame: CodedFrame) -> Any:
        """The packet of a frame, on any thread. Leaves the sink as it is."""

    def note_once(self, text: str) -> None:
        """Tell something of the output that may be true of many frames."""
        if text not in self.notes:
            self.notes.append(text)

    def encode_group(
        self, frames: Sequence[CodedFrame], before: CodedFrame | None = None, after: CodedFrame | None = None
    ) -> list[Any]:
        """The packets of frames that belong together, on any thread. Leaves the sink as it is."""
        return [self.encode(frame) for frame in frames]

    @abstractmethod
    def write(self, packet: Any) -> None:
        """Write the packet of the next frame."""

    def finish(self) -> None:
        """Write what is still held back; a second call does nothing. An error undoes the output.

        Raises OutputError where no frame was written to a file that needs one, or writing fails.
        """
        if not self._finished:
            with self._undone_on_error():
                self._write_rest()
            self._finished = True

    def _write_rest(self) -> None:
        """What a sink does after the last frame: complete the output, `size_bytes`, `parts` and `notes`."""

    def commit(self) -> None:
        """Finish, and give the output its real name; a second call does nothing.

        Raises OutputExists or OutputError where that name was taken meanwhile, and what `finish` raises.
        """
        self.finish()
        self._stack.close()

    @contextmanager
    def _undone_on_error(self) -> Iterator[None]:
        """An error inside undoes what was set up, which may raise it again as an OutputError with the file's name."""
        try:
            yield
        except BaseException as error:
            self._stack.__exit__(type(error), error, error.__traceback__)
            raise

    def check_size(self, frame: CodedFrame, width: int, height: int) -> None:
        """Raise OutputError if a frame's size differs from the first frame's `width` and `height`."""
        if (frame.width, frame.height) != (width, height):
            raise OutputError(
                f"{self.label}: at {frame.meta.label} the picture size changes from {width}x{height} to "
                f"{frame.width}x{frame.height}, and a video has one size; write a folder of images instead"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error_type is None:
            self.commit()
        else:
            self._stack.__exit__(error_type, error, trace)
