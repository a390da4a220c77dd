"""`IndexFormat`: what every format of index files promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction

from streamvq.errors import UsageError
from streamvq.frames import CodedFrame, IndexFrame, StreamInfo
from streamvq.media.made_with import made_with
from streamvq.options import WriteOptions
from streamvq.quantize.codebook import Codebook
from streamvq.quantize.decoder import FrameDecoder


@dataclass(frozen=True)
class IndexFileContext:
    """What a file of indices is made from: `label` is its name in messages, `name` that of what it holds, `text` says
    how it was made, and `fps` counts frames that have no times."""

    label: str
    name: str
    codebook: Codebook
    settings: WriteOptions
    text: str
    fps: Fraction

    @classmethod
    def from_options(
        cls, label: str, name: str, decoder: FrameDecoder, info: StreamInfo, settings: WriteOptions
    ) -> IndexFileContext:
        """The same from what sinks are given. Raises UsageError where frames are no codes."""
        if not isinstance(decoder, Codebook):
            raise UsageError(f"{label}: holds indices, and frames of method svd have none; use `method=svd-vq`")
        text = made_with(decoder, settings)
        return cls(label, name, decoder, settings, text, info.fps or settings.frame_rate)


class IndexFormat(ABC):
    """One file, frame by frame: `encode` makes a frame's data, on any thread; `append` says in order what to write
    for it; `end` what follows the last frame, and what to write over at which positions.

    `keeps_alpha` is true where a frame's alpha is kept apart from its codes.
    """

    keeps_alpha = False

    def __init__(self, context: IndexFileContext) -> None:
        self._context = context

    @classmethod
    def loses_alpha(cls, frame: CodedFrame) -> bool:
        """Whether a frame has transparency that such a file does not hold."""
        return frame.alpha is not None and not cls.keeps_alpha

    @abstractmethod
    def encode(self, frame: IndexFrame) -> bytes:
        """The data of a frame. Leaves everything as it is."""

    @abstractmethod
    def append(self, frame: IndexFrame, data: bytes) -> bytes:
        """The bytes of the file for the next frame. Raises OutputError."""

    def end(self) -> tuple[bytes, dict[int, bytes]]:
        """The bytes at the end, and those that replace others, by their positions."""
        return b"", {}

    def notes(self) -> list[str]:
        """What the user should know of the file, once it is whole."""
        return []


def one_picture(made: IndexFormat, frame: IndexFrame) -> bytes:
    """A whole file of one frame."""
    data = bytearray(made.append(frame, made.encode(frame)))
    rest, replaced = made.end()
    data += rest
    for position, new in replaced.items():
        data[position : position + len(new)] = new
    return bytes(data)
