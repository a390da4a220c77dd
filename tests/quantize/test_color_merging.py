"""Merged colors: as many as asked for, and nearly as good as learned ones."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import filmed

from streamvq.options import MATCHINGS
from streamvq.quantize.color_fit import fit_colors
from streamvq.quantize.color_merging import merged_colors
from streamvq.quantize.color_spaces import points_of, unit
from streamvq.quantize.histogram import ColorHistogram


@pytest.mark.parametrize("matching", MATCHINGS)
def test_nearly_as_good_as_learned(matching: str) -> None:
    sketch = ColorHistogram()
    for shift in range(3):
        sketch.absorb(filmed(shift))
    points, weights = sketch.points(0, matching)

    def error(codes: np.ndarray) -> float:
        centers = points_of(codes, matching).astype(float)
        nearest = np.min([((points - center) ** 2).sum(axis=1) for center in centers], axis=0)
        return float((weights * nearest).sum()) / unit(matching) ** 2

    book = fit_colors(sketch, 64, 0, matching)
    merged = merged_colors(book, sketch, 16, matching)
    assert len(np.unique(merged, axis=0)) == len(merged) == 16
    learned = error(fit_colors(sketch, 16, 0, matching))
    assert error(merged) < 1.15 * learned
    assert error(book) < error(merged)
