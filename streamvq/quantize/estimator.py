"""`VectorQuantizer`: the quantizer as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError

from streamvq.errors import UsageError
from streamvq.options import CodeOptions
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.color_fit import fit_colors
from streamvq.quantize.histogram import ColorHistogram, ColorSketch, LevelHistogram


class VectorQuantizer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Vector quantization of pixels with a learned codebook.

    Parameters: `n_codes`, 2 to 65,536 (gray: to 256); `random_state`, the seed.
    X is always [n_samples, n_features] with 1 feature (gray) or 3 (RGB), values 0 to 255.
    `partial_fit` counts more pixels, and the codebook is learned from all of them when it is next needed, so
    the order and the size of the batches do not matter. Attribute `codebook_` is the `Codebook`.

    >>> import numpy as np
    >>> pixels = np.array([[0, 0, 0], [1, 1, 1], [250, 0, 0], [255, 0, 0]])
    >>> quantizer = VectorQuantizer(n_codes=2).fit(pixels)
    >>> quantizer.transform(pixels).ravel()
    array([0, 0, 1, 1], dtype=uint8)
    >>> quantizer.inverse_transform(quantizer.transform(pixels)).shape
    (4, 3)
    """

    def __init__(self, n_codes: int = 256, random_state: int = 0) -> None:
        self.n_codes = n_codes
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: Any = None) -> VectorQuantizer:
        """Learn the codebook of the pixels X, forgetting earlier ones."""
        self._sketch: ColorSketch | None = None
        return self.partial_fit(X)

    def partial_fit(self, X: ArrayLike, y: Any = None) -> VectorQuantizer:
        """Count the pixels X in addition to those of earlier calls."""
        pixels = _pixels(X)
        features = pixels.shape[1]
        CodeOptions(n_codes=self.n_codes, gray=features == 1, seed=self.random_state)  # checks the ranges
        sketch = getattr(self, "_sketch", None)
        if sketch is None:
            sketch = LevelHistogram() if features == 1 else ColorHistogram()
            self.n_features_in_ = features
        self._check_features(features)
        sketch.absorb(pixels[None])
        self._sketch = sketch
        self._codebook: Codebook | None = None
        return self

    @property
    def codebook_(self) -> Codebook:
        """The codebook of all pixels counted so far. Raises NotFittedError before `fit`."""
        if not self.__sklearn_is_fitted__():
            raise NotFittedError("this VectorQuantizer has no codebook yet: call fit first")
        if self._codebook is None:
            codes = fit_colors(self._sketch, self.n_codes, self.random_state)  # type: ignore[arg-type]
            self._codebook = Codebook(codes, "gray" if codes.shape[1] == 1 else "rgb")
        return self._codebook

    def transform(self, X: ArrayLike) -> NDArray:
        """The row of each pixel's nearest code: uint8 (up to 256 codes) or uint16 of shape [n_samples, 1]."""
        codebook = self.codebook_
        pixels = _pixels(X)
        self._check_features(pixels.shape[1])
        return codebook.quantize(pixels[None]).reshape(-1, 1)

    def inverse_transform(self, X: ArrayLike) -> NDArray[np.uint8]:
        """The pixels of codes: X of shape [n_samples] or [n_samples, 1]; uint8 [n_samples, n_features]."""
        rows = np.asarray(X)
        if rows.size and (rows.min() < 0 or rows.max() >= len(self.codebook_)):
            raise IndexError(f"codes {rows.min()} to {rows.max()}: the codebook has {len(self.codebook_)}")
        return self.codebook_.codes[rows.reshape(-1).astype(np.intp)]

    def __sklearn_is_fitted__(self) -> bool:
        return getattr(self, "_sketch", None) is not None

    def _check_features(self, features: int) -> None:
        if features != self.n_features_in_:
            raise ValueError(f"X has {features} features, but the quantizer was fitted with {self.n_features_in_}")


def _pixels(X: ArrayLike) -> NDArray[np.uint8]:
    pixels = np.asarray(X)
    if pixels.ndim != 2 or pixels.shape[1] not in (1, 3) or not len(pixels):
        raise UsageError(f"X has shape {pixels.shape}: give [n_samples, 1] (gray) or [n_samples, 3] (RGB)")
    if pixels.dtype == np.uint8:
        return pixels
    if not (pixels.dtype.kind in "iuf" and np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= 255):
        raise UsageError("X holds values outside 0 to 255")
    if pixels.dtype.kind == "f" and 0 < pixels.max() <= 1:
        raise UsageError("X holds values of 0 to 1: give 0 to 255 (X * 255)")
    return np.rint(pixels).astype(np.uint8)
