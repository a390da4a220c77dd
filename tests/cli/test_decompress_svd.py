"""`.svq` files of factors as inputs, decompressed, looked at and compressed again; and options of all kinds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from containers import offsets, saved
from numpy.typing import NDArray
from pictures import codebook, filmed, flat, load, noise, save, snapshot
from videos import audio_packets, frame_times, read_video, write_video, y4m

import streamvq
from streamvq import Codebook
from streamvq.container import group_size
from streamvq.lowrank import low_rank

SVD = ("--method", "svd", "--rank", 4)


@pytest.fixture(autouse=True)
def _small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four frames."""
    monkeypatch.setattr(group_size, "TARGET_PIXELS", 4 * 64 * 48)
    monkeypatch.setattr(low_rank, "_MAX_WARM_FRAMES", 4)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("film")
    return write_video(folder / "clip.mp4", [filmed(shift) for shift in range(10)], audio="aac")


@pytest.fixture
def clip(film: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(film, tmp_path))


@pytest.fixture
def factors(clip: Path, good: Callable) -> Path:
    """The clip's `.svq` file."""
    good("compress", clip, *SVD)
    return clip.with_suffix(".svq")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of images of all kinds, some in a subfolder."""
    for name, pixels in {
        "a.png": noise(20, 31),
        "b gray.png": noise(17, 9, 1),
        "sub/ä.png": noise(20, 31, 4),
        "sub/black.png": flat(0, 5, 6),
        "z.png": noise(1, 1),
    }.items():
        save(pixels, tmp_path / "photos" / name)
    return tmp_path / "photos"


def record(result: object) -> dict:
    return json.loads(result.stdout)  # type: ignore[attr-defined]


def drawn(path: Path) -> list[NDArray]:
    with streamvq.open(path) as opened:
        return [frame.pixels for frame in opened]


def test_every_way_back_shows_the_same(factors: Path, clip: Path, tmp_path: Path, good: Callable) -> None:
    expected = drawn(factors)
    for out in ("back.mkv", "back.avi", "again.svq", "images"):
        good("decompress", factors, "-o", tmp_path / out)
    images = [load(path) for path in sorted((tmp_path / "images").iterdir())]
    others = [read_video(tmp_path / "back.mkv"), read_video(tmp_path / "back.avi"), drawn(tmp_path / "again.svq")]
    for pictures in (*others, images):
        assert all((one == other).all() for one, other in zip(pictures, expected, strict=True))
    piped = read_video(good("decompress", factors, "-o", "-").stdout_bytes)
    for one, other in zip(piped, expected, strict=True):
        assert np.abs(one.astype(int) - other).max() <= 4  # y4m rounds colors
    assert frame_times(tmp_path / "back.mkv") == frame_times(clip)
    good("decompress", tmp_path / "again.svq", "-o", tmp_path / "sound.mkv")
    for name in ("back", "sound"):
        assert audio_packets(tmp_path / f"{name}.mkv") == audio_packets(clip)


def test_a_part_and_a_pipe(factors: Path, tmp_path: Path, good: Callable) -> None:
    expected = drawn(factors)
    good("decompress", factors, "--frames", "3:6", "-o", tmp_path / "part.mkv")
    good("decompress", "-", "-o", tmp_path / "piped.mkv", stdin=factors.read_bytes())
    for name, some in (("part", expected[3:6]), ("piped", expected)):
        pictures = read_video(tmp_path / f"{name}.mkv")
        assert all((one == other).all() for one, other in zip(pictures, some, strict=True))


@pytest.mark.parametrize("patch", [[], ["--patch", 4]], ids=["frames", "patches"])
def test_images_keep_names_sizes_and_alpha(patch: list, photos: Path, tmp_path: Path, cli: Callable) -> None:
    if patch:
        (photos / "z.png").unlink()  # smaller than a patch
    result = cli("compress", photos, "-r", *SVD, *patch, "--space", "rgb", "-o", tmp_path / "x.svq")
    assert result.exit_code == 0, result.stderr
    assert cli("decompress", tmp_path / "x.svq", "-o", tmp_path / "back").exit_code == 0
    names = {name.relative_to(photos).as_posix() for name in photos.rglob("*.png")}
    assert set(snapshot(tmp_path / "back")) == names
    for name in names:
        before, after = load(photos / name, "RGBA"), load(tmp_path / "back" / name, "RGBA")
        assert (before[..., 3] == after[..., 3]).all()
        shown = before[..., 3] > 0
        cold = streamvq.low_rank(load(photos / name), 4, patch=patch[1] if patch else 0).pixels().astype(int)
        least = np.square(cold - before[..., :3])[shown].mean()
        error = np.square(after[..., :3].astype(int) - before[..., :3])[shown].mean()
        assert error <= 2 * least + 0.5


def test_a_small_image_among_others_has_no_patches(photos: Path, tmp_path: Path, refused: Callable) -> None:
    """Which one is said, and nothing is written."""
    before = snapshot(tmp_path)
    line = refused("compress", photos, "-r", *SVD, "--patch", 4, "-o", tmp_path / "x.svq", exit=2)
    assert "smaller" in line
    assert "1x1" in line
    assert snapshot(tmp_path) == before


def test_compressed_again(factors: Path, tmp_path: Path, good: Callable) -> None:
    """A file of factors is an input like any other, and keeps its sound."""
    pictures = drawn(factors)
    told = record(good("compress", factors, "-k", 8, "-o", tmp_path / "codes.svq", "--json"))
    assert (told["frames"], told["n_codes"]) == (10, 8)
    book = Codebook.load(tmp_path / "codes.codebook.npz")
    for frame, pixels in zip(drawn(tmp_path / "codes.svq"), pictures, strict=True):
        assert (frame == book.lookup(book.quantize(pixels))).all()
    good("fit", factors, "-k", 8, "-o", tmp_path / "book.npz")
    assert Codebook.load(tmp_path / "book.npz") == book
    good("apply", factors, "-c", tmp_path / "book.npz", "-o", tmp_path / "codes.mkv")
    assert len(audio_packets(tmp_path / "codes.mkv")) > 1
    told = record(good("compress", factors, "--method", "svd", "--rank", 2, "-o", tmp_path / "less.svq", "--json"))
    assert told["rank"] == 2
    assert told["bytes_out"] < told["bytes_in"]


def test_cut_off(factors: Path, tmp_path: Path, cli: Callable, refused: Callable) -> None:
    """Up to the last whole group, with a word; as an input of others only with --keep-going."""
    data, expected = factors.read_bytes(), drawn(factors)
    ends = [end for kind, _, end in offsets(data) if kind == b"GRUP"]
    assert len(ends) == 3
    for cut, count in ((ends[0], 4), (ends[1] + 7, 8), (len(data) - 1, 10)):
        source = saved(tmp_path / "cut.svq", data[:cut])
        result = cli("decompress", source, "-o", tmp_path / "out.mkv", "-f", "--json")
        assert result.exit_code == 1
        assert result.stderr.count("\n") == 1
        assert f"cut.svq: is cut off: {count} " in result.stderr
        pictures = read_video(tmp_path / "out.mkv")
        assert all((one == other).all() for one, other in zip(pictures, expected[:count], strict=True))
        assert "--keep-going" in refused("compress", source, *SVD, "-o", tmp_path / "no.svq")
        about = record(cli("info", source, "--json"))
        assert (about["frames"], about["method"]) == (count, "svd")
        assert "cut off" in about["truncation"]
    source = saved(tmp_path / "cut.svq", data[: ends[0] - 1])
    before = snapshot(tmp_path)
    assert "cut.svq" in refused("decompress", source, "-o", tmp_path / "never.mkv")
    assert snapshot(tmp_path) == before


def test_damage(factors: Path, tmp_path: Path, cli: Callable, refused: Callable) -> None:
    """Refused, and with --keep-going kept but for the damaged group."""
    data, expected = bytearray(factors.read_bytes()), drawn(factors)
    start = [start for kind, start, _ in offsets(bytes(data)) if kind == b"GRUP"][1]
    data[start + 30] ^= 1
    source = saved(tmp_path / "bad.svq", bytes(data))
    before = snapshot(tmp_path)
    assert f"byte {start}" in refused("decompress", source, "-o", tmp_path / "out.mkv")
    assert snapshot(tmp_path) == before
    assert "damaged" in cli("decompress", source, "-o", tmp_path / "out.mkv", "--keep-going").stderr
    pictures = read_video(tmp_path / "out.mkv")
    assert all((one == other).all() for one, other in zip(pictures, expected[:4] + expected[8:], strict=True))


def test_info(factors: Path, good: Callable) -> None:
    about = record(good("info", factors, "--json"))
    expected = {"kind": "svq", "width": 64, "height": 48, "frames": 10, "frames_per_second": 25, "groups": 3}
    expected |= {"audio_streams": 1, "method": "svd", "patch": 0, "space": "ycbcr420", "truncation": None}
    assert about.items() >= expected.items()
    assert sum(about["bytes_by_part"].values()) == about["bytes"] == factors.stat().st_size
    assert about["bytes_by_part"].keys() >= {"header", "factors", "audio", "index"}
    assert not {"indices", "codebook"} & about["bytes_by_part"].keys()
    assert not {"codes", "codebook", "fingerprint", "block"} & about.keys()
    text = good("info", factors).stdout
    assert "method: svd" in text
    assert "codebook" not in text


def test_the_figures(clip: Path, tmp_path: Path, good: Callable) -> None:
    told = record(good("compress", clip, *SVD, "--json"))
    assert sum(told["parts"].values()) == told["bytes_out"]
    assert "indices" not in told["parts"]
    assert (told["codebook"], told["codebook_bytes"], told["n_codes"], told["block"]) == (None,) * 4
    assert (told["rank"], told["frames"], told["width"], told["height"]) == (4, 10, 64, 48)
    with streamvq.open_source(clip) as source:
        pairs = zip(drawn(tmp_path / "clip.svq"), source, strict=True)
        error = np.mean([np.square(one.astype(float) - frame.pixels) for one, frame in pairs])
    assert told["psnr_db"] == pytest.approx(10 * np.log10(255**2 / error))
    assert told["psnr_db"] < told["truncation_psnr_db"] < told["psnr_db"] + 3.1
    text = good("compress", clip, *SVD, "-f").stdout
    assert "rank 4" in text
    assert "factors " in text
    assert "codebook" not in text


def test_figures_of_codes_of_low_rank(clip: Path, tmp_path: Path, good: Callable) -> None:
    """The same truncation, whatever is done with it; and its loss is a part of the whole."""
    plain = record(good("compress", clip, "-k", 64, "-o", tmp_path / "plain.mkv", "--json"))
    told = record(good("compress", clip, "-k", 64, "--rank", 4, "-o", tmp_path / "low.mkv", "--json"))
    drawn_only = record(good("compress", clip, *SVD, "-o", tmp_path / "svd.mkv", "--json"))
    assert not {"rank", "energy", "truncation_psnr_db"} & plain.keys()
    for name in ("rank", "energy", "truncation_psnr_db"):
        assert told[name] == pytest.approx(drawn_only[name], rel=1e-3)
    assert told["psnr_db"] < told["truncation_psnr_db"]
    assert told["psnr_db"] < plain["psnr_db"]
    assert told["codebook"].endswith("low.codebook.npz")


@pytest.mark.parametrize(
    "options",
    [
        ["--rank", "0"],
        ["--rank", "-3"],
        ["--rank", "65536"],
        ["--energy", "0"],
        ["--energy", "1.5"],
        ["--energy", "nan"],
        ["--rank", "2", "--energy", "0.9"],
        ["--rank", "2", "--patch", "1"],
        ["--rank", "2", "--patch", "-8"],
        ["--rank", "2", "--patch", "100000"],
        ["--patch", "8"],
        ["--method", "xyz"],
        ["--method", "svd"],
        ["--method", "svd-vq", "-k", "4"],
        [*map(str, SVD), "-k", "4"],
        [*map(str, SVD), "--bits", "4"],
        [*map(str, SVD), "--block", "2"],
        [*map(str, SVD), "-c", "book.npz"],
        [*map(str, SVD), "--save-codebook", "new.npz"],
        [*map(str, SVD), "--lossy", "5"],
        [*map(str, SVD), "--external-codebook"],
        [*map(str, SVD), "--space", "cmyk"],
        [*map(str, SVD), "--gray", "--space", "rgb"],
    ],
    ids=" ".join,
)
def test_what_contradicts_itself(
    options: list[str], clip: Path, refused: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line that says what to try, also where nothing would be done; nothing is written."""
    monkeypatch.chdir(clip.parent)
    codebook().save(Path("book.npz"))
    before = snapshot(clip.parent)
    for rest in ([], ["--dry-run", "--json"]):
        line = refused("compress", clip, "-o", "x.svq", *options, *rest, exit=2)
        assert any(word in line for word in ("choose", "give", "drop", "needs"))
        assert snapshot(clip.parent) == before


@pytest.mark.parametrize("options", [["--rank", 0], ["--energy", 2], ["--rank", 3, "--patch", 1], ["--patch", 8]])
@pytest.mark.parametrize("command", ["fit", "apply"])
def test_other_commands_refuse_the_same(command: str, options: list, clip: Path, refused: Callable) -> None:
    codebook().save(clip.parent / "book.npz")
    before = snapshot(clip.parent)
    out = ["-o", clip.parent / "new.npz"]
    if command == "apply":
        out = ["-c", clip.parent / "book.npz", "-o", clip.parent / "x.mkv"]
    for rest in ([], ["--dry-run"]):
        refused(command, clip, *out, *options, *rest, exit=2)
    assert snapshot(clip.parent) == before


@pytest.mark.parametrize("out", ["x.svq", "x.mkv", "x"])
@pytest.mark.parametrize("way", [["--method", "svd"], ["-k", 4]], ids=["svd", "svd-vq"])
def test_a_patch_larger_than_the_frame(out: str, way: list, clip: Path, tmp_path: Path, refused: Callable) -> None:
    before = snapshot(tmp_path)
    line = refused("compress", clip, *way, "--rank", 4, "--patch", 49, "-o", tmp_path / out, exit=2)
    assert "64x48" in line
    assert "smaller" in line
    assert snapshot(tmp_path) == before


def test_dry_run(clip: Path, tmp_path: Path, good: Callable) -> None:
    before = snapshot(tmp_path)
    plan = record(good("compress", clip, *SVD, "--dry-run", "--json"))
    assert (plan["output"], plan["format"], plan["codebook"]) == (str(tmp_path / "clip.svq"), "svq", None)
    assert "codebook" not in good("compress", clip, *SVD, "--dry-run").stdout
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("way", [["--method", "svd"], ["-k", 4]], ids=["svd", "svd-vq"])
def test_a_rank_above_all_is_said_once(way: list, clip: Path, tmp_path: Path, good: Callable) -> None:
    for quiet, count in (([], 1), (["-q"], 0)):
        result = good("compress", clip, *way, "--rank", 49, "-o", tmp_path / "x.svq", "-f", *quiet)
        assert result.stderr.count("64x48") == count
    told = record(good("compress", clip, *way, "--rank", 48, "-o", tmp_path / "x.svq", "-f", "--json"))
    assert "notes" not in told
    assert told["rank"] == 48


@pytest.mark.parametrize(
    ("value", "space"), [(0, "gray"), (0, "ycbcr420"), (200, "rgb"), (200, "ycbcr420"), (255, "gray"), (255, "rgb")]
)
def test_a_film_of_one_color(value: int, space: str, tmp_path: Path, good: Callable) -> None:
    source = write_video(tmp_path / "in.mkv", [flat(value)] * 5)
    for options in (["--rank", 3], ["--energy", 0.5], ["--energy", 1], ["--rank", 3, "--patch", 8]):
        told = record(
            good(
                "compress",
                source,
                "--method",
                "svd",
                *options,
                "--space",
                space,
                "-f",
                "--json",
                "-o",
                tmp_path / "x.svq",
            )
        )
        assert told.get("rank", 0) == (1 if value else 0)
        assert told["psnr_db"] is None
        assert told["energy"] == pytest.approx(1)
        for pixels in drawn(tmp_path / "x.svq"):
            assert (pixels == value).all()
    good("compress", source, "-k", 2, "--rank", 3, "-o", tmp_path / "y.mkv")
    assert all((pixels == value).all() for pixels in read_video(tmp_path / "y.mkv"))


def test_a_single_pixel_and_16_bits(tmp_path: Path, good: Callable) -> None:
    """16-bit inputs are drawn as 8 bits; which is not called lossless."""
    deep = (np.arange(600).reshape(20, 30) * 109).astype(np.uint16)[..., None]
    for name, pixels in (("pixel", noise(1, 1)), ("deep", deep)):
        source = save(pixels, tmp_path / f"{name}.png")
        told = record(good("compress", source, "--method", "svd", "--rank", 99, "--space", "rgb", "--json"))
        good("decompress", tmp_path / f"{name}.svq", "-o", tmp_path / f"{name}-back.png")
        back = load(tmp_path / f"{name}-back.png").astype(int)
        eight = pixels if name == "pixel" else np.rint(pixels / 257)
        assert np.abs(back - eight).max() <= 1
        assert told["lossless"] == (name == "pixel" and (back == eight).all())


def test_y4m_in_and_svq_out(tmp_path: Path, good: Callable) -> None:
    """From a pipe and into one, without a codebook anywhere."""
    stream = y4m([filmed(shift) for shift in range(6)])
    data = good("compress", "-", *SVD, "-o", "-", "--format", "svq", stdin=stream).stdout_bytes
    good("compress", "-", *SVD, "-o", tmp_path / "x.svq", stdin=stream)
    assert (tmp_path / "x.svq").read_bytes() == data
    assert len(drawn(tmp_path / "x.svq")) == 6
    assert list(snapshot(tmp_path)) == ["x.svq"]


def test_several_inputs(clip: Path, photos: Path, tmp_path: Path, good: Callable) -> None:
    result = good("compress", clip, photos, "-r", *SVD, "-o", tmp_path / "out", "--format", "svq", "--json")
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert sorted(snapshot(tmp_path / "out")) == ["clip.svq", "photos.svq"]
    assert [told["codebook"] for told in records] == [None, None]
    assert not list(tmp_path.glob("*.npz"))


def test_existing_outputs_and_thresholds(clip: Path, tmp_path: Path, good: Callable, cli: Callable) -> None:
    assert cli("compress", clip, *SVD, "--min-psnr", 80).exit_code == 99
    assert (
        cli("compress", clip, "--method", "svd", "--energy", 1, "--space", "rgb", "--skip-if-larger").exit_code == 98
    )
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]
    good("compress", clip, *SVD)
    before = snapshot(tmp_path)
    assert cli("compress", clip, *SVD).exit_code == 1
    assert record(good("compress", clip, *SVD, "--skip-existing", "--json"))["skipped"] is True
    assert snapshot(tmp_path) == before
