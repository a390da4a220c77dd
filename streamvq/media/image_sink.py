"""Coded frames as image files: one, or a folder of them."""

from __future__ import annotations

from pathlib import Path

from streamvq.errors import OutputError
from streamvq.frames import IndexFrame
from streamvq.media.image_files import PALETTE_FORMATS, encode_image
from streamvq.media.plan import Target, frame_name, image_name, numbered_frames
from streamvq.media.sinks import FrameSink
from streamvq.quantize.codebook import Codebook
from streamvq.settings import OutputSettings
from streamvq.staging import staged_file, staged_folder

Packet = tuple[str, bytes]  # name inside the folder, file content


class FolderSink(FrameSink):
    """A folder of images: under the names of the input's images, or numbered from frame000000."""

    def __init__(self, target: Target, codebook: Codebook, settings: OutputSettings) -> None:
        super().__init__(str(target.path))
        self._codebook = codebook
        self._format = target.format
        self._target = target.path
        self._numbered = False
        self._folder: Path = self._stack.enter_context(staged_folder(target.path, settings.overwrite))
        self.notes += _loss_notes(self.label, target.format)

    def encode(self, frame: IndexFrame) -> Packet:
        name = image_name(frame.name, self._format) if frame.name else frame_name(frame.index, self._format)
        return name, encode_image(frame, self._codebook, self._format)

    def write(self, packet: Packet) -> None:
        name, data = packet
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.size_bytes += len(data)
        self._numbered |= name == frame_name(0, self._format)

    def finish(self) -> None:
        """Take away the numbered frames of an earlier, longer run, or they would pass for this one's."""
        if self._numbered and self._target.is_dir():
            for old in numbered_frames(self._target, self._format):
                if not (self._folder / old.name).exists():
                    old.unlink()


class ImageSink(FrameSink):
    """One image file."""

    def __init__(self, target: Target, codebook: Codebook, settings: OutputSettings) -> None:
        super().__init__(str(target.path))
        self._codebook = codebook
        self._format = target.format
        self._part: Path = self._stack.enter_context(staged_file(target.path, settings.overwrite))
        self.notes += _loss_notes(self.label, target.format)

    def encode(self, frame: IndexFrame) -> bytes:
        return encode_image(frame, self._codebook, self._format)

    def write(self, packet: bytes) -> None:
        if self.size_bytes:
            raise OutputError(f"{self.label}: holds one image, and the input has more; write a folder or a video")
        self._part.write_bytes(packet)
        self.size_bytes = len(packet)


def _loss_notes(label: str, format: str) -> list[str]:
    if format == "jpg":
        return [f"{label}: JPEG is lossy: not palette-exact, and transparency is lost"]
    if format not in PALETTE_FORMATS:
        return [f"{label}: {format} holds exact colors, but no palette"]
    return []
