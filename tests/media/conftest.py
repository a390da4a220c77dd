"""What the tests of media share."""

from __future__ import annotations

import pytest

from streamvq.container import group_size


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups of four frames of 64x48 in .svq files."""
    monkeypatch.setattr(group_size, "TARGET_PIXELS", 4 * 64 * 48)
