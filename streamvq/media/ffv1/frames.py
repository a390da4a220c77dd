"""Coded frames as FFV1 packets, each a key frame of its own, so that frames can be encoded in parallel."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.frames import IndexFrame
from streamvq.media.ffv1.headers import LANES, checksum, configuration_record, slice_count, slice_header
from streamvq.media.ffv1.kernels import encode_samples
from streamvq.quantize.codebook import Codebook

_NO_ALPHA = np.zeros((0, 0), np.uint8)


class FFV1Frames:
    """Encodes the colors of coded frames exactly: gray, BGR, or BGRA where there is alpha."""

    def __init__(self, codebook: Codebook, pixel_aspect: Fraction | None = None) -> None:
        self._aspect = pixel_aspect or Fraction(0)
        self._codebook = codebook
        self._gray = codebook.palette.T.astype(np.int16)[:1]
        red, green, blue = codebook.palette.T.astype(np.int16)
        blue -= green
        red -= green
        self._color = np.stack([green + ((blue + red) >> 2), blue + 256, red + 256])  # FFV1's lossless YCbCr

    def pixel_format(self, frame: IndexFrame) -> str:
        """libav's name of the kind of pixels that keeps the frame exactly."""
        if frame.alpha is not None:
            return "bgra"
        return "gray" if self._codebook.space == "gray" else "bgr0"

    def add_stream(self, output: Any, frame: IndexFrame, rate: Fraction) -> Any:
        """A video stream of the container `output` for packets of frames like `frame`.

        libav's own encoder is opened only to describe the stream; its global header gives way to ours.
        """
        kind = self.pixel_format(frame)
        stream = output.add_stream("ffv1", rate=rate)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = frame.width, frame.height, kind
        context.options = {"level": "1", "coder": "0"}  # opens at any size
        context.open()
        slices = slice_count(frame.width, frame.height)
        context.extradata = configuration_record(kind == "gray", kind == "bgra", slices)
        return stream

    def encode(self, frame: IndexFrame) -> bytes:
        """The packet of a frame. Raises IndexError for a code that the codebook does not have."""
        codes = frame.codes
        if len(self._codebook) < 256**codes.itemsize and int(codes.max()) >= len(self._codebook):
            raise IndexError(f"code {codes.max()}: the codebook has {len(self._codebook)}")
        rows = np.ascontiguousarray(self._codebook.palette_rows(frame))
        gray = self.pixel_format(frame) == "gray"
        return _packet(rows, self._gray if gray else self._color, frame.alpha, 8 if gray else 9, self._aspect)


def _packet(
    rows: NDArray, tables: NDArray[np.int16], alpha: NDArray[np.uint8] | None, bits: int, aspect: Fraction
) -> bytes:
    """The packet of a picture: `tables` [planes, n] holds the samples of palette rows, of so many `bits`."""
    height, width = rows.shape
    slices = slice_count(width, height)
    planes = len(tables) + (alpha is not None)
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
