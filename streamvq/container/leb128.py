"""Numbers of any size in few bytes: LEB128, seven bits a byte, lowest first (FORMAT.md, section 1)."""

from __future__ import annotations

_MOST_BYTES = 10  # 70 bits


def leb128(value: int) -> bytes:
    """An unsigned number as bytes."""
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def signed_leb128(value: int) -> bytes:
    """A signed number as bytes: 0, -1, 1, -2, ... are 0, 1, 2, 3, ..."""
    return leb128(2 * value if value >= 0 else -2 * value - 1)


class Leb128Reader:
    """Takes numbers and byte strings from the front of `data`. Raises ValueError where there is no such thing."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self) -> int:
        """An unsigned number."""
        value = 0
        for shift in range(0, 7 * _MOST_BYTES, 7):
            (byte,) = self.take(1)
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("a number has too many bytes")

    def signed(self) -> int:
        """A signed number."""
        value = self.number()
        return -(value + 1 >> 1) if value & 1 else value >> 1

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if count > len(self._data) - self._at:
            raise ValueError("it ends too early")
        self._at += count
        return self._data[self._at - count : self._at]

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data) - self._at)
