"""The samples of FFV1 pictures (RFC 9043): median prediction, run mode and Golomb-Rice codes, many slices at once.

The quantization tables are all zero, so each plane has one single context and run mode is always on: a sample is
either part of a run of exact predictions or one coded residual. Up to `LANES` slices are encoded side by side, row
by row, which lets the compiler code one residual of each at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.core.cgutils import true_bit  # llvmlite comes with Numba, and is not a dependency of ours
from numba.extending import intrinsic
from numpy.typing import NDArray

from streamvq.compiling import njit

_LOG2_RUN = np.repeat(np.arange(25), [4, 4, 4, 4, 2, 2, 2, 2] + [1] * 17)  # by run index (RFC 9043, 3.8.2.2.1)
_SHORT_RUN = 16  # runs below this length come from a table, where their codes
_SHORT_INDEX = 27  # have at most 11 bits: with a residual's 21 they fill the 32 that are written at once
_MAX_PREFIX = 12  # of a Golomb-Rice code (RFC 9043, 3.8.2.1): then the value follows as it is, in all its bits
_COUNT_BITS = 7  # at 128 the statistics of a context are halved
_MIN_BIAS, _MAX_BIAS = -128, 127
_LENGTH_SHIFT = 24  # of a code's length above the code, in an int32
_FLAGS_TO_BITS = 0x0102040810204080  # times eight bytes of 0 or 1: their bits together in the top byte


def _short_runs() -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """By run index * 16 + run length: the code and its length << 16; the next run index."""
    table = np.zeros((_SHORT_INDEX, _SHORT_RUN), np.int32)
    following = np.zeros((_SHORT_INDEX, _SHORT_RUN), np.uint8)
    for first in range(_SHORT_INDEX):
        for run in range(_SHORT_RUN):
            rest, index = run, first
            while rest >= 1 << int(_LOG2_RUN[index]):
                rest -= 1 << int(_LOG2_RUN[index])
                index += 1
            bits = 1 + int(_LOG2_RUN[index])
            code = ((1 << (index - first)) - 1) << bits | rest
            table[first, run] = code | (index - first + bits) << 16
            following[first, run] = max(index - 1, 0)
    return table.ravel(), following.ravel()


_SHORT_RUN_CODES, _AFTER_SHORT_RUNS = _short_runs()


@intrinsic
def _leading_zeros(_: Any, value: Any) -> Any:
    """The number of leading zero bits of an int64 that is not 0."""
    result = types.int64(types.int64)
    return result, lambda _, builder, __, given: builder.ctlz(given[0], true_bit)


@intrinsic
def _trailing_zeros(_: Any, value: Any) -> Any:
    """The number of trailing zero bits of a uint64 that is not 0."""
    result = types.uint64(types.uint64)
    return result, lambda _, builder, __, given: builder.cttz(given[0], true_bit)


@intrinsic
def _swap_bytes(_: Any, value: Any) -> Any:
    """The uint32 with its bytes in reverse order."""
    return types.uint32(types.uint32), lambda _, builder, __, given: builder.bswap(given[0])


@njit(nogil=True, cache=True)
def _residuals(current: Any, above: Any, width: Any, bits: Any, residuals: Any, nonzero: Any) -> Any:
    """The residual of each sample's median prediction, and whether it is not 0; samples start at column 1."""
    shift = np.int16(16 - bits)  # residuals wrap around at `bits` bits
    for x in range(width):
        left = np.int16(current[x])
        corner = np.int16(above[x])
        top = np.int16(above[x + 1])
        predicted = max(min(left, top), min(max(left, top), np.int16(left + top - corner)))
        residual = np.int16(np.int16(np.int16(current[x + 1] - predicted) << shift) >> shift)
        residuals[x] = np.int16(residual - np.int16(residual > 0))  # after a run it cannot be 0
        nonzero[x] = np.uint8(residual != 0)


@njit(nogil=True, cache=True)
def _compact(residuals: Any, nonzero: Any, width: Any, lane: Any, values: Any, runs: Any) -> Any:
    """List the residuals that are not 0, those above 0 less one, in a lane, and the runs of zeros before them."""
    words = nonzero.view(np.uint64)
    count = np.uint64(0)
    start = np.uint64(0)
    one = np.uint64(1)
    column = np.uint64(lane)
    for block in range((width + 63) >> 6):
        mask = np.uint64(0)
        for i in range(8):  # eight flags become eight bits
            flags = words[np.uint64(8 * block + i)] * np.uint64(_FLAGS_TO_BITS)
            mask |= (flags >> np.uint64(56)) << np.uint64(8 * i)
        while mask:
            x = np.uint64(64 * block) + _trailing_zeros(mask)  # type: ignore[call-arg]
            mask &= mask - one
            values[count, column] = np.int32(residuals[x])
            runs[count] = np.int32(x - start)
            start = x + one
            count += one
    return np.int64(count), np.int64(np.uint64(width) - start)


@njit(nogil=True, cache=True)
def _golomb_rice(values: Any, rows: Any, counts: Any, state: Any, bits: Any, lanes: Any) -> Any:
    """Replace the values of every lane by their codes, lengths << _LENGTH_SHIFT added; adapt the lanes' states."""
    shift = 64 - bits
    drift, error, bias, count = state[0], state[1], state[2], state[3]
    for i in range(rows):
        for lane in range(lanes):
            was_drift, was_error, was_bias, was_count = drift[lane], error[lane], bias[lane], count[lane]
            value = ((np.int64(values[i, lane]) - was_bias) << shift) >> shift
            k = max(_leading_zeros(was_count) - _leading_zeros(was_error), 0)  # type: ignore[call-arg]
            k += np.int64((was_count << k) < was_error)
            signed = value ^ ((2 * was_drift + was_count) >> 63)
            code = (signed << 1) ^ (signed >> 63)
            prefix = code >> k
            escape = prefix >= _MAX_PREFIX
            length = _MAX_PREFIX + bits if escape else prefix + 1 + k
            code = code - (_MAX_PREFIX - 1) if escape else code - ((prefix - 1) << k)
            values[i, lane] = np.int32((length << _LENGTH_SHIFT) | code)

            half = was_count >> _COUNT_BITS
            new_count = (was_count >> half) + 1
            new_error = (was_error + abs(value)) >> half
            new_drift = (was_drift + value) >> half
            new_bias = was_bias
            corrected = new_drift
            if new_drift <= -new_count:
                new_bias = max(was_bias - 1, _MIN_BIAS)
                corrected = max(new_drift + new_count, 1 - new_count)
            elif new_drift > 0:
                new_bias = min(was_bias + 1, _MAX_BIAS)
                corrected = min(new_drift - new_count, 0)
            active = i < counts[lane]
            drift[lane] = corrected if active else was_drift
            error[lane] = new_error if active else was_error
            bias[lane] = new_bias if active else was_bias
            count[lane] = new_count if active else was_count


@njit(nogil=True, inline="always")
def _put_bits(words: Any, recent: Any, position: Any, code: Any, length: Any) -> Any:
    """Append a code of up to 32 bits at bit `position`; `recent` are the last bits written."""
    recent = (recent << np.uint64(length)) | np.uint64(code)
    word = np.uint32(recent >> np.uint64(((position & 31) + length - 32) & 63))
    words[np.uint64(position) >> np.uint64(5)] = _swap_bytes(word)  # type: ignore[call-arg]
    return recent, position + length


@njit(nogil=True, cache=True)
def _pack(
    values: Any, lane: Any, count: Any, runs: Any, tail: Any, words: Any, recent: Any, position: Any, index: Any
) -> Any:
    """Write a lane's coded row."""
    column = np.uint64(lane)
    for i in range(count):
        value = np.int64(values[np.uint64(i), column])
        run = np.int64(runs[np.uint64(i)])
        length = value >> _LENGTH_SHIFT
        code = value & ((1 << _LENGTH_SHIFT) - 1)
        if run < _SHORT_RUN and index < _SHORT_INDEX:
            entry = np.uint64(index * _SHORT_RUN + run)
            index = np.int64(_AFTER_SHORT_RUNS[entry])
            code |= (_SHORT_RUN_CODES[entry] & 0xFFFF) << length
            length += _SHORT_RUN_CODES[entry] >> 16
        else:
            while run >= 1 << _LOG2_RUN[index]:
                run -= 1 << _LOG2_RUN[index]
                index += 1
                recent, position = _put_bits(words, recent, position, 1, 1)
            recent, position = _put_bits(words, recent, position, run, 1 + _LOG2_RUN[index])
            index = max(index - 1, 0)
        recent, position = _put_bits(words, recent, position, code, length)
    if tail:
        while tail >= 1 << _LOG2_RUN[index]:
            tail -= 1 << _LOG2_RUN[index]
            index += 1
            recent, position = _put_bits(words, recent, position, 1, 1)
        if tail:
            recent, position = _put_bits(words, recent, position, 1, 1)
    return recent, position, index


@njit(nogil=True, cache=True)
def encode_samples(
    codes: Any, tables: Any, alpha: Any, slices: Any, bits: Any, words: Any, sizes: Any, lanes: Any
) -> Any:
    """Write every slice's samples at its own row of `words`, and their sizes in bytes.

    A plane's samples are its own codes' in its own table, or where there is only one of those, in that.
    """
    height, width = codes.shape[1:]
    colors = max(codes.shape[0], tables.shape[0])
    planes = colors + (alpha.size > 0)
    lines = np.empty((lanes, planes, 2, width + 1), np.int16)
    residuals = np.empty(width, np.int16)
    nonzero = np.zeros((width + 63) // 64 * 64, np.uint8)
    values = np.zeros((width, lanes), np.int32)
    runs = np.empty((lanes, width), np.int32)
    for first in range(0, slices, lanes):
        used = min(lanes, slices - first)
        lines[:] = 0
        state = np.zeros((3, 4, lanes), np.int64)
        state[:, 1] = 4
        state[:, 3] = 1
        recent = np.zeros(lanes, np.uint64)
        position = np.zeros(lanes, np.int64)
        index = np.zeros(lanes, np.int64)
        counts = np.zeros(lanes, np.int64)
        tails = np.zeros(lanes, np.int64)
        for row in range(height // slices + 1):
            for plane in range(planes):
                for lane in range(used):
                    y = (first + lane) * height // slices + row
                    if y >= (first + lane + 1) * height // slices:
                        counts[lane] = 0
                        tails[lane] = 0
                        continue
                    current = lines[lane, plane, row & 1]
                    above = lines[lane, plane, 1 - (row & 1)]
                    current[0] = above[1]
                    if plane < colors:
                        table = tables[min(plane, tables.shape[0] - 1)]
                        row_codes = codes[min(plane, codes.shape[0] - 1), y]
                        for x in range(width):
                            current[x + 1] = table[row_codes[x]]
                    else:
                        for x in range(width):
                            current[x + 1] = alpha[y, x]
                    _residuals(current, above, width, bits, residuals, nonzero)
                    counts[lane], tails[lane] = _compact(residuals, nonzero, width, lane, values, runs[lane])
                _golomb_rice(values, counts.max(), counts, state[(plane + 1) // 2], bits, lanes)
                for lane in range(used):
                    recent[lane], position[lane], index[lane] = _pack(
                        values,
                        lane,
                        counts[lane],
                        runs[lane],
                        tails[lane],
                        words[first + lane],
                        recent[lane],
                        position[lane],
                        index[lane],
                    )
        for lane in range(used):
            padding = 32 - (position[lane] & 31)
            last = np.uint32(recent[lane] << np.uint64(padding))
            words[first + lane, position[lane] >> 5] = _swap_bytes(last)  # type: ignore[call-arg]
            sizes[first + lane] = (position[lane] + 7) >> 3
