"""What the pipeline tells of its progress; the command line draws it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from streamvq.media.sources import FrameSource


class Progress(Protocol):
    """Told of each pass over a source: `of` opens it, `advance` counts a frame."""

    def of(self, what: str, source: FrameSource) -> AbstractContextManager[None]: ...
    def advance(self) -> None: ...


class NoProgress:
    """Silence."""

    def of(self, what: str, source: FrameSource) -> AbstractContextManager[None]:
        return nullcontext()

    def advance(self) -> None:
        pass
