"""What animations in image files share: a picture is written when its delay is known, that is, with the next one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import IO, Any

from streamvq.container.group_size import GroupSize
from streamvq.errors import OutputError, counted
from streamvq.frames import CodedFrame, StreamInfo
from streamvq.media.made_with import made_with
from streamvq.media.sinks.sink import FrameSink
from streamvq.media.targets import Target
from streamvq.options import WriteOptions
from streamvq.quantize.decoder import FrameDecoder
from streamvq.staging import staged_file


@dataclass(frozen=True)
class Packet:
    """A frame's size, time and number, and what was made of it. `redundant`: it shows what the one before shows;
    `whole`: it was made without knowing that one."""

    frame: CodedFrame
    picture: Any
    redundant: bool
    whole: bool


@dataclass
class _Held:
    """The picture that waits for its delay, the tick when it is shown, and how long its frame says, in seconds."""

    picture: Any
    start: int
    duration: Fraction | None


class AnimationSink(FrameSink):
    """One file of pictures with delays, each coded as what it changes of the one before.

    A frame that changes nothing prolongs the picture before it. Delays are differences of time stamps, each rounded
    to the format's `tick` by itself, so that errors do not add up. A single picture becomes a still.
    """

    neighbors = True
    format: str
    tick: Fraction  # seconds
    max_ticks: int  # of a delay
    max_side: int  # pixels
    max_bytes: int | None = None  # of a file

    def __init__(self, target: Target, decoder: FrameDecoder, info: StreamInfo, settings: WriteOptions) -> None:
        super().__init__(str(target.path))
        self.group_size = GroupSize(1, info.pixels or 1)  # frame by frame
        self._decoder = decoder
        self._fps = info.fps or settings.frame_rate
        self._loop = settings.loop
        self._text = made_with(decoder, settings)
        self._first: CodedFrame | None = None
        self._held: _Held | None = None
        self._resting: _Held | None = None  # the last frame that changed nothing of it
        self._end: Fraction | None = None  # of the last frame, in seconds after the first
        self._last_tick: int | None = None
        self._delays: list[int] = []  # of the last two pictures
        self._written = self._late = 0
        if info.pixel_aspect is not None:
            self.notes.append(f"{self.label}: .{self.format} has square pixels; its input has {info.pixel_aspect}")
        if info.width and info.height:
            self._check_sides(info.width, info.height)
        self._part = self._stack.enter_context(staged_file(target.path, settings.overwrite))
        self._file: IO[bytes] = self._stack.enter_context(self._part.open("wb"))

    @abstractmethod
    def _picture(self, frame: CodedFrame, before: CodedFrame | None, after: CodedFrame | None) -> tuple[Any, bool]:
        """What a frame changes of the one before (None: it is the first), and whether that is nothing."""

    @abstractmethod
    def _still(self, frame: CodedFrame, picture: Any) -> bytes:
        """The file of a single picture."""

    @abstractmethod
    def _head(self, frame: CodedFrame) -> bytes:
        """What comes before the pictures of an animation."""

    @abstractmethod
    def _image(self, picture: Any, ticks: int) -> bytes:
        """A picture with its delay."""

    @abstractmethod
    def _tail(self) -> bytes:
        """What comes behind the pictures."""

    def _complete(self) -> None:
        """Put into the head of a file that is written what was not known before."""

    def encode(self, frame: CodedFrame) -> Packet:
        return self.encode_group([frame])[0]

    def encode_group(
        self, frames: Sequence[CodedFrame], before: CodedFrame | None = None, after: CodedFrame | None = None
    ) -> list[Packet]:
        if not frames:  # all of them could not be read
            return []
        frames = [self._with_alpha(frame) for frame in frames]
        before, after = (each and self._with_alpha(each) for each in (before, after))
        packets = []
        for frame, following in zip(frames, [*frames[1:], after], strict=True):
            self._check_sides(frame.width, frame.height)
            for neighbor in (before, following):
                if neighbor is not None:
                    self.check_size(neighbor, frame.width, frame.height)
            picture, redundant = self._picture(frame, before, following)
            packets.append(Packet(frame, picture, redundant, before is None))
            before = frame
        return packets

    def _with_alpha(self, frame: CodedFrame) -> CodedFrame:
        """A frame whose codes have alpha with a plane of it, which is what pictures are compared by."""
        if self._decoder.alpha is None:
            return frame
        return replace(frame, meta=replace(frame.meta, alpha=self._decoder.alpha_of(frame)))

    def write(self, packet: Packet) -> None:
        if self._first is None:
            self._first = packet.frame
        self.check_size(packet.frame, self._first.width, self._first.height)
        start = self._start_tick(packet.frame)
        new = _Held(packet.picture, start, packet.frame.duration)
        if self._held is not None:
            self._split_delay(start)
            if packet.redundant:
                self._resting = new
                return
            self._flush(start - self._held.start)
        self._held, self._resting = new, None

    def _split_delay(self, end: int) -> None:
        """Where the picture that is held would be shown for too long, write it, and hold its repetition."""
        assert self._held is not None
        if self._resting is not None and end - self._held.start > self.max_ticks:
            self._flush(self._resting.start - self._held.start)
            self._held, self._resting = self._resting, None

    def _start_tick(self, frame: CodedFrame) -> int:
        """When the frame is shown, in ticks after the first one, and later than the one before."""
        assert self._first is not None
        start = self._seconds(frame) - self._seconds(self._first)
        self._end = start + (frame.duration or 0)
        tick = round(start / self.tick)
        if self._last_tick is not None and tick <= self._last_tick:
            self._late += 1
            tick = self._last_tick + 1
        self._last_tick = tick
        return tick

    def _seconds(self, frame: CodedFrame) -> Fraction:
        return frame.time if frame.time is not None else frame.index / self._fps

    def _flush(self, ticks: int) -> None:
        """Write the picture that is held, now that its delay is known."""
        assert self._held is not None
        assert self._first is not None
        if ticks > self.max_ticks:
            raise OutputError(
                f"{self.label}: a picture is shown for {float(ticks * self.tick):.6g} s, and .{self.format} holds "
                f"delays of up to {float(self.max_ticks * self.tick):g} s; write a video"
            )
        if not self._written:
            self._file.write(self._head(self._first))
        self._file.write(self._image(self._held.picture, ticks))
        if self.max_bytes is not None and self._file.tell() > self.max_bytes:
            raise OutputError(
                f"{self.label}: an animated .{self.format} has at most {self.max_bytes} bytes; write a video"
            )
        self._written += 1
        self._delays = [*self._delays[-1:], ticks]

    def _write_rest(self) -> None:
        if self._first is None or self._held is None:
            raise OutputError(f"{self.label}: no frame was written")
        ticks = self._last_ticks()
        self._split_delay(self._held.start + ticks)
        if self._written:
            self._flush(self._last_ticks())
            self._file.write(self._tail())
            self._complete()
        else:
            self._file.write(self._still(self._first, self._held.picture))
        self._file.close()
        self.size_bytes = self._part.stat().st_size
        if self._late:
            rate = f"{float(1 / self.tick):g}"
            self.notes.append(
                f"{self.label}: .{self.format} counts {rate} ticks a second, and {counted(self._late, 'frame')} came "
                "faster: shown later than it should; write every second one, or a video"
            )

    def _last_ticks(self) -> int:
        """The delay of the last picture: its frame's duration, or else the delay before it."""
        assert self._held is not None
        assert self._end is not None
        ticks = round(self._end / self.tick) - self._held.start
        if self._held.duration is None and self._delays:
            ticks = max(ticks, self._delays[-1])
        return max(1, ticks)

    def _check_sides(self, width: int, height: int) -> None:
        if max(width, height) > self.max_side:
            raise OutputError(
                f"{self.label}: the pictures have {width}x{height} pixels, and .{self.format} holds sides of up to "
                f"{self.max_side}; scale them with `width`, or write another format"
            )
