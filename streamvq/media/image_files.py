"""One image file: bytes to pixels with the right orientation and depth, and coded frames to bytes."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from streamvq.errors import MediaError
from streamvq.frames import CodedFrame, check_pixels
from streamvq.media.libav import reason
from streamvq.options import DEFAULT_MAX_PIXELS
from streamvq.quantize.decoder import FrameDecoder
from streamvq.quantize.pixels import with_alpha

Pixels = NDArray[np.uint8] | NDArray[np.uint16]  # [height, width, 1 (gray), 3 (RGB) or 4 (RGBA)]

PALETTE_FORMATS = frozenset({"png", "tiff", "bmp"})  # those that can hold indices
NO_ALPHA_FORMATS = frozenset({"bmp", "jpg"})
_ORIENTATION, _BITS_PER_SAMPLE = 274, 258  # TIFF tags; the first is in EXIF too
_SAVE_OPTIONS: dict[str, dict[str, object]] = {
    "png": {"format": "PNG"},
    "webp": {"format": "WEBP", "lossless": True, "exact": True},
    "tiff": {"format": "TIFF", "compression": "tiff_adobe_deflate"},
    "bmp": {"format": "BMP"},
    "jpg": {"format": "JPEG", "quality": 95, "subsampling": 0},
}


def read_image(path: Path, max_pixels: int = DEFAULT_MAX_PIXELS) -> Pixels:
    """The pixels of an image file, EXIF orientation applied.

    Returns uint8 or uint16 [height, width, 1 (gray), 3 (RGB) or 4 (RGBA)]; the first picture of a file with
    several. Raises MediaError, with the path, for a file that is missing, cut off, of unknown format or too large.
    """
    try:
        data = path.read_bytes()
        if not data:
            raise MediaError(f"{path}: is empty")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # large images are named by Pillow's error, not its warning
            with Image.open(io.BytesIO(data)) as image:
                check_pixels(str(path), image.height, image.width, max_pixels)
                image.load()
                deep = _deep_color(data, image)
                return _pixels(ImageOps.exif_transpose(image), path) if deep is None else _upright(deep, image)
    except UnidentifiedImageError as error:
        raise MediaError(f"{path}: not an image, or of an unknown kind") from error
    except Image.DecompressionBombError as error:
        raise MediaError(f"{path}: claims more pixels than any sane image ({error})") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        if isinstance(error, MediaError):
            raise
        raise MediaError(f"{path}: cannot be decoded: {reason(error)}; is the file whole?") from error


def encode_image(frame: CodedFrame, decoder: FrameDecoder, format: str) -> bytes:
    """`frame` as an image file's bytes.

    Up to 256 codes become an indexed image (png, tiff, bmp) whose palette is the codebook in its order. Binary
    alpha takes one more palette entry behind the codes; any other alpha makes the image RGBA.
    webp is lossless RGB, jpg lossy RGB; jpg and bmp hold no alpha.
    """
    alpha = None if format in NO_ALPHA_FORMATS else frame.alpha
    palette = decoder.indexed_palette if format in PALETTE_FORMATS else None
    if palette is not None:
        codes = decoder.palette_rows(frame)
        if alpha is None:
            return _saved(_indexed(codes, palette), format)
        if format == "png" and len(palette) < 256:
            transparent = alpha == 0
            if (transparent | (alpha == 255)).all():
                entry = len(palette)
                image = _indexed(np.where(transparent, np.uint8(entry), codes), palette, extra=1)
                return _saved(image, format, transparency=entry)
    pixels = with_alpha(decoder.render(frame), alpha)
    return _saved(Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)), format)


def _indexed(codes: NDArray[np.unsignedinteger[Any]], palette: NDArray[np.uint8], extra: int = 0) -> Image.Image:
    image = Image.fromarray(codes.astype(np.uint8, copy=False), "L")
    image.putpalette(palette.tobytes() + bytes(3 * extra))
    return image


def _saved(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, **_SAVE_OPTIONS[format], **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def _pixels(image: Image.Image, path: Path) -> Pixels:
    mode = image.mode
    if mode.startswith("I;16"):
        gray = np.asarray(image).astype(np.uint16)[..., None]
        transparent_gray = image.info.get("transparency")
        if transparent_gray is None:
            return gray
        return np.dstack([gray, gray, gray, np.where(gray == transparent_gray, 0, 65535)]).astype(np.uint16)
    if mode in ("I", "F"):
        raise MediaError(f"{path}: 32-bit gray (mode {mode}); convert it to 8 or 16 bits first")
    if mode in ("1", "L") and "transparency" not in image.info:
        return np.asarray(image.convert("L"))[..., None]
    return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))


def _deep_color(data: bytes, image: Image.Image) -> NDArray[np.uint16] | None:
    """16-bit color, which Pillow cuts to 8 bits, by way of OpenCV; None for other images."""
    if image.mode not in ("RGB", "RGBA") or not _has_16_bits(data, image):
        return None
    try:
        import cv2
    except ImportError as error:
        raise MediaError(
            f"16-bit color needs OpenCV, which does not load ({error}); try pip install opencv-python-headless"
        ) from error
    cv2.setNumThreads(1)
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.ndim != 3:
        return None
    conversion = cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(pixels, conversion), np.uint16)


def _has_16_bits(data: bytes, image: Image.Image) -> bool:
    if image.format == "PNG":
        return data[24] == 16  # bit depth in IHDR
    if image.format == "TIFF":
        return 16 in tuple(getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, ()))
    return False


def _upright(pixels: NDArray[np.uint16], image: Image.Image) -> NDArray[np.uint16]:
    """The pixels with the image's EXIF orientation applied: flips and quarter turns, as the tag's definition says."""
    orientation = image.getexif().get(_ORIENTATION, 1)
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
