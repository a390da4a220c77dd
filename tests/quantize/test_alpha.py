"""Codes with alpha: how they are fitted, found and kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pictures import few_colors, noise, smooth

import streamvq
from streamvq import Codebook, CodebookError, Frame, UsageError
from streamvq.quantize.histogram import ColorHistogram
from streamvq.quantize.translucent import TranslucentColors
from streamvq.quantize.transparency import flatten, threshold

ENTRIES = np.array(
    [[0, 0, 0, 0], [200, 30, 30, 90], [10, 10, 200, 200], [255, 255, 255, 255], [0, 0, 0, 255]], np.uint8
)


def book_of(entries: NDArray[np.uint8]) -> Codebook:
    return Codebook(np.ascontiguousarray(entries[:, :3]), alpha=entries[:, 3])


def soft(height: int = 24, width: int = 40) -> NDArray[np.uint8]:
    """Gradients that fade out to the right, with a transparent rim whose color is noise."""
    pixels = np.dstack([smooth(height, width), np.broadcast_to(np.linspace(255, 0, width), (height, width))])
    pixels = pixels.astype(np.uint8)
    pixels[:2] = noise(2, width, 4)
    pixels[:2, :, 3] = 0
    return pixels


def looks(pixels: NDArray, level: int) -> NDArray[np.float64]:
    """Pixels with alpha over a gray level."""
    alpha = pixels[..., 3:].astype(np.float64) / 255
    return pixels[..., :3] * alpha + level * (1 - alpha)


def errors(pixels: NDArray, entries: NDArray) -> NDArray[np.float64]:
    """The mean of the squared errors over black and over white, of each pixel [n, 4] with each entry [k, 4]."""
    return sum(
        ((looks(pixels, level)[:, None] - looks(entries, level)) ** 2).sum(axis=2) for level in (0, 255)
    ) / np.float64(2)


def test_translucent_pixels_take_the_code_that_looks_most_like_them() -> None:
    pixels = noise(16, 16, 4)
    pixels[..., 3] = pixels[..., 3].clip(1, 254)
    entries = noise(1, 20, 4, seed=3)[0]
    entries[0, 3] = 255
    rows = book_of(entries).quantize(pixels).ravel()
    costs = errors(pixels.reshape(-1, 4), entries)
    assert np.allclose(costs[np.arange(len(rows)), rows], costs.min(axis=1))


def test_opaque_pixels_stay_opaque_and_transparent_ones_transparent() -> None:
    pixels = noise(16, 16, 4)
    pixels[..., 3] = np.where(pixels[..., 3] > 99, 255, 0)
    book = book_of(ENTRIES)
    coded, error = book.quantize_frame(Frame(pixels))
    assert coded.alpha is None
    alpha = book.alpha_of(coded)
    assert alpha is not None
    assert (alpha == pixels[..., 3]).all()
    assert (coded.codes[pixels[..., 3] == 0] == book.transparent).all()
    shown = pixels[pixels[..., 3] == 255][:, :3].astype(int)
    assert error == ((shown - book.codes[coded.codes[pixels[..., 3] == 255]]) ** 2).sum()


def test_the_error_is_the_mean_over_black_and_over_white() -> None:
    pixels, book = soft(), book_of(ENTRIES)
    coded, error = book.quantize_frame(Frame(pixels))
    picture = book.lookup(coded.codes)
    assert picture.shape == pixels.shape
    expected = sum(((looks(pixels, level) - looks(picture, level)) ** 2).sum() for level in (0, 255)) / 2
    assert error == pytest.approx(expected, abs=1)


def test_opaque_frames_of_a_codebook_with_alpha() -> None:
    book, picture = book_of(ENTRIES), noise()
    assert set(np.unique(book.quantize(picture))) == {3, 4}
    for name in ("bayer4", "yliluoma", "floyd-steinberg"):
        dithered = book.nearest_frame(Frame(soft()), book.dither(name)).coded.codes
        opaque = soft()[..., 3] == 255
        assert set(np.unique(dithered[opaque])) <= {3, 4}
        assert (dithered[~opaque] == book.quantize(soft())[~opaque]).all()


def test_lossy_keeps_holes() -> None:
    pixels, book = soft(), book_of(ENTRIES)
    chosen = book.optimized_frame(book.nearest_frame(Frame(pixels)), None, 30)
    assert (chosen.codes[pixels[..., 3] == 0] == 0).all()
    assert (chosen.codes != book.quantize(pixels)).any()


def test_opaque_alpha_is_no_alpha() -> None:
    codes = ENTRIES[:, :3].copy()
    plain, opaque = Codebook(codes), Codebook(codes, alpha=np.full(5, 255, np.uint8))
    assert opaque.alpha is None
    assert opaque.fingerprint == plain.fingerprint != book_of(ENTRIES).fingerprint
    assert opaque.to_bytes() == plain.to_bytes()


def test_files_keep_alpha(tmp_path: Path) -> None:
    book = book_of(ENTRIES)
    book.save(tmp_path / "a.npz")
    back = Codebook.load(tmp_path / "a.npz")
    assert back == book
    assert back.alpha is not None
    assert (back.alpha == ENTRIES[:, 3]).all()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"alpha": np.zeros(4, np.uint8)}, "shape"),
        ({"alpha": np.zeros(5, np.int16)}, "int16"),
        ({"alpha": np.zeros(5, np.uint8), "space": "gray", "codes": ENTRIES[:, :1]}, "single RGB pixels"),
    ],
)
def test_alpha_that_does_not_fit(fields: dict, message: str) -> None:
    with pytest.raises(CodebookError, match=message):
        Codebook(**{"codes": ENTRIES[:, :3]} | fields)


def test_few_entries_are_kept_exactly() -> None:
    picture = ENTRIES[noise(9, 9, 1)[..., 0] % 5]
    book = streamvq.fit(picture, 8)
    assert len(book) == 5
    assert (book.lookup(book.quantize(picture)) == picture).all()
    assert book.transparent == 0


@pytest.mark.parametrize("k", [2, 3, 16, 40])
def test_the_transparent_entry_is_one_of_k(k: int) -> None:
    book = streamvq.fit(soft(), k)
    assert len(book) == k
    assert book.alpha is not None
    assert (book.transparent, np.count_nonzero(book.alpha == 0)) == (0, 1)
    assert len(np.unique(np.column_stack([book.codes, book.alpha]), axis=0)) == k
    assert (book.alpha[1:] >= book.alpha[:-1]).all()
    assert 255 in book.alpha


def test_more_codes_are_nearer_and_color_under_transparency_does_not_count() -> None:
    error = [book.quantize_frame(Frame(soft()))[1] for book in (streamvq.fit(soft(), k) for k in (4, 16, 64))]
    assert error == sorted(error, reverse=True)
    assert error[0] > 4 * error[2]
    other = soft()
    other[other[..., 3] == 0, :3] = 77
    assert streamvq.fit(other, 16) == streamvq.fit(soft(), 16)


def test_what_is_not_there_costs_nothing() -> None:
    """Opaque pictures are fitted as ever; holes cost one code, and the others are those of the rest."""
    picture = smooth()
    full = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    assert streamvq.fit(full, 16) == streamvq.fit(picture, 16)
    full[:, :8, 3] = 0
    holes = streamvq.fit(full, 16)
    assert (holes.codes[1:] == streamvq.fit(picture[:, 8:], 15).codes).all()


def test_only_translucent() -> None:
    picture = np.dstack([noise(8, 8), np.full((8, 8), 40, np.uint8)])
    book = streamvq.fit(picture, 4)
    assert book.alpha is not None
    assert (book.alpha == 40).all()
    assert (book.quantize(noise(4, 4)) < 4).all()


def test_the_transparent_index() -> None:
    book = streamvq.fit(soft(), 8, transparent_index=7)
    assert (len(book), book.transparent) == (8, 7)
    assert streamvq.fit(few_colors(5), 8, transparent_index=2).transparent == 2
    assert streamvq.fit(few_colors(5), 8, transparent_index=6).transparent == 6


def test_reserved_colors_beside_a_transparent_one() -> None:
    book = streamvq.fit(soft(), 8, transparent_index=2, reserve=["#ff00ff", "#00ff00@7"])
    assert book.alpha is not None
    assert (len(book), book.transparent, np.count_nonzero(book.alpha == 0)) == (8, 2, 1)
    assert book.codes[[0, 7]].tolist() == [[255, 0, 255], [0, 255, 0]]
    assert book.reserved == (0, 2, 7)
    palette = Codebook(ENTRIES[:, :3].copy(), alpha=ENTRIES[:, 3])
    kept = streamvq.fit(soft(), 9, palette=palette)
    assert kept.alpha is not None
    assert (np.column_stack([kept.codes, kept.alpha])[:5] == ENTRIES).all()
    with pytest.raises(UsageError, match="index 2 is taken"):
        streamvq.fit(soft(), 8, transparent_index=2, reserve=["#ff00ff@2"])


def test_sketches_do_not_depend_on_order() -> None:
    pictures = [noise(16, 16, 4, seed) for seed in range(3)]
    one, other = ColorHistogram(), ColorHistogram()
    one.translucent, other.translucent = TranslucentColors(300), TranslucentColors(300)
    for picture in pictures:
        one.absorb(picture)
    for picture in pictures[::-1]:
        part = ColorHistogram()
        part.translucent = TranslucentColors(300)
        part.absorb(picture)
        other.merge(part)
    assert one.translucent.shift == other.translucent.shift > 0
    assert one.translucent.distinct() <= 300
    assert one.translucent.exact_colors() is None
    for ours, theirs in zip(one.translucent.points(), other.translucent.points(), strict=True):
        assert (ours == theirs).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_flatten_and_threshold(dtype: type) -> None:
    top = np.iinfo(dtype).max
    pixels = noise(9, 9, 4, dtype=dtype)
    below = np.array([255, 128, 0]) * (top // 255)
    share = pixels[..., 3:].astype(float) / top
    assert np.abs(flatten(pixels, (255, 128, 0)) - (pixels[..., :3] * share + below * (1 - share))).max() <= 0.5
    cut = threshold(pixels)
    assert (cut[..., 3] == np.where(share[..., 0] > 0.5, top, 0)).all()
    assert (cut[..., :3] == pixels[..., :3]).all()


def seen(*pixels: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.array([pixels], np.uint8)


def test_given_colors_that_do_not_occur_take_no_place_of_those_that_do() -> None:
    opaque = [(255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 255), (255, 255, 0, 255)]
    translucent = [(9, 9, 9, 100), (9, 90, 9, 120), (90, 9, 9, 140), (9, 9, 90, 160)]
    book = streamvq.fit(seen(*opaque, *translucent), 8, reserve=["#101010", "#202020", "#303030", "#404040"])
    assert book.alpha is not None
    assert np.count_nonzero(book.alpha[4:] == 255) in (1, 2, 3)
    every = streamvq.fit(seen(*opaque, *translucent), 12, reserve=["#101010", "#202020", "#303030", "#404040"])
    entries = np.column_stack([every.codes, every.alpha])
    assert {tuple(entry) for entry in entries.tolist()} >= {*opaque, *translucent}


def test_given_opaque_colors_leave_the_codes_to_the_others() -> None:
    opaque = few_colors(16, 8, 8)
    pixels = np.vstack([np.dstack([opaque, np.full((8, 8), 255, np.uint8)]), soft(20, 8)[2:]])
    colors = np.unique(opaque.reshape(-1, 3), axis=0)
    palette = Codebook(colors)
    book = streamvq.fit(pixels, len(colors) + 16, palette=palette)
    assert len(book) == len(colors) + 16
