"""Consecutive items in batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def batches(items: Iterator[Any], length: int) -> Iterator[list[Any]]:
    """Consecutive items in batches of `length`; what reading raises is raised after the last batch."""
    broken = None
    while True:
        batch: list[Any] = []
        try:
            while len(batch) < length:
                batch.append(next(items))
        except StopIteration:
            pass
        except Exception as error:  # noqa: BLE001  raised below
            broken = error
        if batch:
            yield batch
        if broken is not None:
            raise broken
        if len(batch) < length:
            return
