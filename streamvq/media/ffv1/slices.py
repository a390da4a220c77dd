"""The checksums of FFV1's slices (RFC 9043, 4.9), which libav's decoder notices and then makes up for."""

from __future__ import annotations

from itertools import pairwise

from streamvq.media.ffv1.headers import checksum

_SIZE_BYTES = 3  # at the end of each slice
_WITH_CHECKSUM = _SIZE_BYTES + 5  # then one that is 0 where all is well, and the checksum of all before it


class SliceChecks:
    """Checks the packets of one FFV1 stream of version 3 or later, in order.

    Whether slices have checksums is what the first packet shows, as the sizes at their ends add up in one way only.
    """

    def __init__(self) -> None:
        self._footer: int | None = None  # bytes; None while unknown

    def damage(self, packet: bytes) -> str | None:
        """What is wrong with a packet, None where nothing is, or slices have no checksums."""
        if self._footer is None:
            self._footer = next((size for size in (_WITH_CHECKSUM, _SIZE_BYTES) if _slices(packet, size)), None)
        if self._footer == _SIZE_BYTES:
            return None
        borders = _slices(packet, _WITH_CHECKSUM)
        if not borders:
            return "the sizes of its slices do not add up"
        bad = sum(any(checksum(packet[start:end])) for start, end in pairwise(borders))
        return f"{bad} of its {len(borders) - 1} slices have a wrong checksum" if bad else None


def _slices(packet: bytes, footer: int) -> list[int]:
    """Where slices begin, and the end of the last, found from the end; nothing where their sizes do not fit."""
    borders = [len(packet)]
    while borders[-1] > 0:
        end = borders[-1]
        at = end - footer
        size = int.from_bytes(packet[at : at + _SIZE_BYTES], "big") if at > 0 else 0
        if size <= 0 or at - size < 0:
            return []
        borders.append(at - size)
    return borders[::-1]
