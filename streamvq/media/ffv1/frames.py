"""Coded frames as FFV1 packets, each a key frame of its own, so that frames can be encoded in parallel."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.frames import CodedFrame
from streamvq.media.ffv1.headers import LANES, checksum, configuration_record, slice_count, slice_header
from streamvq.media.ffv1.kernels import encode_samples
from streamvq.quantize.decoder import FrameDecoder

_NO_ALPHA = np.zeros((0, 0), np.uint8)
_AS_THEY_ARE = np.arange(512, dtype=np.int16)[None]  # a table of samples that are no rows of a palette


class FFV1Frames:
    """Encodes the colors of coded frames exactly: gray, BGR, or BGRA where there is alpha."""

    def __init__(self, decoder: FrameDecoder, pixel_aspect: Fraction | None = None) -> None:
        self._aspect = pixel_aspect or Fraction(0)
        self._decoder = decoder
        palette = decoder.palette
        self._tables = palette is not None
        if palette is not None:
            self._gray = palette.T.astype(np.int16)[:1]
            self._color = _lossless_ycbcr(*palette.T)

    def pixel_format(self, frame: CodedFrame) -> str:
        """libav's name of the pixel format that keeps the frame exactly."""
        if frame.alpha is not None or self._decoder.alpha is not None:
            return "bgra"
        return "gray" if self._decoder.space == "gray" else "bgr0"

    def add_stream(self, output: Any, frame: CodedFrame, rate: Fraction) -> Any:
        """A video stream of the container `output` for packets of frames like `frame`.

        libav's own encoder is opened only to describe the stream; its global header gives way to ours.
        """
        pix_fmt = self.pixel_format(frame)
        stream = output.add_stream("ffv1", rate=rate)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = frame.width, frame.height, pix_fmt
        context.options = {"level": "1", "coder": "0"}  # opens at any size
        context.open()
        slices = slice_count(frame.width, frame.height)
        context.extradata = configuration_record(pix_fmt == "gray", pix_fmt == "bgra", slices)
        return stream

    def encode(self, frame: CodedFrame) -> bytes:
        """The packet of a frame. Raises IndexError for a code that the codebook does not have."""
        gray = self.pixel_format(frame) == "gray"
        bits = 8 if gray else 9
        alpha = self._decoder.alpha_of(frame)
        if not self._tables:
            pixels = self._decoder.render(frame) if gray else self._decoder.rgb(frame)
            planes = pixels[None, ..., 0].astype(np.int16) if gray else _lossless_ycbcr(*np.moveaxis(pixels, 2, 0))
            return _packet(planes, _AS_THEY_ARE, alpha, bits, self._aspect)
        rows = np.ascontiguousarray(self._decoder.palette_rows(frame))[None]
        return _packet(rows, self._gray if gray else self._color, alpha, bits, self._aspect)


def _lossless_ycbcr(red: NDArray[np.uint8], green: NDArray[np.uint8], blue: NDArray[np.uint8]) -> NDArray[np.int16]:
    """FFV1's planes of RGB samples: int16 [3, ...], 9 bits each."""
    g = green.astype(np.int16)
    b, r = blue - g, red - g
    return np.stack([g + ((b + r) >> 2), b + 256, r + 256])


def _packet(
    rows: NDArray, tables: NDArray[np.int16], alpha: NDArray[np.uint8] | None, bits: int, aspect: Fraction
) -> bytes:
    """The packet of a picture with samples of `bits` bits.

    `rows` [1, height, width] are the columns of `tables` [planes, n] that hold a pixel's samples; with one plane
    each, [planes, height, width], the columns of the one table [1, n].
    """
    _, height, width = rows.shape
    slices = slice_count(width, height)
    planes = max(len(rows), len(tables)) + (alpha is not None)
    words = np.empty((slices, planes * width * -(-height // slices) * 3 // 4 + 16), np.uint32)  # 24 bits a sample
    sizes = np.empty(slices, np.int64)
    opacity = _NO_ALPHA if alpha is None else np.ascontiguousarray(alpha)
    encode_samples(rows, tables, opacity, slices, bits, words, sizes, LANES)
    parts: list[bytes] = []
    for i, size in enumerate(sizes.tolist()):
        header = slice_header(i, alpha is not None, aspect)
        body = b"".join((header, words[i].view(np.uint8)[:size], (len(header) + size).to_bytes(3, "big"), b"\0"))
        parts += [body, checksum(body)]
    return b"".join(parts)
