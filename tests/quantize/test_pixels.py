"""From pixels to samples: depth, gray, luma and alpha."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import noise

from streamvq.quantize.pixels import eight_bit, luma, split


def test_16_bits_round_to_the_nearest_of_8() -> None:
    deep = np.arange(65536, dtype=np.uint16)
    assert (eight_bit(deep) == np.floor(deep * (255 / 65535) + 0.5)).all()
    assert (eight_bit(np.arange(256, dtype=np.uint16) * 257) == np.arange(256)).all()


def test_8_bits_stay() -> None:
    pixels = noise()
    assert (eight_bit(pixels) == pixels).all()


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match="float64"):
        eight_bit(np.zeros((2, 2, 3)))


@given(st.integers(0, 255))
def test_gray_keeps_its_value_as_luma(level: int) -> None:
    assert luma(np.full((1, 1, 3), level, np.uint8)) == level


def test_luma_is_bt601() -> None:
    primaries = np.eye(3, dtype=np.uint8)[None] * 255
    assert luma(primaries).tolist() == [[76, 150, 29]]


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_split(channels: int, dtype: type) -> None:
    pixels = noise(5, 7, channels, dtype=dtype)
    before = pixels.copy()
    rgb, alpha = split(pixels, "rgb")
    gray, same_alpha = split(pixels, "gray")
    assert rgb.shape == (5, 7, 3)
    assert gray.shape == (5, 7)
    assert rgb.dtype == gray.dtype == np.uint8
    assert rgb.flags.c_contiguous
    assert gray.flags.c_contiguous
    assert (rgb == eight_bit(pixels)[..., : 3 if channels > 1 else 1]).all()
    assert (gray == luma(rgb)).all()
    if channels == 4:
        assert (alpha == eight_bit(pixels)[..., 3]).all()
        assert (same_alpha == alpha).all()
    else:
        assert alpha is None
    assert (pixels == before).all()


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 2), (4, 4, 5), (1, 4, 4, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="shape"):
        split(np.zeros(shape, np.uint8), "rgb")
