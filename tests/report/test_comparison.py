"""`compare`: every figure by its definition, and against scikit-image and the ffmpeg program."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pictures import SAMPLES, codebook, few_colors, flat, load, noise, save, smooth
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from videos import write_smooth_video, write_video

import streamvq
from streamvq import MediaError, compare
from streamvq.progress import NoProgress
from streamvq.quantize.pixels import luma

CLIP = [smooth(shift=shift // 2) for shift in range(12)]  # every second frame repeats the one before


def coarse(pixels: np.ndarray, step: int = 32) -> np.ndarray:
    return (pixels // step * step + step // 2).astype(np.uint8)


COARSE = [coarse(pixels, 8 << i % 3) for i, pixels in enumerate(CLIP)]


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(peak_signal_noise_ratio(a, b, data_range=255))


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    return float(structural_similarity(luma(a), luma(b), **options))


@pytest.fixture
def videos(tmp_path: Path) -> tuple[Path, Path]:
    reference = write_video(tmp_path / "ref.mkv", CLIP)
    return reference, write_video(tmp_path / "test.mkv", COARSE)


def test_every_frame_and_all_of_them(videos: tuple[Path, Path]) -> None:
    result = compare(*videos)
    assert (result.reference, result.test) == (str(videos[0]), str(videos[1]))
    for i, (frame, a, b) in enumerate(zip(result.frames, CLIP, COARSE, strict=True)):
        assert (frame.index, frame.name, frame.time) == (i, None, pytest.approx(i / 25))
        assert (frame.width, frame.height) == (48, 32)
        assert frame.psnr_db == pytest.approx(psnr(a, b), abs=1e-9)
        assert frame.psnr_luma_db == pytest.approx(psnr(luma(a), luma(b)), abs=1e-9)
        assert frame.ssim == pytest.approx(ssim(a, b), abs=1e-9)
        assert frame.colors_reference == len(np.unique(a.reshape(-1, 3), axis=0))
        assert frame.colors_test == len(np.unique(b.reshape(-1, 3), axis=0))
    assert result.psnr_db == pytest.approx(psnr(np.stack(CLIP), np.stack(COARSE)), abs=1e-9)
    assert result.psnr_luma_db == pytest.approx(psnr(luma(np.stack(CLIP)), luma(np.stack(COARSE))), abs=1e-9)
    assert result.ssim == pytest.approx(np.mean([frame.ssim for frame in result.frames]))
    assert result.colors_test == len(np.unique(np.stack(COARSE).reshape(-1, 3), axis=0))


def test_flicker(videos: tuple[Path, Path]) -> None:
    result = compare(*videos)
    still_total = changed_total = 0
    for i, frame in enumerate(result.frames):
        still = (CLIP[i] == CLIP[i - 1]).all(axis=2) if i else np.zeros((32, 48), bool)
        changed = still & (COARSE[i] != COARSE[i - 1]).any(axis=2)
        still_total, changed_total = still_total + still.sum(), changed_total + changed.sum()
        assert frame.flicker == (pytest.approx(changed.sum() / still.sum()) if still.any() else None)
    assert result.flicker == pytest.approx(changed_total / still_total)
    assert result.flicker is not None
    assert result.flicker > 0.3
    assert compare(videos[0], videos[0]).flicker == 0


def test_one_codebook_does_not_flicker(videos: tuple[Path, Path], tmp_path: Path) -> None:
    streamvq.compress(videos[0], tmp_path / "out.svq", n_codes=8)
    assert compare(videos[0], tmp_path / "out.svq").flicker == 0


@pytest.mark.parametrize("suffix", [".mkv", ".svq"])
def test_the_same_for_any_number_of_workers(suffix: str, videos: tuple[Path, Path], tmp_path: Path) -> None:
    streamvq.compress(videos[0], tmp_path / f"out{suffix}", n_codes=8)
    results = [compare(videos[0], tmp_path / f"out{suffix}", jobs=jobs) for jobs in (1, 5)]
    assert results[0] == results[1]


@pytest.mark.slow
@pytest.mark.parametrize("output", ["out.svq", "out.mkv", "out", "out.png"])
def test_the_psnr_that_compress_says(output: str, tmp_path: Path) -> None:
    source = SAMPLES / "photos" / ("china.jpg" if output == "out.png" else "")
    if output == "out.mkv":
        source = write_smooth_video(tmp_path, 5)
    said = streamvq.compress(source, tmp_path / output, n_codes=16)
    result = compare(source, tmp_path / output)
    assert result.psnr_db == pytest.approx(said.psnr_db, abs=1e-9)
    assert (result.bytes_reference, result.bytes_test) == (said.bytes_in, said.bytes_out)
    assert result.bits_per_pixel_test == pytest.approx(said.bits_per_pixel)
    assert result.colors_test <= 16


def test_equal_inputs(videos: tuple[Path, Path]) -> None:
    result = compare(videos[0], videos[0])
    assert (result.psnr_db, result.psnr_luma_db, result.ssim) == (None, None, 1)
    assert {frame.psnr_db for frame in result.frames} == {None}


def test_bytes_of_frames_and_of_files(videos: tuple[Path, Path]) -> None:
    result = compare(*videos)
    assert result.bytes_reference == videos[0].stat().st_size
    assert result.bits_per_pixel_reference == pytest.approx(8 * videos[0].stat().st_size / (12 * 32 * 48))
    part = compare(*videos, frames=range(2, 5))
    assert [frame.index for frame in part.frames] == [2, 3, 4]
    assert part.bytes_reference == sum(frame.bytes_reference or 0 for frame in result.frames[2:5])
    assert part.frames[0].flicker is None
    assert [replace(frame, flicker=None) for frame in part.frames] == [
        replace(frame, flicker=None) for frame in result.frames[2:5]
    ]


def test_loose_images_do_not_flicker(tmp_path: Path) -> None:
    for name in "ab":
        save(flat(1), tmp_path / "ref" / f"{name}.png")
        save(noise(seed=ord(name)), tmp_path / "test" / f"{name}.png")
    result = compare(tmp_path / "ref", tmp_path / "test")
    assert [frame.name for frame in result.frames] == ["a.png", "b.png"]
    assert {frame.flicker for frame in result.frames} == {result.flicker} == {None}
    assert {frame.time for frame in result.frames} == {None}
    assert [frame.bytes_test for frame in result.frames] == [
        (tmp_path / "test" / name).stat().st_size for name in ("a.png", "b.png")
    ]


def test_a_gray_result_is_compared_by_luma(tmp_path: Path) -> None:
    source = SAMPLES / "photos" / "china.jpg"
    said = streamvq.compress(source, tmp_path / "out.png", n_codes=8, gray=True)
    result = compare(source, tmp_path / "out.png")
    assert result.psnr_db == result.psnr_luma_db == pytest.approx(said.psnr_db, abs=1e-9)
    assert result.frames[0].psnr_db == result.psnr_db
    assert "is gray, so its luma is compared" in result.notes[0]
    gray = save(luma(load(source))[..., None], tmp_path / "gray.png")
    assert compare(gray, tmp_path / "out.png").notes == ()


def test_one_gray_frame_is_no_gray_result(tmp_path: Path) -> None:
    reference = write_video(tmp_path / "ref.mkv", [few_colors(9), few_colors(9, seed=1)])
    test = write_video(tmp_path / "test.mkv", [flat(9), few_colors(9, seed=1)])
    result = compare(reference, test)
    assert result.notes == ()
    assert result.psnr_db == pytest.approx(psnr(np.stack([few_colors(9)] * 2), np.stack([flat(9), few_colors(9)])))


def test_what_is_hidden_in_both_does_not_count(tmp_path: Path) -> None:
    a, b = noise(channels=4), noise(channels=4, seed=1)
    a[..., 3] = b[..., 3] = np.arange(48) % 2 * 255
    result = compare(save(a, tmp_path / "a.png"), save(b, tmp_path / "b.png"))
    assert result.psnr_db == pytest.approx(psnr(a[:, 1::2, :3], b[:, 1::2, :3]), abs=1e-9)
    assert result.colors_test == len(np.unique(b[:, 1::2, :3].reshape(-1, 3), axis=0))
    b[..., 3] = 255
    over = np.where(a[..., 3:] == 0, 128, a[..., :3]).astype(np.uint8)
    shown = compare(tmp_path / "a.png", save(b, tmp_path / "c.png"))
    assert shown.psnr_db == pytest.approx(psnr(over, b[..., :3]), abs=1e-9)


def test_what_is_invisible_altogether(tmp_path: Path) -> None:
    clear = np.zeros((16, 16, 4), np.uint8)
    result = compare(save(clear, tmp_path / "a.png"), save(clear + np.uint8([9, 9, 9, 0]), tmp_path / "b.png"))
    assert (result.psnr_db, result.ssim, result.colors_test) == (None, 1, 0)


def test_16_bits_are_rounded(tmp_path: Path) -> None:
    deep = noise(channels=1, dtype=np.uint16)
    save(((deep.astype(int) + 128) // 257).astype(np.uint8), tmp_path / "plain.png")
    assert compare(save(deep, tmp_path / "deep.png"), tmp_path / "plain.png").psnr_db is None


def test_one_pixel(tmp_path: Path) -> None:
    result = compare(save(flat(0, 1, 1), tmp_path / "a.png"), save(flat(255, 1, 1), tmp_path / "b.png"))
    assert result.psnr_db == pytest.approx(0)
    assert result.ssim == pytest.approx(0, abs=2e-4)


def test_bad_images_are_reported_and_the_rest_is_compared(tmp_path: Path) -> None:
    for folder in ("ref", "test"):
        for name in ("a", "b"):
            save(noise(), tmp_path / folder / f"{name}.png")
    whole = compare(tmp_path / "ref" / "b.png", tmp_path / "test" / "b.png")
    (tmp_path / "test" / "a.png").write_bytes(b"no image")
    result = compare(tmp_path / "ref", tmp_path / "test")
    assert [frame.index for frame in result.frames] == [1]
    assert "a.png" in result.failed[0]
    assert result.bits_per_pixel_test == whole.bits_per_pixel_test
    (tmp_path / "test" / "b.png").write_bytes(b"no image")
    with pytest.raises(MediaError, match=r"no pair of images can be read; the first: .*a\.png"):
        compare(tmp_path / "ref", tmp_path / "test")


def test_progress_counts_every_frame(videos: tuple[Path, Path]) -> None:
    class Counted(NoProgress):
        told, total = 0, 0

        def of(self, what: str, frames: int | None):  # type: ignore[no-untyped-def]
            self.total = frames
            return super().of(what, frames)

        def advance(self) -> None:
            self.told += 1

    progress = Counted()
    compare(*videos, frames=range(3, 50), progress=progress)
    assert (progress.total, progress.told) == (9, 9)


def test_the_figures_as_json(videos: tuple[Path, Path]) -> None:
    record = compare(*videos).as_dict()
    assert record["frames"] == len(record["per_frame"]) == 12
    assert record["per_frame"][3]["index"] == 3
    assert "failed" not in record


FFMPEG = shutil.which("ffmpeg")
needs_ffmpeg = pytest.mark.skipif(FFMPEG is None, reason="no ffmpeg program here")


def ffmpeg_says(filter: str, reference: Path, test: Path) -> tuple[list[dict[str, float]], dict[str, float]]:
    """What ffmpeg's psnr or ssim filter says of each frame, and of all."""
    graph = f"[0:v]format=gbrp[a];[1:v]format=gbrp[b];[b][a]{filter}=stats_file=-"
    command = [str(FFMPEG), "-v", "info", "-i", str(reference), "-i", str(test), "-lavfi", graph, "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    last = next(line for line in done.stderr.splitlines()[::-1] if f"Parsed_{filter}" in line)
    return [numbers(line) for line in done.stdout.splitlines()], numbers(last)


def numbers(line: str) -> dict[str, float]:
    return {key: float(value) for key, value in re.findall(r"(\w+):(inf|[\d.]+)", line)}


def gray_video(path: Path, pictures: Sequence[np.ndarray]) -> Path:
    return write_video(path, [np.repeat(luma(pixels)[..., None], 3, axis=2) for pixels in pictures], slices="4")


@needs_ffmpeg
def test_psnr_is_that_of_ffmpeg(videos: tuple[Path, Path], tmp_path: Path) -> None:
    result = compare(*videos)
    frames, overall = ffmpeg_says("psnr", *videos)
    assert [frame.psnr_db for frame in result.frames] == pytest.approx([f["psnr_avg"] for f in frames], abs=0.0051)
    assert result.psnr_db == pytest.approx(overall["average"], abs=1e-5)
    grays = gray_video(tmp_path / "a.mkv", CLIP), gray_video(tmp_path / "b.mkv", COARSE)
    _, overall = ffmpeg_says("psnr", *grays)
    assert result.psnr_luma_db == pytest.approx(overall["average"], abs=1e-5)


@needs_ffmpeg
def test_ssim_is_near_that_of_ffmpeg_whose_windows_are_squares_of_8(tmp_path: Path) -> None:
    photo = load(SAMPLES / "photos" / "china.jpg")
    steps = (8, 16, 48)
    pictures = [coarse(photo, step) for step in steps]
    grays = gray_video(tmp_path / "a.mkv", [photo] * 3), gray_video(tmp_path / "b.mkv", pictures)
    frames, _ = ffmpeg_says("ssim", *grays)
    ours = [frame.ssim for frame in compare(*grays).frames]
    assert ours == pytest.approx([f["All"] for f in frames], abs=0.003)
    assert ours == sorted(ours, reverse=True)


def test_an_external_codebook(tmp_path: Path, videos: tuple[Path, Path]) -> None:
    book = codebook()
    streamvq.compress(videos[0], tmp_path / "out.svq", codebook=book, external_codebook=True)
    streamvq.compress(videos[0], tmp_path / "out.mkv", codebook=book)
    results = [compare(videos[0], tmp_path / name, codebook=book).psnr_db for name in ("out.svq", "out.mkv")]
    assert results[0] == results[1]
