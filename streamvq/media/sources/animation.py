"""Animations and pages in one image file as frames, through Pillow: PNG, WebP, AVIF, TIFF, DCX.

GIF is read as video: Pillow keeps a frame's disposal for later ones that name none, where libav and browsers do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from functools import partial
from itertools import accumulate
from math import lcm

from streamvq.errors import MediaDamaged, MediaError
from streamvq.frames import Frame, StreamInfo, check_pixels
from streamvq.media.inputs import MediaInput
from streamvq.media.libav import reason
from streamvq.media.reading.image_reading import Pixels, open_image, picture_numbers, pixels_of, reading, upright_size
from streamvq.media.reading.picture_delays import delays
from streamvq.media.sources.remarks import Remarks
from streamvq.media.sources.source import FrameSource

Item = tuple[int, Pixels]

_MAX_TICKS = 2**31 - 1  # a second, as in FFmpeg and .svq
_MICROSECONDS = 1_000_000


class AnimationSource(FrameSource):
    """The pictures of one file, with exact times where it is an animation, without where it has pages.

    Pages may differ in size. Raises MediaError where the file cannot be opened, MediaDamaged where it breaks off
    (`keep_going` ends there instead).
    """

    def __init__(self, source: MediaInput, max_pixels: int, keep_going: bool = False) -> None:
        super().__init__(source.label)
        self._path = source.paths[0]
        self._keep_going, self._max_pixels = keep_going, max_pixels
        self._remarks = Remarks(self.notes)
        with ExitStack() as stack, reading(self._path, max_pixels):
            self._image = stack.enter_context(open_image(self._path, max_pixels))
            self._numbers = picture_numbers(self._image)
            format = self._image.format or ""
            found = delays(self._path, format)
            sizes = {self._size(number) for number in (self._numbers[:1] if found else self._numbers)}
            stack.pop_all()  # what is opened stays so until `close`
        self._durations, per_second = _on_a_clock(found[: len(self._numbers)])
        self.codec = format.lower() if found else None
        self._times = [Fraction(0), *accumulate(self._durations)]
        height, width = sizes.pop() if len(sizes) == 1 else (None, None)
        self.info = StreamInfo(
            width,
            height,
            1 / min(self._durations) if self._durations else None,
            len(self._numbers),
            Fraction(1, per_second) if self._durations else None,
        )

    def _size(self, number: int) -> tuple[int, int]:
        self._image.seek(number)
        return upright_size(self._image)

    def items(self) -> Iterator[Item]:
        for index in range(len(self._numbers)):
            try:
                with reading(self._path, self._max_pixels):
                    pixels = self._pixels(index)
            except MediaError as error:
                self._damaged(index, error)
                return
            yield index, pixels

    def _pixels(self, index: int) -> Pixels:
        number, image = self._numbers[index], self._image
        image.seek(number)
        check_pixels(self.label, image.height, image.width, self._max_pixels)
        if self._durations:  # what comes later is drawn upon this picture, which therefore stays as it is
            image.load()
            image = image.copy()
        return pixels_of(image, self._path, partial(self._remarks.add, index, self.label), number)

    def _damaged(self, index: int, error: MediaError) -> None:
        place = f"{self.label}: picture {index} of {len(self._numbers)}"
        why = reason(error.__cause__) if isinstance(error.__cause__, Exception) else str(error)
        if self._keep_going and index:
            self.notes.append(f"{place} is damaged ({why}); those before it are kept")
            return
        hint = "use `keep_going` to keep those before it" if index else "is the file whole?"
        raise MediaDamaged(f"{place} cannot be read: {why}; {hint}") from error

    def time_of(self, item: Item) -> Fraction | None:
        return self._times[item[0]] if item[0] < len(self._durations) else None

    def load(self, item: Item) -> Frame:
        index, pixels = item
        if index >= len(self._durations):
            return Frame(pixels, index)
        return Frame(pixels, index, self._times[index], self._durations[index])

    def close(self) -> None:
        self._image.close()


def _on_a_clock(delays: Sequence[Fraction]) -> tuple[list[Fraction], int]:
    """Delays in seconds as multiples of a tick, and how many ticks a second has: exactly, or to the microsecond where
    no clock has all of them."""
    ticks = lcm(*(delay.denominator for delay in delays))
    if ticks <= _MAX_TICKS:
        return list(delays), ticks
    return [Fraction(max(1, round(delay * _MICROSECONDS)), _MICROSECONDS) for delay in delays], _MICROSECONDS
