"""Images of 16 bits a channel in color, which Pillow cuts to 8 bits, by way of OpenCV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from streamvq.errors import MediaError

_BITS_PER_SAMPLE = 258  # a TIFF tag
_STRIPE_ROWS = 64


def has_16_bits(image: Image.Image, path: Path) -> bool:
    """Whether an opened image has more than Pillow reads: 16 bits a channel, in color. Animations have 8."""
    if image.mode not in ("RGB", "RGBA"):
        return False
    if image.format == "PNG" and not getattr(image, "is_animated", False):
        with path.open("rb") as file:
            return file.read(25)[24] == 16  # bit depth in IHDR
    return 16 in tuple(getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, ()))


def deep_pixels(path: Path, number: int, orientation: int) -> NDArray[np.uint16] | None:
    """uint16 [height, width, 3 or 4] of picture `number` of a file, EXIF orientation applied; None where OpenCV sees
    no such picture. Raises MediaError where OpenCV does not load."""
    try:
        import cv2
    except ImportError as error:
        raise MediaError(
            f"16-bit color needs OpenCV, which does not load ({error}); try pip install opencv-python-headless"
        ) from error
    cv2.setNumThreads(1)
    data = np.fromfile(path, np.uint8)
    if number:
        _, pages = cv2.imdecodemulti(data, cv2.IMREAD_UNCHANGED, range=(number, number + 1))
        pixels = pages[0] if pages else None
    else:
        pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.ndim != 3:
        return None
    for top in range(0, len(pixels), _STRIPE_ROWS):  # BGR to RGB, in place
        pixels[top : top + _STRIPE_ROWS, :, :3] = pixels[top : top + _STRIPE_ROWS, :, 2::-1].copy()
    return _upright(np.asarray(pixels, np.uint16), orientation)


def _upright(pixels: NDArray[np.uint16], orientation: int) -> NDArray[np.uint16]:
    """The pixels with an EXIF orientation applied: flips and quarter turns, as the tag's definition says."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
