"""What `VectorQuantizer` counts and learns from: pixels, blocks of images, or vectors of any numbers."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from streamvq.errors import UsageError
from streamvq.quantize.block_fit import fit_blocks
from streamvq.quantize.block_sample import BlockSample, sample_size
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.color_fit import fit_colors
from streamvq.quantize.histogram import ColorHistogram, LevelHistogram
from streamvq.quantize.pixels import split
from streamvq.quantize.vector_fit import fit_vectors, integer_weights, nearest_codes
from streamvq.quantize.vector_sample import VectorSample

Learned = Codebook | NDArray[np.float64]


class Counts(Protocol):
    """What was seen so far. `samples` are [n, d] or images [n, height, width, channels], `weights` float64 [n]."""

    def absorb(self, samples: NDArray[Any], weights: NDArray[np.float64] | None) -> None: ...
    def learned(self, n_codes: int, seed: int) -> Learned: ...
    def nearest(self, samples: NDArray[Any], learned: Learned) -> NDArray[Any]: ...
    def inertia(self, learned: Learned) -> float: ...
    def restored(self, rows: NDArray[np.uint16], learned: Learned) -> NDArray[Any]: ...


class PixelCounts:
    """How often each color or gray level occurred: exact integers, or with sample weights, sums of these."""

    def __init__(self, space: str, matching: str) -> None:
        self.space, self.matching = space, matching
        self._histogram: ColorHistogram | LevelHistogram | None = _histogram(space)
        self._colors = np.empty((0, 1), np.uint8)  # with their weights, where there were any
        self._weights: NDArray[np.float64] = np.empty(0)

    def absorb(self, samples: NDArray[Any], weights: NDArray[np.float64] | None) -> None:
        """Count uint8 [n, 1 or 3], or images; hidden pixels have no color and are not counted."""
        pictures = samples if samples.ndim == 4 else samples[None, None]
        if weights is None and self._histogram is not None:
            for picture in pictures:
                self._histogram.absorb(picture)
            return
        if weights is None:
            weights = np.ones(len(samples))
        colors, masses = [self.points()[0]], [self.points()[1]]
        for picture, mass in zip(pictures, weights if samples.ndim == 4 else [weights], strict=True):
            pixels, alpha = split(picture, self.space)
            visible = np.broadcast_to(mass, pixels.shape[:2]) * (1 if alpha is None else alpha > 0)
            colors.append(pixels.reshape(-1, colors[0].shape[1])[visible.ravel() > 0])
            masses.append(visible[visible > 0])
        keys, rows = np.unique(_keys(np.concatenate(colors)), return_inverse=True)
        self._histogram = None
        self._colors = _colors(keys, colors[0].shape[1])
        self._weights = np.bincount(rows, np.concatenate(masses)).astype(np.float64)

    def points(self) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """The distinct colors seen, uint8 [n, 1 or 3], and their weights, [n]."""
        if self._histogram is None:
            return self._colors, self._weights
        return self._histogram.exact_colors(), self._histogram.points()[1].astype(np.float64)

    def learned(self, n_codes: int, seed: int) -> Codebook:
        """The same codes as the command line learns from these pixels. Raises ValueError where none is visible."""
        histogram = self._histogram
        if histogram is None:
            histogram = _histogram(self.space)
            if len(self._weights):
                histogram.set_counts(_keys(self._colors), integer_weights(self._weights))
        if not histogram.distinct():
            raise ValueError("X has no visible pixel to learn from")
        return Codebook(fit_colors(histogram, n_codes, seed, self.matching), self.space, matching=self.matching)

    def nearest(self, samples: NDArray[Any], learned: Learned) -> NDArray[Any]:
        """The rows of samples of any kind: [n], or [n, height, width] of images."""
        assert isinstance(learned, Codebook)
        if samples.ndim == 4:
            return learned.quantize(samples)
        if samples.dtype == np.uint8:
            rows: NDArray[Any] = learned.quantize(samples[None])[0]
            return rows
        if samples.shape[1] != learned.codes.shape[1]:
            raise UsageError(f"codes of space {self.space!r} are for pixels: give X as uint8")
        return nearest_codes(samples, learned.codes)

    def inertia(self, learned: Learned) -> float:
        """The weighted sum of squared errors."""
        assert isinstance(learned, Codebook)
        colors, weights = self.points()
        errors = learned.codes[learned.quantize(colors[None])[0]].astype(np.int64) - colors
        return float((weights * (errors**2).sum(axis=1)).sum())

    def restored(self, rows: NDArray[np.uint16], learned: Learned) -> NDArray[np.uint8]:
        """Images of indices [n, height, width]."""
        assert isinstance(learned, Codebook)
        return learned.codes[rows]

    def as_vectors(self, n_codes: int) -> VectorCounts:
        """The same colors as vectors, for other vectors to join."""
        colors, weights = self.points()
        counts = VectorCounts(colors.shape[1], n_codes)
        counts.absorb(colors, weights)
        return counts


class BlockCounts:
    """A sample of the blocks of images; see `BlockSample`."""

    def __init__(self, block: tuple[int, int], space: str, n_codes: int, seed: int) -> None:
        self._sample = BlockSample(block, space, seed, sample_size(n_codes, block, space), n_codes)
        self._images = 0
        self._shape = (0, 0)  # of the last images

    def absorb(self, samples: NDArray[Any], weights: NDArray[np.float64] | None) -> None:
        """Sample images. Raises UsageError for weights."""
        if weights is not None:
            raise UsageError("blocks are sampled evenly: sample_weight is for pixels and vectors")
        for picture in samples:
            self._sample.absorb(picture, self._images)
            self._images += 1
        self._shape = samples.shape[1:3]

    def learned(self, n_codes: int, seed: int) -> Codebook:
        """Codes of blocks. Raises ValueError where no block is visible."""
        if self._sample.distinct() == 0:
            raise ValueError("X has no visible pixel to learn from")
        return Codebook(fit_blocks(self._sample, n_codes, seed), self._sample.space, self._sample.block)

    def nearest(self, samples: NDArray[Any], learned: Learned) -> NDArray[Any]:
        """The rows of the blocks of images: [n, rows, columns]."""
        assert isinstance(learned, Codebook)
        if samples.ndim != 4:
            raise UsageError(f"the codes are blocks: X has shape {samples.shape}, give [n, height, width, channels]")
        return learned.quantize(samples)

    def inertia(self, learned: Learned) -> float:
        """Not known: not all blocks are kept."""
        raise AttributeError("inertia_ is of pixels and vectors: of blocks, a sample is kept")

    def restored(self, rows: NDArray[np.uint16], learned: Learned) -> NDArray[np.uint8]:
        """Images of indices [n, rows, columns], cropped where they can be those that were seen."""
        assert isinstance(learned, Codebook)
        blocks = tuple(-(-extent // side) for extent, side in zip(self._shape, learned.block, strict=True))
        height, width = self._shape if blocks == rows.shape[1:] else (None, None)
        return np.stack([learned.lookup(picture, height, width) for picture in rows])


class VectorCounts:
    """Vectors of any numbers; see `VectorSample`."""

    def __init__(self, d: int, n_codes: int) -> None:
        self._sample = VectorSample(d, n_codes)

    def absorb(self, samples: NDArray[Any], weights: NDArray[np.float64] | None) -> None:
        """Sample vectors [n, d]. Raises UsageError for images."""
        if samples.ndim != 2:
            raise UsageError(f"vectors were counted before: X has shape {samples.shape}, give [n, d]")
        self._sample.absorb(samples, np.ones(len(samples)) if weights is None else weights)

    def learned(self, n_codes: int, seed: int) -> NDArray[np.float64]:
        """Codes of vectors, [at most n_codes, d]."""
        return fit_vectors(*self._sample.points(), n_codes, seed)

    def nearest(self, samples: NDArray[Any], learned: Learned) -> NDArray[np.int64]:
        """The rows of vectors [n, d]: [n]."""
        if samples.ndim != 2:
            raise UsageError(f"the codes are vectors: X has shape {samples.shape}, give [n, d]")
        assert not isinstance(learned, Codebook)
        return nearest_codes(samples, learned)

    def inertia(self, learned: Learned) -> float:
        """The weighted sum of squared errors."""
        assert not isinstance(learned, Codebook)
        vectors, weights = self._sample.points()
        return float((weights * ((vectors - learned[nearest_codes(vectors, learned)]) ** 2).sum(axis=1)).sum())

    def restored(self, rows: NDArray[np.uint16], learned: Learned) -> NDArray[np.float64]:
        """The codes at indices of any shape: [..., d]."""
        assert not isinstance(learned, Codebook)
        return learned[rows]


def _histogram(space: str) -> ColorHistogram | LevelHistogram:
    return LevelHistogram() if space == "gray" else ColorHistogram()


def _keys(colors: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Where colors [n, 1 or 3] are counted in a histogram."""
    return colors.astype(np.int64) @ (256 ** np.arange(colors.shape[1])[::-1])


def _colors(keys: NDArray[np.int64], channels: int) -> NDArray[np.uint8]:
    return (keys[:, None] >> 8 * np.arange(channels)[::-1] & 255).astype(np.uint8)
