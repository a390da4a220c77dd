"""Our FFV1 packets, decoded by libav: every sample of every format, size and content comes back."""

from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np
import pytest

from streamvq import Codebook, FrameMeta, IndexFrame
from streamvq.media.ffv1.frames import FFV1Frames
from streamvq.media.ffv1.headers import configuration_record, slice_count

RNG = np.random.default_rng(7)
FULL_SWING = np.array([[0, 0, 0], [255, 0, 255], [0, 255, 0], [255, 255, 255], [255, 0, 0], [0, 0, 255]], np.uint8)


def decoded(packet: bytes, frame: IndexFrame, pix_fmt: str) -> np.ndarray:
    decoder = av.CodecContext.create("ffv1", "r")
    slices = slice_count(frame.width, frame.height)
    decoder.extradata = configuration_record(pix_fmt == "gray", pix_fmt == "bgra", slices)
    decoder.width, decoder.height = frame.width, frame.height
    pictures = [*decoder.decode(av.Packet(packet)), *decoder.decode(None)]
    (picture,) = pictures
    assert picture.format.name == pix_fmt
    plane = picture.planes[0]
    width = frame.width * (1 if pix_fmt == "gray" else 4)
    rows = np.frombuffer(plane, np.uint8).reshape(frame.height, plane.line_size)[:, :width]
    return rows if pix_fmt == "gray" else rows.reshape(frame.height, frame.width, 4)


def assert_exact(codes: np.ndarray, book: Codebook, alpha: np.ndarray | None = None) -> None:
    frame = IndexFrame(codes, FrameMeta(*codes.shape, alpha=alpha))
    encoder = FFV1Frames(book)
    pix_fmt = encoder.pixel_format(frame)
    pixels = decoded(encoder.encode(frame), frame, pix_fmt)
    if pix_fmt == "gray":
        np.testing.assert_array_equal(pixels, book.lookup(codes)[..., 0])
        return
    np.testing.assert_array_equal(pixels[..., 2::-1], book.palette[codes])
    if alpha is not None:
        np.testing.assert_array_equal(pixels[..., 3], alpha)


def book_of(count: int, space: str = "rgb") -> Codebook:
    return Codebook(RNG.integers(0, 256, (count, 1 if space == "gray" else 3)).astype(np.uint8), space)


def contents(height: int, width: int, count: int) -> list[np.ndarray]:
    """Noise, flat rectangles, a ramp, and sparse specks."""
    dtype = np.uint8 if count <= 256 else np.uint16
    flat = np.zeros((height, width), dtype)
    for _ in range(9):
        y, x = RNG.integers(0, height), RNG.integers(0, width)
        flat[y : y + height // 3 + 1, x : x + width // 3 + 1] = RNG.integers(0, count)
    ramp = ((np.arange(height)[:, None] + np.arange(width)) % count).astype(dtype)
    noise = RNG.integers(0, count, (height, width)).astype(dtype)
    return [noise, flat, ramp, np.where(RNG.random((height, width)) < 0.02, noise, dtype(0))]


@pytest.mark.parametrize("height", range(1, 13))
def test_every_small_size(height):
    for width in range(1, 13):
        for count in (1, 2, 5, 256):
            codes = RNG.integers(0, count, (height, width)).astype(np.uint8)
            alpha = RNG.integers(0, 256, (height, width)).astype(np.uint8)
            assert_exact(codes, book_of(count))
            assert_exact(codes, book_of(count), alpha)
            if count <= 256:
                assert_exact(codes, book_of(count, "gray"))
                assert_exact(codes, book_of(count, "gray"), alpha)


@pytest.mark.parametrize("size", [(64, 64), (65, 129), (240, 319), (1, 3000), (3000, 1), (37, 5000)])
@pytest.mark.parametrize("count", [2, 256, 65536])
def test_contents_of_every_kind(size, count):
    for codes in contents(*size, count):
        assert_exact(codes, book_of(count))
        assert_exact(codes, book_of(count), (codes & 255).astype(np.uint8))
        if count <= 256:
            assert_exact(codes, book_of(count, "gray"))


@pytest.mark.parametrize("share", [0.02, 1.0])
def test_residuals_of_full_swing(share):
    codes = np.where(RNG.random((100, 200)) < share, RNG.integers(0, 6, (100, 200)), 0).astype(np.uint8)
    assert_exact(codes, Codebook(FULL_SWING))


@pytest.mark.parametrize("width", [5000, 20000, 70000])
def test_very_long_runs_and_short_ones_after_them(width):
    codes = np.zeros((40, width), np.uint8)
    codes[20:30] = (RNG.random((10, width)) < 0.3) * RNG.integers(0, 4, (10, width))
    codes[35, ::7] = 1
    codes[35, ::9] = 2
    assert_exact(codes, Codebook(FULL_SWING))
    assert_exact(codes, Codebook(FULL_SWING[:, :1], "gray"))


def test_codes_need_not_be_contiguous():
    assert_exact(RNG.integers(0, 200, (100, 300)).astype(np.uint8)[::2, ::3], book_of(200))


def test_threads_do_not_disturb_each_other():
    book = book_of(256)
    frames = [IndexFrame(codes, FrameMeta(*codes.shape)) for codes in contents(120, 160, 256) * 4]
    encoder = FFV1Frames(book)
    alone = [encoder.encode(frame) for frame in frames]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(encoder.encode, frames)) == alone


def test_a_code_beyond_the_codebook_is_refused():
    codes = np.full((4, 4), 7, np.uint8)
    with pytest.raises(IndexError, match="code 7: the codebook has 7"):
        FFV1Frames(book_of(7)).encode(IndexFrame(codes, FrameMeta(4, 4)))
