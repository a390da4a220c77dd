"""`spectrum`: singular values and PSNR by definition, bytes as stored, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pictures import SAMPLES, flat, load, noise, save, smooth
from skimage.metrics import peak_signal_noise_ratio
from videos import write_video

import streamvq
from streamvq.frames import Frame
from streamvq.report.spectrum import spectrum, spectrum_of
from streamvq.report.spectrum_stats import ENERGY_SHARES, FrameSpectrum, SpectrumAccumulator


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_video(tmp_path / "film.mkv", [smooth(shift=shift) for shift in range(6)])


def test_singular_values_and_psnr_of_each_channel() -> None:
    pixels = noise(20, 30)
    found = spectrum_of(Frame(pixels), [3, 20, 99])
    expected = [np.linalg.svd(pixels[..., c].astype(float), compute_uv=False) for c in range(3)]
    for values, own in zip(found.singular_values, expected, strict=True):
        np.testing.assert_allclose(values, own, rtol=1e-4, atol=1e-2)
    assert [stats.rank for stats in found.stats] == [3, 20]  # 99 is the full rank
    cut, whole = found.stats
    error = sum(float((own[3:] ** 2).sum()) for own in expected)
    shown = streamvq.low_rank(pixels, 3).pixels()
    assert cut.psnr_db == pytest.approx(peak_signal_noise_ratio(pixels, shown), abs=1e-9)
    assert cut.energy == pytest.approx(1 - error / sum(float((own**2).sum()) for own in expected), abs=1e-6)
    assert (whole.energy, whole.psnr_db) == (1, None)
    assert (cut.float_bytes, cut.raw_bytes) == (4 * 3 * 50 * 3, pixels.size)


def test_the_rank_that_keeps_a_share_of_the_energy() -> None:
    found = spectrum_of(Frame(load(SAMPLES / "photos" / "camera.png")))
    kept = np.cumsum(found.singular_values[0] ** 2)
    for share, rank in zip(ENERGY_SHARES, found.ranks, strict=True):
        assert kept[rank - 1] >= share * kept[-1]
        assert rank == 1 or kept[rank - 2] < share * kept[-1]
    assert spectrum_of(Frame(flat(0))).ranks == (0,) * len(ENERGY_SHARES)


@pytest.mark.parametrize("patch", [0, 4])
def test_stored_bytes_and_psnr_are_near_those_of_the_file(patch: int, tmp_path: Path) -> None:
    source = SAMPLES / "photos" / "china.jpg"
    found = spectrum(source, [6], patch=patch)
    streamvq.compress(source, tmp_path / "out.svq", method="svd", rank=6, patch=patch)
    (stats,) = found.stats
    found_in_file = streamvq.compare(source, tmp_path / "out.svq")
    assert stats.stored_psnr_db == pytest.approx(found_in_file.psnr_db, abs=0.1)
    assert stats.stored_bytes == pytest.approx(found_in_file.frames[0].bytes_test, rel=0.05)


def test_all_frames_together(film: Path) -> None:
    frames: list[FrameSpectrum] = []
    found = spectrum(film, [2, 5], every=2, jobs=3, on_frame=frames.append)
    assert [frame.index for frame in frames] == [0, 2, 4]
    assert (found.frames, frames[1].time, frames[1].height, frames[1].width) == (3, pytest.approx(0.08), 32, 48)
    total = SpectrumAccumulator()
    for shift in (0, 2, 4):
        total.add(spectrum_of(Frame(smooth(shift=shift)), [2, 5]))
    assert found.as_dict() == total.result().as_dict()
    np.testing.assert_allclose(
        found.singular_values, np.mean([frame.singular_values[0] for frame in frames], axis=0), rtol=1e-12
    )
    for share, ranks in enumerate(found.ranks):
        own = [frame.ranks[share] for frame in frames]
        assert ranks == (min(own), np.mean(own), max(own))
    assert found.stats[0].raw_bytes == 3 * frames[0].stats[0].raw_bytes


def test_smaller_frames_count_with_their_full_rank(tmp_path: Path) -> None:
    save(noise(8, 8), tmp_path / "in" / "a.png")
    save(noise(32, 32), tmp_path / "in" / "b.png")
    found = spectrum(tmp_path / "in", [4, 16])
    assert [stats.rank for stats in found.stats] == [4, 8, 16]
    assert found.stats[-1].float_bytes == 4 * 3 * (8 * 16 + 16 * 64)


@pytest.mark.parametrize("gray", [False, True], ids=["color", "gray"])
def test_psnr_is_that_of_the_output(gray: bool, tmp_path: Path) -> None:
    source = SAMPLES / "photos" / "china.jpg"
    found = spectrum(source, [10, 40], gray=gray)
    for stats in found.stats:
        said = streamvq.compress(source, tmp_path / "out.png", 8, rank=stats.rank, gray=gray, overwrite=True)
        assert stats.psnr_db == pytest.approx(said.truncation_psnr_db, abs=0.02)


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_a_plot_is_the_same_bytes_every_time(suffix: str, film: Path, tmp_path: Path) -> None:
    plot = tmp_path / f"plot{suffix}"
    spectrum(film, plot=plot, every=5)
    first = plot.read_bytes()
    with pytest.raises(streamvq.OutputExists):
        spectrum(film, plot=plot)
    plot.write_bytes(b"")
    spectrum(film, plot=plot, every=5, overwrite=True)
    assert plot.read_bytes() == first


def test_what_is_refused_before_any_work(film: Path, tmp_path: Path) -> None:
    for options in ({"ranks": [0]}, {"every": 0}, {"patch": 1}, {"jobs": -1}, {"plot": tmp_path / "a.gif"}):
        with pytest.raises(streamvq.UsageError):
            spectrum(film, **options)  # type: ignore[arg-type]
    with pytest.raises(streamvq.UsageError, match="do not fit"):
        spectrum(film, patch=64)
    with pytest.raises(streamvq.InputMissing):
        spectrum(tmp_path / "nothing.png")
