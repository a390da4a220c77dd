"""Spaces that colors are compared in: what the formulas say; codes are nearest and fitted there."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pictures import codebook, noise, save, smooth

import streamvq
from streamvq import Codebook, CodebookError, UsageError, VectorQuantizer
from streamvq.options import MATCHINGS, CompressOptions, FitOptions
from streamvq.quantize.color_fit import fit_colors
from streamvq.quantize.color_spaces import ONE, colors_at, level_points, near_point_of, points_of
from streamvq.quantize.gray_fit import optimal_levels
from streamvq.quantize.histogram import ColorHistogram

COLORS = np.concatenate(
    [
        noise(32, 32).reshape(-1, 3),
        noise(8, 8, seed=1).reshape(-1, 3) % 9,
        np.repeat(np.arange(256)[:, None], 3, axis=1),
    ]
).astype(np.uint8)


def formula(colors: NDArray, matching: str) -> NDArray:
    """sRGB to linear light, and Ottosson's matrices, in floating point."""
    levels = colors / 255
    light = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    if matching == "linear":
        return light
    to_lms = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    to_lab = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    return np.cbrt(light @ np.array(to_lms).T) @ np.array(to_lab).T


@pytest.mark.parametrize("matching", ["linear", "oklab"])
def test_points_are_what_the_formulas_say(matching: str) -> None:
    points = points_of(COLORS, matching)
    assert np.abs(points / ONE - formula(COLORS, matching)).max() < 2 / ONE
    assert (colors_at(points.astype(np.float64), matching) == COLORS).all()


def test_points_never_change() -> None:
    colors = np.array([[255, 255, 255], [0, 0, 0], [1, 2, 3], [255, 0, 0], [64, 128, 192]], np.uint8)
    assert points_of(colors, "rgb").tolist() == colors.tolist()
    assert points_of(colors, "linear").tolist() == [
        [65536, 65536, 65536], [0, 0, 0], [20, 40, 60], [65536, 0, 0], [3360, 14147, 34545],
    ]  # fmt: skip
    assert points_of(colors, "oklab").tolist() == [
        [65536, 0, 0], [0, 0, 0], [5394, -257, -460], [41154, 14737, 8247], [38483, -2591, -7331],
    ]  # fmt: skip


def test_points_for_dither_are_near() -> None:
    """To a twentieth of a level on average, and to one in the darkest colors."""
    place = MATCHINGS.index("oklab")
    near = np.array([near_point_of(place, *color) for color in COLORS.tolist()])
    away = np.abs(near - points_of(COLORS, "oklab")) * 255 / ONE
    assert away.mean() < 0.05
    assert away.max() < 1


def test_gray_has_no_color() -> None:
    grays = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    assert not points_of(grays, "oklab")[:, 1:].any()
    for matching in MATCHINGS:
        assert (np.diff(level_points(matching)) > 0).all()


@pytest.mark.parametrize("matching", MATCHINGS)
@pytest.mark.parametrize("count", [2, 300])
def test_the_nearest_code_is_nearest_in_the_space(matching: str, count: int) -> None:
    book = Codebook(codebook(count).codes, matching=matching)
    points, codes = points_of(COLORS, matching), points_of(book.codes, matching)
    distances = ((points[:, None] - codes[None]) ** 2).sum(axis=2)
    assert (book.quantize(COLORS[None])[0] == distances.argmin(axis=1)).all()


@pytest.mark.parametrize("matching", ["linear", "oklab"])
def test_the_nearest_level_is_nearest_in_the_space(matching: str) -> None:
    levels = np.arange(256, dtype=np.uint8)[None]
    book = Codebook(np.array([[3], [60], [61], [200]], np.uint8), "gray", matching=matching)
    at = level_points(matching)
    assert (book.quantize(levels)[0] == np.abs(at[:, None] - at[book.codes[:, 0]]).argmin(axis=1)).all()


@pytest.mark.parametrize("matching", ["linear", "oklab"])
def test_codes_are_fitted_in_the_space(matching: str) -> None:
    sketch = ColorHistogram()
    sketch.absorb(smooth(48, 64))

    def error(codes: NDArray) -> float:
        points, weights = sketch.points(0, matching)
        distances = ((points[:, None] - points_of(codes, matching)[None]) ** 2).sum(axis=2)
        return float((weights * distances.min(axis=1)).sum())

    codes = fit_colors(sketch, 8, 0, matching)
    assert len(codes) == 8
    assert error(codes) < error(fit_colors(sketch, 8, 0))


def test_gray_levels_are_optimal_in_linear_light() -> None:
    levels, weights = np.arange(0, 60, 5, dtype=np.uint8), np.arange(1, 13) ** 3
    at = level_points("linear")

    def error(codes: NDArray) -> int:
        return int((weights * ((at[levels][:, None] - at[codes]) ** 2).min(axis=1)).sum())

    codes = optimal_levels(levels, weights, 2, "linear")[:, 0]
    assert error(codes) == min(error(np.array(pair)) for pair in combinations(range(60), 2))


def test_a_codebook_keeps_its_space(tmp_path: Path) -> None:
    book = streamvq.fit(smooth(), 4, space="oklab")
    book.save(tmp_path / "book.npz")
    loaded = Codebook.load(tmp_path / "book.npz")
    assert (loaded.space, loaded.matching) == ("rgb", "oklab")
    assert loaded == book != book.matched_in("rgb")
    assert book.fingerprint == book.matched_in("rgb").fingerprint  # the indices mean the same
    assert "oklab" in repr(book)
    assert VectorQuantizer(4, space="oklab").fit(smooth()[None]).codebook_ == book


def test_codes_that_extend_a_codebook_are_compared_as_its_own() -> None:
    book = streamvq.fit(smooth(), 3, space="oklab")
    extended = streamvq.fit(smooth(), codebook=book, extend=2)
    assert (len(extended), extended.matching) == (5, "oklab")
    assert streamvq.fit(smooth(), codebook=book, extend=2, space="rgb").matching == "rgb"


@pytest.mark.parametrize("external", [False, True])
def test_a_file_keeps_the_space_of_its_codes(tmp_path: Path, external: bool) -> None:
    picture, book = save(smooth(), tmp_path / "a.png"), codebook(5)
    streamvq.apply(picture, book, tmp_path / "a.svq", space="linear", external_codebook=external)
    with streamvq.open(tmp_path / "a.svq", book if external else None) as clip:
        assert clip.codebook == book.matched_in("linear")
        assert (clip.indices[0] == book.matched_in("linear").quantize(smooth())).all()


def test_what_is_there_already_was_made_in_its_space(tmp_path: Path) -> None:
    picture, book = save(smooth(), tmp_path / "a.png"), codebook(5)
    for name in ("b.png", "b.svq"):
        streamvq.apply(picture, book, tmp_path / name, space="oklab")
        assert streamvq.apply(picture, book, tmp_path / name, space="oklab", skip_existing=True).skipped
        with pytest.raises(streamvq.OutputExists, match="space=oklab"):
            streamvq.apply(picture, book, tmp_path / name, skip_existing=True)


@pytest.mark.parametrize(
    "options",
    [
        {"block": 4, "space": "oklab"},
        {"gray": True, "block": 2, "space": "linear"},
        {"gray": True, "space": "rgb"},
        {"method": "svd", "rank": 3, "space": "linear"},
        {"codebook": "a.npz", "space": "ycbcr420"},
    ],
    ids=str,
)
def test_what_has_no_such_space_is_refused(options: dict) -> None:
    with pytest.raises(UsageError, match="space"):
        CompressOptions(**options)


def test_blocks_have_a_space_of_their_own() -> None:
    blocks = np.zeros((1, 12), np.uint8)
    assert FitOptions(gray=True, space="oklab").matching == "oklab"
    with pytest.raises(CodebookError, match="blocks"):
        Codebook(blocks, "rgb", (2, 2), matching="oklab")
    with pytest.raises(UsageError, match="compared in rgb"):
        Codebook(blocks, "rgb", (2, 2)).matched_in("oklab")
