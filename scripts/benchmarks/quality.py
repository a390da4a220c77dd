"""How near pictures are, as they are and once they are blurred, which is what an eye does with dither."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

import streamvq
from streamvq.quantize.pixels import luma
from streamvq.quantize.similarity import ssim

BLUR = 1.5  # pixels; about what an eye does at arm's length
Pictures = Sequence[np.ndarray]


def blurred(picture: np.ndarray) -> np.ndarray:
    """A picture by a Gaussian filter of `BLUR` pixels."""
    return cv2.GaussianBlur(picture, (0, 0), BLUR)


def psnr(pictures: Pictures, others: Pictures) -> float:
    """dB, of all errors together."""
    error = sum(float(np.square(a.astype(float) - b).sum()) for a, b in zip(pictures, others, strict=True))
    return float(10 * np.log10(255**2 * sum(picture.size for picture in pictures) / error))


def blurred_ssim(picture: np.ndarray, other: np.ndarray) -> float:
    """SSIM of the luma of two pictures, blurred."""
    return ssim(luma(blurred(picture)), luma(blurred(other)))


def codebook_psnr(book: streamvq.Codebook, frames: Pictures) -> float:
    """dB of all frames, quantized with a codebook."""
    error = sum(book.quantize_frame(streamvq.Frame(frame))[1] for frame in frames)
    return 10 * math.log10(255**2 * sum(frame.size for frame in frames) / error)


def frames_of(path: Path) -> Iterator[streamvq.Frame]:
    with streamvq.open_source(path) as source:
        yield from source


def every(path: Path, step: int) -> list[np.ndarray]:
    """The pixels of every so many frames."""
    return [frame.pixels for frame in frames_of(path) if frame.index % step == 0]


def file_psnr(first: Path, second: Path) -> float:
    """Of all RGB samples of all frames, in dB; a film of another frame rate is not comparable."""
    error = samples = 0
    for one, two in zip(frames_of(first), frames_of(second), strict=False):
        high, wide = one.pixels.shape[:2]
        error += int(((one.pixels[..., :3].astype(np.int32) - two.pixels[:high, :wide, :3]) ** 2).sum())
        samples += 3 * high * wide
    return 10 * math.log10(255**2 * samples / error) if error else math.inf
