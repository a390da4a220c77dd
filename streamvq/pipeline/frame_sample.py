"""`FrameSample`: some frames of an input, in memory, taken while all of them pass by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from streamvq.container.group_size import GroupSize
from streamvq.frames import Failed, Frame, StreamInfo
from streamvq.media.sources.selection import selected
from streamvq.media.sources.source import FrameSource
from streamvq.options import SelectOptions
from streamvq.ordered import frames_ahead, ordered_map

MAX_SAMPLE_BYTES = 384 << 20  # of the pixels of all samples of a run
MAX_SAMPLE_FRAMES = 128  # of each
_SHARE = 3  # of the frames, about one in so many is enough
_FEW_PIXELS = 1 << 23  # of all frames of a sample that need not be made smaller
_LEAST_STRETCHES = 2
_STRETCH = 4  # frames, of which the first costs what a change of the scene does
_MAX_STRETCH = 16  # frames of a group that is coded together


class FrameSample:
    """Evenly spaced stretches of consecutive frames of one source; all of its frames while they are few and fit
    `max_bytes`.

    Every 2^n-th stretch is kept, with the smallest n that fits, so that what is kept depends on the frames alone.
    """

    def __init__(self, target_format: str, block: tuple[int, int], max_bytes: int) -> None:
        self.info = StreamInfo()
        self.audio_from: Path | None = None  # the file whose audio goes with the frames
        self.audio_bytes: int | None = None  # of an output, once they are known
        self.frames: list[Frame] = []
        self.total = 0  # frames of the source
        self._format, self._block, self._max_bytes = target_format, block, max_bytes
        self._length = self._step = 1
        self._bytes = 0

    def begin(self, source: FrameSource) -> None:
        """Take what is known of the source: a stretch of what is coded in groups is a group."""
        info = source.info
        self.info, self.audio_from = info, source.audio_from
        if info.fps is None:
            return  # images know nothing of each other
        group = GroupSize.for_stream(info, self._block)
        fitting = group.pixels // (info.pixels or group.pixels)
        in_group = self._format == "svq"
        self._length = max(1, min(group.frames, _MAX_STRETCH, fitting)) if in_group else _STRETCH

    def wants(self, index: int) -> bool:
        """Whether the frame of this index, from 0, may be in the sample. Runs on any thread."""
        return index // self._length % self._step == 0

    def take(self, frame: Frame | None) -> None:
        """Count the next frame, and keep it where it is wanted; None is one that is not."""
        self.total += 1
        if frame is None or not self.wants(frame.index):
            return
        self.frames.append(frame)
        self._bytes += frame.pixels.nbytes
        while self._is_too_large():
            self._step *= 2
            self.frames = [each for each in self.frames if self.wants(each.index)]
            self._bytes = sum(each.pixels.nbytes for each in self.frames)

    def _is_too_large(self) -> bool:
        large = self._bytes > self._max_bytes or len(self.frames) > MAX_SAMPLE_FRAMES
        return large and self._stretch(self.frames[-1]) >= 2 * self._step

    def finish(self) -> None:
        """All frames passed by: keep a share of a long clip, so that coding the sample costs a share of the whole."""
        most = max(self.total // _SHARE, 1)
        pixels = sum(each.pixels[..., 0].size for each in self.frames)
        while pixels > _FEW_PIXELS and len(self.frames) > most and len(self.firsts()) >= 2 * _LEAST_STRETCHES:
            self._step *= 2
            self.frames = [each for each in self.frames if self.wants(each.index)]
            pixels = sum(each.pixels[..., 0].size for each in self.frames)

    @property
    def is_whole(self) -> bool:
        """Whether no frame is missing."""
        return len(self.frames) == self.total

    def firsts(self) -> list[Frame]:
        """The first frame of each stretch."""
        return list({self._stretch(frame): frame for frame in reversed(self.frames)}.values())[::-1]

    def collect(self, source: FrameSource, jobs: int) -> None:
        """Take what is wanted of a source that nothing else reads."""

        def load(item: tuple[int, Any]) -> Frame | Failed | None:
            frame = source.try_load(item[1]) if self.wants(item[0]) else None
            return replace(frame, index=item[0]) if isinstance(frame, Frame) else frame

        self.begin(source)
        ahead = frames_ahead(jobs, source.info.pixels)
        with closing(ordered_map(load, enumerate(source.items()), jobs, ahead)) as loaded:
            for frame in loaded:
                if not isinstance(frame, Failed):
                    self.take(frame)

    def source(self, label: str, width: int | None, frames: Sequence[Frame] | None = None) -> FrameSource:
        """The sample, or some of its `frames`, as a source, scaled where there is a width."""
        held = _HeldSource(label, self.frames if frames is None else frames, self.info)
        return selected(held, SelectOptions(width=width))

    def _stretch(self, frame: Frame) -> int:
        return frame.index // self._length


class _HeldSource(FrameSource):
    """Frames in memory, one after the other as if none were between them."""

    def __init__(self, label: str, frames: Sequence[Frame], info: StreamInfo) -> None:
        super().__init__(label)
        self.info = replace(info, frame_count=len(frames), audio_streams=0, title=None, chapters=())
        self._frames = frames

    def items(self) -> Iterator[Frame]:
        for index, frame in enumerate(self._frames):
            time = None if self.info.fps is None else Fraction(index) / self.info.fps
            yield replace(frame, index=index, time=time, duration=None)

    def load(self, item: Frame) -> Frame:
        return item
