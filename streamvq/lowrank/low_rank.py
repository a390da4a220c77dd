"""Frames of low rank: every channel, or the matrix of its patches, truncated by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from streamvq.errors import UsageError
from streamvq.frames import Frame
from streamvq.lowrank.planes import from_patches, patches_of, planes_of, rounded
from streamvq.lowrank.svd import Truncation, truncate
from streamvq.options import LowRankOptions
from streamvq.quantize.pixels import with_alpha

# A video's frames start from the previous one, but for the first of each group, which has at most these sizes.
_MAX_WARM_PIXELS = 1 << 23
_MAX_WARM_FRAMES = 8


@dataclass(frozen=True, eq=False)
class LowRank:
    """A picture as the factors of its channels.

    `channels` has one truncation a channel: of its matrix [height, width], or with `patch` P above 0 of the matrix
    [patches, P * P] whose rows are its patches. `sizes` are the channels' heights and widths, `dtype` that of the
    picture, `alpha` its alpha, None where there is none; `without_channels` says that it had no axis of channels.
    """

    channels: tuple[Truncation, ...]
    sizes: tuple[tuple[int, int], ...]
    patch: int
    dtype: np.dtype
    alpha: NDArray | None
    without_channels: bool = False

    @property
    def ranks(self) -> tuple[int, ...]:
        """The rank of each channel."""
        return tuple(channel.rank for channel in self.channels)

    @property
    def rank(self) -> int:
        """The largest rank of a channel."""
        return max(self.ranks)

    @property
    def energy(self) -> float:
        """The share of all squared singular values that is kept: 0 to 1."""
        total = sum(channel.total for channel in self.channels)
        return 1 - sum(channel.error for channel in self.channels) / total if total else 1.0

    def planes(self) -> list[NDArray[np.float32]]:
        """The channels of low rank, not rounded: float32 [height, width]."""
        products = [channel.matrix() for channel in self.channels]
        if not self.patch:
            return products
        return [from_patches(product, self.patch, *size) for product, size in zip(products, self.sizes, strict=True)]

    def pixels(self) -> NDArray:
        """The picture of low rank, rounded and clipped, with its alpha: the type and shape of what it was made of."""
        pixels = with_alpha(rounded(self.planes(), self.dtype), self.alpha)
        return pixels[..., 0] if self.without_channels else pixels


def low_rank(
    pixels: NDArray,
    rank: int | None = None,
    energy: float | None = None,
    *,
    patch: int = 0,
    warm_start: LowRank | None = None,
) -> LowRank:
    """The best approximation of a picture whose channels have at most `rank`, or the least rank that keeps the share
    `energy` of the squared singular values.

    With the singular value decomposition A = U S V^T of a channel, the first k columns of U and V and singular values
    give the matrix of rank k that is nearest to A in the sum of squares, and its error is the sum of the squares
    of the other singular values (Eckart and Young, "The approximation of one matrix by another of lower rank", 1936).
    Ranks above that of a channel are its full rank.

    `pixels` is uint8 or uint16 [height, width] or [height, width, 1, 3 or 4]; alpha is passed through. With `patch` P
    the matrix is that whose rows are the channel's P x P patches, which are then sums of `rank` basis patches.
    `warm_start`, the result for a similar picture such as the previous frame, makes it several times as fast, and the
    error at most 0.5 % larger. Raises UsageError for numbers out of range, TypeError or ValueError for other arrays.

    >>> import numpy as np, streamvq
    >>> ramp = np.add.outer(np.arange(48), np.arange(64)).astype(np.uint8)
    >>> factors = streamvq.low_rank(ramp, rank=2)
    >>> factors.rank, bool((factors.pixels() == ramp).all())
    (2, True)
    """
    if rank is energy is None:
        raise UsageError("give either a rank or an energy, such as `rank=32` or `energy=0.99`")
    settings = LowRankOptions(rank=rank, energy=energy, patch=patch)
    pixels = np.asarray(pixels)
    if pixels.dtype not in (np.uint8, np.uint16):
        raise TypeError(f"pixels are {pixels.dtype}: give uint8 or uint16")
    without_channels = pixels.ndim == 2
    if without_channels:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4) or not pixels.size:
        raise ValueError(f"pixels of shape {pixels.shape}: give [height, width] or [height, width, 1, 3 or 4]")
    space = "gray" if pixels.shape[2] == 1 else "rgb"
    return replace(factorized(pixels, settings, space, warm_start), without_channels=without_channels)


def factorized(
    pixels: NDArray,
    settings: LowRankOptions,
    space: str,
    previous: LowRank | None,
    planes: Sequence[NDArray[np.float32]] | None = None,
) -> LowRank:
    """`pixels` [height, width, channels] of low rank in a space; chroma of "ycbcr420" has half the rank.

    `planes` are those of `planes_of`, where they are known already.

    Raises UsageError where a patch is larger than the picture.
    """
    height, width = pixels.shape[:2]
    if settings.patch > min(height, width):
        side = settings.patch
        raise UsageError(f"patches of {side}x{side} do not fit a frame of {width}x{height}; choose smaller")
    channels = []
    planes = planes_of(pixels, space) if planes is None else planes
    for i, plane in enumerate(planes):
        matrix = patches_of(plane, settings.patch) if settings.patch else plane
        start = previous.channels[i].basis if previous is not None and i < len(previous.channels) else None
        rank = settings.rank
        if rank is not None and i > 0 and space == "ycbcr420":
            rank = max(1, rank // 2)
        channels.append(truncate(matrix, rank, settings.energy, None if settings.patch else start))
    alpha = np.ascontiguousarray(pixels[..., 3]) if pixels.shape[2] == 4 else None
    return LowRank(tuple(channels), tuple(plane.shape for plane in planes), settings.patch, pixels.dtype, alpha)


def cold_start_interval(pixels: int | None) -> int:
    """Every how many frames of `pixels` pixels one is truncated from a cold start, the others from the previous one.

    1 where `pixels` is None: frames that have no size in common are no video.
    """
    return max(1, min(_MAX_WARM_FRAMES, _MAX_WARM_PIXELS // pixels)) if pixels else 1


def truncate_frames(
    frames: Iterable[Frame], settings: LowRankOptions, interval: int, gray: bool
) -> Iterator[tuple[Frame, LowRank, Frame]]:
    """Each frame, its factors, and the frame that they make; with `gray`, of its luma.

    Every `interval`-th frame starts cold, the others from the previous one.
    """
    previous = None
    for number, frame in enumerate(frames):
        space = "gray" if gray or frame.pixels.shape[2] == 1 else "rgb"
        previous = factorized(frame.pixels, settings, space, previous if number % interval else None)
        yield frame, previous, replace(frame, pixels=previous.pixels())
