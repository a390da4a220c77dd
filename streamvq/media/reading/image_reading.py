"""Image files to pixels: upright, in sRGB, in their depth, and in little more memory than the pixels themselves."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from streamvq.errors import MediaError
from streamvq.frames import check_pixels
from streamvq.media.aseprite.pillow_plugin import register
from streamvq.media.file_type import content_of
from streamvq.media.libav import reason
from streamvq.media.reading.color_profiles import ProfileError, to_srgb
from streamvq.media.reading.deep_images import deep_pixels, has_16_bits
from streamvq.options import DEFAULT_MAX_PIXELS
from streamvq.quantize.pixels import eight_bit

Pixels = NDArray[np.uint8] | NDArray[np.uint16]  # [height, width, 1 (gray), 3 (RGB) or 4 (RGBA)]
Remark = Callable[[str], None]  # takes what is to be said of a picture

_STRIPE_PIXELS = 1 << 18
_SUBFILE_TYPE, _ORIENTATION, _DNG_VERSION = 254, 274, 50706  # TIFF tags
_REDUCED_OR_MASK = 1 | 4  # of the subfile type
_OPENING = threading.Lock()
register()
# Blocks of more than 32 MB go back to the system when a picture is let go of; of Pillow's own 16 MB, libc keeps them.
Image.core.set_block_size(64 << 20)  # type: ignore[attr-defined]


def read_image(path: Path, max_pixels: int = DEFAULT_MAX_PIXELS, remark: Remark = lambda _: None) -> Pixels:
    """The pixels of the one picture in an image file, EXIF orientation and color profile applied.

    Returns uint8 or uint16 [height, width, 1 (gray), 3 (RGB) or 4 (RGBA)]. Raises MediaError, with the path, for a
    file that is missing, cut off, of unknown kind, larger than `max_pixels`, or has several pictures.
    """
    with reading(path, max_pixels), open_image(path, max_pixels) as image:
        numbers = picture_numbers(image)
        if len(numbers) > 1:
            raise MediaError(f"{path}: holds {len(numbers)} pictures; to take them all, name it by itself")
        if numbers[0]:
            image.seek(numbers[0])
        with suppress(Exception):  # broken layers do not matter
            if image.format == "PSD" and image.is_animated:  # type: ignore[attr-defined]
                remark("its layers are taken as the one picture that they make")
        return pixels_of(image, path, remark)


@contextmanager
def reading(path: Path, max_pixels: int) -> Iterator[None]:
    """What Pillow and the system raise, as MediaError with the file's name."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # large images are named by our error, not by Pillow's warning
            yield
    except MediaError:
        raise
    except UnidentifiedImageError as error:
        raise MediaError(f"{path}: not an image, or of an unknown kind") from error
    except Image.DecompressionBombError as error:
        raise MediaError(
            f"{path}: has more pixels than `max_pixels={max_pixels}` allows; raise it to take them"
        ) from error
    except Exception as error:  # Pillow's plugins raise what they like where a file is broken
        raise MediaError(f"{path}: {_why(error)}") from error


def _why(error: Exception) -> str:
    """Whether the system kept it from being read, or its content."""
    if isinstance(error, OSError) and error.errno is not None:
        return f"cannot be read: {reason(error)}"
    return f"cannot be decoded: {reason(error)}; is the file whole?"


def open_image(path: Path, max_pixels: int) -> Image.Image:
    """An image file by Pillow, not loaded yet. Raises MediaError for what is none, and what Pillow raises."""
    content = content_of(path)
    if content.source == "foreign":
        raise MediaError(f"{path}: is {content.name}, which is not read here; {content.advice}")
    if content.image is None:
        raise MediaError(f"{path}: is {content.name}, whatever its name says; to take it, name it by itself")
    if path.stat().st_size == 0 and not path.read_bytes():  # that raises where there is more to it
        raise MediaError(f"{path}: is empty")
    with _lifted_limit(max_pixels):
        image = Image.open(path, formats=content.image.formats)
    try:
        check_pixels(str(path), image.height, image.width, max_pixels)
        if _DNG_VERSION in getattr(image, "tag_v2", ()):
            raise MediaError(f"{path}: is a camera's raw data; develop it first: darktable-cli in.dng out.tif")
    except BaseException:
        image.close()
        raise
    return image


@contextmanager
def _lifted_limit(max_pixels: int) -> Iterator[None]:
    """Pillow refuses pictures of more than twice its own limit, which is lifted meanwhile where more are allowed."""
    limit = Image.MAX_IMAGE_PIXELS
    if limit is None or max_pixels <= 2 * limit:
        yield
        return
    with _OPENING:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, max_pixels
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def picture_numbers(image: Image.Image) -> Sequence[int]:
    """The numbers of the pictures that a file is made of, by which Pillow finds them.

    Not of them are the thumbnails and masks of a TIFF, the picture of an animated PNG for those who cannot show
    animations, the layers of a PSD, and what cameras put behind a JPEG.
    """
    if image.format in ("MPO", "PSD") or not getattr(image, "is_animated", False):
        return range(1)
    count: int = image.n_frames  # type: ignore[attr-defined]
    if image.format == "TIFF":
        numbers = [number for number in range(count) if _is_page(image, number)]
        image.seek(0)
        return numbers or [0]
    return range(1 if getattr(image, "default_image", False) else 0, count)


def _is_page(image: Image.Image, number: int) -> bool:
    image.seek(number)
    return not image.tag_v2.get(_SUBFILE_TYPE, 0) & _REDUCED_OR_MASK  # type: ignore[attr-defined]


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Height and width of the picture that a file stands at, with its EXIF orientation applied."""
    sideways = image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
    return (image.width, image.height) if sideways else (image.height, image.width)


def channels_of(image: Image.Image) -> int:
    """How many channels an image's pixels have: 1 (gray), 3 (RGB) or 4 (RGBA)."""
    if image.has_transparency_data:
        return 4
    return 1 if image.mode in ("1", "L", "F") or image.mode.startswith("I") else 3


def pixels_of(image: Image.Image, path: Path, remark: Remark, number: int = 0) -> Pixels:
    """The pixels of the picture that an opened image stands at, number `number` of the file."""
    transform = _transform(image, remark)
    deep: NDArray[np.uint16] | None = None
    if has_16_bits(image, path):
        deep = deep_pixels(path, number, _checked_orientation(image, path, number))
    if deep is None:
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        if image.mode in ("I", "F"):
            raise MediaError(f"{path}: has 32-bit levels (mode {image.mode}); convert it to 8 or 16 bits first")
        if not image.mode.startswith("I;16"):
            return _in_stripes(image, transform)
        deep = _deep_gray(image)
    if transform is None:
        return deep
    pixels = eight_bit(deep)
    return _in_stripes(Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels), transform)


def _checked_orientation(image: Image.Image, path: Path, number: int) -> int:
    """The EXIF orientation of picture `number` of a file that stands open as `image`.

    It is opened anew and loaded, which raises where the file is cut off, so that its pixels are let go of again.
    """
    with _lifted_limit(image.width * image.height):
        same = Image.open(path)
    with same:
        same.seek(number)
        orientation: int = same.getexif().get(_ORIENTATION, 1)  # Pillow forgets it when it loads a TIFF
        same.load()
    return orientation


def _deep_gray(image: Image.Image) -> NDArray[np.uint16]:
    gray = np.asarray(image).astype(np.uint16)[..., None]
    transparent = image.info.get("transparency")
    if transparent is None:
        return gray
    return np.dstack([gray, gray, gray, np.where(gray == transparent, 0, 65535)]).astype(np.uint16)


def _in_stripes(image: Image.Image, transform: Any | None) -> NDArray[np.uint8]:
    """uint8 [height, width, 1, 3 or 4], made stripe by stripe, so that no second copy of the picture is needed."""
    channels = channels_of(image)
    pixels = np.empty((image.height, image.width, channels), np.uint8)
    rows = max(1, _STRIPE_PIXELS // image.width)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        stripe = image if rows >= image.height else image.crop((0, top, image.width, bottom))
        if transform is not None:
            _convert(stripe, transform, pixels[top:bottom])
        elif channels == 1:
            pixels[top:bottom, :, 0] = np.asarray(stripe.convert("L"))
        else:
            pixels[top:bottom] = np.asarray(stripe.convert("RGBA" if channels == 4 else "RGB"))
    return pixels


def _convert(stripe: Image.Image, transform: Any, pixels: NDArray[np.uint8]) -> None:
    """Write a stripe's colors as sRGB, and its alpha, into `pixels`."""
    channels = pixels.shape[2]
    if channels == 4:
        stripe = stripe.convert("RGBA")
        pixels[..., 3] = np.asarray(stripe.getchannel("A"))
    colors = np.asarray(ImageCms.applyTransform(stripe.convert(transform.input_mode), transform))
    pixels[..., :3] = colors[..., :1] if channels == 1 else colors


def _transform(image: Image.Image, remark: Remark) -> Any | None:
    """What makes a picture's colors sRGB; None where they are."""
    profile = image.info.get("icc_profile")
    if not profile:
        return None
    try:
        return to_srgb(profile, _color_mode(image))
    except ProfileError as error:
        remark(f"its color profile {error}, and is ignored: its colors are read as sRGB")
        return None


def _color_mode(image: Image.Image) -> str:
    """The mode in which a picture's profile is to be understood."""
    if image.mode in ("1", "L", "LA", "La") or image.mode.startswith("I"):
        return "L"
    return "CMYK" if image.mode == "CMYK" else "RGB"
