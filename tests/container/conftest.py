"""What the tests of `.svq` files share."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator

import pytest

MAX_SECONDS = 5.0
MAX_MEMORY = 100 << 20


@pytest.fixture
def bounded() -> Iterator[None]:
    """What happens meanwhile takes little time and memory."""
    tracemalloc.start()
    begun = time.monotonic()
    try:
        yield
        peak, seconds = tracemalloc.get_traced_memory()[1], time.monotonic() - begun
    finally:
        tracemalloc.stop()
    assert peak < MAX_MEMORY, f"{peak >> 20} MB"
    assert seconds < MAX_SECONDS, f"{seconds:.1f} s"
