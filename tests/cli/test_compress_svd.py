"""`streamvq compress --method svd` and `--rank`: factors in `.svq` and back, frames of low rank before codes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from containers import saved
from numpy.typing import NDArray
from pictures import codebook, filmed, flat, load, noise, save, snapshot
from videos import audio_packets, frame_times, read_video, write_video

import streamvq
from streamvq.container import group_size


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("film")
    return write_video(folder / "clip.mkv", [filmed(shift) for shift in range(10)], audio="aac")


@pytest.fixture
def clip(film: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(film, tmp_path))


@pytest.fixture
def small_clip(tmp_path: Path) -> Path:
    """Where codes are learned."""
    return write_video(tmp_path / "clip.mkv", [filmed(shift)[:24, :32] for shift in range(6)])


@pytest.mark.parametrize("patch", [0, 8])
def test_there_and_back(
    patch: int, clip: Path, tmp_path: Path, good: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_size, "TARGET_PIXELS", 4 * 64 * 48)
    result = good("compress", clip, "--method", "svd", "--rank", 6, "--patch", patch, "--json")
    told = json.loads(result.stdout)
    assert told["rank"] <= 6
    assert 0.9 < told["energy"] < 1
    assert told["truncation_psnr_db"] > told["psnr_db"] > 20
    assert told["codebook"] is told["n_codes"] is None
    assert told["parts"]["factors"] < told["bytes_out"] == (tmp_path / "clip.svq").stat().st_size
    assert sorted(snapshot(tmp_path)) == ["clip.mkv", "clip.svq"]
    good("decompress", tmp_path / "clip.svq", "-o", tmp_path / "back.mkv")
    back = read_video(tmp_path / "back.mkv")
    with streamvq.open(tmp_path / "clip.svq") as opened:
        assert [frame.pixels.tobytes() for frame in opened] == [pixels.tobytes() for pixels in back]
        with pytest.raises(streamvq.CodebookError, match="no codebook"):
            _ = opened.codebook
        with pytest.raises(streamvq.CodebookError, match="no codebook"):
            _ = opened.indices
    error = np.mean([(a.astype(float) - filmed(shift)) ** 2 for shift, a in enumerate(back)])
    assert 10 * np.log10(255**2 / error) == pytest.approx(told["psnr_db"], abs=0.01)
    assert frame_times(tmp_path / "back.mkv") == frame_times(clip)
    assert audio_packets(tmp_path / "back.mkv") == audio_packets(clip)


def test_written_straight_it_is_the_truncation(clip: Path, tmp_path: Path, good: Callable) -> None:
    """Nothing is stored, so nothing is lost to quantizing but rounding."""
    told = json.loads(
        good("compress", clip, "--method", "svd", "--rank", 6, "-o", tmp_path / "o.mkv", "--json").stdout
    )
    assert told["psnr_db"] == pytest.approx(told["truncation_psnr_db"], abs=0.05)
    expected = streamvq.low_rank(filmed(0), 6).pixels()
    assert np.abs(read_video(tmp_path / "o.mkv")[0].astype(int) - expected).max() <= 3


def test_rank_with_codes_is_svd_vq_and_apply_repeats_it(small_clip: Path, tmp_path: Path, good: Callable) -> None:
    clip = small_clip
    good("compress", clip, "-k", 16, "--rank", 3, "-o", tmp_path / "a.mkv")
    good("compress", clip, "-k", 16, "--rank", 3, "--method", "svd-vq", "-o", tmp_path / "b.mkv")
    good("fit", clip, "-k", 16, "--rank", 3, "-o", tmp_path / "c.npz")
    good("apply", clip, "-c", tmp_path / "c.npz", "--rank", 3, "-o", tmp_path / "c.mkv")
    good("compress", clip, "-k", 16, "-o", tmp_path / "plain.mkv")
    files = {name: (tmp_path / f"{name}.mkv").read_bytes() for name in ("a", "b", "c", "plain")}
    assert files["a"] == files["b"] == files["c"] != files["plain"]
    assert streamvq.Codebook.load(tmp_path / "c.npz").provenance["low_rank"]["rank"] == 3


def test_every_way_out_has_the_same_codes(small_clip: Path, tmp_path: Path, good: Callable) -> None:
    """Runs are the same, however a sink groups frames."""
    clip = small_clip
    for name in ("a.svq", "a.mkv", "a"):
        book = ["-c", tmp_path / "a.codebook.npz"] if name != "a.svq" else ["-k", 16]
        good("compress", clip, *book, "--rank", 3, "-o", tmp_path / name)
    with streamvq.open(tmp_path / "a.svq") as opened:
        expected = [frame.pixels for frame in opened]
    for index, (ours, video) in enumerate(zip(expected, read_video(tmp_path / "a.mkv"), strict=True)):
        assert (ours == video).all()
        assert (ours == load(tmp_path / "a" / f"frame{index:06d}.png")).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rank", 0], "rank 0: choose 1"),
        (["--rank", -3], "rank -3: choose 1"),
        (["--energy", 0], "energy 0.0: choose more than 0"),
        (["--energy", 1.5], "energy 1.5: choose more than 0"),
        (["--energy", "nan"], "energy nan: choose more than 0"),
        (["--rank", 4, "--energy", 0.9], "either a rank or an energy"),
        (["--rank", 4, "--patch", 1], "choose a side of 2 to 64"),
        (["--rank", 4, "--patch", 64], "do not fit a frame of 64x48; choose smaller"),
        (["--patch", 8], "give --rank or --energy too"),
        (["--method", "xyz"], "choose one of vq, svd, svd-vq"),
        (["--method", "svd"], "needs a rank or an energy"),
        (["--method", "svd-vq"], "needs a rank or an energy"),
        (["--method", "svd", "--rank", 4, "-k", 16], "no codes; drop --colors"),
        (["--method", "svd", "--rank", 4, "--bits", 4], "no codes; drop --colors"),
        (["--method", "svd", "--rank", 4, "--block", 4], "no codes; drop --colors"),
        (["--method", "svd", "--rank", 4, "--lossy", 4], "drop -c, --save-codebook, --lossy"),
        (["--method", "svd", "--rank", 4, "--stability", 4], "--stability keeps codes, and method svd has none"),
        (["--method", "svd", "--rank", 4, "--external-codebook"], "drop -c, --save-codebook, --lossy"),
        (["--method", "svd", "--rank", 4, "--save-codebook", "x.npz"], "drop -c, --save-codebook, --lossy"),
    ],
)
def test_what_makes_no_sense(options: list, message: str, clip: Path, refused: Callable) -> None:
    before = snapshot(clip.parent)
    assert message in refused("compress", clip, "-o", clip.parent / "out.svq", *options, exit=2)
    assert snapshot(clip.parent) == before


def test_no_codebook_goes_with_factors(clip: Path, tmp_path: Path, refused: Callable, good: Callable) -> None:
    codebook(4).save(tmp_path / "c.npz")
    told = refused("compress", clip, "--method", "svd", "--rank", 4, "-c", tmp_path / "c.npz", exit=2)
    assert "no codebook and no codes" in told
    good("compress", clip, "--method", "svd", "--rank", 4)
    svq = tmp_path / "clip.svq"
    told = refused("decompress", svq, "-c", tmp_path / "c.npz", "-o", tmp_path / "x.mkv", exit=1)
    assert "no codebook belongs to; drop -c" in told
    assert "and no codebook" in refused("apply", clip, "-c", svq, "-o", tmp_path / "x.mkv", exit=1)


def test_ranks_above_all_are_said_once(clip: Path, tmp_path: Path, good: Callable) -> None:
    result = good("compress", clip, "--method", "svd", "--rank", 500, "--space", "rgb", "-o", tmp_path / "o.mkv")
    assert result.stderr.count("frames of 64x48 have no rank that high") == 1
    assert [frame.tobytes() for frame in read_video(tmp_path / "o.mkv")] == [filmed(i).tobytes() for i in range(10)]


@pytest.mark.parametrize(
    "pixels",
    [
        noise(48, 64, 1),
        noise(48, 64, 1, dtype=np.uint16),
        noise(48, 64, 4),
        flat(0, 48, 64),
        flat(200, 48, 64),
        noise(1, 1),
        noise(1, 40),
        noise(40, 1),
        noise(33, 51),
    ],
    ids=["gray", "16 bits", "alpha", "black", "constant", "1x1", "wide", "tall", "odd"],
)
@pytest.mark.parametrize("space", ["gray", "rgb", "ycbcr420"])
def test_any_picture(space: str, pixels: NDArray, tmp_path: Path, good: Callable) -> None:
    source = save(pixels, tmp_path / "in.png")
    good("compress", source, "--method", "svd", "--rank", 3, "--space", space)
    good("decompress", tmp_path / "in.svq", "-o", tmp_path / "back.png")
    with streamvq.open_source(tmp_path / "back.png") as opened:
        (back,) = (frame.pixels for frame in opened)
    assert back.shape[:2] == pixels.shape[:2]
    if pixels.shape[2] == 4:
        assert (back[..., 3] == pixels[..., 3]).all()
    if len(np.unique(pixels)) == 1:  # of rank 1, or 0
        assert np.abs(back[..., 0].astype(int) - int(pixels[0, 0, 0])).max() <= 1
    if space == "rgb":
        good("compress", source, "-k", 4, "--rank", 2, "-o", tmp_path / "codes.png")


def test_info(clip: Path, tmp_path: Path, good: Callable) -> None:
    good("compress", clip, "--method", "svd", "--energy", 0.95, "--patch", 8)
    told = json.loads(good("info", tmp_path / "clip.svq", "--json").stdout)
    assert (told["method"], told["patch"], told["space"], told["frames"]) == ("svd", 8, "ycbcr420", 10)
    assert "codes" not in told


def test_cut_off(clip: Path, tmp_path: Path, good: Callable, cli: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_size, "TARGET_PIXELS", 4 * 64 * 48)
    monkeypatch.setattr("streamvq.lowrank.low_rank._MAX_WARM_FRAMES", 4)
    good("compress", clip, "--method", "svd", "--rank", 4)
    data = (tmp_path / "clip.svq").read_bytes()
    cut = saved(tmp_path / "cut.svq", data[: len(data) * 7 // 10])
    result = cli("decompress", cut, "-o", tmp_path / "back.mkv")
    assert result.exit_code == 1
    assert "is cut off: 4 of about" in result.stderr
    assert len(read_video(tmp_path / "back.mkv")) == 4


def test_damage_anywhere_is_one_line_or_nothing(tmp_path: Path, good: Callable) -> None:
    source = write_video(tmp_path / "small.mkv", [filmed(shift)[:16, :16] for shift in range(3)])
    good("compress", source, "--method", "svd", "--rank", 3)
    data = (tmp_path / "small.svq").read_bytes()
    with streamvq.open(tmp_path / "small.svq") as opened:
        whole = [frame.pixels for frame in opened]
    lines: set[int] = set()
    for place in range(len(data)):
        path = saved(tmp_path / "bad.svq", data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        try:
            with streamvq.open(path) as opened:
                frames = [frame.pixels for frame in opened]
        except streamvq.StreamVQError as error:
            lines.add(str(error).count("\n"))
            continue
        assert all((ours == theirs).all() for ours, theirs in zip(frames, whole, strict=False))
    assert lines == {0}
