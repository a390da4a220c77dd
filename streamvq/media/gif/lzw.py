"""LZW as GIF has it (GIF89a, appendix F), for pixels some of which may be written in two ways.

Three choices are the encoder's:

- Where a pixel is as it was in the picture before, its own index and the transparent one show the same. Of all
  phrases that can be written, a longest one is found: every way to write the pixels is followed through the table.
- With `look_ahead`, not the longest phrase is taken but that prefix of it after which the next phrase reaches
  farthest (flexible parsing; Matias and Sahinalp 1999). It shortens noisy pictures and lengthens flat ones, whose
  runs grow best greedily.
- A full table is kept while it is good ("deferred clear"). Where the bits per pixel since the last clear have not
  been fewer for `_PATIENCE` codes, the codes after the best place are taken back, and the table is cleared there: it
  pays to stay until the going rate is worse than the average so far (Charnov's marginal value theorem, 1976).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit

_MAX_ENTRIES = 4096
_MAX_WIDTH = 12  # bits of a code
_SLOT_BITS = 14  # of a hash table for 4096 entries
_SLOTS = 1 << _SLOT_BITS
_NO_SLOT = -1
_MAX_LIVE = 32  # nodes of the table that are followed at once
_PATIENCE = 1000
_WARM_UP = 4000  # codes before the table is judged


def compress(
    pixels: NDArray[np.uint8], free: NDArray[np.bool_], transparent: int, bits: int, look_ahead: int
) -> NDArray[np.uint8]:
    """The LZW code of pixels [n], n > 0, as bytes, not yet divided into blocks.

    `bits` (2 to 8) is what an index takes. Where `free` [n] says so, `transparent` may be written instead of a pixel.
    Up to `look_ahead` pixels are given back to the next phrase where that reaches farther then; 0 is greedy.
    """
    return _compress(pixels, free, transparent, bits, look_ahead)


@njit(nogil=True, inline="always")
def _slot(key: Any) -> Any:
    return np.int64((key * 0x9E3779B1 & 0xFFFFFFFF) >> (32 - _SLOT_BITS))


@njit(nogil=True, inline="always")
def _width(number: Any, bits: Any) -> Any:
    """Bits of the code with a number since the last clear: as many as the decoder's next free entry has."""
    width = bits + 1
    while width < _MAX_WIDTH and ((1 << bits) + 1 + number) >> width:
        width += 1
    return width


@njit(nogil=True, cache=True)
def _compress(pixels: Any, free: Any, transparent: Any, bits: Any, look_ahead: Any) -> Any:
    n = len(pixels)
    clear = 1 << bits
    out = np.empty(2 * n + n // 8 + 64, np.uint8)
    table = np.zeros(_SLOTS, np.uint32)  # node << 20 | symbol << 12 | the node of both together; 0: empty
    parent = np.zeros(_MAX_ENTRIES, np.uint16)
    first = np.zeros(_MAX_ENTRIES, np.uint8)  # symbol of a node's phrase
    for index in range(clear):
        first[index] = index
    codes = np.empty(n + 1, np.uint16)  # since the last clear
    ends = np.empty(n + 1, np.int32)  # of the pixels that each of them stands for
    live = np.empty((2, 2 * _MAX_LIVE), np.int32)
    written, held, n_held = 0, clear, bits + 1
    start, position, count, spent = 0, 0, 0, 0
    best_bits, best_pixels, best_count = 0, 0, 0
    node = 0
    while position < n:
        # The decoder makes an entry of the last phrase and the first symbol of this one, which may be that very
        # entry: then both begin with the same symbol.
        entry, last = clear + 1 + count, node
        candidate = _NO_SLOT
        if count > 0 and entry < _MAX_ENTRIES:
            symbol = np.int64(first[last])
            if pixels[position] == symbol or (free[position] and symbol == transparent):
                candidate = _vacant(table, last << 8 | symbol)
                if candidate != _NO_SLOT:
                    table[candidate] = (last << 8 | symbol) << 12 | entry
                    parent[entry] = last
                    first[entry] = symbol
        node, end = _longest(pixels, free, transparent, position, table, live)
        if look_ahead and end < n:
            prefix, farthest, prefix_end = node, -1, end
            for shorter in range(min(look_ahead + 1, end - position)):
                _, reach = _longest(pixels, free, transparent, prefix_end - shorter, table, live)
                if reach > farthest:
                    farthest, node, end = reach, prefix, prefix_end - shorter
                prefix = np.int64(parent[prefix])
        if count > 0 and entry < _MAX_ENTRIES and not (candidate != _NO_SLOT and first[node] == first[last]):
            if candidate != _NO_SLOT:
                table[candidate] = 0
            symbol = np.int64(first[node])
            slot = _vacant(table, last << 8 | symbol)
            if slot != _NO_SLOT:
                table[slot] = (last << 8 | symbol) << 12 | entry
                parent[entry] = last
                first[entry] = first[last]
        width = _width(count, bits)
        codes[count] = node
        ends[count] = position = end
        count += 1
        spent += width
        if count <= _WARM_UP or (spent + width) * best_pixels <= best_bits * (position - start):
            best_bits, best_pixels, best_count = spent + width, position - start, count
        elif count > best_count + _PATIENCE and position < n:
            codes[best_count] = clear
            written, held, n_held = _put(out, written, held, n_held, codes, best_count + 1, bits)
            start = position = int(ends[best_count - 1])
            count, spent = 0, 0
            table.fill(0)
    codes[count] = clear + 1  # end of information
    written, held, n_held = _put(out, written, held, n_held, codes, count + 1, bits)
    out[written] = held
    return out[: written + (n_held > 0)]


@njit(nogil=True, cache=True)
def _vacant(table: Any, key: Any) -> Any:
    """Where a new entry goes; _NO_SLOT where there is one."""
    slot = _slot(key)
    while table[slot]:
        if table[slot] >> 12 == key:
            return _NO_SLOT
        slot = (slot + 1) & (_SLOTS - 1)
    return slot


@njit(nogil=True, cache=True)
def _longest(pixels: Any, free: Any, transparent: Any, at: Any, table: Any, live: Any) -> Any:
    """The node of a longest phrase that pixels from `at` can be written as, and where it ends."""
    n = len(pixels)
    own = np.int32(pixels[at])
    node = own
    n_live = 1
    if free[at] and own != transparent:
        node = transparent
        n_live = 2
    else:  # the usual case: while there is one way only, one node is followed, which need not be stored
        at += 1
        phrase = np.int64(own)
        while at < n and (not free[at] or pixels[at] == transparent):
            key = phrase << 8 | pixels[at]
            slot = _slot(key)
            entry = np.int64(table[slot])
            while entry and entry >> 12 != key:
                slot = (slot + 1) & (_SLOTS - 1)
                entry = np.int64(table[slot])
            if not entry:
                return phrase, at
            phrase = entry & (_MAX_ENTRIES - 1)
            at += 1
        own = node = np.int32(phrase)
        at -= 1
    live[0, 0], live[0, 1] = own, node
    at += 1
    side = 0
    while at < n:
        own = np.int32(pixels[at])
        symbols = 2 if free[at] and own != transparent else 1
        found = 0
        for i in range(n_live):
            symbol = own
            for _ in range(symbols):
                key = np.int64(live[side, i]) << 8 | symbol
                slot = _slot(key)
                entry = np.int64(table[slot])
                while entry:
                    if entry >> 12 == key:
                        live[1 - side, found] = entry & (_MAX_ENTRIES - 1)
                        found += 1
                        break
                    slot = (slot + 1) & (_SLOTS - 1)
                    entry = np.int64(table[slot])
                symbol = np.int32(transparent)
        if not found:
            break
        side = 1 - side
        n_live = min(found, _MAX_LIVE)
        node = live[side, n_live - 1]
        at += 1
    return np.int64(node), at


@njit(nogil=True, cache=True)
def _put(out: Any, written: Any, held: Any, n_held: Any, codes: Any, count: Any, bits: Any) -> Any:
    """Write codes from a clear on behind `n_held` bits that are `held`; what is written and held then."""
    for number in range(count):
        held |= np.int64(codes[number]) << n_held
        n_held += _width(number, bits)
        while n_held >= 8:
            out[written] = held & 255
            written += 1
            held >>= 8
            n_held -= 8
    return written, held, n_held
