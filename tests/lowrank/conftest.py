"""What all tests of low rank share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """As in workers; several would only wait for each other where matrices are small."""
    with threadpool_limits(1):
        yield
