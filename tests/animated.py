"""Animations for tests: frames that move, rest, appear and vanish; and what two independent readers see of a file."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from videos import read_video

from streamvq import Codebook, FrameMeta, IndexFrame, StreamInfo, open_sink
from streamvq.media.targets import Target
from streamvq.options import WriteOptions


def moving(
    book: Codebook, count: int = 6, alpha: bool = False, height: int = 24, width: int = 64
) -> list[IndexFrame]:
    """A noisy box that wanders over a ground of runs; with alpha, the ground is not there."""
    rng = np.random.default_rng(7)
    ground = np.repeat(rng.integers(0, len(book), (height, width // 8)), 8, axis=1)
    ground = ground.astype(np.uint8 if len(book) <= 256 else np.uint16)
    frames = []
    for index in range(count):
        codes, opacity = ground.copy(), np.zeros((height, width), np.uint8)
        box = np.s_[2 * index : 2 * index + 9, 5 * index : 5 * index + 12]
        codes[box] = rng.integers(0, len(book), codes[box].shape)
        opacity[box] = 255
        meta = FrameMeta(height, width, index, Fraction(index, 20), Fraction(1, 20), None, opacity if alpha else None)
        frames.append(IndexFrame(codes, meta))
    return frames


def write(
    path: Path, book: Codebook, frames: Sequence[IndexFrame], time_base: Fraction | None = None, **settings: object
) -> list[str]:
    """Write frames as a run does, each with its neighbors, and return the sink's notes."""
    info = StreamInfo(fps=Fraction(20), time_base=time_base)
    target = Target.from_path(path).animated(png_too=True)
    with open_sink(target, book, info, WriteOptions(**settings)) as sink:  # type: ignore[arg-type]
        around = [None, *frames, None]
        for index, frame in enumerate(frames):
            for packet in sink.encode_group([frame], around[index], around[index + 2]):
                sink.write(packet)
    assert sink.size_bytes == path.stat().st_size
    return sink.notes


def shown(frame: IndexFrame, book: Codebook) -> NDArray[np.uint8]:
    """What is to be seen of a frame: RGBA, black where nothing is."""
    alpha = np.full(frame.codes.shape, 255, np.uint8) if frame.alpha is None else frame.alpha
    return np.dstack([book.palette[frame.codes], alpha]) * (alpha > 0)[..., None]


def by_pillow(path: Path) -> list[NDArray[np.uint8]]:
    """All pictures as RGBA, black where nothing is."""
    pictures = []
    with Image.open(path) as image:
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            pictures.append(_black(np.asarray(image.convert("RGBA"))))
    return pictures


def by_libav(path: Path) -> list[NDArray[np.uint8]]:
    """The same through PyAV."""
    return [_black(pixels) for pixels in read_video(path, "rgba")]


def _black(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return rgba * (rgba[..., 3:] > 0)
