"""`PictureCoding`: how the pictures of a `.svq` file are stored, as codebook indices or as factors of low rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, Protocol

from streamvq.container.factors.factor_table import decode_factors, encode_factors
from streamvq.container.index_coders import IndexCoder
from streamvq.errors import OutputError
from streamvq.frames import CodedFrame, FrameMeta, IndexFrame, LowRankFrame
from streamvq.lowrank.codec import LowRankCodec
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.decoder import FrameDecoder


class PictureCoding(Protocol):
    """Turns the pictures of consecutive coded frames into bytes and back; stateless, any thread may call it."""

    @property
    def part(self) -> str:
        """What the bytes hold: "indices" or "factors"."""

    @property
    def codebook(self) -> Codebook | None:
        """The codebook that a file of such pictures needs; None for factors."""

    @property
    def header_fields(self) -> Mapping[str, Any]:
        """The fields of `Header` that describe the pictures."""

    def encode(self, frames: Sequence[Any], coder: IndexCoder) -> bytes:
        """The pictures of the frames of a group, indices by `coder`.

        Raises OutputError for a frame that the format cannot hold.
        """

    def decode(self, data: bytes, metas: Sequence[FrameMeta], coder: IndexCoder) -> Sequence[CodedFrame]:
        """The frames of a group, one for each of `metas`. Raises ValueError with what is wrong."""


@dataclass(frozen=True)
class IndexPictures:
    """Pictures as rows of `codebook` (FORMAT.md, sections 8 and 13)."""

    codebook: Codebook
    part = "indices"

    @property
    def header_fields(self) -> Mapping[str, Any]:
        book = self.codebook
        return {
            "space": book.space,
            "n_codes": book.n_codes,
            "block": book.block,
            "fingerprint": book.fingerprint,
            "matching": book.matching,
            "alpha": None if book.alpha is None else book.alpha.tobytes(),
        }

    def encode(self, frames: Sequence[IndexFrame], coder: IndexCoder) -> bytes:
        for frame in frames:
            self._check(frame)
        return coder.encode([frame.codes for frame in frames], self.codebook.codes)

    def decode(self, data: bytes, metas: Sequence[FrameMeta], coder: IndexCoder) -> list[IndexFrame]:
        if self.codebook.alpha is not None and any(meta.alpha is not None for meta in metas):
            raise ValueError("its codes have alpha, and a frame has one of its own")
        pictures = coder.decode(data, [self._grid(meta) for meta in metas], self.codebook.codes)
        return [IndexFrame(codes, meta) for codes, meta in zip(pictures, metas, strict=True)]

    def _grid(self, frame: FrameMeta | IndexFrame) -> tuple[int, int]:
        """The rows and columns of the codes of a frame."""
        block_height, block_width = self.codebook.block
        return -(-frame.height // block_height), -(-frame.width // block_width)

    def _check(self, frame: IndexFrame) -> None:
        n_codes = self.codebook.n_codes
        if frame.codes.shape != self._grid(frame) or int(frame.codes.max()) >= n_codes:
            raise OutputError(
                f"{frame.meta.label}: {frame.codes.shape} codes up to {frame.codes.max()} do not fit "
                f"{frame.width}x{frame.height} pixels and {n_codes} codes"
            )


@dataclass(frozen=True)
class FactorPictures:
    """Pictures as the quantized factors of `codec` (FORMAT.md, sections 9 and 10)."""

    codec: LowRankCodec
    part = "factors"
    codebook = None

    @property
    def header_fields(self) -> Mapping[str, Any]:
        return {"space": self.codec.space, "patch": self.codec.patch}

    def encode(self, frames: Sequence[LowRankFrame], coder: IndexCoder) -> bytes:
        return encode_factors(frames)

    def decode(self, data: bytes, metas: Sequence[FrameMeta], coder: IndexCoder) -> list[LowRankFrame]:
        factors = decode_factors(data, [(meta.height, meta.width) for meta in metas], self.codec)
        return [LowRankFrame(planes, step, meta) for (planes, step), meta in zip(factors, metas, strict=True)]


@singledispatch
def pictures_of(decoder: FrameDecoder) -> PictureCoding:
    """How the frames that `decoder` renders are stored. Raises TypeError for a decoder that has no such form."""
    raise TypeError(f"{type(decoder).__name__}: .svq holds the frames of a Codebook or a LowRankCodec")


@pictures_of.register(Codebook)
def _(decoder: Codebook) -> PictureCoding:
    return IndexPictures(decoder)


@pictures_of.register(LowRankCodec)
def _(decoder: LowRankCodec) -> PictureCoding:
    return FactorPictures(decoder)
