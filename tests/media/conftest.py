"""What the tests of media share."""

from __future__ import annotations

import pytest

from streamvq.media.sinks import svq as svq_sink


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups of four frames of 64x48 in .svq files."""
    monkeypatch.setattr(svq_sink, "_GROUP_PIXELS", 4 * 64 * 48)
