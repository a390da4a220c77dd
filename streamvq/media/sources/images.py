"""Images as frames: one file, or a folder's files in natural order."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from streamvq.frames import Frame, StreamInfo
from streamvq.media.inputs import MediaInput
from streamvq.media.names import renaming_note
from streamvq.media.reading.image_reading import read_image
from streamvq.media.sources.remarks import Remarks
from streamvq.media.sources.source import FrameSource

Item = tuple[int, Path, str]  # index, file, name inside the folder


class ImageSource(FrameSource):
    """The images of an input. Sizes and channels may differ from image to image."""

    def __init__(self, source: MediaInput, max_pixels: int) -> None:
        super().__init__(source.label)
        self._source = source
        self._max_pixels = max_pixels
        if source.renamed:
            self.notes.append(renaming_note(source.label, source.renamed))
        self.notes += source.gaps
        self._remarks = Remarks(self.notes)
        self.skips_bad_items = source.source_type == "images"
        self.info = StreamInfo(frame_count=len(source.paths))

    def items(self) -> Iterator[Item]:
        return zip(range(len(self._source.paths)), self._source.paths, self._source.names(), strict=True)

    def load(self, item: Item) -> Frame:
        index, path, name = item
        remark = partial(self._remarks.add, index, str(path))
        return Frame(read_image(path, self._max_pixels, remark), index, name=name)
