"""How indices become bytes: 1, 2, 4, 8 or 16 bits each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamvq.errors import UsageError
from streamvq.options import PACK_BITS, WriteOptions


@dataclass(frozen=True)
class Packing:
    """`bits` an index; a byte's first one in its highest bits (`msb_first`) or its lowest; 16 bits are little-endian.

    Rows begin at whole bytes (`padded`, with zeros behind each row), or else only frames do.
    """

    bits: int
    msb_first: bool = True
    padded: bool = True

    @classmethod
    def from_options(cls, label: str, n_codes: int, settings: WriteOptions) -> Packing:
        """The packing that settings ask for, or the smallest that holds every code. Raises UsageError."""
        smallest = next(bits for bits in PACK_BITS if n_codes <= 1 << bits)
        bits = settings.pack_bits or smallest
        if bits < smallest:
            raise UsageError(
                f"{label}: `pack_bits={bits}` holds {1 << bits} indices, and the codebook has {n_codes} codes; "
                f"choose {smallest}, or fewer colors"
            )
        return cls(bits, settings.bit_order == "msb", not settings.unpadded)

    def pack(self, codes: NDArray) -> bytes:
        """Codes uint8 or uint16 [rows, columns], row by row.

        >>> Packing(2).pack(np.array([[0, 1, 2, 3], [3, 0, 0, 0]], np.uint8)).hex()
        '1bc0'
        >>> Packing(4, msb_first=False).pack(np.array([[1, 2, 3]], np.uint8)).hex()
        '2103'
        >>> Packing(4, padded=False).pack(np.array([[1], [2], [3]], np.uint8)).hex()
        '1230'
        """
        if self.bits >= 8:
            return codes.astype(np.uint8 if self.bits == 8 else "<u2").tobytes()
        a_byte = 8 // self.bits
        rows = codes if self.padded else codes.reshape(1, -1)
        padded = np.zeros((len(rows), -(-rows.shape[1] // a_byte) * a_byte), np.uint8)
        padded[:, : rows.shape[1]] = rows
        groups = padded.reshape(len(rows), -1, a_byte)
        shifts = np.arange(a_byte, dtype=np.uint8) * self.bits
        shifts = shifts[::-1] if self.msb_first else shifts
        packed: NDArray[np.uint8] = np.bitwise_or.reduce(groups << shifts, axis=2)
        return packed.astype(np.uint8).tobytes()

    def text(self, rows: int, columns: int) -> str:
        """What a reader has to know of frames of so many indices."""
        if self.bits == 16:
            return f"{columns}x{rows} indices a frame, 16 bits each, little-endian"
        if self.bits == 8:
            return f"{columns}x{rows} indices a frame, a byte each"
        order = "first in the highest bits" if self.msb_first else "first in the lowest bits"
        ends = f"rows of {-(-columns * self.bits // 8)} bytes" if self.padded else "rows without padding"
        return f"{columns}x{rows} indices a frame, {self.bits} bits each, {order}, {ends}"
