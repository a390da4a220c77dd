"""`compare(plot=...)`: the right pictures under the right titles."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from pictures import SAMPLES, codebook, load, noise, save, smooth
from videos import write_video

import streamvq
from streamvq import OutputExists, StreamVQError, UsageError, compare
from streamvq.media.inputs import MediaInput, find_inputs
from streamvq.report.comparison_plot import Coding, coding_of, evenly_spaced
from streamvq.report.plotting import check_plot_path

CAMERA = SAMPLES / "photos" / "camera.png"


def plot(path: Path, reference: Path, test: Path, overwrite: bool = False) -> str:
    """The text of a comparison's plot, if it is an SVG."""
    compare(reference, test, plot=path, overwrite=overwrite)
    return path.read_text("utf-8") if path.suffix == ".svg" else ""


def words(svg: str) -> list[str]:
    """Matplotlib draws text as outlines, and says it in a comment."""
    return [line[4:-4].strip() for line in map(str.strip, svg.splitlines()) if line.startswith("<!-- ")]


def test_gray_levels_side_by_side_under_the_compression_rate(tmp_path: Path) -> None:
    streamvq.compress(CAMERA, tmp_path / "out.png", n_codes=8, gray=True)
    text = words(plot(tmp_path / "figure.svg", CAMERA, tmp_path / "out.png"))
    assert "original: camera.png" in text
    assert "quantized" in text
    assert not any(line.startswith("error") for line in text)
    (title,) = (line for line in text if "PSNR" in line)
    assert title.startswith("8 gray levels (3 bits), compression rate 62.5 %, 1.01 bits per pixel")
    assert "PSNR 30.98 dB" in title


def test_the_panels_of_gray_levels_show_the_pictures(tmp_path: Path) -> None:
    original, quantized = noise(64, 64, 1), noise(64, 64, 1) // 128 * 255
    a, b = save(original, tmp_path / "a.png"), save(quantized, tmp_path / "b.png")
    streamvq.Codebook(np.array([[0], [255]], np.uint8), "gray").save(tmp_path / "b.codebook.npz")
    plot(tmp_path / "figure.png", a, b)
    figure = load(tmp_path / "figure.png")
    assert (figure == figure[..., :1]).all()  # gray throughout
    assert 1.6 < figure.shape[1] / figure.shape[0] < 2.1  # two pictures in a row


def test_low_rank_is_titled_with_its_rank(tmp_path: Path) -> None:
    streamvq.compress(CAMERA, tmp_path / "out.svq", method="svd", rank=6)
    text = words(plot(tmp_path / "figure.svg", CAMERA, tmp_path / "out.svq"))
    assert "rank 6" in text
    assert "quantized" not in text


@pytest.mark.slow
def test_rows_of_frames_with_their_own_loss(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mkv", [smooth(shift=i) for i in range(40)])
    said = streamvq.compress(source, tmp_path / "out.svq", n_codes=12)
    text = words(plot(tmp_path / "figure.svg", source, tmp_path / "out.svq"))
    assert [line for line in text if line.startswith("original")] == [
        "original: frame 5, 0.20 s",
        "original: frame 15, 0.60 s",
        "original: frame 25, 1.00 s",
        "original: frame 35, 1.40 s",
    ]
    assert text.count("error x8") == 4
    frames = compare(source, tmp_path / "out.svq").frames
    assert f"quantized: {frames[15].psnr_db:.2f} dB" in text
    (title,) = (line for line in text if "bits per pixel" in line)
    assert title.startswith(f"12 colors, compression rate 83.33 %, {said.bits_per_pixel:.3g} bits per pixel, PSNR")


@pytest.mark.slow
def test_the_same_bytes_every_time(tmp_path: Path) -> None:
    source = save(smooth(), tmp_path / "a.png")
    for suffix in (".svg", ".pdf", ".png"):
        for name in ("one", "two"):
            plot(tmp_path / f"{name}{suffix}", source, source)
        assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()


def test_names_are_text_and_not_formulas(tmp_path: Path) -> None:
    name = "x$_{2}$" + 40 * "長" + "$end.png"
    text = plot(tmp_path / "figure.svg", save(smooth(), tmp_path / name), tmp_path / name)
    assert any(line.endswith("長$end.png") and "…" in line for line in words(text))


def test_existing_files_and_other_suffixes(tmp_path: Path) -> None:
    source = save(smooth(), tmp_path / "a.png")
    with pytest.raises(UsageError, match=r"a\.png: is an input"):
        plot(source, source, source)
    plot(tmp_path / "figure.png", source, source)
    with pytest.raises(OutputExists, match=r"figure\.png"):
        plot(tmp_path / "figure.png", source, source)
    plot(tmp_path / "figure.png", source, source, overwrite=True)
    with pytest.raises(UsageError, match=r"figure\.jpg: a figure ends in \.png, \.svg, \.pdf"):
        plot(tmp_path / "figure.jpg", source, source)


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(StreamVQError, match=r"pip install 'streamvq\[report\]'"):
        check_plot_path(Path("figure.png"))


def test_which_frames_are_shown(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mkv", [smooth(8, 12, shift=i) for i in range(9)])
    comparison = compare(source, source)
    assert evenly_spaced(comparison, 1) == [4]
    assert evenly_spaced(comparison, 3) == [1, 4, 7]
    assert evenly_spaced(comparison, 20) == list(range(9))
    assert evenly_spaced(compare(source, source, frames=range(3, 9, 2))) == [3, 5, 7]


def test_how_test_is_written(tmp_path: Path) -> None:
    source = save(smooth(), tmp_path / "in.png")
    streamvq.compress(source, tmp_path / "blocks.svq", 16, block=4)
    assert str(coding_of(find_inputs([tmp_path / "blocks.svq"])[0], [0], 99)) == "16 blocks of 4x4"
    streamvq.compress(source, tmp_path / "out", codebook=codebook(16))
    (folder,) = find_inputs([tmp_path / "out"])
    assert coding_of(folder, [0], 16) is None  # no codebook beside it
    codebook(16).save(tmp_path / "out.codebook.npz")
    assert coding_of(folder, [0], 16) == Coding("rgb", 16)
    assert coding_of(folder, [0], 17) is None  # not what that codebook made
    assert coding_of(MediaInput("-", "pipe"), [0], 2) is None


@pytest.mark.parametrize(
    ("coding", "text", "rate"),
    [
        (Coding("rgb", 256), "256 colors (8 bits)", 2 / 3),
        (Coding("rgb", 2), "2 colors (1 bit)", 23 / 24),
        (Coding("rgb", 100), "100 colors", 17 / 24),
        (Coding("gray", 8), "8 gray levels (3 bits)", 5 / 8),
        (Coding("ycbcr420", 4096, (4, 8)), "4096 blocks of 8x4", 1 - 12 / 768),
        (Coding("gray", 16, (2, 2)), "16 blocks of 2x2", 1 - 4 / 32),
        (Coding("rgb", ranks=(7, 7)), "rank 7", None),
        (Coding("rgb", ranks=(7, 9)), "ranks 7 to 9", None),
    ],
    ids=str,
)
def test_codes_in_words(coding: Coding, text: str, rate: float | None) -> None:
    assert str(coding) == text
    assert coding.compression_rate == (None if rate is None else pytest.approx(rate))


def test_ranks_of_a_svq_of_factors(tmp_path: Path) -> None:
    streamvq.compress(SAMPLES / "photos" / "china.jpg", tmp_path / "out.svq", method="svd", rank=3)
    (source,) = find_inputs([tmp_path / "out.svq"])
    assert str(coding_of(source, [0], 999)) == "rank 3"
