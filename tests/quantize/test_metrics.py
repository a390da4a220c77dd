"""PSNR by its definition."""

from __future__ import annotations

import pytest

from streamvq.quantize.metrics import psnr_db


def test_worst_possible() -> None:
    assert psnr_db(255**2 * 10, 10) == pytest.approx(0)


def test_one_level_everywhere() -> None:
    assert psnr_db(1000, 1000) == pytest.approx(48.1308, abs=1e-4)


def test_no_error_or_no_samples_has_no_figure() -> None:
    assert psnr_db(0, 10) is None
    assert psnr_db(0, 0) is None


def test_ten_times_less_error_is_ten_decibels_more() -> None:
    better, worse = psnr_db(7, 100), psnr_db(70, 100)
    assert better is not None
    assert worse is not None
    assert better - worse == pytest.approx(10)
