"""`streamvq decompress`: back to video, images, one image, y4m, through pipes, and in part."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from containers import pieces, saved
from pictures import bands, codebook, few_colors, load, noise, save, snapshot
from PIL import Image
from videos import FPS, audio_packets, frame_times, read_video, write_video, y4m

import streamvq
from streamvq import Codebook
from streamvq.container import group_size

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture(autouse=True)
def _small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups of three frames of 64x48."""
    monkeypatch.setattr(group_size, "TARGET_PIXELS", 3 * 64 * 48)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a video of 10 frames, in.mkv, what compress makes of it straight, and its .svq."""
    folder = tmp_path_factory.mktemp("made")
    pictures = [bands(48, 64, shift) for shift in range(10)]
    write_video(folder / "in.mkv", pictures, audio="aac")
    streamvq.compress(folder / "in.mkv", folder / "straight.mkv", 16, save_codebook=folder / "book.npz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(group_size, "TARGET_PIXELS", 3 * 64 * 48)
        streamvq.compress(folder / "in.mkv", folder / "in.svq", codebook=Codebook.load(folder / "book.npz"))
    return folder


@pytest.fixture
def svq(made: Path) -> Path:
    return made / "in.svq"


@pytest.fixture
def straight(made: Path) -> list[np.ndarray]:
    """The pictures that it holds."""
    return read_video(made / "straight.mkv")


def test_to_an_exact_video(
    svq: Path, made: Path, straight: list[np.ndarray], tmp_path: Path, good: Callable, same_picture: Callable
) -> None:
    for suffix in (".mkv", ".avi"):
        result = good("decompress", svq, "-o", tmp_path / f"out{suffix}")
        assert result.stderr == ""
        assert f"{svq} -> {tmp_path}/out{suffix}" in result.stdout
        assert "10 frames, 64x48, 16 colors" in result.stdout
        assert "PSNR" not in result.stdout  # there is nothing to compare with
        for actual, expected in zip(read_video(tmp_path / f"out{suffix}"), straight, strict=True):
            same_picture(actual, expected)
        assert frame_times(tmp_path / f"out{suffix}") == [index / FPS for index in range(10)]
        assert audio_packets(tmp_path / f"out{suffix}") == audio_packets(made / "straight.mkv")


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".webm"])
def test_to_a_preview(
    suffix: str, svq: Path, straight: list, tmp_path: Path, good: Callable, same_picture: Callable
) -> None:
    result = good("decompress", svq, "-o", tmp_path / f"out{suffix}", "--crf", 5)
    assert "not palette-exact" in result.stderr
    for actual, expected in zip(read_video(tmp_path / f"out{suffix}"), straight, strict=True):
        assert np.abs(actual.astype(int) - expected.astype(int)).mean() < 12


@pytest.mark.parametrize("format", ["png", "webp", "tiff", "bmp"])
def test_to_numbered_images(format: str, svq: Path, straight: list, tmp_path: Path, good: Callable) -> None:
    result = good("decompress", svq, "-o", tmp_path / "out", "--format", format)
    assert "audio" in result.stderr
    assert sorted(snapshot(tmp_path / "out")) == [f"frame{index:06d}.{format}" for index in range(10)]
    for index, expected in enumerate(straight):
        assert (load(tmp_path / "out" / f"frame{index:06d}.{format}") == expected).all()


def test_images_have_the_palette(svq: Path, made: Path, tmp_path: Path, good: Callable) -> None:
    good("decompress", svq, "-o", tmp_path / "out")
    with Image.open(tmp_path / "out" / "frame000003.png") as image:
        assert image.mode == "P"
        assert image.getpalette("RGB")[:48] == Codebook.load(made / "book.npz").codes.ravel().tolist()


def test_to_y4m(svq: Path, straight: list, good: Callable, same_picture: Callable) -> None:
    result = good("decompress", svq, "-o", "-")
    for actual, expected in zip(read_video(result.stdout_bytes), straight, strict=True):
        same_picture(actual, expected, 3)


def test_to_another_svq(svq: Path, tmp_path: Path, good: Callable) -> None:
    good("decompress", svq, "-o", tmp_path / "out.svq", "--frames", "2:9")
    with streamvq.open(svq) as old, streamvq.open(tmp_path / "out.svq") as new:
        assert len(new) == 7
        assert new.codebook == old.codebook
        assert new.truncation is None
        assert new.info.frame_count in (7, None)
        assert [frame.time for frame in new] == [index / FPS for index in range(7)]
        for index in range(7):
            assert (new.indices[index] == old.indices[index + 2]).all()


def test_one_frame_to_one_image(svq: Path, straight: list, tmp_path: Path, good: Callable, refused: Callable) -> None:
    good("decompress", svq, "-o", tmp_path / "out.png", "--frames", "4")
    assert (load(tmp_path / "out.png") == straight[4]).all()
    line = refused("decompress", svq, "-o", tmp_path / "all.png")
    assert "one image" in line
    assert not (tmp_path / "all.png").exists()


PARTS = {
    "2:5": range(2, 5),
    "7:": range(7, 10),
    ":4": range(4),
    "6": range(6, 7),
    ":": range(10),
    "8:99": range(8, 10),
}
PARTS |= {"0:99999999999999999999": range(10), "0": range(1), "9": range(9, 10)}


@pytest.mark.parametrize(("text", "part"), PARTS.items(), ids=PARTS)
def test_a_part(text: str, part: range, svq: Path, straight: list, tmp_path: Path, good: Callable) -> None:
    result = good("decompress", svq, "-o", tmp_path / "out.mkv", "--frames", text, "--json")
    assert json.loads(result.stdout)["frames"] == len(part)
    for actual, index in zip(read_video(tmp_path / "out.mkv"), part, strict=True):
        assert (actual == straight[index]).all()
    assert frame_times(tmp_path / "out.mkv") == [index / FPS for index in range(len(part))]


@pytest.mark.parametrize("text", ["3:6", "9:", "0:1"])
def test_a_part_of_a_pipe(text: str, svq: Path, straight: list, tmp_path: Path, good: Callable) -> None:
    """Also where it is never a file: from pipe to pipe."""
    start, _, end = text.partition(":")
    expected = straight[int(start) : int(end) if end else None]
    good("decompress", "-", "-o", tmp_path / "out.mkv", "--frames", text, stdin=svq.read_bytes())
    result = good("decompress", "-", "-o", "-", "--frames", text, stdin=svq.read_bytes())
    for pictures, most in ((read_video(tmp_path / "out.mkv"), 0), (read_video(result.stdout_bytes), 3)):
        for actual, picture in zip(pictures, expected, strict=True):
            assert np.abs(actual.astype(int) - picture.astype(int)).max() <= most


@pytest.mark.parametrize(
    "text", ["10", "10:12", "99:", "5:5", "6:3", "x", "1:2:0", "1.5", "", "a:b", "-1", "-3:", "1:-1"]
)
def test_a_part_that_is_none(text: str, svq: Path, tmp_path: Path, refused: Callable) -> None:
    for out in (tmp_path / "out.mkv", tmp_path / "out", "-"):
        line = refused("decompress", svq, "-o", out, f"--frames={text}", exit=2)
        assert "frames" in line
        line = refused("decompress", "-", "-o", out, f"--frames={text}", exit=2, stdin=svq.read_bytes())
        assert "frames" in line
    assert snapshot(tmp_path) == {}


def test_a_part_of_images_keeps_their_names_and_starts_at_0(tmp_path: Path, good: Callable) -> None:
    for index in range(6):
        save(few_colors(4, seed=index), tmp_path / "in" / f"{index}.png")
    good("compress", tmp_path / "in", "-k", 24, "-o", tmp_path / "x.svq")
    good("decompress", tmp_path / "x.svq", "-o", tmp_path / "out", "--frames", "3:5")
    assert sorted(snapshot(tmp_path / "out")) == ["3.png", "4.png"]
    good("decompress", tmp_path / "x.svq", "-o", tmp_path / "out.mkv", "--frames", "3:5")
    assert frame_times(tmp_path / "out.mkv") == [0, 1 / FPS]
    good("decompress", tmp_path / "x.svq", "-o", tmp_path / "all.mkv", "--fps", "30000/1001")
    assert (
        frame_times(tmp_path / "all.mkv")[:2] == [0, Fraction(33, 1000)] or len(read_video(tmp_path / "all.mkv")) == 6
    )


NAMES = {
    "a b.png": (noise(9, 7, 3), "png"),
    "Frühling 春/🌸 100% [1].png": (noise(5, 12, 3, 1), "png"),
    "deep/er/soft.png": (noise(8, 8, 4, 2), "png"),
    "deep/binary.png": (noise(6, 5, 4, 3) // [1, 1, 1, 128] * [1, 1, 1, 255], "png"),
    "deep/photo10.png": (noise(3, 4, 1, 3), "png"),
    "deep/photo9.bmp": (noise(3, 4, 3, 4), "bmp"),
}


@pytest.mark.parametrize(
    "kind", [["-k", 16], ["-k", 300], ["--gray", "--bits", 3], ["--block", 2, "-k", 20]], ids=str
)
def test_a_tree_of_images_in_one_file(kind: list, tmp_path: Path, good: Callable) -> None:
    """The same names and pixels as straight into a folder."""
    for name, (pixels, _) in NAMES.items():
        save(pixels.astype(np.uint8), tmp_path / "in" / name)
    good("compress", tmp_path / "in", "-r", *kind, "-o", tmp_path / "straight")
    good("compress", tmp_path / "in", "-r", *kind, "-o", tmp_path / "x.svq")
    good("decompress", tmp_path / "x.svq", "-o", tmp_path / "round")
    assert (tmp_path / "x.codebook.npz").read_bytes() == (tmp_path / "straight.codebook.npz").read_bytes()
    names = {name.rpartition(".")[0] + ".png" for name in NAMES}
    assert set(snapshot(tmp_path / "round")) == set(snapshot(tmp_path / "straight")) == names
    for name in names:
        assert (load(tmp_path / "round" / name, "RGBA") == load(tmp_path / "straight" / name, "RGBA")).all(), name
    assert snapshot(tmp_path / "round") == snapshot(tmp_path / "straight")


def test_one_image(tmp_path: Path, good: Callable) -> None:
    source = save(noise(17, 33, 4), tmp_path / "in.png")
    good("compress", source, "-k", 16)
    good("compress", source, "-c", tmp_path / "in.svq", "-o", tmp_path / "straight.png")
    good("decompress", tmp_path / "in.svq", "-o", tmp_path / "round.png")
    assert (tmp_path / "round.png").read_bytes() == (tmp_path / "straight.png").read_bytes()


@pytest.mark.parametrize(
    "kind",
    [["--gray", "-k", 8], ["-k", 300], ["--block", 4, "-k", 12], ["--block", "8x2", "--space", "rgb", "-k", 9]],
    ids=str,
)
def test_videos_of_every_kind_of_codebook(kind: list, made: Path, tmp_path: Path, good: Callable) -> None:
    good("compress", made / "in.mkv", *kind, "-o", tmp_path / "x.svq")
    good("compress", made / "in.mkv", "-c", tmp_path / "x.codebook.npz", "-o", tmp_path / "straight.mkv")
    good("decompress", tmp_path / "x.svq", "-o", tmp_path / "round.mkv")
    for one, other in zip(read_video(tmp_path / "round.mkv"), read_video(tmp_path / "straight.mkv"), strict=True):
        assert (one == other).all()


def test_several_files(made: Path, svq: Path, tmp_path: Path, good: Callable, cli: Callable) -> None:
    for name in ("a", "b"):
        saved(tmp_path / f"{name}.svq", svq.read_bytes())
    good("decompress", tmp_path / "*.svq", "-o", tmp_path / "out")
    assert sorted(snapshot(tmp_path / "out")) == ["a.mkv", "b.mkv"]
    good("decompress", tmp_path / "a.svq", tmp_path / "b.svq", "-o", tmp_path / "frames", "--format", "png")
    assert len(snapshot(tmp_path / "frames")) == 20
    saved(tmp_path / "a.svq", svq.read_bytes()[:-300])
    result = cli("decompress", tmp_path / "*.svq", "-o", tmp_path / "again", "--json")
    assert result.exit_code == 1
    assert "a.svq: is cut off" in result.stderr
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [bool(record.get("failed")) for record in records] == [True, False]
    assert records[1]["frames"] == 10


def test_json(svq: Path, tmp_path: Path, good: Callable) -> None:
    record = json.loads(good("decompress", svq, "-o", tmp_path / "out.mkv", "--json").stdout)
    assert record["bytes_in"] == svq.stat().st_size
    assert record["bytes_out"] == (tmp_path / "out.mkv").stat().st_size
    assert (record["frames"], record["width"], record["height"], record["n_codes"]) == (10, 64, 48, 16)
    assert "psnr_db" not in record  # nothing was compared


def test_quiet(svq: Path, tmp_path: Path, good: Callable) -> None:
    result = good("decompress", svq, "-o", tmp_path / "out.mkv", "-q")
    assert (result.stdout, result.stderr) == ("", "")


def test_what_exists(svq: Path, tmp_path: Path, good: Callable, refused: Callable) -> None:
    saved(tmp_path / "out.mkv", b"precious")
    assert "--overwrite" in refused("decompress", svq, "-o", tmp_path / "out.mkv")
    assert (tmp_path / "out.mkv").read_bytes() == b"precious"
    assert "does not say" in refused("decompress", svq, "-o", tmp_path / "out.mkv", "--skip-existing")
    assert (tmp_path / "out.mkv").read_bytes() == b"precious"
    good("decompress", svq, "-o", tmp_path / "out.mkv", "-f")
    assert len(read_video(tmp_path / "out.mkv")) == 10


def test_dry_run(svq: Path, tmp_path: Path, good: Callable) -> None:
    result = good("decompress", svq, "-o", tmp_path / "out.mkv", "--dry-run")
    assert "in.svq" in result.stdout
    assert "out.mkv" in result.stdout
    assert snapshot(tmp_path) == {}


def test_what_is_no_input(svq: Path, tmp_path: Path, refused: Callable) -> None:
    source = saved(tmp_path / "in.svq", svq.read_bytes())
    picture = save(noise(), tmp_path / "in.png")
    before = snapshot(tmp_path)
    assert "in.png" in refused("decompress", picture, "-o", tmp_path / "out", exit=2)
    assert "is an input" in refused("decompress", source, "-o", source, exit=2)
    assert "nowhere.svq" in refused("decompress", tmp_path / "nowhere.svq", "-o", tmp_path / "out.mkv")
    assert "missing" in refused("decompress", source, "-o", tmp_path / "missing" / "out.mkv")
    refused("decompress", source, "-o", tmp_path / "out.xyz", exit=2)
    assert "-: " in refused("decompress", "-", "-o", tmp_path / "out.mkv", stdin=y4m([noise()]))
    assert "-: " in refused("decompress", "-", "-o", tmp_path / "out.mkv", stdin=b"")
    assert snapshot(tmp_path) == before


def test_with_external_codebook(made: Path, tmp_path: Path, good: Callable, refused: Callable) -> None:
    book = Codebook.load(made / "book.npz")
    good("compress", made / "in.mkv", "-c", made / "book.npz", "--external-codebook", "-o", tmp_path / "x.svq")
    assert b"BOOK" not in dict(pieces((tmp_path / "x.svq").read_bytes()))
    before = snapshot(tmp_path)
    line = refused("decompress", tmp_path / "x.svq", "-o", tmp_path / "out.mkv")
    assert book.fingerprint[:12] in line
    assert "-c" in line
    other = codebook(16, seed=9)
    other.save(tmp_path / "other.npz")
    line = refused("decompress", tmp_path / "x.svq", "-c", tmp_path / "other.npz", "-o", tmp_path / "out.mkv")
    assert book.fingerprint[:12] in line
    assert other.fingerprint[:12] in line
    assert snapshot(tmp_path).keys() == before.keys() | {"other.npz"}
    good("decompress", tmp_path / "x.svq", "-c", made / "book.npz", "-o", tmp_path / "out.mkv")
    for one, other_picture in zip(read_video(tmp_path / "out.mkv"), read_video(made / "straight.mkv"), strict=True):
        assert (one == other_picture).all()
    good("decompress", tmp_path / "x.svq", "-c", made / "in.svq", "-o", tmp_path / "again.mkv")
    assert (tmp_path / "again.mkv").read_bytes() == (tmp_path / "out.mkv").read_bytes()


def test_a_learned_codebook_stays_outside(made: Path, tmp_path: Path, good: Callable) -> None:
    """It lies beside, or the file could never be read again."""
    good("compress", made / "in.mkv", "-k", 8, "--external-codebook", "-o", tmp_path / "x.svq")
    good("decompress", tmp_path / "x.svq", "-c", tmp_path / "x.codebook.npz", "-o", tmp_path / "out.mkv")
    assert len(read_video(tmp_path / "out.mkv")) == 10


@pytest.mark.parametrize("command", ["compress", "apply"])
def test_the_codebook_of_a_svq_for_another_input(command: str, svq: Path, tmp_path: Path, good: Callable) -> None:
    picture = save(noise(), tmp_path / "in.png")
    good(command, picture, "-c", svq, "-o", tmp_path / "out.png")
    with streamvq.open(svq) as clip:
        book = clip.codebook
    assert (load(tmp_path / "out.png") == book.lookup(book.quantize(load(picture)))).all()


def test_a_wrong_codebook_for_a_file_that_has_its_own(svq: Path, tmp_path: Path, refused: Callable) -> None:
    codebook(16, seed=9).save(tmp_path / "other.npz")
    assert "codebook" in refused("decompress", svq, "-c", tmp_path / "other.npz", "-o", tmp_path / "out.mkv")
    assert not (tmp_path / "out.mkv").exists()


def test_from_process_to_process(made: Path, straight: list, tmp_path: Path, start: Start) -> None:
    """compress IN -o - --format svq | decompress - -o out.mkv, with sound."""
    options = ("-c", made / "book.npz", "-o", "-", "--format", "svq")
    first = start("compress", made / "in.mkv", *options)
    second = start("decompress", "-", "-o", tmp_path / "out.mkv", stdin=first.stdout)
    assert first.stdout is not None
    first.stdout.close()
    _, stderr = second.communicate(timeout=300)
    assert second.returncode == 0, stderr.decode()
    assert first.wait(100) == 0
    for actual, expected in zip(read_video(tmp_path / "out.mkv"), straight, strict=True):
        assert (actual == expected).all()
    assert audio_packets(tmp_path / "out.mkv") == audio_packets(made / "straight.mkv")


def test_from_y4m_through_svq_to_y4m(tmp_path: Path, good: Callable) -> None:
    """All of it in pipes; learned from the first frames."""
    pictures = [few_colors(4, 48, 64, seed=2)] * 7
    book = tmp_path / "book.npz"
    data = good("compress", "-", "-k", 8, "-o", "-", "--format", "svq", "--save-codebook", book, stdin=y4m(pictures))
    assert data.stdout_bytes.startswith(b"\x89SVQ")
    back = good("decompress", "-", "-o", "-", stdin=data.stdout_bytes)
    for actual in read_video(back.stdout_bytes):
        assert np.abs(actual.astype(int) - pictures[0].astype(int)).max() <= 6
    images = good("decompress", "-", "-o", tmp_path / "out", stdin=data.stdout_bytes)
    assert images.exit_code == 0
    assert len(snapshot(tmp_path / "out")) == 7


def test_one_image_from_a_pipe(svq: Path, straight: list, tmp_path: Path, good: Callable) -> None:
    good("decompress", "-", "-o", tmp_path / "out.png", "--frames", "2", stdin=svq.read_bytes())
    assert (load(tmp_path / "out.png") == straight[2]).all()


def test_by_the_library(tmp_path: Path, svq: Path) -> None:
    result = streamvq.decompress(svq, tmp_path / "out.mkv", frames=range(2, 4))
    assert (result.frames, result.failed, result.psnr_db) == (2, (), None)


def test_to_svq_in_groups_of_the_usual_size(
    svq: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good: Callable
) -> None:
    """Whatever groups the input has; those that are of that size stay as they are."""
    good("decompress", svq, "-o", tmp_path / "same.svq")
    groups_of = [
        [part for part in pieces(path.read_bytes()) if part[0] == b"GRUP"] for path in (svq, tmp_path / "same.svq")
    ]
    assert groups_of[0] == groups_of[1]
    for pixels, groups in ((64 * 48, 10), (7 * 64 * 48, 2), (4 * 64 * 48, 3), (2 * 64 * 48, 6)):
        monkeypatch.setattr(group_size, "TARGET_PIXELS", pixels)
        good("decompress", svq, "-o", tmp_path / "out.svq", "-f", "--jobs", 2)
        about = json.loads(good("info", tmp_path / "out.svq", "--json").stdout)
        assert (about["frames"], about["groups"]) == (10, groups), pixels
        with streamvq.open(svq) as before, streamvq.open(tmp_path / "out.svq") as after:
            for one, other in zip(before, after, strict=True):
                assert (one.pixels == other.pixels).all()
                assert (one.index, one.time, one.duration) == (other.index, other.time, other.duration)
