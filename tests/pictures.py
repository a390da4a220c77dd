"""Pictures and codebooks made from nothing: small, and the same every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from streamvq import Codebook, FrameMeta, IndexFrame

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
READY = ("-c", "#000,#fff,#777,#c42,#2c4,#42c,#cc4,#4cc")  # for what is not about learning codes


def noise(height: int = 32, width: int = 48, channels: int = 3, seed: int = 0, dtype: type = np.uint8) -> NDArray:
    """Every value equally likely: [height, width, channels]."""
    top = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, top, (height, width, channels), dtype, endpoint=True)


def smooth(height: int = 32, width: int = 48, shift: int = 0) -> NDArray[np.uint8]:
    """Soft gradients that wander with `shift`, as film does: [height, width, 3]."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin((x + 3 * shift) / 9), np.cos((y - 2 * shift) / 7), np.sin((x + y + shift) / 11)]
    return (127.5 + 127 * np.stack(waves, axis=2)).astype(np.uint8)


def filmed(shift: int) -> NDArray[np.uint8]:
    """Like a film: smooth with a little noise, so that ranks mean something: [48, 64, 3]."""
    return (smooth(48, 64, shift) // 2 + noise(48, 64, seed=shift) // 8).astype(np.uint8)


def bands(height: int = 32, width: int = 48, shift: int = 0, step: int = 32) -> NDArray[np.uint8]:
    """`smooth` in steps of so many levels: a codebook of its few colors is learned quickly."""
    return smooth(height, width, shift) // step * step


def flat(color: object, height: int = 32, width: int = 48) -> NDArray[np.uint8]:
    """One color everywhere: [height, width, 3]."""
    return np.full((height, width, 3), color, np.uint8)


def few_colors(count: int, height: int = 32, width: int = 48, seed: int = 0) -> NDArray[np.uint8]:
    """Noise of exactly `count` distinct colors."""
    rng = np.random.default_rng(seed)
    packed = rng.choice(1 << 24, count, replace=False)
    colors = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=1).astype(np.uint8)
    rows = np.concatenate([np.arange(count), rng.integers(0, count, height * width - count)])
    return colors[rng.permutation(rows)].reshape(height, width, 3)


def codebook(count: int = 16, space: str = "rgb", seed: int = 1) -> Codebook:
    """`count` distinct codes in no order at all, so that a sink that sorts them is found out."""
    rng = np.random.default_rng(seed)
    if space == "gray":
        return Codebook(rng.permutation(256)[:count].astype(np.uint8)[:, None], "gray")
    packed = rng.choice(1 << 24, count, replace=False)
    return Codebook(np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=1).astype(np.uint8))


def coded(
    book: Codebook,
    height: int = 32,
    width: int = 48,
    index: int = 0,
    alpha: NDArray[np.uint8] | None = None,
    **about: object,
) -> IndexFrame:
    """A frame of random rows of `book`."""
    dtype = np.uint8 if len(book) <= 256 else np.uint16
    rows = np.random.default_rng(index).integers(0, len(book), (height, width)).astype(dtype)
    return IndexFrame(rows, FrameMeta(height, width, index, alpha=alpha, **about))  # type: ignore[arg-type]


def save(pixels: NDArray, path: Path, **options: object) -> Path:
    """Write pixels as an image file by Pillow, which also makes the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(path, **options)
    return path


def load(path: Path, mode: str = "RGB") -> NDArray[np.uint8]:
    """An image file's pixels, by Pillow."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert(mode))
    return pixels[..., None] if pixels.ndim == 2 else pixels


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too, with its content."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
