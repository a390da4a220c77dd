"""What the pipeline tells of its progress; the command line draws it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Progress(Protocol):
    """Told of each stage: `of` opens one of so many frames (None: unknown, 0: not counted); `advance` counts; `note`
    tells, in a line, what was found out on the way."""

    def of(self, what: str, frames: int | None) -> AbstractContextManager[None]: ...
    def advance(self) -> None: ...
    def note(self, text: str) -> None: ...


class NoProgress:
    """Silence."""

    def of(self, what: str, frames: int | None) -> AbstractContextManager[None]:
        return nullcontext()

    def advance(self) -> None:
        pass

    def note(self, text: str) -> None:
        pass
