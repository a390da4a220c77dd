"""Integers of any size in few bytes: LEB128, seven bits a byte, lowest first (FORMAT.md, section 1)."""

from __future__ import annotations

_MAX_BYTES = 10  # 70 bits


def leb128(value: int) -> bytes:
    """An unsigned integer as bytes."""
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def signed_leb128(value: int) -> bytes:
    """A signed integer as bytes: 0, -1, 1, -2, ... are stored as 0, 1, 2, 3, ... (zigzag)."""
    return leb128(2 * value if value >= 0 else -2 * value - 1)


class Leb128Reader:
    """Takes numbers and byte strings from the front of `data`. Raises ValueError where the data ends too early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def number(self) -> int:
        """The next unsigned integer."""
        value = 0
        for shift in range(0, 7 * _MAX_BYTES, 7):
            if self.position >= len(self._data):
                raise ValueError("it ends too early")
            byte = self._data[self.position]
            self.position += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("a number has too many bytes")

    def signed(self) -> int:
        """The next signed integer."""
        value = self.number()
        return -(value + 1 >> 1) if value & 1 else value >> 1

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        start = self.position
        self.skip(count)
        return self._data[start : self.position]

    def skip(self, count: int) -> None:
        """Pass over `count` bytes."""
        if count > len(self._data) - self.position:
            raise ValueError("it ends too early")
        self.position += count

    def rest(self) -> bytes:
        """All remaining bytes."""
        return self.take(len(self._data) - self.position)
