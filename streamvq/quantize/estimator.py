"""`VectorQuantizer`: the quantizer as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_array, validate_data

from streamvq.errors import UsageError
from streamvq.options import CodeOptions
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.estimator_counts import BlockCounts, Counts, PixelCounts, VectorCounts


class VectorQuantizer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Vector quantization with a learned codebook: samples become the indices of their nearest codes.

    Parameters
    ----------
    n_codes : int, 2 to 65,536 (gray pixels: to 256). With fewer distinct samples, there are as many codes.
    block : int or (height, width). What one code of images stands for, in pixels.
    space : None, "gray", "rgb", or for blocks of images with even sides "ycbcr420". What codes of pixels and blocks
        are made of; None takes what they are, and of blocks that can be, "ycbcr420". "linear" and "oklab" are RGB
        codes of pixels, which are learned and compared in linear light or OKLab.
    random_state : int, RandomState or None, as everywhere in scikit-learn.

    X is one of
    - pixels, uint8 [n, 3] (RGB) or [n, 1] (gray): every color is counted, and codes are colors;
    - images, uint8 or uint16 [n, height, width, 1, 3 or 4]: their pixels, or where `block` is not 1, their blocks;
    - other vectors, [n, d] of any numbers: codes are float64. (Of more vectors than about a million, a sample.)

    `partial_fit` counts more of them. The codes are learned from all when they are next needed, so the order and the
    size of the batches do not matter.

    Attributes
    ----------
    codes_ : uint8 or float64 [at most n_codes, d], sorted by brightness (vectors: by their sum).
    codebook_ : Codebook, the same for pixels and blocks.
    inertia_ : float, the weighted sum of the squared distances of all pixels or vectors to their codes.
    n_features_in_ : int, d; for images their channels.

    >>> import numpy as np
    >>> pixels = np.array([[0, 0, 0], [1, 1, 1], [250, 0, 0], [255, 0, 0]], np.uint8)
    >>> quantizer = VectorQuantizer(n_codes=2).fit(pixels)
    >>> quantizer.transform(pixels).ravel()
    array([0, 0, 1, 1], dtype=uint8)
    >>> quantizer.inverse_transform(quantizer.transform(pixels)).shape
    (4, 3)
    >>> VectorQuantizer(n_codes=2).fit([[0.5], [0.7], [-3.0]]).codes_.tolist()
    [[-3.0], [0.6]]
    """

    def __init__(
        self,
        n_codes: int = 256,
        block: int | tuple[int, int] = 1,
        space: str | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.n_codes = n_codes
        self.block = block
        self.space = space
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None) -> VectorQuantizer:
        """Learn the codes of X, forgetting what was counted earlier.

        `sample_weight` [n] counts each sample (of images: each pixel of an image) so many times; blocks take none.
        Raises ValueError for X that is none of those above, NaN or infinity; UsageError for parameters out of range.
        """
        self._count(X, sample_weight, reset=True)
        self._learn()
        return self

    def partial_fit(self, X: ArrayLike, y: Any = None, sample_weight: ArrayLike | None = None) -> VectorQuantizer:
        """Count X, as for `fit`, in addition to what earlier calls counted."""
        self._count(X, sample_weight, reset=not self.__sklearn_is_fitted__())
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """The row of each sample's nearest code, int64 [n]; of images [n, rows, columns]. Ties go to the lowest."""
        return self._nearest(X).astype(np.int64)

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """As `predict`, but uint8 (up to 256 codes) or uint16 of shape [n, 1]; of images [n, rows, columns]."""
        rows = self._nearest(X)
        rows = rows.astype(np.uint8 if len(self.codes_) <= 256 else np.uint16)
        return rows[:, None] if rows.ndim == 1 else rows

    def inverse_transform(self, X: ArrayLike) -> NDArray[Any]:
        """What code indices stand for: of [n, 1] or [n], [n, d]; of [n, rows, columns], images [n, height, width, c].

        Images of as many blocks as those fitted have the same height and width, others that of whole blocks.
        Raises IndexError for a code that there is not.
        """
        learned, codes = self._learn(), self.codes_
        rows = check_array(X, dtype=None, ensure_2d=False, allow_nd=True, ensure_min_samples=0)
        if rows.size and not (rows.min() >= 0 and rows.max() < len(codes)):
            raise IndexError(f"codes {rows.min()} to {rows.max()}: there are {len(codes)}")
        if rows.ndim == 2 and rows.shape[1] != 1:
            raise ValueError(f"X has shape {rows.shape}: give code indices [n], [n, 1] or [n, rows, columns]")
        rows = rows.astype(np.uint16)
        return self._counts.restored(rows, learned) if rows.ndim == 3 else codes[rows.reshape(-1)]

    @property
    def codes_(self) -> NDArray[Any]:
        """The codes of all that was counted so far: [k, d]. Raises NotFittedError before `fit`."""
        learned = self._learn()
        return learned.codes if isinstance(learned, Codebook) else learned

    @property
    def codebook_(self) -> Codebook:
        """The codes of pixels or blocks as a `Codebook`. Raises NotFittedError before `fit`."""
        learned = self._learn()
        if not isinstance(learned, Codebook):
            raise AttributeError("codes of vectors make no Codebook: fit uint8 pixels [n, 1 or 3] or images")
        return learned

    @property
    def inertia_(self) -> float:
        """The weighted sum of squared distances of all pixels or vectors counted so far to their codes."""
        learned = self._learn()
        return self._counts.inertia(learned)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_counts")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # indices are small unsigned integers for any X
        return tags

    @property
    def _n_features_out(self) -> int:
        """How many features `get_feature_names_out` is to name."""
        return 1

    def _count(self, X: ArrayLike, sample_weight: ArrayLike | None, reset: bool) -> None:
        samples = self._validated(X, reset)
        settings = self._settings(samples)
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, samples, dtype=np.float64, ensure_non_negative=True)
            if not weights.any():
                raise ValueError("sample_weight is zero for all samples: nothing is left to learn from")
        if reset:
            self._seed = _seed_from(self.random_state)
            self._counts: Counts = _new_counts(samples, settings, self.n_codes, self._seed)
        elif isinstance(self._counts, PixelCounts) and not _are_pixels(samples):
            self._counts = self._counts.as_vectors(self.n_codes)
        self._counts.absorb(samples, weights)
        self._learned: Codebook | NDArray[np.float64] | None = None

    def _learn(self) -> Codebook | NDArray[Any]:
        if not self.__sklearn_is_fitted__():
            raise NotFittedError(
                "This VectorQuantizer instance is not fitted yet. Call 'fit' with appropriate arguments before using "
                "this estimator."
            )
        if self._learned is None:
            self._learned = self._counts.learned(self.n_codes, self._seed)
        return self._learned

    def _nearest(self, X: ArrayLike) -> NDArray[Any]:
        learned = self._learn()
        return self._counts.nearest(self._validated(X, reset=False), learned)

    def _validated(self, X: ArrayLike, reset: bool) -> NDArray[Any]:
        """X as uint8 or float64 [n, d], or as images, uint8 or uint16 [n, height, width, channels]."""
        if getattr(X, "ndim", 2) != 4:
            vectors: NDArray[Any] = validate_data(self, X, reset=reset, dtype=[np.float64, np.uint8])
            return vectors
        images: NDArray[Any] = check_array(
            X, dtype=None, ensure_2d=False, allow_nd=True, estimator=self, input_name="X"
        )
        if images.dtype not in (np.uint8, np.uint16) or images.shape[3] not in (1, 3, 4):
            raise UsageError(
                f"X is {images.dtype} of shape {images.shape}: images are uint8 or uint16 of shape "
                "[n, height, width, 1, 3 or 4]"
            )
        if reset:
            self.n_features_in_ = images.shape[3]
        elif images.shape[3] != self.n_features_in_:
            raise ValueError(f"X has {images.shape[3]} channels, but the images fitted had {self.n_features_in_}")
        return images

    def _settings(self, samples: NDArray[Any]) -> CodeOptions:
        """The parameters, checked, with the space that codes of `samples` have. Raises UsageError."""
        height, width = (self.block, self.block) if isinstance(self.block, int) else self.block
        block = (height, width)
        if block != (1, 1) and samples.ndim != 4:
            raise UsageError(f"blocks are of images: X has shape {samples.shape}, give [n, height, width, channels]")
        if self.space is not None and not _are_pixels(samples):
            raise UsageError(f"space {self.space!r} is of pixels: give X as uint8 [n, 1 or 3] or as images")
        space = self.space
        if space is None:
            space = "gray" if samples.shape[-1] == 1 and _are_pixels(samples) else None
        seed = self.random_state if isinstance(self.random_state, int) else 0
        return CodeOptions(n_codes=self.n_codes, block=block, space=space, seed=seed)


def _are_pixels(samples: NDArray[Any]) -> bool:
    return samples.ndim == 4 or (samples.dtype == np.uint8 and samples.shape[1] in (1, 3))


def _new_counts(samples: NDArray[Any], settings: CodeOptions, n_codes: int, seed: int) -> Counts:
    if not _are_pixels(samples):
        return VectorCounts(samples.shape[1], n_codes)
    if settings.sides != (1, 1):
        return BlockCounts(settings.sides, settings.code_space, n_codes, seed)
    return PixelCounts(settings.code_space, settings.matching)


def _seed_from(random_state: int | np.random.RandomState | None) -> int:
    """The seed itself where it is one, or one drawn."""
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))
