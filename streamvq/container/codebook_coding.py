"""Codebooks in few bytes: each sample is predicted, and its residual is range coded (FORMAT.md, section 4).

A block's samples are predicted from those to the left and above (the median predictor of LOCO-I, Weinberger,
Seroussi and Sapiro 2000), its first ones from the code before it, which is similar, as codes are sorted; to red and
blue is added the residual of green. Single colors are sorted by luma: their green is predicted as what gives them the
luma of the color before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamvq.compiling import njit
from streamvq.container.entropy.range_coder import FLUSH_WORDS, HALF, MAX_PADDING, U, code_bit, flush, init_coder
from streamvq.options import MAX_SAMPLES
from streamvq.quantize.blocks import code_length
from streamvq.quantize.codebook import Codebook

_N_PLANES = 3
_N_ACTIVITIES = 8  # classes of how much the samples around differ
_N_LENGTHS = 9  # bit lengths of a residual: 0 to 8
_BY_LUMA = 3  # plane 0, predicted by luma: the green of single colors
_FIRST_PROBABILITY = HALF
_MAX_COUNT = 6  # a probability moves by 2^-7 of the way in the end
_MIN_P0, _MAX_P0 = (
    64,
    65472,
)  # what probabilities move toward: 2^-10 from certainty, so that no bit costs more than 10
_MAX_LEVEL = 255
_NO_SAMPLE = -1
_MIDDLE = 128  # of a code before the first
_LUMA_RED, _LUMA_GREEN, _LUMA_BLUE = 299, 587, 114  # in 1000ths, ITU-R BT.601
_FEW_SAMPLES = 1024  # that Python codes in less time than it takes to import Numba
_WORDS_PER_SAMPLE, _WORDS_OF_FLUSH = 5, 16  # 16 decisions a sample at most, of at most 10 bits each


class Step(NamedTuple):
    """A sample of a code in order of coding, all int64. The next three are samples of its plane that predict it, the
    same where some are missing, _NO_SAMPLE where all are; `green` is that of its pixel, _NO_SAMPLE for none."""

    sample: Any
    left: Any
    above: Any
    corner: Any
    green: Any
    plane: Any


class ResidualModel(NamedTuple):
    """Probabilities of a 0, uint16 [3, n] in 65536ths, and how many bits each has seen, uint8, up to _MAX_COUNT.

    Rows: is the bit length greater; the sign; the bits below the top one. Unlike those of section 8.2, they move by
    powers of two: codebooks are small, and were coded before."""

    p0: Any
    counts: Any


def encode_codes(codebook: Codebook) -> bytes:
    """The codes of a codebook as bytes."""
    codes = codebook.codes.copy()
    words = np.zeros(_WORDS_PER_SAMPLE * codes.size + _WORDS_OF_FLUSH, np.uint32)
    used = int(_coder(codes.size)(words, codes, _steps(codebook.block, codebook.space), False))
    data = words[:used].astype(">u4").tobytes()
    return data[:-MAX_PADDING] + data[-MAX_PADDING:].rstrip(b"\0")


def decode_codes(
    data: bytes, n_codes: int, block: tuple[int, int], space: str, alpha: bytes | None = None
) -> Codebook:
    """The codebook of `n_codes` codes, with their `alpha`, a byte each.

    Raises ValueError or CodebookError where data cannot be such a codebook.
    """
    length = code_length(block, space)
    if n_codes * length > MAX_SAMPLES:
        raise ValueError(f"{n_codes} codes of {length} samples are more than any codebook has")
    words = np.frombuffer(data + bytes(-len(data) % 4), ">u4").astype(np.uint32)
    codes = np.zeros((n_codes, length), np.uint8)
    used = int(_coder(codes.size)(words, codes, _steps(block, space), True))
    if not len(words) <= used <= len(words) + FLUSH_WORDS:
        raise ValueError(f"{len(data)} bytes are not what {n_codes} codes take")
    return Codebook(codes, space, block, alpha=None if alpha is None else np.frombuffer(alpha, np.uint8))


def _steps(block: tuple[int, int], space: str) -> NDArray[np.int64]:
    """The steps of a code, in order: int64 [d, 6], the fields of `Step`."""
    height, width = block
    steps = []
    if space == "rgb" and height == width == 1:
        return np.array([(0, -1, -1, -1, -1, 1), (2, -1, -1, -1, 0, 2), (1, -1, -1, -1, -1, _BY_LUMA)], np.int64)
    if space == "rgb":
        for y in range(height):
            for x in range(width):
                pixel = 3 * (y * width + x)
                for plane, channel in enumerate((1, 0, 2)):  # green first
                    around = _around(x, y, 3, 3 * width, pixel + channel)
                    steps.append((pixel + channel, *around, pixel + 1 if plane else -1, plane))
        return np.array(steps, np.int64)
    planes = [(height, width, 0)]
    if space == "ycbcr420":
        quarter = height * width // 4
        planes += [(height // 2, width // 2, start) for start in (height * width, height * width + quarter)]
    for plane, (rows, columns, start) in enumerate(planes):
        for y in range(rows):
            for x in range(columns):
                sample = start + y * columns + x
                steps.append((sample, *_around(x, y, 1, columns, sample), -1, plane))
    return np.array(steps, np.int64)


def _around(x: int, y: int, stride: int, row_stride: int, sample: int) -> tuple[int, int, int]:
    """The samples to the left, above, and in the corner; where one is missing, another; -1 where all are."""
    left, above = sample - stride if x else -1, sample - row_stride if y else -1
    if left < 0 or above < 0:
        left = above = max(left, above)
    return left, above, sample - row_stride - stride if x and y else left


@njit(nogil=True)
def _median_prediction(code: Any, before: Any, sample: Any, left: Any, above: Any, corner: Any) -> Any:
    """The median prediction of a sample from those around it, or from the code before."""
    if left < 0:
        return np.int64(before[sample])
    a, b, c = np.int64(code[left]), np.int64(code[above]), np.int64(code[corner])
    return max(min(a, b), min(max(a, b), a + b - c))


@njit(nogil=True)
def _clip(value: Any) -> Any:
    """A level of 8 bits."""
    return min(max(value, 0), _MAX_LEVEL)


@njit(nogil=True)
def _predict(code: Any, before: Any, step: Any) -> Any:
    """The prediction of a sample."""
    sample, left, above, corner, green, plane = step
    prediction = _median_prediction(code, before, sample, left, above, corner)
    if plane == _BY_LUMA:
        red, blue = np.int64(before[0]) - np.int64(code[0]), np.int64(before[2]) - np.int64(code[2])
        prediction = _clip(np.int64(before[1]) + (_LUMA_RED * red + _LUMA_BLUE * blue) // _LUMA_GREEN)
    elif green >= 0:
        shift = green - sample
        near = left + shift if left >= 0 else left
        green_prediction = _median_prediction(code, before, green, near, above + shift, corner + shift)
        prediction = _clip(prediction + np.int64(code[green]) - green_prediction)
    return prediction


@njit(nogil=True)
def _activity_class(code: Any, step: Any, residuals: Any) -> Any:
    """The class of residuals and differences around a sample: their sum's bit length, at most 7."""
    activity = residuals
    if step.left >= 0:
        activity += abs(np.int64(code[step.left]) - np.int64(code[step.corner]))
        activity += abs(np.int64(code[step.above]) - np.int64(code[step.corner]))
    length = 0
    while length < _N_ACTIVITIES - 1 and activity >> length:
        length += 1
    return length


@njit(nogil=True)
def _code_model_bit(words: Any, coder: Any, model: Any, row: Any, index: Any, bit: Any, decoding: Any) -> Any:
    """Code a bit by the probability at [row, index], which adapts fast at first. Returns the coder, and the bit."""
    p0, count = np.int64(model.p0[row, index]), model.counts[row, index]
    coder, bit = code_bit(words, coder, U(p0), bit, decoding)
    if count < _MAX_COUNT:
        model.counts[row, index] = count + 1
    target = _MIN_P0 if bit else _MAX_P0
    model.p0[row, index] = np.uint16(p0 + ((target - p0) >> np.int64(1 + count)))
    return coder, bit


@njit(nogil=True)
def _code_residual(
    words: Any, coder: Any, model: Any, residual: Any, plane: Any, activity: Any, decoding: Any
) -> Any:
    """Code a residual. Returns the coder, and the residual."""
    magnitude = abs(residual)
    context = (plane * _N_ACTIVITIES + activity) * _N_LENGTHS
    length = 0
    while length < _N_LENGTHS - 1:
        coder, longer = _code_model_bit(words, coder, model, 0, context + length, magnitude >> length > 0, decoding)
        if not longer:
            break
        length += 1
    if length == 0:
        return coder, np.int64(0)
    coder, negative = _code_model_bit(words, coder, model, 1, context, residual < 0, decoding)
    value = np.int64(1)
    for bit_index in range(length - 2, -1, -1):
        bit = magnitude >> bit_index & 1 == 1
        index = (plane * _N_LENGTHS + length) * _N_LENGTHS + (bit_index if value == 1 else _N_LENGTHS - 1)
        coder, bit = _code_model_bit(words, coder, model, 2, index, bit, decoding)
        value = 2 * value + np.int64(bit)
    return coder, -value if negative else value


def _coder(n_samples: int) -> Callable[..., Any]:
    """`_code_codebook`, in the way that is fast for a codebook of so many samples."""
    kernel: Any = _code_codebook
    return kernel if n_samples > _FEW_SAMPLES else kernel.interpreted_once  # type: ignore[no-any-return]


@njit(nogil=True, cache=True)
def _code_codebook(words: Any, codes: Any, steps: Any, decoding: Any) -> Any:
    """Encode `codes` into `words`, or decode words into them. Returns how many words are used."""
    shape = (3, _N_PLANES * _N_LENGTHS * _N_LENGTHS)
    model = ResidualModel(np.full(shape, np.uint16(_FIRST_PROBABILITY)), np.zeros(shape, np.uint8))
    magnitudes = np.zeros(steps.shape[0], np.int64)  # of the residuals of the code before, by step
    before = np.full(codes.shape[1], np.uint8(_MIDDLE))
    coder = init_coder(words, decoding)
    for row in range(codes.shape[0]):
        code = codes[row]
        if decoding and coder.position > words.size + FLUSH_WORDS:
            break  # hostile data: all that follows would be made of zeros
        for i in range(steps.shape[0]):
            step = Step(steps[i, 0], steps[i, 1], steps[i, 2], steps[i, 3], steps[i, 4], steps[i, 5])
            prediction = _predict(code, before, step)
            activity = _activity_class(code, step, magnitudes[i] + (magnitudes[i - 1] if i else 0))
            residual = np.int64(0)
            if not decoding:
                residual = np.int64(code[step.sample]) - prediction
            coder, residual = _code_residual(
                words, coder, model, residual, step.plane % _N_PLANES, activity, decoding
            )
            if decoding:
                code[step.sample] = np.uint8(prediction + residual)
            magnitudes[i] = abs(residual)
        before = code
    return coder.position if decoding else flush(words, coder)
