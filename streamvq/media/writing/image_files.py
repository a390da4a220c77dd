"""One image file: coded frames to bytes; image_reading.py is the other direction."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from streamvq.color_names import Color
from streamvq.frames import CodedFrame
from streamvq.media.made_with import image_text
from streamvq.options import OUTPUT_FORMATS
from streamvq.quantize.decoder import FrameDecoder
from streamvq.quantize.pixels import with_alpha
from streamvq.quantize.transparency import flatten

_SAVE_OPTIONS: dict[str, dict[str, object]] = {
    "png": {"format": "PNG"},
    "webp": {"format": "WEBP", "lossless": True, "exact": True},
    "tiff": {"format": "TIFF", "compression": "tiff_adobe_deflate"},
    "bmp": {"format": "BMP"},
    "jpg": {"format": "JPEG", "quality": 95, "subsampling": 0},
}

MAX_SIDES = {"webp": 16383, "jpg": 65500}  # in pixels, of what their libraries write


def encode_image(
    frame: CodedFrame, decoder: FrameDecoder, format: str, text: str = "", background: Color = (0, 0, 0)
) -> bytes:
    """`frame` as an image file's bytes, with a line of `text` where the format can hold it.

    Up to 256 codes become an indexed image (png, tiff, bmp) whose palette is the codebook in its order, in png with
    its alpha. Where codes have none, binary alpha of a frame takes one more palette entry behind them; any other
    alpha makes the image RGBA. webp is lossless RGB, jpg lossy RGB; jpg and bmp hold no alpha, and are drawn over
    `background`.
    """
    alpha = decoder.alpha_of(frame)
    traits = OUTPUT_FORMATS[format]
    flat, clear = traits.alphas[0] == "flatten", traits.palette == "clear"
    palette = decoder.indexed_palette if traits.palette else None
    said = image_text(format, text) if text else {}
    if palette is not None:
        codes = decoder.palette_rows(frame)
        if decoder.alpha is not None and clear:
            return _saved(_indexed(codes, palette), format, transparency=_without_opaque_end(decoder.alpha), **said)
        if decoder.alpha is not None and flat:
            palette, alpha = flatten(with_alpha(palette[None], decoder.alpha[None]), background)[0], None
        if alpha is None:
            return _saved(_indexed(codes, palette), format, **said)
        if clear and len(palette) < 256:
            transparent = alpha == 0
            if (transparent | (alpha == 255)).all():
                entry = len(palette)
                image = _indexed(np.where(transparent, np.uint8(entry), codes), palette, extra=1)
                return _saved(image, format, transparency=entry, **said)
    pixels = with_alpha(decoder.render(frame), alpha)
    if alpha is not None and flat:
        pixels = flatten(pixels, background)
    image = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels))
    return _saved(image, format, **said)


def _without_opaque_end(alpha: NDArray[np.uint8]) -> bytes:
    """The alpha of a palette's entries up to the last that is not opaque: what PNG's tRNS holds."""
    return alpha[: np.flatnonzero(alpha < 255)[-1] + 1].tobytes()


def _indexed(codes: NDArray[np.unsignedinteger[Any]], palette: NDArray[np.uint8], extra: int = 0) -> Image.Image:
    image = Image.fromarray(codes.astype(np.uint8, copy=False), "L")
    image.putpalette(palette.tobytes() + bytes(3 * extra))
    return image


def _saved(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, **_SAVE_OPTIONS[format], **options)  # type: ignore[arg-type]
    return buffer.getvalue()
