"""The colors of a sketch file: chunks of one red each, which are added up many at once, since each is small."""

from __future__ import annotations

import zlib

import numpy as np

from streamvq.compiling import njit
from streamvq.container.leb128 import Leb128Reader
from streamvq.errors import MediaDamaged
from streamvq.quantize.histogram import ColorHistogram

REDS, COLORS_OF_RED = 256, 1 << 16
MAX_COUNT = 1 << 62
_COLOR_BYTES = 10  # two of green and blue, eight of the count
_BYTES_AT_ONCE = 1 << 22


class ColorChunks:
    """Takes `COLR` chunks of a file, which messages call `label`, and adds their colors to `histogram`."""

    def __init__(self, histogram: ColorHistogram, label: str) -> None:
        self._histogram, self._label = histogram, label
        self._last = -1
        self._reds: list[int] = []
        self._planes: list[bytes] = []
        self._size = 0

    def take(self, payload: bytes) -> None:
        """Take a chunk. Raises ValueError, or MediaDamaged for one before it."""
        data = Leb128Reader(payload)
        red, n = data.number(), data.number()
        if not self._last < red < REDS or n > COLORS_OF_RED:
            raise ValueError(f"it claims {n} colors of red {red}, after {self._last}")
        self._planes.append(inflated(data.rest(), _COLOR_BYTES * n))
        self._reds.append(red)
        self._last = red
        self._size += _COLOR_BYTES * n
        if self._size > _BYTES_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Add up what was taken. Raises MediaDamaged."""
        reds, n = np.array(self._reds), self._size // _COLOR_BYTES
        lengths = np.array([len(each) for each in self._planes]) // _COLOR_BYTES
        keys, totals = np.empty(n, np.int64), np.empty(n, np.int64)
        planes = np.frombuffer(b"".join(self._planes), np.uint8)
        if n and (wrong := _parse(planes, reds, lengths, np.uint64(MAX_COUNT), keys, totals)) >= 0:
            raise MediaDamaged(
                f"{self._label}: is damaged: its colors of red {reds[wrong]} are not ascending, or a count is wrong"
            )
        self._histogram.add_totals(keys, totals)
        self._reds, self._planes, self._size = [], [], 0


def inflated(data: bytes, size: int) -> bytes:
    """`size` bytes that were compressed together. Raises ValueError where there are more or fewer."""
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(data, size + 1)
    except zlib.error as error:
        raise ValueError(f"it cannot be decompressed ({error})") from error
    if len(plain) != size or not inflater.eof or inflater.unused_data:
        raise ValueError(f"it holds another number of bytes than {size}")
    return plain


@njit(nogil=True, cache=True)
def _parse(planes, reds, lengths, most, keys, totals):  # type: ignore[no-untyped-def]
    """RGB24 keys and counts, int64 [n] each, of chunks with `lengths` colors of `reds`, uint8 [10 n] of planes.

    The number of the first chunk whose colors are not ascending or counted 1 to `most` times, or -1.
    """
    at, done = 0, 0
    for chunk in range(len(reds)):
        n, last = lengths[chunk], np.int64(-1)
        for i in range(n):
            low = np.int64(planes[at + i]) | np.int64(planes[at + n + i]) << 8
            total = np.uint64(0)
            for byte in range(9, 1, -1):
                total = total << np.uint64(8) | np.uint64(planes[at + byte * n + i])
            if low <= last or total < np.uint64(1) or total > most:
                return chunk
            last = low
            keys[done], totals[done] = reds[chunk] << 16 | low, np.int64(total)
            done += 1
        at += 10 * n
    return -1
