"""The estimator keeps scikit-learn's manners."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import few_colors, noise
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from streamvq import UsageError, VectorQuantizer, fit_codebook

PIXELS = noise(20, 20).reshape(-1, 3)


def test_rows_and_pixels() -> None:
    quantizer = VectorQuantizer(n_codes=16, random_state=0).fit(PIXELS)
    rows = quantizer.transform(PIXELS)
    assert rows.shape == (400, 1)
    assert rows.dtype == np.uint8
    pixels = quantizer.inverse_transform(rows)
    assert pixels.shape == PIXELS.shape
    assert (quantizer.transform(pixels) == rows).all()
    assert (quantizer.inverse_transform(rows.ravel()) == pixels).all()
    assert len(quantizer.codebook_) == 16


def test_batches_do_not_matter() -> None:
    whole = VectorQuantizer(n_codes=16).fit(PIXELS)
    parts = VectorQuantizer(n_codes=16)
    for start in (300, 0, 100, 200):
        parts.partial_fit(PIXELS[start : start + 100])
    assert parts.codebook_ == whole.codebook_


def test_fit_forgets_and_partial_fit_remembers() -> None:
    other = 255 - PIXELS // 3
    quantizer = VectorQuantizer(n_codes=8).fit(other)
    assert quantizer.fit(PIXELS).codebook_ == VectorQuantizer(n_codes=8).fit(PIXELS).codebook_
    assert quantizer.partial_fit(other).codebook_ != VectorQuantizer(n_codes=8).fit(PIXELS).codebook_


def test_few_colors_are_exact() -> None:
    pixels = few_colors(9).reshape(-1, 3)
    quantizer = VectorQuantizer(n_codes=16).fit(pixels)
    assert (quantizer.inverse_transform(quantizer.transform(pixels)) == pixels).all()


def test_gray() -> None:
    levels = np.arange(256)[:, None]
    quantizer = VectorQuantizer(n_codes=4).fit(levels)
    assert quantizer.codebook_.space == "gray"
    assert np.abs(quantizer.inverse_transform(quantizer.transform(levels)).astype(int) - levels).max() <= 40


def test_params_and_clone() -> None:
    quantizer = VectorQuantizer(n_codes=7, random_state=3).fit(PIXELS)
    assert quantizer.get_params() == {"n_codes": 7, "random_state": 3}
    twin = clone(quantizer)
    assert twin.get_params() == quantizer.get_params()
    with pytest.raises(NotFittedError):
        twin.transform(PIXELS)
    assert twin.set_params(n_codes=8).fit(PIXELS).codebook_ != quantizer.codebook_


def test_in_a_pipeline() -> None:
    model = make_pipeline(
        FunctionTransformer(np.negative), FunctionTransformer(lambda x: x + 255), VectorQuantizer(5)
    )
    rows = model.fit_transform(PIXELS.astype(float))
    assert set(np.unique(rows)) == set(range(5))


def test_the_same_codebook_as_the_command_line_learns(tmp_path: object) -> None:
    from pathlib import Path

    from PIL import Image

    picture = noise(20, 20)
    path = Path(str(tmp_path)) / "a.png"
    Image.fromarray(picture).save(path)
    assert fit_codebook(path, 16) == VectorQuantizer(16).fit(picture.reshape(-1, 3)).codebook_


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((4, 2)),
        np.zeros(4),
        np.zeros((0, 3)),
        np.full((4, 3), 256),
        np.full((4, 3), -1),
        np.full((4, 3), np.nan),
        np.full((4, 3), "red"),
    ],
)
def test_what_are_no_pixels_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(UsageError):
        VectorQuantizer(n_codes=2).fit(bad)


@pytest.mark.parametrize("count", [0, 1, 65537])
def test_a_senseless_number_of_codes_is_refused(count: int) -> None:
    with pytest.raises(UsageError, match=str(count)):
        VectorQuantizer(n_codes=count).fit(PIXELS)


def test_features_must_stay_the_same() -> None:
    quantizer = VectorQuantizer(n_codes=4).fit(PIXELS)
    with pytest.raises(ValueError, match="1 features"):
        quantizer.transform(PIXELS[:, :1])
    with pytest.raises(IndexError):
        quantizer.inverse_transform(np.array([4]))
