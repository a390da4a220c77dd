"""What is to be said of many pictures, in a line for all of them."""

from __future__ import annotations

import threading


class Remarks:
    """Adds to `notes` a line for each text, which names the first picture that it is said of, and how many are.

    Pictures come from any thread in any order; the notes are the same.
    """

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes
        self._before = tuple(notes)
        self._lock = threading.Lock()
        self._first: dict[str, tuple[int, str]] = {}  # of a text: index and label
        self._count: dict[str, int] = {}

    def add(self, index: int, label: str, text: str) -> None:
        """Say `text` of the picture with this index and label."""
        with self._lock:
            self._first[text] = min(self._first.get(text, (index, label)), (index, label))
            self._count[text] = self._count.get(text, 0) + 1
            in_order = sorted(self._first, key=lambda text: self._first[text])
            self._notes[:] = [*self._before, *map(self._line, in_order)]

    def _line(self, text: str) -> str:
        more = self._count[text] - 1
        return f"{self._first[text][1]}: {text}" + (f" (and so of {more} more)" if more else "")
