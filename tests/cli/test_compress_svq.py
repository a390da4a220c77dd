"""`streamvq compress` to `.svq`, which is its default, and the options that came with it; `info` of what it wrote."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from containers import offsets, pieces, saved
from pictures import SAMPLES, bands, codebook, few_colors, noise, save, smooth, snapshot
from videos import read_video, write_video, y4m

import streamvq
from streamvq import Codebook
from streamvq.container import group_size

PARTS = {"header", "codebook", "frame tables", "alpha", "indices", "audio", "index"}


@pytest.fixture(autouse=True)
def _small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_size, "TARGET_PIXELS", 4 * 64 * 48)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pictures = [bands(48, 64, shift, 128) for shift in range(10)]
    return write_video(tmp_path_factory.mktemp("film") / "clip.mp4", pictures, crf="0", audio="aac")


@pytest.fixture
def clip(film: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(film, tmp_path))


def record(result: object) -> dict:
    return json.loads(result.stdout)  # type: ignore[attr-defined]


def test_beside_the_input(clip: Path, tmp_path: Path, good: Callable) -> None:
    result = good("compress", clip, "-k", 16)
    assert f"{clip} -> {tmp_path}/clip.svq" in result.stdout
    assert sorted(snapshot(tmp_path)) == ["clip.codebook.npz", "clip.mp4", "clip.svq"]
    with streamvq.open(tmp_path / "clip.svq") as opened:
        assert len(opened) == 10


def test_a_folder_beside_itself(tmp_path: Path, good: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    for index in range(3):
        save(few_colors(4, seed=index), tmp_path / "photos" / f"{index}.png")
    good("compress", tmp_path / "photos", "-k", 12)
    assert {"photos.svq", "photos.codebook.npz"} <= set(snapshot(tmp_path))
    (tmp_path / "photos.svq").unlink()
    (tmp_path / "photos.codebook.npz").unlink()
    monkeypatch.chdir(tmp_path / "photos")
    good("compress", ".", "-k", 12)
    assert "photos.svq" in snapshot(tmp_path)
    good("compress", "../photos/", "-k", 12, "-f")


def test_an_image_and_a_glob(tmp_path: Path, good: Callable, refused: Callable) -> None:
    picture = save(few_colors(4), tmp_path / "a.photo.png")
    good("compress", picture, "-k", 4)
    assert (tmp_path / "a.photo.svq").exists()
    save(few_colors(4), tmp_path / "b.png")
    assert "-o" in refused("compress", picture, SAMPLES / "clip.mp4", "-k", 4, exit=2)


@pytest.mark.parametrize("source", ["-", "x.svq"])
def test_where_no_name_follows(
    source: str, tmp_path: Path, refused: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    saved(tmp_path / "x.svq", b"")
    assert "-o" in refused("compress", source, "-k", 4, exit=2, stdin=y4m([noise()]))
    assert list(snapshot(tmp_path)) == ["x.svq"]


@pytest.mark.parametrize("there", ["clip.svq", "clip.codebook.npz"])
def test_what_exists_is_refused(there: str, clip: Path, tmp_path: Path, good: Callable, refused: Callable) -> None:
    saved(tmp_path / there, b"precious")
    before = snapshot(tmp_path)
    line = refused("compress", clip, "-k", 8)
    assert there in line
    assert "--overwrite" in line
    assert snapshot(tmp_path) == before
    good("compress", clip, "-k", 8, "--overwrite")
    assert (tmp_path / there).read_bytes() != b"precious"


def test_dry_run(clip: Path, tmp_path: Path, good: Callable) -> None:
    before = snapshot(tmp_path)
    text = good("compress", clip, "--dry-run").stdout
    assert "clip.svq" in text
    assert "clip.codebook.npz" in text
    plan = record(good("compress", clip, "--dry-run", "--json"))
    assert (plan["output"], plan["format"], plan["dry_run"]) == (str(tmp_path / "clip.svq"), "svq", True)
    assert snapshot(tmp_path) == before


def test_the_parts_add_up(clip: Path, tmp_path: Path, good: Callable) -> None:
    result = good("compress", clip, "-k", 16, "--json")
    told = record(result)
    assert set(told["parts"]) == PARTS
    assert sum(told["parts"].values()) == told["bytes_out"] == (tmp_path / "clip.svq").stat().st_size
    assert told["parts"]["audio"] > 0
    assert told["codebook"] == str(tmp_path / "clip.codebook.npz")
    about = record(good("info", tmp_path / "clip.svq", "--json"))
    assert about["bytes_by_part"] == {name: count for name, count in told["parts"].items() if count}
    text = good("compress", clip, "-k", 16, "-f").stdout
    for name in ("header", "codebook", "frame tables", "indices", "audio", "index"):
        assert f"{name} " in text
    assert "alpha" not in text  # of which there is none
    assert "parts" not in record(good("compress", clip, "-k", 16, "-o", tmp_path / "x.mkv", "--json"))


@pytest.mark.parametrize(
    ("block", "sides", "space"),
    [("2", [2, 2], "ycbcr420"), ("8x4", [4, 8], "rgb"), ("8", [8, 8], "ycbcr420"), ("1x3", [3, 1], "rgb")],
)
def test_blocks(block: str, sides: list[int], space: str, clip: Path, tmp_path: Path, good: Callable) -> None:
    chosen = ["--space", space] if block == "8x4" else []  # elsewhere it is the default
    told = record(good("compress", clip, "--block", block, *chosen, "-k", 30, "--json"))
    assert told["block"] == sides
    about = record(good("info", tmp_path / "clip.svq", "--json"))
    assert (about["block"], about["space"], about["frames"]) == (sides, space, 10)
    with streamvq.open(tmp_path / "clip.svq") as opened, streamvq.open_source(clip) as source:
        assert opened.indices[0].shape == (-(-48 // sides[0]), -(-64 // sides[1]))
        pairs = zip(opened, source, strict=True)
        error = np.mean([(frame.pixels.astype(float) - original.pixels) ** 2 for frame, original in pairs])
    assert told["psnr_db"] == pytest.approx(10 * np.log10(255**2 / error))


def test_every_block_gets_its_nearest_code(tmp_path: Path, good: Callable) -> None:
    source = write_video(tmp_path / "in.mkv", [noise(12, 16, seed=seed) for seed in range(3)])
    good("compress", source, "--block", "4x2", "--space", "rgb", "-k", 20)
    with streamvq.open(tmp_path / "in.svq") as opened:
        codes = opened.codebook.codes.astype(int)
        for index, pixels in enumerate(read_video(source)):
            blocks = pixels.reshape(6, 2, 4, 4, 3).swapaxes(1, 2).reshape(6, 4, -1).astype(int)
            distance = ((blocks[:, :, None] - codes) ** 2).sum(axis=3)
            assert (opened.indices[index] == distance.argmin(axis=2)).all()


@pytest.mark.parametrize("text", ["0", "33", "4x", "x4", "axb", "-2", "4x40", "1.5", "4x4x4"])
def test_blocks_that_are_none(text: str, clip: Path, tmp_path: Path, refused: Callable) -> None:
    before = snapshot(tmp_path)
    assert "block" in refused("compress", clip, f"--block={text}", exit=2)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(
    "options",
    [
        ["--space", "cmyk"],
        ["--space", "ycbcr420"],
        ["--block", "3", "--space", "ycbcr420"],
        ["--gray", "--space", "rgb"],
        ["--lossy", "-1"],
        ["--lossy", "101"],
        ["--lossy", "nan"],
        ["--stability", "-1"],
        ["--stability", "256"],
        ["--block", "2", "-k", "1"],
        ["--block", "2", "-k", "65537"],
    ],
    ids=" ".join,
)
def test_what_contradicts_itself(options: list[str], clip: Path, tmp_path: Path, refused: Callable) -> None:
    before = snapshot(tmp_path)
    refused("compress", clip, *options, exit=2)
    assert snapshot(tmp_path) == before


def test_a_codebook_and_what_it_fixes(clip: Path, tmp_path: Path, refused: Callable) -> None:
    codebook().save(tmp_path / "book.npz")
    for option in (["-k", 4], ["--block", 2], ["--space", "gray"], ["--gray"]):
        assert "fixes" in refused("compress", clip, "-c", tmp_path / "book.npz", *option, exit=2)


def test_lossy_of_0_is_every_nearest_code(clip: Path, tmp_path: Path, good: Callable) -> None:
    for block in (1, 4):
        good("compress", clip, "-k", 32, "--block", block, "-o", tmp_path / "a.svq", "-f")
        good("compress", clip, "-c", tmp_path / "a.svq", "--lossy", 0, "-o", tmp_path / "b.svq", "-f")
        assert (tmp_path / "a.svq").read_bytes() == (tmp_path / "b.svq").read_bytes()
        with streamvq.open(tmp_path / "a.svq") as opened, streamvq.open_source(clip) as source:
            for index, pixels in enumerate(frame.pixels for frame in source):
                nearest = opened.codebook.quantize(pixels)
                assert (opened.indices[index] == nearest).all()


@pytest.mark.parametrize("out", ["out.svq", "out.mkv", "out"])
def test_an_output_that_is_larger_is_not_kept(out: str, tmp_path: Path, cli: Callable) -> None:
    source = save(few_colors(4, 2, 2), tmp_path / "in" / "a.png")
    target = tmp_path / out
    options = {"out": ["--format", "tiff"]}
    before = snapshot(tmp_path)
    result = cli("compress", source.parent, "-k", 4, "-o", target, "--skip-if-larger", *options.get(out, []))
    assert result.exit_code == 98, result.stderr
    (line,) = [line for line in result.stderr.splitlines() if "not kept" in line]
    assert str(source.stat().st_size) in line
    assert snapshot(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_an_output_that_is_smaller_is_kept(tmp_path: Path, good: Callable) -> None:
    source = save(noise(64, 64), tmp_path / "in.bmp")
    good("compress", source, "-k", 4, "--skip-if-larger")
    assert (tmp_path / "in.svq").stat().st_size < source.stat().st_size
    assert (tmp_path / "in.codebook.npz").exists()


@pytest.mark.parametrize("out", ["clip.svq", "out.mkv", "out"])
def test_an_output_that_is_too_poor_is_not_kept(out: str, clip: Path, tmp_path: Path, cli: Callable) -> None:
    before = snapshot(tmp_path)
    result = cli("compress", clip, "-k", 2, "-o", tmp_path / out, "--min-psnr", 50)
    assert result.exit_code == 99, result.stderr
    assert "50" in result.stderr
    assert "dB" in result.stderr
    assert result.stdout == ""
    assert snapshot(tmp_path) == before
    assert not (tmp_path / "out").exists()
    assert cli("compress", clip, "-k", 64, "-o", tmp_path / out, "--min-psnr", 15).exit_code == 0
    assert (tmp_path / out).exists()


def test_without_any_error_no_psnr_is_too_low(tmp_path: Path, good: Callable) -> None:
    good("compress", save(few_colors(4), tmp_path / "in.png"), "-k", 4, "--min-psnr", 999)


@pytest.mark.parametrize(("option", "code"), [(["--skip-if-larger"], 98), (["--min-psnr", "90"], 99)])
def test_existing_files_stay_where_the_new_one_is_not_kept(
    option: list[str], code: int, tmp_path: Path, cli: Callable
) -> None:
    source = save(few_colors(4, 2, 2), tmp_path / "in.png")
    for name in ("in.svq", "in.codebook.npz"):
        saved(tmp_path / name, b"precious")
    before = snapshot(tmp_path)
    result = cli("compress", source, "-k", 3, "--overwrite", *option)
    assert result.exit_code == code, result.stderr
    assert snapshot(tmp_path) == before


def test_of_several_inputs_one_is_larger(tmp_path: Path, cli: Callable) -> None:
    """The others are done, their codebook is there, and the exit code says that not all were kept."""
    save(few_colors(4, 2, 2), tmp_path / "small" / "a.png")
    write_video(tmp_path / "large.mkv", [smooth(48, 64, shift) for shift in range(6)])
    inputs = (tmp_path / "small", tmp_path / "large.mkv")
    options = ("-k", 16, "-o", tmp_path / "out", "--format", "svq", "--skip-if-larger", "--json")
    result = cli("compress", *inputs, *options)
    assert result.exit_code == 98, result.stderr
    assert sorted(snapshot(tmp_path / "out")) == ["large.svq"]
    assert (tmp_path / "out.codebook.npz").exists()
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert "not kept" in records[0]["error"]
    assert records[1]["frames"] == 6
    saved(tmp_path / "bad.mkv", b"no video")
    result = cli("compress", *inputs, tmp_path / "bad.mkv", *options, "--overwrite")
    assert result.exit_code == 1  # worse than that


def test_of_several_inputs_none_is_kept(tmp_path: Path, cli: Callable) -> None:
    for name in ("a", "b"):
        save(few_colors(4, 2, 2), tmp_path / name / "in.png")
    before = snapshot(tmp_path)
    options = ("-k", 4, "-o", tmp_path / "out", "--format", "svq", "--skip-if-larger")
    assert cli("compress", tmp_path / "a", tmp_path / "b", *options).exit_code == 98
    assert snapshot(tmp_path) == before
    assert not (tmp_path / "out").exists()


def test_the_library_raises(tmp_path: Path) -> None:
    source = save(few_colors(2, 2, 2), tmp_path / "in.png")
    with pytest.raises(streamvq.LargerThanInput, match="not kept"):
        streamvq.compress(source, n_codes=4, skip_if_larger=True)
    noisy = save(noise(), tmp_path / "noise.png")
    with pytest.raises(streamvq.BelowQuality, match="dB"):
        streamvq.compress(noisy, n_codes=2, min_psnr=80)
    assert sorted(snapshot(tmp_path)) == ["in.png", "noise.png"]


def test_several_inputs(clip: Path, tmp_path: Path, good: Callable) -> None:
    save(few_colors(5), tmp_path / "photos" / "ä.png")
    good("compress", clip, tmp_path / "photos", "-k", 16, "-o", tmp_path / "out", "--format", "svq")
    assert sorted(snapshot(tmp_path / "out")) == ["clip.svq", "photos.svq"]
    books = set()
    for name in ("clip", "photos"):
        with streamvq.open(tmp_path / "out" / f"{name}.svq") as opened:
            books.add(opened.codebook)
    assert books == {Codebook.load(tmp_path / "out.codebook.npz")}


def test_info(clip: Path, tmp_path: Path, good: Callable) -> None:
    good("compress", clip, "-k", 16)
    path = tmp_path / "clip.svq"
    about = record(good("info", path, "--json"))
    book = Codebook.load(tmp_path / "clip.codebook.npz")
    expected = {"kind": "svq", "bytes": path.stat().st_size, "width": 64, "height": 48, "frames": 10}
    expected |= {
        "frames_per_second": 25,
        "audio_streams": 1,
        "groups": 3,
        "n_codes": 16,
        "space": "rgb",
        "block": [1, 1],
    }
    expected |= {"codebook": "inside", "fingerprint": book.fingerprint, "truncation": None}
    assert about.items() >= expected.items()
    assert sum(about["bytes_by_part"].values()) == path.stat().st_size
    assert about["bits_per_pixel"] == pytest.approx(8 * path.stat().st_size / (10 * 64 * 48))
    text = good("info", path).stdout
    for part in ("frames: 10", "groups: 3", book.fingerprint, "indices", "codebook: inside"):
        assert part in text


def test_info_of_a_file_that_is_cut(clip: Path, tmp_path: Path, good: Callable, cli: Callable) -> None:
    """True figures of what is there."""
    good("compress", clip, "-k", 16)
    data = (tmp_path / "clip.svq").read_bytes()
    ends = [end for kind, _, end in offsets(data) if kind == b"GRUP"]
    for cut, groups in ((ends[0], 1), (ends[1] + 7, 2), (len(data) - 3, 3), (ends[0] - 1, 0)):
        path = saved(tmp_path / "cut.svq", data[:cut])
        about = record(cli("info", path, "--json"))
        assert (about["groups"], about["frames"]) == (groups, min(4 * groups, 10))
        assert about["bytes"] == cut
        assert "cut off" in about["truncation"]
        assert sum(about["bytes_by_part"].values()) <= cut
        assert "cut off" in cli("info", path).stdout


def test_info_without_codebook(clip: Path, tmp_path: Path, good: Callable) -> None:
    good("compress", clip, "-k", 16, "--external-codebook")
    about = record(good("info", tmp_path / "clip.svq", "--json"))
    assert "external" in about["codebook"]
    assert "codebook" not in about["bytes_by_part"]
    assert about["frames"] == 10


def test_info_of_mixed_images_and_of_several(tmp_path: Path, good: Callable) -> None:
    for index, size in enumerate([(5, 7), (9, 9), (5, 7)]):
        save(noise(*size, 4, seed=index), tmp_path / "in" / f"{index}.png")
    good("compress", tmp_path / "in", "-k", 16, "--block", 2)
    result = good("info", tmp_path / "in.svq", tmp_path / "in.codebook.npz", tmp_path / "in", "--json")
    about, *others = [json.loads(line) for line in result.stdout.splitlines()]
    assert (about["width"], about["frames"]) == (None, 3)
    assert about["bytes_by_part"]["alpha"] > 0
    assert about["bits_per_pixel"] == pytest.approx(8 * about["bytes"] / (2 * 35 + 81))
    assert [other["kind"] for other in others] == ["codebook", "images"]


def test_skip_existing(clip: Path, tmp_path: Path, good: Callable) -> None:
    good("compress", clip, "-k", 16)
    before = snapshot(tmp_path)
    assert record(good("compress", clip, "-k", 16, "--skip-existing", "--json"))["skipped"] is True
    assert snapshot(tmp_path) == before


def test_learning_from_a_svq(clip: Path, tmp_path: Path, good: Callable) -> None:
    """A .svq is an input like any other: fewer colors of what it shows."""
    good("compress", clip, "-k", 32)
    told = record(good("compress", tmp_path / "clip.svq", "-k", 8, "-o", tmp_path / "less.svq", "--json"))
    assert (told["frames"], told["n_codes"]) == (10, 8)
    good("fit", tmp_path / "clip.svq", "-k", 32, "-o", tmp_path / "book.npz")
    assert Codebook.load(tmp_path / "book.npz") == Codebook.load(tmp_path / "clip.codebook.npz")
    assert b"AUDI" in dict(pieces((tmp_path / "less.svq").read_bytes()))


def test_more_than_256_codes(tmp_path: Path, good: Callable) -> None:
    source = save(few_colors(2000, 64, 64), tmp_path / "in.png")
    assert record(good("compress", source, "--bits", 11, "--json"))["lossless"]
    with streamvq.open(tmp_path / "in.svq") as opened:
        assert opened.indices[0].dtype == np.uint16
        assert (opened[0].pixels == few_colors(2000, 64, 64)).all()


def test_an_input_without_its_codebook(clip: Path, tmp_path: Path, good: Callable, refused: Callable) -> None:
    """The codebook given is also that of the input; each command that cannot take it says what to do."""
    good("compress", clip, "-k", 16, "--external-codebook")
    source, book = tmp_path / "clip.svq", tmp_path / "clip.codebook.npz"
    fingerprint = Codebook.load(book).fingerprint[:12]
    for command in (["compress", "-o", tmp_path / "x.mkv"], ["fit", "-o", tmp_path / "x.npz"], ["spectrum"]):
        line = refused(*command, source)
        assert "clip.svq: has no codebook inside" in line
        assert f"name the one with fingerprint {fingerprint} with -c PATH" in line
        assert line.endswith("or decompress the file with it first\n")
    codebook(16).save(tmp_path / "other.npz")
    line = refused("compress", source, "-c", tmp_path / "other.npz", "-o", tmp_path / "x.mkv")
    assert f"is written with codebook {fingerprint}" in line
    assert "decompress" in line
    good("compress", source, "-c", book, "-o", tmp_path / "x.mkv")
    good("decompress", source, "-c", book, "-o", tmp_path / "y.mkv")
    for actual, expected in zip(read_video(tmp_path / "x.mkv"), read_video(tmp_path / "y.mkv"), strict=True):
        assert (actual == expected).all()
