"""The estimator keeps scikit-learn's manners."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pictures import few_colors, noise, smooth
from PIL import Image
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from streamvq import UsageError, VectorQuantizer, fit_codebook

PIXELS = noise(20, 20).reshape(-1, 3)
VECTORS = np.random.default_rng(0).normal(size=(300, 5))


@parametrize_with_checks([VectorQuantizer(), VectorQuantizer(n_codes=3)])
def test_scikit_learn_checks(estimator: VectorQuantizer, check: Callable[[Any], None]) -> None:
    """None is expected to fail. Those that need pandas or the array API are skipped where these are missing."""
    check(estimator)


def test_rows_and_pixels() -> None:
    quantizer = VectorQuantizer(n_codes=16, random_state=0).fit(PIXELS)
    rows = quantizer.transform(PIXELS)
    assert rows.shape == (400, 1)
    assert rows.dtype == np.uint8
    assert (quantizer.predict(PIXELS) == rows.ravel()).all()
    pixels = quantizer.inverse_transform(rows)
    assert pixels.shape == PIXELS.shape
    assert pixels.dtype == np.uint8
    assert (quantizer.transform(pixels) == rows).all()
    assert (quantizer.inverse_transform(rows.ravel()) == pixels).all()
    assert len(quantizer.codebook_) == 16
    assert (quantizer.codes_ == quantizer.codebook_.codes).all()
    assert quantizer.inertia_ == ((pixels.astype(int) - PIXELS) ** 2).sum()


@pytest.mark.parametrize("X", [PIXELS, PIXELS[:, :1], VECTORS], ids=["color", "gray", "vectors"])
def test_batches_do_not_matter(X: NDArray) -> None:
    whole = VectorQuantizer(n_codes=16).fit(X)
    parts = VectorQuantizer(n_codes=16)
    for start in (200, 0, 100, 300):
        if start < len(X):
            parts.partial_fit(X[start : start + 100])
    assert (parts.codes_ == whole.codes_).all()


def test_fit_forgets_and_partial_fit_remembers() -> None:
    other = 255 - PIXELS // 3
    quantizer = VectorQuantizer(n_codes=8).fit(other)
    assert quantizer.fit(PIXELS).codebook_ == VectorQuantizer(n_codes=8).fit(PIXELS).codebook_
    assert quantizer.partial_fit(other).codebook_ != VectorQuantizer(n_codes=8).fit(PIXELS).codebook_


def test_few_colors_are_exact() -> None:
    pixels = few_colors(9).reshape(-1, 3)
    quantizer = VectorQuantizer(n_codes=16).fit(pixels)
    assert (quantizer.inverse_transform(quantizer.transform(pixels)) == pixels).all()
    assert quantizer.inertia_ == 0


def test_gray() -> None:
    levels = np.arange(256, dtype=np.uint8)[:, None]
    quantizer = VectorQuantizer(n_codes=4).fit(levels)
    assert quantizer.codebook_.space == "gray"
    assert np.abs(quantizer.inverse_transform(quantizer.transform(levels)).astype(int) - levels).max() <= 40


def test_space_of_pixels() -> None:
    gray = VectorQuantizer(n_codes=4, space="gray").fit(PIXELS)
    assert gray.codes_.shape == (4, 1)
    assert gray.inverse_transform(gray.transform(PIXELS)).shape == (400, 1)
    color = VectorQuantizer(n_codes=4, space="rgb").fit(PIXELS[:, :1])
    assert color.codes_.shape == (4, 3)


def test_params_and_clone() -> None:
    quantizer = VectorQuantizer(n_codes=7, random_state=3).fit(PIXELS)
    assert quantizer.get_params() == {"n_codes": 7, "block": 1, "space": None, "random_state": 3}
    twin = clone(quantizer)
    assert twin.get_params() == quantizer.get_params()
    assert repr(quantizer) == "VectorQuantizer(n_codes=7, random_state=3)"
    for ask in (twin.transform, twin.predict):
        with pytest.raises(NotFittedError):
            ask(PIXELS)
    assert not hasattr(twin, "codes_")
    assert twin.set_params(n_codes=8).fit(PIXELS).codebook_ != quantizer.codebook_


@pytest.mark.parametrize("X", [PIXELS, VECTORS, noise(8, 8)[None]], ids=["pixels", "vectors", "images"])
@pytest.mark.parametrize("weighted", [False, True])
def test_pickles_go_on(X: NDArray, weighted: bool) -> None:
    weights = np.arange(1.0, len(X) + 1) if weighted else None
    quantizer = VectorQuantizer(n_codes=4).fit(X, sample_weight=weights)
    twin = pickle.loads(pickle.dumps(quantizer))
    assert (twin.predict(X) == quantizer.predict(X)).all()
    assert (twin.partial_fit(X[::2]).codes_ == quantizer.partial_fit(X[::2]).codes_).all()


def test_random_state_may_be_none_or_a_generator() -> None:
    for state in (None, np.random.RandomState(3)):
        assert VectorQuantizer(n_codes=4, random_state=state).fit(PIXELS).codes_.shape == (4, 3)
    first, second = (VectorQuantizer(5, random_state=np.random.RandomState(3)).fit(VECTORS).codes_ for _ in range(2))
    assert (first == second).all()


def test_in_a_pipeline() -> None:
    model = make_pipeline(
        FunctionTransformer(np.negative), FunctionTransformer(lambda x: x + 255), VectorQuantizer(5)
    )
    rows = model.fit_transform(PIXELS.astype(float))
    assert set(np.unique(rows)) == set(range(5))
    assert model[-1].get_feature_names_out().tolist() == ["vectorquantizer0"]


def test_the_same_codebook_as_the_command_line_learns(tmp_path: Path) -> None:
    picture = noise(20, 20)
    path = tmp_path / "a.png"
    Image.fromarray(picture).save(path)
    assert fit_codebook(path, 16) == VectorQuantizer(16).fit(picture.reshape(-1, 3)).codebook_
    assert fit_codebook(path, 16) == VectorQuantizer(16).fit(picture[None]).codebook_
    assert fit_codebook(path, 16, gray=True) == VectorQuantizer(16, space="gray").fit(picture[None]).codebook_
    for space in ("rgb", "ycbcr420"):
        quantizer = VectorQuantizer(5, block=4, space=space).fit(picture[None])
        assert fit_codebook(path, 5, block=4, space=space) == quantizer.codebook_


# --- Weights


@pytest.mark.parametrize("X", [PIXELS, PIXELS[:, :1], VECTORS], ids=["color", "gray", "vectors"])
def test_weights_are_repetitions(X: NDArray) -> None:
    counts = np.random.default_rng(1).integers(0, 4, len(X))
    weighted = VectorQuantizer(n_codes=6).fit(X, sample_weight=counts)
    repeated = VectorQuantizer(n_codes=6).fit(np.repeat(X, counts, axis=0))
    assert (weighted.codes_ == repeated.codes_).all()
    assert weighted.inertia_ == pytest.approx(repeated.inertia_)
    half = VectorQuantizer(n_codes=6).fit(X, sample_weight=counts / 7)
    assert np.abs(half.codes_.astype(float) - weighted.codes_).max() <= 1


def test_weights_of_images_and_of_some_batches() -> None:
    images = np.stack([smooth(shift=shift) for shift in range(3)])
    weighted = VectorQuantizer(8).partial_fit(images).partial_fit(images, sample_weight=[0, 1, 2])
    assert (weighted.codes_ == VectorQuantizer(8).fit(images[[0, 1, 1, 2, 2, 2]]).codes_).all()
    with pytest.raises(UsageError, match="sample_weight"):
        VectorQuantizer(8, block=4).fit(images, sample_weight=[0, 1, 2])


def test_heavy_weights_draw_codes() -> None:
    weights = np.ones(len(VECTORS))
    weights[7] = 1e6
    codes = VectorQuantizer(3).fit(VECTORS, sample_weight=weights).codes_
    assert np.abs(codes - VECTORS[7]).max(axis=1).min() < 1e-2


# --- Vectors of any numbers


def test_as_good_as_kmeans() -> None:
    theirs = min(KMeans(8, n_init=1, random_state=seed).fit(VECTORS).inertia_ for seed in range(3))
    assert VectorQuantizer(8).fit(VECTORS).inertia_ < 1.05 * theirs


def test_two_clusters_solved_by_hand() -> None:
    X = np.array([[1.0, 0.5], [2.0, 0.5], [-100.0, 4.0], [-104.0, 4.0]])
    quantizer = VectorQuantizer(2).fit(X)
    assert np.allclose(quantizer.codes_, [[-102, 4], [1.5, 0.5]])
    assert quantizer.predict(X).tolist() == [1, 1, 0, 0]
    assert np.allclose(quantizer.inverse_transform([[0], [1]]), quantizer.codes_)
    assert quantizer.inertia_ == pytest.approx(8.5)
    with pytest.raises(AttributeError, match="Codebook"):
        _ = quantizer.codebook_


@pytest.mark.parametrize("offset", [0, 1e7])
@pytest.mark.parametrize("scale", [1e-9, 1, 1e9])
def test_scale_and_offset_do_not_matter(scale: float, offset: float) -> None:
    X = np.round(VECTORS * 64) / 64
    plain, moved = VectorQuantizer(6).fit(X), VectorQuantizer(6).fit((X + offset) * scale)
    assert np.allclose(moved.codes_ / scale - offset, plain.codes_, atol=1e-6)
    assert (moved.predict((X + offset) * scale) == plain.predict(X)).mean() > 0.99


def test_nearest_is_nearest() -> None:
    quantizer = VectorQuantizer(40).fit(VECTORS)
    other = np.random.default_rng(5).normal(size=(1000, 5)) * 3
    distances = ((other[:, None] - quantizer.codes_) ** 2).sum(axis=2)
    assert (quantizer.predict(other) == distances.argmin(axis=1)).all()


@pytest.mark.parametrize("d", [1, 2, 3, 4, 64])
def test_bytes_and_floats_of_any_dimension(d: int) -> None:
    X = np.random.default_rng(d).integers(0, 256, (500, d), np.uint8)
    for samples in (X, X.astype(np.float32), X.astype(np.int64) - 9):
        quantizer = VectorQuantizer(16).fit(samples)
        assert quantizer.codes_.shape == (16, d)
        assert quantizer.n_features_in_ == d
        assert set(quantizer.predict(samples)) == set(range(16))
        assert quantizer.codes_.dtype == (np.uint8 if samples is X and d in (1, 3) else np.float64)


def test_other_numbers_may_follow_pixels() -> None:
    quantizer = VectorQuantizer(16).fit(PIXELS)
    assert (quantizer.predict(PIXELS.astype(float)) == quantizer.predict(PIXELS)).all()
    quantizer.partial_fit(PIXELS + 0.25)
    assert (quantizer.codes_ == VectorQuantizer(16).fit(np.concatenate([PIXELS, PIXELS + 0.25])).codes_).all()


def test_many_codes() -> None:
    X = np.random.default_rng(2).normal(size=(3000, 2))
    quantizer = VectorQuantizer(1500).fit(X)
    assert quantizer.codes_.shape == (1500, 2)
    assert quantizer.transform(X).dtype == np.uint16


# --- Images


@pytest.mark.parametrize("space", [None, "gray", "rgb", "ycbcr420"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_blocks_of_images(space: str | None, channels: int) -> None:
    images = np.stack([noise(10, 14, channels, seed) for seed in range(3)])
    quantizer = VectorQuantizer(n_codes=8, block=(4, 2), space=space).fit(images)
    rows = quantizer.transform(images)
    assert rows.shape == quantizer.predict(images).shape == (3, 3, 7)
    back = quantizer.inverse_transform(rows)
    gray = space == "gray" or (space is None and channels == 1)
    assert back.shape == (3, 10, 14, 1 if gray else 3)
    assert quantizer.inverse_transform(rows[:, :2]).shape == (3, 8, 14, 1 if gray else 3)
    assert quantizer.codebook_.block == (4, 2)
    with pytest.raises(AttributeError):
        _ = quantizer.inertia_
    with pytest.raises(ValueError, match=r"height, width"):
        quantizer.predict(np.zeros((4, channels)))


def test_pixels_of_images() -> None:
    images = np.stack([smooth(shift=shift) for shift in range(3)])
    quantizer = VectorQuantizer(n_codes=8).fit(images)
    rows = quantizer.transform(images)
    assert rows.shape == images.shape[:3]
    assert quantizer.inverse_transform(rows).shape == images.shape
    assert (quantizer.predict(images.reshape(-1, 3)) == rows.ravel()).all()
    assert (quantizer.predict(images.astype(np.uint16) * 257) == rows).all()


def test_hidden_pixels_are_not_learned() -> None:
    images = np.zeros((1, 4, 4, 4), np.uint8)
    with pytest.raises(ValueError, match="visible"):
        VectorQuantizer(2).fit(images)
    with pytest.raises(ValueError, match="visible"):
        VectorQuantizer(2, block=2).fit(images)
    images[0, 0, 0] = (9, 8, 7, 255)
    for weights in (None, [2.0]):
        assert VectorQuantizer(2).fit(images, sample_weight=weights).codes_.tolist() == [[9, 8, 7]]


# --- What is refused


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (np.zeros(4), "Expected 2D"),
        (np.zeros((0, 3)), "0 sample"),
        (np.zeros((3, 0)), "0 feature"),
        (np.zeros((4, 4, 3), np.uint8), "dim 3"),
        (np.full((4, 3), np.nan), "NaN"),
        (np.full((4, 3), np.inf), "infinity"),
        (np.full((4, 3), "red"), "red"),
        (np.zeros((2, 4, 4, 3)), "uint8"),
        (np.zeros((2, 4, 4, 2), np.uint8), "1, 3 or 4"),
    ],
)
def test_what_is_no_sample_is_refused(bad: NDArray, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        VectorQuantizer(n_codes=2).fit(bad)


@pytest.mark.parametrize("X", [PIXELS, VECTORS], ids=["pixels", "vectors"])
@pytest.mark.parametrize("count", [0, 1, 65537])
def test_a_senseless_number_of_codes_is_refused(count: int, X: NDArray) -> None:
    with pytest.raises(UsageError, match=str(count)):
        VectorQuantizer(n_codes=count).fit(X)


@pytest.mark.parametrize(
    ("X", "parameters", "reason"),
    [
        (PIXELS, {"block": 4}, "images"),
        (VECTORS, {"space": "rgb"}, "pixels"),
        (noise(8, 8)[None], {"block": 0}, "sides"),
        (noise(8, 8)[None], {"block": 3, "space": "ycbcr420"}, "even"),
        (PIXELS, {"space": "lab"}, "lab"),
        (PIXELS, {"random_state": -1}, "seed"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(X: NDArray, parameters: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        VectorQuantizer(2, **parameters).fit(X)


def test_features_must_stay_the_same() -> None:
    quantizer = VectorQuantizer(n_codes=4).fit(PIXELS)
    with pytest.raises(ValueError, match="1 features"):
        quantizer.transform(PIXELS[:, :1])
    for rows in (np.array([4]), np.array([[-1]])):
        with pytest.raises(IndexError):
            quantizer.inverse_transform(rows)
    with pytest.raises(ValueError, match="shape"):
        quantizer.inverse_transform(np.zeros((2, 2), int))
    with pytest.raises(ValueError, match="4 channels"):
        VectorQuantizer(4).fit(noise(8, 8)[None]).predict(noise(8, 8, 4)[None])
    with pytest.raises(UsageError, match="vectors"):
        VectorQuantizer(4).fit(VECTORS[:, :3]).predict(noise(8, 8)[None])
