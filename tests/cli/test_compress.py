"""`streamvq compress`: the jobs that people come for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from pictures import READY, SAMPLES, bands, codebook, few_colors, load, noise, save, smooth, snapshot
from PIL import Image
from videos import frame_times, read_video, write_video, y4m

from streamvq import Codebook

KEYS = {"input", "output", "codebook", "frames", "width", "height", "bytes_in", "bytes_out", "codebook_bytes"}
KEYS |= {"bits_per_pixel", "psnr_db", "seconds", "frames_per_second"}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pictures = [bands(48, 64, shift, 128) for shift in range(10)]
    return write_video(tmp_path_factory.mktemp("film") / "clip.mp4", pictures, crf="0")


@pytest.fixture
def clip(film: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(film, tmp_path))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for index in (1, 2, 10):
        save(few_colors(6, seed=3), tmp_path / "photos" / f"photo{index}.png")
    (tmp_path / "photos" / "notes.txt").write_text("mine")
    return tmp_path / "photos"


@pytest.mark.slow
def test_a_video_to_exact_colors(clip: Path, tmp_path: Path, good: Callable) -> None:
    result = good("compress", clip, "-k", 16, "-o", tmp_path / "out.mkv")
    assert "10 frames, 64x48, 16 colors, PSNR" in result.stdout
    assert result.stderr == "" or "times as large" in result.stderr
    colors = {tuple(color) for picture in read_video(tmp_path / "out.mkv") for color in picture.reshape(-1, 3)}
    assert colors <= {tuple(code) for code in Codebook.load(tmp_path / "out.codebook.npz").codes}
    assert len(colors) == 16


def test_the_clip_that_comes_along(tmp_path: Path, good: Callable) -> None:
    result = good("compress", SAMPLES / "clip.mp4", "-k", 8, "-o", tmp_path / "out.mkv", "--json")
    record = json.loads(result.stdout)
    assert (record["frames"], record["width"], record["height"], record["n_codes"]) == (100, 480, 270, 8)
    assert record["psnr_db"] > 20


def test_json_is_one_object_with_the_designs_keys(clip: Path, tmp_path: Path, good: Callable) -> None:
    result = good("compress", clip, "-k", 16, "-o", tmp_path / "out.mkv", "--json")
    assert result.stdout.count("\n") == 1
    record = json.loads(result.stdout)
    assert record.keys() >= KEYS
    assert "error" not in record
    assert record["input"] == str(clip)
    assert record["output"] == str(tmp_path / "out.mkv")
    assert record["codebook"] == str(tmp_path / "out.codebook.npz")
    assert record["bytes_in"] == clip.stat().st_size
    assert record["bytes_out"] == (tmp_path / "out.mkv").stat().st_size
    assert record["codebook_bytes"] == (tmp_path / "out.codebook.npz").stat().st_size
    assert record["bits_per_pixel"] == pytest.approx(8 * record["bytes_out"] / (10 * 64 * 48))
    assert record["frames_per_second"] == pytest.approx(10 / record["seconds"])


def test_json_for_several_inputs_is_a_line_each(clip: Path, tmp_path: Path, good: Callable) -> None:
    other = write_video(tmp_path / "other.mkv", [noise()])
    result = good("compress", clip, other, "-k", 16, "-o", tmp_path / "out", "--json")
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["input"] for record in records] == [str(clip), str(other)]
    assert len({record["codebook"] for record in records}) == 1


def test_the_tutorials_case(tmp_path: Path, good: Callable) -> None:
    """A gray photo to 2^3 levels: (8 - 3) / 8."""
    camera = SAMPLES / "photos" / "camera.png"
    result = good("compress", camera, "--gray", "--bits", 3, "-o", tmp_path / "camera.png")
    assert "8 colors" in result.stdout
    assert "62.5 %" in result.stdout
    book = Codebook.load(tmp_path / "camera.codebook.npz")
    assert (book.space, len(book)) == ("gray", 8)
    assert (load(tmp_path / "camera.png", "L") == book.lookup(book.quantize(load(camera, "L")))).all()


@pytest.mark.parametrize("bits", range(1, 9))
def test_gray_bits(bits: int, tmp_path: Path, good: Callable) -> None:
    source = save(noise(64, 64, 1), tmp_path / "in.png")
    result = good("compress", source, "--gray", "--bits", bits, "-o", tmp_path / "out.png", "--json")
    assert json.loads(result.stdout)["compression_rate"] == (8 - bits) / 8
    assert len(np.unique(load(tmp_path / "out.png", "L"))) == 2**bits


def test_a_folder_of_images_shares_one_palette(photos: Path, tmp_path: Path, good: Callable) -> None:
    result = good("compress", photos, "-k", 6, "-o", tmp_path / "out")
    assert "lossless" in result.stdout
    assert "left alone: 1" in result.stdout
    book = Codebook.load(tmp_path / "out.codebook.npz")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["photo1.png", "photo10.png", "photo2.png"]
    for path in (tmp_path / "out").iterdir():
        with Image.open(path) as image:
            assert image.mode == "P"
            assert image.getpalette("RGB")[:18] == book.codes.ravel().tolist()
        assert (load(path) == load(photos / path.name)).all()


def test_a_tree_is_mirrored(tmp_path: Path, good: Callable) -> None:
    names = ["a.png", "deep/b.jpg", "deep/er/c.bmp"]
    for index, name in enumerate(names):
        save(noise(8 + index, 9, (1, 3, 3)[index]), tmp_path / "in" / name)
    clear = np.dstack([noise(5, 5), np.eye(5, dtype=np.uint8) * 255])
    save(clear, tmp_path / "in" / "deep" / "alpha.png")
    good("compress", tmp_path / "in", "-r", "-k", 16, "-o", tmp_path / "out")
    assert sorted(snapshot(tmp_path / "out")) == ["a.png", "deep/alpha.png", "deep/b.png", "deep/er/c.png"]
    assert load(tmp_path / "out" / "deep" / "er" / "c.png").shape == (10, 9, 3)
    assert (load(tmp_path / "out" / "deep" / "alpha.png", "RGBA")[..., 3] == clear[..., 3]).all()


@pytest.mark.parametrize("format", ["png", "webp", "tiff", "bmp", "jpg"])
def test_image_formats(format: str, photos: Path, tmp_path: Path, good: Callable) -> None:
    good("compress", photos, "-k", 4, "-o", tmp_path / "out", "--format", format)
    assert len(list((tmp_path / "out").glob(f"*.{format}"))) == 3


def test_more_than_256_colors_become_rgb(tmp_path: Path, good: Callable) -> None:
    source = save(noise(40, 40), tmp_path / "in.png")
    good("compress", source, "-k", 300, "-o", tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as image:
        assert image.mode == "RGB"
    assert len(np.unique(load(tmp_path / "out.png").reshape(-1, 3), axis=0)) == 300


def test_a_video_to_numbered_images(clip: Path, tmp_path: Path, good: Callable) -> None:
    good("compress", clip, "-k", 16, "-o", tmp_path / "frames")
    names = sorted(path.name for path in (tmp_path / "frames").iterdir())
    assert names == [f"frame{index:06d}.png" for index in range(10)]


def test_images_to_a_video(photos: Path, tmp_path: Path, good: Callable, same_picture: Callable) -> None:
    good("compress", photos, "-k", 6, "--fps", "30000/1001", "-o", tmp_path / "out.mp4")
    assert frame_times(tmp_path / "out.mp4") == [index * Fraction(1001, 30000) for index in range(3)]
    good("compress", photos, "-k", 6, "-o", tmp_path / "out.mkv", "--overwrite")
    for actual in read_video(tmp_path / "out.mkv"):
        same_picture(actual, load(photos / "photo1.png"))


def test_fewer_colors_than_asked_is_impossible_to_miss(photos: Path, tmp_path: Path, good: Callable) -> None:
    for index, quiet in enumerate(([], ["-q"])):
        result = good("compress", photos, "-k", 200, "-o", tmp_path / f"out{index}", *quiet)
        assert "6 colors instead of 200" in result.stderr
        assert "no more" in result.stderr


def test_from_pipe_to_pipe(tmp_path: Path, good: Callable, same_picture: Callable) -> None:
    pictures = [few_colors(4, seed=2)] * 6
    book = tmp_path / "book.npz"
    result = good("compress", "-", "-k", 8, "--save-codebook", book, "-o", "-", stdin=y4m(pictures))
    shown = read_video(result.stdout_bytes)
    assert len(shown) == 6
    for actual in shown:
        same_picture(actual, pictures[0], 6)
    assert len(Codebook.load(book)) <= 8


def test_a_pipe_is_learned_from_its_first_frames(tmp_path: Path, good: Callable) -> None:
    pictures = [np.full((16, 16, 3), level, np.uint8) for level in (50, 50, 50, 200, 200)]
    out = tmp_path / "out.mkv"
    result = good("compress", "-", "-k", 4, "--warmup", 3, "-o", out, stdin=y4m(pictures))
    assert "first 3 frames" in result.stderr
    assert len(read_video(out)) == 5
    assert len(Codebook.load(tmp_path / "out.codebook.npz")) == 1


def test_a_pipe_shorter_than_the_warm_up(tmp_path: Path, good: Callable) -> None:
    out = tmp_path / "out.mkv"
    good("compress", "-", "-k", 4, "-o", out, stdin=y4m([noise(), noise(seed=1)]))
    assert len(read_video(out)) == 2


def test_dry_run_writes_nothing(clip: Path, tmp_path: Path, good: Callable) -> None:
    before = snapshot(tmp_path)
    text = good("compress", clip, "-o", tmp_path / "out.mkv", "--dry-run").stdout
    assert "clip.mp4" in text
    assert "out.mkv" in text
    assert "out.codebook.npz" in text
    record = json.loads(good("compress", clip, "-o", tmp_path / "out.mkv", "--dry-run", "--json").stdout)
    assert record["dry_run"] is True
    assert record["output"] == str(tmp_path / "out.mkv")
    assert snapshot(tmp_path) == before


def test_dry_run_finds_what_would_go_wrong(clip: Path, tmp_path: Path, refused: Callable) -> None:
    (tmp_path / "out.mkv").touch()
    refused("compress", clip, "-o", tmp_path / "out.mkv", "--dry-run")
    refused("compress", clip, "-o", clip, "--dry-run", exit=2)


def test_quiet_says_nothing(clip: Path, tmp_path: Path, good: Callable) -> None:
    result = good("compress", clip, "-k", 16, "-o", tmp_path / "out.mp4", "-q")
    assert (result.stdout, result.stderr) == ("", "")


def test_a_preview_says_that_it_is_not_exact(clip: Path, tmp_path: Path, good: Callable) -> None:
    for suffix in (".mp4", ".mov", ".webm"):
        result = good("compress", clip, *READY, "-o", tmp_path / f"out{suffix}")
        assert "not palette-exact" in result.stderr
    assert "not palette-exact" not in good("compress", clip, *READY, "-o", tmp_path / "out.mkv").stderr


def test_overwrite_replaces(clip: Path, tmp_path: Path, good: Callable) -> None:
    out = tmp_path / "out.mkv"
    good("compress", clip, "-k", 4, "-o", out)
    before = out.read_bytes()
    good("compress", clip, "-k", 16, "-o", out, "--overwrite")
    assert out.read_bytes() != before
    assert len(Codebook.load(tmp_path / "out.codebook.npz")) == 16


def test_a_shorter_run_leaves_no_old_frames(tmp_path: Path, good: Callable) -> None:
    long = write_video(tmp_path / "long.mkv", [smooth(shift=shift) for shift in range(6)])
    short = write_video(tmp_path / "short.mkv", [smooth(shift=shift) for shift in range(3)])
    for source in (long, short):
        good("compress", source, "-k", 4, "-o", tmp_path / "out", "--overwrite")
        save(noise(), tmp_path / "out" / "mine.png")
        save(noise(), tmp_path / "out" / "frame7.png")  # not of our making: ours have six digits
    assert len(list((tmp_path / "out").iterdir())) == 3 + 2


def test_named_images_never_take_away_numbered_ones(tmp_path: Path, good: Callable) -> None:
    for folder, numbers in (("b", (4, 5)), ("a", (0, 1))):
        for number in numbers:
            save(smooth(shift=number), tmp_path / folder / f"frame{number:06d}.png")
        good(
            "compress",
            tmp_path / folder,
            "-k",
            4,
            "-o",
            tmp_path / "out",
            "--save-codebook",
            tmp_path / f"{folder}.npz",
        )
    assert len(list((tmp_path / "out").iterdir())) == 4


def test_skipped_outputs_and_new_ones_share_their_codebook(tmp_path: Path, good: Callable, refused: Callable) -> None:
    for name in ("a.mkv", "b.mkv"):
        write_video(tmp_path / name, [smooth(shift=len(name))])
    arguments = ("compress", tmp_path / "a.mkv", tmp_path / "b.mkv", "-k", 4, "-o", tmp_path / "out")
    good(*arguments)
    book = (tmp_path / "out.codebook.npz").read_bytes()
    (tmp_path / "out" / "b.mkv").unlink()
    good(*arguments, "--skip-existing")
    assert (tmp_path / "out" / "b.mkv").exists()
    assert (tmp_path / "out.codebook.npz").read_bytes() == book
    (tmp_path / "out" / "b.mkv").unlink()
    (tmp_path / "out.codebook.npz").unlink()
    assert "missing" in refused(*arguments, "--skip-existing")


def test_an_input_named_twice_is_done_once(tmp_path: Path, good: Callable) -> None:
    clip = write_video(tmp_path / "a.mkv", [smooth()])
    result = good("compress", clip, clip, "-k", 4, "-o", tmp_path / "out.mkv", "--json")
    assert len(result.stdout.splitlines()) == 1


def test_a_pipe_stage_can_be_run_again(tmp_path: Path, good: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    clip = write_video(tmp_path / "a.mkv", [smooth()])
    for _ in range(2):
        assert good("compress", clip, "-k", 4, "-o", "-", "-q").stdout_bytes.startswith(b"YUV4MPEG2 ")
    assert len(list(tmp_path.glob("a.*.codebook.npz"))) == 1


def test_skip_existing_does_the_rest_with_the_same_codebook(photos: Path, tmp_path: Path, good: Callable) -> None:
    good("compress", photos, "-k", 4, "-o", tmp_path / "out")
    book = (tmp_path / "out.codebook.npz").read_bytes()
    done = (tmp_path / "out" / "photo2.png").read_bytes()
    (tmp_path / "out" / "photo1.png").unlink()
    save(noise(), photos / "photo3.png")
    record = json.loads(good("compress", photos, "-k", 4, "-o", tmp_path / "out", "--skip-existing", "--json").stdout)
    assert record["frames"] == 2
    assert (tmp_path / "out.codebook.npz").read_bytes() == book
    assert (tmp_path / "out" / "photo2.png").read_bytes() == done
    allowed = {tuple(code) for code in Codebook.load(tmp_path / "out.codebook.npz").codes}
    assert {tuple(color) for color in load(tmp_path / "out" / "photo3.png").reshape(-1, 3)} <= allowed


def test_skip_existing_when_all_is_there(clip: Path, tmp_path: Path, good: Callable) -> None:
    good("compress", clip, "-k", 4, "-o", tmp_path / "out.mkv")
    before = snapshot(tmp_path)
    record = json.loads(
        good("compress", clip, "-k", 4, "-o", tmp_path / "out.mkv", "--skip-existing", "--json").stdout
    )
    assert record["skipped"] is True
    assert snapshot(tmp_path) == before


def test_several_videos_share_one_codebook(tmp_path: Path, good: Callable) -> None:
    for name, level in (("take2", 60), ("take10", 200)):
        write_video(tmp_path / "takes" / f"{name}.mkv", [np.full((16, 16, 3), level, np.uint8)] * 3)
    good("compress", tmp_path / "takes" / "*.mkv", "-k", 8, "-o", tmp_path / "out")
    assert sorted(snapshot(tmp_path / "out")) == ["take10.mkv", "take2.mkv"]
    assert Codebook.load(tmp_path / "out.codebook.npz").codes.tolist() == [[60] * 3, [200] * 3]
    assert (read_video(tmp_path / "out" / "take2.mkv")[0] == 60).all()


def test_unicode_and_spaces(tmp_path: Path, good: Callable) -> None:
    folder = tmp_path / "Frühling 春 🌸"
    write_video(folder / "Übung [1] 100%.mkv", [smooth()])
    save(noise(), folder / "bilder" / "é à.png")
    good("compress", folder / "Übung [1] 100%.mkv", "-k", 4, "-o", folder / "öut 1.mkv")
    good("compress", folder / "bilder", "-k", 4, "-o", folder / "ñ 2")
    assert {"öut 1.mkv", "öut 1.codebook.npz", "ñ 2/é à.png", "ñ 2.codebook.npz"} <= set(snapshot(folder))


def test_a_codebook_for_a_name(clip: Path, tmp_path: Path, good: Callable) -> None:
    good("compress", clip, "-k", 4, "-o", tmp_path / "out.mkv", "--save-codebook", tmp_path / "brand.npz")
    assert len(Codebook.load(tmp_path / "brand.npz")) == 4
    assert not (tmp_path / "out.codebook.npz").exists()


def test_a_given_codebook(clip: Path, tmp_path: Path, good: Callable) -> None:
    book = codebook(8)
    book.save(tmp_path / "book.npz")
    record = json.loads(
        good("compress", clip, "-c", tmp_path / "book.npz", "-o", tmp_path / "out.mkv", "--json").stdout
    )
    assert record["codebook"] == str(tmp_path / "book.npz")
    for actual, pixels in zip(read_video(tmp_path / "out.mkv"), read_video(clip), strict=True):
        assert np.isin(actual.reshape(-1, 3).view("u1,u1,u1"), book.codes.copy().view("u1,u1,u1")).all()
        assert actual.shape == pixels.shape


@pytest.mark.parametrize("seed", [0, 7])
def test_the_seed_is_kept_with_the_codebook(seed: int, clip: Path, tmp_path: Path, good: Callable) -> None:
    good("compress", clip, "-k", 16, "--seed", seed, "-o", tmp_path / "out.mkv")
    assert Codebook.load(tmp_path / "out.codebook.npz").provenance["seed"] == seed


def test_65536_colors(tmp_path: Path, good: Callable) -> None:
    source = save(few_colors(66_000, 257, 257), tmp_path / "in.png")
    record = json.loads(good("compress", source, "--bits", 16, "-o", tmp_path / "out.png", "--json").stdout)
    assert record["n_codes"] == 65536
    assert record["psnr_db"] > 30


def test_with_only_a_damaged_file_left_json_has_an_object_an_input(tmp_path: Path, cli: Callable) -> None:
    (tmp_path / "in").mkdir()
    whole = write_video(tmp_path / "in" / "a.mkv", [smooth(shift=shift) for shift in range(3)])
    whole.with_name("b.mkv").write_bytes(whole.read_bytes()[:300])
    arguments = ("compress", tmp_path / "in" / "*.mkv", "-k", 4, "-o", tmp_path / "out", "--skip-existing", "--json")
    first, again = ([json.loads(line) for line in cli(*arguments).stdout.splitlines()] for _ in range(2))
    assert [each["status"] for each in first] == ["done", "failed"]
    assert [each["status"] for each in again] == ["skipped", "failed"]
    assert [Path(each["input"]).name for each in again] == ["a.mkv", "b.mkv"]
    assert again[1]["exit_code"] == 1
    assert "b.mkv" in again[1]["error"]
