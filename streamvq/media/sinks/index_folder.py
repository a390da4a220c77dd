"""Coded frames as a folder of index files, one a picture: sprites, or headers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

from streamvq.frames import CodedFrame, IndexFrame, StreamInfo
from streamvq.media.index_formats.index_format import IndexFileContext, one_picture
from streamvq.media.sinks.images import FolderSink, Packet
from streamvq.media.sinks.index_file import INDEX_FILES
from streamvq.media.targets import Target, frame_name
from streamvq.options import WriteOptions
from streamvq.quantize.decoder import FrameDecoder


class IndexFolderSink(FolderSink):
    """Files of one frame each, under the names of the input's images, or numbered from frame000000."""

    def __init__(self, target: Target, decoder: FrameDecoder, info: StreamInfo, settings: WriteOptions) -> None:
        self._context = IndexFileContext.from_options(str(target.path), "", decoder, info, settings)
        self._file_type = INDEX_FILES[target.format]
        self._file_type(self._context)  # what it refuses, it refuses before the first frame
        super().__init__(target, decoder, settings)

    def encode(self, frame: CodedFrame) -> Packet:
        assert isinstance(frame, IndexFrame)
        name = PurePosixPath(frame.name or frame_name(frame.index, self._format)).stem
        return frame, one_picture(self._file_type(replace(self._context, name=name)), frame)

    def _note_alpha(self, frame: CodedFrame) -> None:
        if self._file_type.loses_alpha(frame):
            self.note_once(f"{self.label}: holds no transparency, which is lost")
