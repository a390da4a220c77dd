"""Coded frames as image files: a folder of them, or one."""

from __future__ import annotations

from pathlib import Path

from streamvq.errors import OutputError, OutputExists
from streamvq.frames import CodedFrame
from streamvq.media.made_with import made_with
from streamvq.media.sinks.sink import FrameSink
from streamvq.media.targets import Target, frame_name, image_name, numbered_frames
from streamvq.media.writing.flattening import Flattening
from streamvq.media.writing.image_files import MAX_SIDES, encode_image
from streamvq.options import IMAGE, ShardOption, WriteOptions
from streamvq.quantize.decoder import FrameDecoder
from streamvq.quantize.own_palette_decoder import OwnIndexFrame
from streamvq.staging import staged_file, staged_folder

Packet = tuple[CodedFrame, bytes]  # the frame, and its file's content


class _ImageFiles(FrameSink):
    """What both sinks share: the format, and notes on what it loses."""

    def __init__(self, target: Target, decoder: FrameDecoder, settings: WriteOptions) -> None:
        super().__init__(str(target.path))
        self._decoder = decoder
        self._background = settings.backdrop
        self._made_with = made_with(decoder, settings)
        self._format = target.format
        self._flattening = Flattening(decoder, settings.backdrop, self.label, f".{target.format}")
        self._traits = target.traits
        self.exact = not self._traits.is_lossy
        if not self.exact:
            self.notes.append(f"{self.label}: JPEG is lossy: not palette-exact")
        elif self._traits.family == IMAGE and not self._traits.palette and decoder.palette is not None:
            self.notes.append(f"{self.label}: {target.format} holds exact colors, but no palette")

    def encode(self, frame: CodedFrame) -> Packet:
        decoder = frame.codebook if isinstance(frame, OwnIndexFrame) else self._decoder
        most = MAX_SIDES.get(self._format)
        if most is not None and max(frame.width, frame.height) > most:
            raise OutputError(
                f"{self.label}: {frame.meta.label} has {frame.width}x{frame.height} pixels, and .{self._format} has "
                f"sides of up to {most}; scale with `width`, or write .png"
            )
        return frame, encode_image(frame, decoder, self._format, self._made_with, self._background)

    def _count(self, packet: Packet) -> None:
        frame, data = packet
        self.size_bytes += len(data)
        self._note_alpha(frame)

    def _note_alpha(self, frame: CodedFrame) -> None:
        """Tell, once, of transparency that is not held."""
        if self._traits.alphas[0] == "flatten":
            self.notes += self._flattening.notes(frame)


class FolderSink(_ImageFiles):
    """A folder of images: under the names of the input's images, or numbered from frame000000."""

    def __init__(self, target: Target, decoder: FrameDecoder, settings: WriteOptions) -> None:
        super().__init__(target, decoder, settings)
        self._path = target.path
        self._may_replace = settings.overwrite
        self.names: list[str] = []  # of the files written
        self._shared = isinstance(settings, ShardOption) and settings.share is not None  # the folder, with others
        self._numbered: set[str] = set()
        self._stale: set[str] = set()
        staged = staged_folder(target.path, settings.overwrite, self._stale, self._shared)
        self._folder: Path = self._stack.enter_context(staged)

    def write(self, packet: Packet) -> None:
        frame, data = packet
        if frame.name is None:
            name = frame_name(frame.index, self._format)
            self._numbered.add(name)
        else:
            name = image_name(frame.name, self._format)
        path = self._folder / name
        if path.exists():
            raise OutputError(f"{self.label}: two pictures would be {name} there; take one with `frames`")
        if not self._may_replace and (self._path / name).exists():
            raise OutputExists(f"{self._path / name}: already exists; use `overwrite`, or another folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.names.append(name)
        self._count(packet)

    def _write_rest(self) -> None:
        """Numbered frames of a longer output that is overwritten go: they would pass for this one's."""
        whole = frame_name(0, self._format) in self._numbered  # a part replaces its own frames only
        if self._may_replace and whole and not self._shared:
            self._stale.update(old.name for old in numbered_frames(self._path, self._format))
            self._stale.difference_update(self._numbered)


class ImageSink(_ImageFiles):
    """One image file."""

    def __init__(self, target: Target, decoder: FrameDecoder, settings: WriteOptions) -> None:
        super().__init__(target, decoder, settings)
        self._part: Path = self._stack.enter_context(staged_file(target.path, settings.overwrite))

    def write(self, packet: Packet) -> None:
        if self.size_bytes:
            raise OutputError(f"{self.label}: holds one image, and the input has more; write a folder or a video")
        self._part.write_bytes(packet[1])
        self._count(packet)

    def _write_rest(self) -> None:
        if not self.size_bytes:
            raise OutputError(f"{self.label}: no frame was written")
