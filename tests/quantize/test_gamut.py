"""Colors moved into the gamut of a palette: black, white and grays become its own, and all lies within."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pictures import noise, save, smooth
from scipy.spatial import Delaunay

import streamvq
from streamvq import Codebook, UsageError
from streamvq.frames import Frame
from streamvq.quantize.color_spaces import points_of
from streamvq.quantize.gamut import GamutMap

PANEL = np.array([[10, 10, 10], [161, 164, 165], [208, 190, 71], [156, 72, 75], [61, 59, 94], [58, 91, 70]], np.uint8)


def lab(colors: NDArray) -> NDArray:
    return points_of(colors.reshape(-1, 3), "oklab") / 65536


def test_all_colors_come_to_lie_within() -> None:
    mapped = GamutMap(PANEL).map(noise(40, 50))
    middle = lab(PANEL).mean(axis=0)
    slightly_larger = middle + 1.03 * (lab(PANEL) - middle)  # for the rounding to 8 bits
    assert (Delaunay(slightly_larger).find_simplex(lab(mapped)) >= 0).all()


def test_grays_go_from_the_black_of_the_palette_to_its_white() -> None:
    grays = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    mapped = GamutMap(PANEL).map(grays)[0]
    assert (mapped[[0, -1]] == PANEL[:2]).all()  # yellow is lighter, but no white
    assert (np.diff(mapped.astype(int), axis=0) >= 0).all()


def test_colors_that_differ_go_on_to_differ() -> None:
    """Strong reds, all nearest to one code, keep their order."""
    reds = np.stack([np.arange(130, 256, 25), np.zeros(6), np.zeros(6)], axis=1).astype(np.uint8)[None]
    assert len(np.unique(Codebook(PANEL).quantize(reds))) == 1
    assert (np.diff(GamutMap(PANEL).map(reds)[0, :, 0].astype(int)) > 3).all()


def test_a_palette_without_breadth_shows_lightness() -> None:
    for palette in (PANEL[:2], PANEL[:1], PANEL[[0, 1, 1]]):
        mapped = GamutMap(palette).map(noise(8, 8))
        assert np.ptp(mapped.astype(int), axis=2).max() <= 6


def test_the_same_everywhere() -> None:
    colors = np.array([[255, 0, 0], [0, 0, 255], [255, 220, 0], [90, 120, 100], [250, 250, 240]], np.uint8)
    assert GamutMap(PANEL).map(colors[None])[0].tolist() == [
        [115, 64, 58],
        [54, 62, 77],
        [146, 134, 64],
        [56, 76, 64],
        [158, 161, 155],
    ]


def test_frames_keep_their_alpha_and_are_compared_as_they_were(tmp_path: Path) -> None:
    pixels = np.dstack([smooth(), np.full((32, 48), 90, np.uint8)])
    framed = GamutMap(PANEL).map_frame(Frame(pixels)).pixels
    assert (framed[..., 3] == 90).all()
    assert (framed[..., :3] == GamutMap(PANEL).map(smooth())).all()
    book = Codebook(PANEL)
    result = streamvq.apply(save(smooth(), tmp_path / "a.png"), book, tmp_path / "b.png", fit_gamut=True)
    shown = book.lookup(book.quantize(GamutMap(PANEL).map(smooth())))
    error = np.square(smooth().astype(float) - shown).mean()
    assert result.psnr_db == pytest.approx(10 * np.log10(255**2 / error), abs=1e-3)


def test_what_has_no_gamut(refused: Callable, tmp_path: Path) -> None:
    source = save(smooth(), tmp_path / "a.png")
    assert "blocks" in refused("compress", source, "--block", 4, "--fit-gamut", "-o", tmp_path / "a.svq", exit=2)
    assert "--fit-gamut" in refused("compress", source, "--strict", "--fit-gamut", exit=2)
    with pytest.raises(UsageError, match="fit_gamut"):
        streamvq.compress(source, method="svd", rank=3, fit_gamut=True)
